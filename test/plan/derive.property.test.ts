import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { EntityDefinition, MasterSchema, RelationshipDefinition } from '../../schemas/define.ts';
import { type Manifest, manifestSchema } from '../../schemas/manifest.ts';
import { MusterError } from '../../src/errors.ts';
import { deriveTaskGraph, type TaskGraph } from '../../src/plan/derive.ts';
import { relationship, workshop } from '../schema/workshop.ts';

interface Domain {
  readonly schema: MasterSchema;
  readonly manifest: Manifest;
}

const KINDS = ['a', 'b', 'c'] as const;
const where = fc.option(
  fc.constantFrom(...KINDS).map((kind) => ({ kind })),
  { nil: undefined },
);

/** Up to six tasks; each entity has one producer, or one for each of several kinds; any relationships. */
const domain: fc.Arbitrary<Domain> = fc
  .record({ tasks: fc.integer({ min: 1, max: 6 }), entities: fc.integer({ min: 1, max: 8 }) })
  .chain(({ tasks, entities }) => {
    const ids = Array.from({ length: tasks }, (_, i) => `task-${i}`);
    const names = Array.from({ length: entities }, (_, i) => `E${i}`);
    const end = fc.constantFrom(...names);
    return fc
      .record({
        owners: fc.array(fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1, maxLength: 3 }), {
          minLength: entities,
          maxLength: entities,
        }),
        relationships: fc.array(
          fc.record({
            type: fc.constantFrom('R', 'S', 'T'),
            from: fc.oneof({ weight: 9, arbitrary: end }, { weight: 1, arbitrary: fc.constant('*') }),
            to: end,
            fromWhere: where,
            toWhere: where,
            required: fc.boolean(),
            resolution: fc.constantFrom('apriori', 'late', 'producer'),
          }),
          { maxLength: 12 },
        ),
        fanOuts: fc.array(fc.option(end, { nil: undefined, freq: 3 }), { minLength: tasks, maxLength: tasks }),
      })
      .map(({ owners, relationships, fanOuts }): Domain => {
        const producers = (of: readonly string[]) =>
          of.length === 1 ? [{ task: of[0]! }] : of.map((task, i) => ({ task, where: { kind: KINDS[i]! } }));
        const entityList = names.map(
          (name, i): EntityDefinition => ({
            name,
            description: name,
            key: ['orderId', 'code'],
            attributes: z.strictObject({ code: z.string(), kind: z.enum(KINDS) }),
            producers: producers(owners[i]!),
            examples: { valid: {}, invalid: { attributes: {}, at: 'code', why: '' } },
          }),
        );
        return {
          schema: {
            ...workshop,
            entities: entityList,
            relationships: relationships.map(({ from, type, to, fromWhere, toWhere, ...rest }) =>
              relationship(from, type, to, { ...rest, ...(fromWhere && { fromWhere }), ...(toWhere && { toWhere }) }),
            ),
          },
          manifest: manifestSchema.parse({
            name: 'random',
            schema: './random.mjs',
            tasks: ids.map((id, i) => {
              const over = fanOuts[i];
              const single = over !== undefined && owners[names.indexOf(over)]!.length === 1;
              return { id, title: id, prompt: 'p.md', creates: ['E0'], ...(single && { fanOut: { over } }) };
            }),
          }),
        };
      });
  });

/** The graph, or the cycle that keeps it from being one. */
function derive({ schema, manifest }: Domain): TaskGraph | string {
  try {
    return deriveTaskGraph(schema, manifest);
  } catch (thrown) {
    if (thrown instanceof MusterError && thrown.code === 'PLAN_CYCLE') return thrown.message;
    throw thrown;
  }
}

const waits = (graph: TaskGraph) => graph.tasks.map(({ id, waitsFor }) => [id, waitsFor.map(({ task }) => task)]);

/** The wait rule word by word, kept apart from the code that is tested. */
function expectedWaits({ schema, manifest }: Domain): [string, string[]][] {
  const produces = (task: string, name: string, narrowed: Readonly<Record<string, string>> | undefined) => {
    const { producers } = schema.entities.find((entity) => entity.name === name)!;
    const listed = producers.filter((one) => one.where?.['kind'] === narrowed?.['kind']);
    return (narrowed && listed.length > 0 ? listed : producers).some((one) => one.task === task);
  };
  return manifest.tasks.map(({ id: t, fanOut }) => [
    t,
    manifest.tasks
      .map(({ id }) => id)
      .filter(
        (p) =>
          (fanOut && produces(p, fanOut.over, undefined)) ||
          schema.relationships.some(
            (r) =>
              r.required &&
              r.resolution === 'producer' &&
              r.from !== '*' &&
              produces(t, r.from, r.fromWhere) &&
              produces(p, r.to, r.toWhere) &&
              !produces(t, r.to, r.toWhere),
          ),
      ),
  ]);
}

describe('whatever the schema', () => {
  it('the graph follows the wait rule, or there is a cycle in it', () => {
    fc.assert(
      fc.property(domain, (some) => {
        const graph = derive(some);
        if (typeof graph !== 'string') expect(waits(graph)).toEqual(expectedWaits(some));
        else expect(hasCycle(new Map(expectedWaits(some)))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('a task stands in a later wave than everything it waits for', () => {
    fc.assert(
      fc.property(domain, (some) => {
        const graph = derive(some);
        if (typeof graph === 'string') return;
        const waves = new Map(graph.tasks.map(({ id, wave }) => [id, wave]));
        for (const { wave, waitsFor } of graph.tasks) {
          expect(wave).toBeGreaterThan(Math.max(0, ...waitsFor.map(({ task }) => waves.get(task)!)));
        }
        expect(Math.min(...waves.values())).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  it('the order of its relationships and entities shows nowhere', () => {
    const shuffled = domain.chain((some) =>
      fc.record({
        some: fc.constant(some),
        relationships: shuffle(some.schema.relationships),
        entities: shuffle(some.schema.entities),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ some, relationships, entities }) => {
        expect(derive({ ...some, schema: { ...some.schema, relationships, entities } })).toEqual(derive(some));
      }),
      { numRuns: 300 },
    );
  });

  it('an optional, apriori or late relationship more changes nothing', () => {
    const idle = (one: RelationshipDefinition): RelationshipDefinition =>
      one.required && one.resolution === 'producer' ? { ...one, required: false } : one;
    fc.assert(
      fc.property(domain, domain, (some, other) => {
        const names = some.schema.entities.map(({ name }) => name);
        const more = other.schema.relationships
          .filter(({ from, to }) => names.includes(from) && names.includes(to))
          .map(idle);
        const relationships = [...some.schema.relationships, ...more];
        expect(derive({ ...some, schema: { ...some.schema, relationships } })).toEqual(derive(some));
      }),
      { numRuns: 300 },
    );
  });
});

function shuffle<T>(values: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...values], { minLength: values.length, maxLength: values.length });
}

/** Takes away, again and again, the tasks that wait for nobody who is left. */
function hasCycle(waitsFor: ReadonlyMap<string, readonly string[]>): boolean {
  const left = new Set(waitsFor.keys());
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const id of left) if (!waitsFor.get(id)!.some((other) => left.has(other))) left.delete(id);
  }
  return left.size > 0;
}
