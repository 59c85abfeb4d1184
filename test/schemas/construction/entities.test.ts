import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { construction } from '../../../schemas/construction/index.ts';
import { expectedGraph } from './expected-graph.ts';
import { entityNamed, judgeNode } from './judge-node.ts';

const engineAttributes = new Set([construction.scope, ...construction.common.engine]);

describe('the entities of construction quality', () => {
  test('every node of the correct graph is accepted as it is', () => {
    expect(expectedGraph.nodes).toHaveLength(666);
    const refused = expectedGraph.nodes.flatMap(({ label, props }) => {
      const attributes = Object.fromEntries(Object.entries(props).filter(([name]) => !engineAttributes.has(name)));
      return judgeNode(entityNamed(label), attributes).map((fault) => ({ label, ...fault, props }));
    });
    expect(refused).toEqual([]);
  });

  test('nothing is rewritten: what is accepted comes out as it went in', () => {
    for (const { label, props } of expectedGraph.nodes) {
      const entity = entityNamed(label);
      const own = Object.fromEntries(Object.entries(props).filter(([name]) => name in entity.attributes.shape));
      expect((entity.refined ?? entity.attributes).parse(own)).toEqual(own);
    }
  });

  test.each(construction.entities.map((entity) => [entity.name, entity] as const))(
    '%s: its valid example passes and its invalid example is refused at the attribute it names',
    (_, entity) => {
      expect(judgeNode(entity, entity.examples.valid)).toEqual([]);
      const { attributes, at } = entity.examples.invalid;
      const faults = judgeNode(entity, attributes);
      expect(faults.map((fault) => fault.at.split('.')[0])).toEqual([at]);
    },
  );

  test.each(construction.entities.map((entity) => [entity.name, entity] as const))(
    '%s: key, producers and attributes fit together',
    (_, entity) => {
      const names = Object.keys(entity.attributes.shape);
      expect(entity.key[0]).toBe(construction.scope);
      expect(names).not.toContain(construction.scope);
      for (const part of entity.key.slice(1)) {
        expect(names).toContain(part);
        expect(entity.attributes.shape[part]?.safeParse(undefined).success).toBe(false);
      }
      for (const name of construction.common.engine) expect(names).not.toContain(name);
      for (const { where } of entity.producers) {
        for (const [name, value] of Object.entries(where ?? {})) {
          expect(entity.attributes.shape[name]?.safeParse(value).success).toBe(true);
        }
      }
      if (entity.ownedBy !== undefined) {
        const owner = entityNamed(entity.ownedBy);
        expect(entity.key.slice(0, owner.key.length)).toEqual(owner.key);
      }
    },
  );

  test.each(construction.entities.map((entity) => [entity.name, entity] as const))(
    '%s: every attribute is described, also once the common ones are merged in and as JSON Schema',
    (_, entity) => {
      const merged = entity.attributes.extend(construction.common.agent.shape);
      const { properties } = z.toJSONSchema(merged, { io: 'input' });
      for (const [name, schema] of Object.entries(merged.shape)) {
        expect(properties?.[name], name).toHaveProperty('description');
        if (name in entity.attributes.shape) expect((schema as z.ZodType).description, name).not.toBe('');
      }
    },
  );

  test('an unknown attribute is refused and the message names those that exist', () => {
    const entity = entityNamed('ITPRequirement');
    const faults = judgeNode(entity, { ...entity.examples.valid, itpNo: 'ITP-07' });
    expect(faults).toHaveLength(1);
    expect(faults[0]?.at).toBe('itpNo');
    expect(faults[0]?.message).toContain('docNo, title, workTypeCode');
  });

  test('an empty node hears of every required attribute at once, by name and with what is expected', () => {
    for (const entity of construction.entities) {
      const required = Object.entries(entity.attributes.shape)
        .filter(([, schema]) => !(schema as z.ZodType).safeParse(undefined).success)
        .map(([name]) => name);
      const faults = judgeNode(entity, {});
      expect(faults.map((fault) => fault.at).sort()).toEqual(required.sort());
      for (const fault of faults) expect(fault.message).toMatch(/^missing; expected /);
    }
  });
});
