import { describe, expect, test } from 'vitest';
import { construction } from '../../../schemas/construction/index.ts';
import type { KeyPart, RelationshipDefinition } from '../../../schemas/define.ts';
import { type ExpectedEnd, type ExpectedRelationship, expectedGraph, type Values } from './expected-graph.ts';
import { entityNamed } from './judge-node.ts';

const { scope, relationships } = construction;
const linked = relationships.filter((relationship) => relationship.link !== undefined);
const title = ({ from, type, to }: RelationshipDefinition) => `${from} ${type} ${to}`;

/** Identity of an end with its key in schema order, the scope first. */
function idOf(entity: string, values: Values): string {
  return (
    entity +
    JSON.stringify(entityNamed(entity).key.map((part) => (part === scope ? expectedGraph.projectId : values[part])))
  );
}

const nodes = new Map(expectedGraph.nodes.map(({ label, props }) => [idOf(label, props), { label, props }]));

function matches(props: Values, where: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(where ?? {}).every(([name, value]) => props[name] === value);
}

/** The keys that a link gives for one node: one for each element of a list, none when a part is absent. */
function keysOf(parts: Readonly<Record<string, KeyPart>>, props: Values): Values[] {
  return Object.entries(parts).reduce<Values[]>(
    (keys, [name, part]) => {
      const held = 'constant' in part ? part.constant : props[part.attribute];
      const values: readonly unknown[] = Array.isArray(held) ? held : held === undefined ? [] : [held];
      return keys.flatMap((key) => values.map((value) => ({ ...key, [name]: value })));
    },
    [{}],
  );
}

/** The edges that the attributes of the nodes imply, whether or not the other end exists. */
function implied(definition: RelationshipDefinition): { from: string; to: string }[] {
  const { link } = definition;
  if (!link) return [];
  const forwards = 'to' in link;
  const near = forwards ? definition.from : definition.to;
  const far = forwards ? definition.to : definition.from;
  const nearWhere = forwards ? definition.fromWhere : definition.toWhere;
  const parts = forwards ? link.to : link.from;
  return expectedGraph.nodes
    .filter(({ label, props }) => label === near && matches(props, nearWhere))
    .flatMap(({ label, props }) => {
      const here = idOf(label, props);
      return keysOf(parts, props)
        .map((key) => idOf(far, key))
        .map((there) => (forwards ? { from: here, to: there } : { from: there, to: here }));
    });
}

function farExists(definition: RelationshipDefinition, edge: { from: string; to: string }): boolean {
  const forwards = definition.link !== undefined && 'to' in definition.link;
  const far = nodes.get(forwards ? edge.to : edge.from);
  return far !== undefined && matches(far.props, forwards ? definition.toWhere : definition.fromWhere);
}

const edgeId = ({ from, to }: { from: string; to: string }) => `${from} → ${to}`;
const endId = ({ label, key }: ExpectedEnd) => idOf(label, key);

function drawn(definition: RelationshipDefinition): string[] {
  const fits = ({ type, from, to }: ExpectedRelationship) =>
    type === definition.type &&
    (definition.from === '*' || from.label === definition.from) &&
    to.label === definition.to;
  return expectedGraph.relationships
    .filter(fits)
    .map(({ from, to }) => edgeId({ from: endId(from), to: endId(to) }))
    .sort();
}

describe('the relationships of construction quality', () => {
  test('there are 51, each once, between entities that exist', () => {
    expect(relationships).toHaveLength(51);
    expect(new Set(relationships.map(title)).size).toBe(51);
    for (const { from, to } of relationships) {
      if (from !== '*') entityNamed(from);
      entityNamed(to);
    }
  });

  test.each(linked.map((definition) => [title(definition), definition] as const))(
    '%s: the link names the whole key of the other end and attributes that exist',
    (_, { from, to, link }) => {
      if (!link) return;
      const [near, far, parts] = 'to' in link ? [from, to, link.to] : [to, from, link.from];
      expect(Object.keys(parts)).toEqual(entityNamed(far).key.slice(1));
      for (const part of Object.values(parts)) {
        if ('attribute' in part) expect(Object.keys(entityNamed(near).attributes.shape)).toContain(part.attribute);
      }
    },
  );

  test.each(relationships.map((definition) => [title(definition), definition] as const))(
    '%s: discriminators are values that the attributes may have',
    (_, { from, to, fromWhere, toWhere }) => {
      for (const [entity, where] of [
        [from, fromWhere],
        [to, toWhere],
      ] as const) {
        for (const [name, value] of Object.entries(where ?? {})) {
          expect(entityNamed(entity).attributes.shape[name]?.safeParse(value).success).toBe(true);
        }
      }
    },
  );

  test('every relationship of the correct graph has its definition', () => {
    const known = relationships.flatMap(drawn);
    expect(known).toHaveLength(expectedGraph.relationships.length);
    expect(expectedGraph.relationships).toHaveLength(1818);
  });

  test.each(linked.map((definition) => [title(definition), definition] as const))(
    '%s: the attributes give exactly the edges of the correct graph',
    (_, definition) => {
      const derived = implied(definition).filter((edge) => farExists(definition, edge));
      expect(derived.map(edgeId).sort()).toEqual(drawn(definition));
    },
  );

  test('only one implied edge has no other end: the pile test whose code is a standard, not a method of test', () => {
    const dangling = linked.flatMap((definition) =>
      implied(definition)
        .filter((edge) => !farExists(definition, edge))
        .map((edge) => `${definition.type} ${edgeId(edge)}`),
    );
    expect(dangling).toEqual(['TESTED_BY InspectionPoint["BRU2","ITP-07","14"] → Standard["BRU2","AS 2159"]']);
  });

  test('the correct graph keeps every minimum, maximum and discriminator', () => {
    for (const definition of relationships) {
      const edges = expectedGraph.relationships.filter(
        ({ type, from, to }) =>
          type === definition.type &&
          (definition.from === '*' || from.label === definition.from) &&
          to.label === definition.to,
      );
      const counts = new Map<string, number>();
      for (const { from, to } of edges) {
        counts.set(endId(from), (counts.get(endId(from)) ?? 0) + 1);
        expect(matches(nodes.get(endId(from))?.props ?? {}, definition.fromWhere), title(definition)).toBe(true);
        expect(matches(nodes.get(endId(to))?.props ?? {}, definition.toWhere), title(definition)).toBe(true);
      }
      const one = definition.cardinality === '1:1' || definition.cardinality === 'n:1';
      const {
        min,
        max = one ? 1 : Number.POSITIVE_INFINITY,
        leavesOf,
      } = {
        ...(definition.perSource ?? { min: definition.required ? 1 : 0 }),
      };
      const inner = new Set(
        expectedGraph.relationships.filter(({ type }) => type === leavesOf).map(({ to }) => endId(to)),
      );
      for (const [id, { label, props }] of nodes) {
        const provenance = label === 'Evidence' || label === 'SourceFile';
        if (definition.from === '*' ? provenance || props.assumed === true : label !== definition.from) continue;
        if (!matches(props, definition.fromWhere)) continue;
        const count = counts.get(id) ?? 0;
        expect(count, `${title(definition)} of ${id}`).toBeLessThanOrEqual(max);
        if (!inner.has(id)) expect(count, `${title(definition)} of ${id}`).toBeGreaterThanOrEqual(min);
      }
    }
  });

  test('agents submit only what their attributes do not say; the rest of the unlinked edges is drawn afterwards', () => {
    const unlinked = relationships.filter(({ link }) => link === undefined);
    const of = (late: boolean) =>
      unlinked
        .filter(({ resolution }) => (resolution === 'late') === late)
        .map(title)
        .sort();
    expect(of(false)).toEqual([
      '* EVIDENCED_BY Evidence',
      'Document DESCRIBES SourceFile',
      'ITPTemplate COVERS_WBS WBSNode',
      'ITPTemplate REFERENCES_STANDARD Standard',
      'LBSNode MAPPED_TO WBSNode',
    ]);
    expect(of(true)).toEqual([
      'Document REFERENCES_STANDARD Standard',
      'ITPTemplate APPLIES_AT LBSNode',
      'ManagementPlan ADOPTS Document',
    ]);
  });
});
