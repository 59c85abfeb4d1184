/** Whatever an agent sends is judged: nothing throws, nothing invalid is staged, and no size makes it slow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNone } from '../../src/output/counts.ts';
import { isUuid } from '../../src/output/keys.ts';
import { EMPTY_SUBMISSION, type Submission } from '../../src/output/submission.ts';
import { checkRows, foreignEnds, settleRows, withdraw } from '../../src/output/submit.ts';
import type { TaskContext } from '../../src/output/task-context.ts';
import { nodeId } from '../../src/ports.ts';
import { contextOf, edge, evidence, FILE, lessonsOf, library, row } from './library.ts';

/** Submits as the desk does, to a graph in which every other task's node exists. */
function submit(context: TaskContext, submission: Submission, input: unknown) {
  const rows = checkRows(context, input);
  const settled = settleRows(context, submission, rows, new Set(foreignEnds(context, rows).map(nodeId)));
  return { ...settled, issues: [...rows.issues, ...settled.issues] };
}
const texts = (issues: readonly { path: string; message: string }[]) =>
  issues.map(({ path, message }) => `${path}: ${message}`);
const nested = (depth: number): unknown => {
  let value: unknown = 'x';
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

describe('a row of any size or shape', () => {
  const shelving = contextOf('shelving');
  it.each<[string, unknown, string]>([
    [
      'a text of more than 100,000 characters',
      row('Shelf', { code: 'A', tags: ['t'.repeat(100_001)] }),
      'entities[0].attributes.tags: expected at most 100000 characters; got 100001',
    ],
    [
      'a list of more than 1,000 elements',
      row('Shelf', { code: 'A', tags: Array.from({ length: 1_001 }, () => 't') }),
      'entities[0].attributes.tags: expected at most 1000 elements; got 1001',
    ],
    [
      'a structure where a value belongs',
      row('Shelf', { code: { printed: 'A' } as never }),
      'entities[0].attributes.code: expected a value or a flat list of values; got {"printed":"A"}',
    ],
    [
      'a very deep structure',
      row('Shelf', { code: nested(100_000) as never }),
      'entities[0].attributes.code: expected a value or a flat list of values; got {"a":[{"a":[…]}]}',
    ],
    [
      'a quote without a word',
      row('Shelf', { code: 'A' }, [{ source: FILE, locator: '§ 1', quote: '** **  ****' }]),
      'entities[0].evidence[0].quote: expected a verbatim quote of 3-500 characters; got 11 characters',
    ],
    [
      'a place that is none by the schema',
      row('Shelf', { code: 'A' }, [{ source: FILE, locator: 'p1', quote: 'words' }]),
      'entities[0].evidence[0].locator: expected a place such as "§ 4"',
    ],
  ])('refuses %s in so many words', (_, entity, expected) => {
    const { submission, issues } = submit(shelving, EMPTY_SUBMISSION, { entities: [entity] });
    expect(texts(issues)).toEqual([expected]);
    expect(submission.nodes.size).toBe(0);
  });

  it('reports the same relationship twice in one call', () => {
    const one = edge(
      'FOLLOWS',
      ['Lesson', { courseNo: 'C-1', lessonNo: 2 }],
      ['Lesson', { courseNo: 'C-1', lessonNo: 1 }],
    );
    const { accepted, issues } = submit(lessonsOf('C-1'), EMPTY_SUBMISSION, { relationships: [one, one] });
    expect(accepted).toBe(1);
    expect(texts(issues)).toEqual([
      'relationships[1]: the same key as relationships[0] in one call; the later one would hide the earlier',
    ]);
  });

  it('keeps the words of a quote without the space around them', () => {
    const { submission } = submit(shelving, EMPTY_SUBMISSION, {
      entities: [row('Shelf', { code: 'A' }, [{ source: FILE, locator: '§ 1', quote: '  shelf A \n' }])],
    });
    expect([...submission.nodes.values()][0]!.evidence[0]!.quote).toBe('shelf A');
  });

  it('judges the largest call without holding up the run', () => {
    const rows = Array.from({ length: 2_000 }, (_, i) =>
      row('Shelf', { code: `S-${i}`, ...(i > 0 && { parentCode: 'S-0' }) }),
    );
    const start = performance.now();
    expect(submit(shelving, EMPTY_SUBMISSION, { entities: rows }).accepted).toBe(2_000);
    const name = 'n'.repeat(4_000_000);
    submit(shelving, EMPTY_SUBMISSION, { entities: [row('Shelf', { [name]: name }), row(name, {})], [name]: name });
    expect(performance.now() - start).toBeLessThan(3_000);
  });
});

describe('any input', () => {
  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<unknown>;
  const odd = fc.oneof(
    json,
    fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }),
    fc.constant(nested(5_000)),
  );
  const code = fc.oneof(fc.constantFrom('B-1', 'B-2', 'b', 'C-1', 'C-2'), fc.uuid({ version: [1, 4, 7] }), odd);
  const key = fc.oneof(
    odd,
    fc.record({ code, courseNo: code, lessonNo: fc.oneof(fc.integer({ min: -1, max: 3 }), odd) }, { requiredKeys: [] }),
  );
  const end = fc.oneof(
    odd,
    fc.record({ entity: fc.constantFrom('Lesson', 'Book', 'Shelf', '*', 'x'), key }, { requiredKeys: [] }),
  );
  const entity = fc.record(
    {
      entity: fc.constantFrom('Lesson', 'Book', 'Passage', '__proto__', 7),
      attributes: fc.oneof(odd, key),
      evidence: fc.oneof(odd, fc.constant(evidence), fc.constant([])),
    },
    { requiredKeys: [] },
  );
  const relationship = fc.record(
    { type: fc.oneof(fc.constantFrom('FOLLOWS', 'TEACHES_FROM', 'IN_LIBRARY', 'FOUND_IN'), odd), from: end, to: end },
    { requiredKeys: [] },
  );
  const list = (one: fc.Arbitrary<unknown>) => fc.oneof(odd, fc.array(fc.oneof(one, odd), { maxLength: 5 }));
  const input = fc.oneof(
    odd,
    fc.record({ entities: list(entity), relationships: list(relationship) }, { requiredKeys: [] }),
  );
  const context = lessonsOf('C-1');

  it('is answered, and what is staged of it is valid by the schema, of this item, and without UUIDs', () => {
    const definition = library.entities.find(({ name }) => name === 'Lesson')!;
    fc.assert(
      fc.property(input, (given) => {
        const { submission, accepted, issues } = submit(context, EMPTY_SUBMISSION, given);
        expect(accepted + issues.length).toBeGreaterThan(0);
        expect(submission.nodes.size + submission.relationships.size).toBe(accepted);
        for (const [id, { entity: name, key: parts, attributes, evidence: passages }] of submission.nodes) {
          const { assumed, ...own } = attributes;
          expect(name).toBe('Lesson');
          expect(definition.attributes.safeParse(own).success).toBe(true);
          expect(parts).toEqual(['L', 'C-1', own['lessonNo']]);
          expect(id).toBe(nodeId({ entity: name, key: parts }));
          expect(passages.length > 0).toBe(assumed !== true);
        }
        for (const { type, from, to } of submission.relationships.values()) {
          expect(['FOLLOWS', 'TEACHES_FROM']).toContain(type);
          expect(from.key.slice(0, 2)).toEqual(['L', 'C-1']);
          expect([from, to].flatMap((one) => one.key).some(isUuid)).toBe(false);
        }
        for (const { path, message } of issues) expect(path.length * message.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('to withdraw and to complete is answered too', () => {
    fc.assert(
      fc.property(input, (given) => {
        const { submission, issues } = withdraw(context, EMPTY_SUBMISSION, given);
        expect(submission).toBe(EMPTY_SUBMISSION);
        for (const { path } of issues) expect(path).not.toBe('');
        readNone(context, given, []);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a submission', () => {
  const context = lessonsOf('C-1');
  const lesson = (lessonNo: number): [string, object] => ['Lesson', { courseNo: 'C-1', lessonNo }];
  const handIn = fc
    .record({
      lessons: fc.uniqueArray(fc.integer({ min: 1, max: 6 })),
      follows: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })), {
        selector: String,
      }),
    })
    .map(({ lessons, follows }) => ({
      entities: lessons.map((lessonNo) => row('Lesson', { courseNo: 'C-1', lessonNo })),
      relationships: follows.map(([a, b]) => edge('FOLLOWS', lesson(a), lesson(b))),
    }));

  it('handed in twice is the same as once, whatever was there before', () => {
    fc.assert(
      fc.property(handIn, handIn, (before, rows) => {
        const once = submit(context, submit(context, EMPTY_SUBMISSION, before).submission, rows).submission;
        expect(submit(context, once, rows).submission).toEqual(once);
      }),
    );
  });

  it('handed in and withdrawn is as before, for rows that were not there', () => {
    fc.assert(
      fc.property(handIn, handIn, (earlier, rows) => {
        const isNew = (one: unknown, among: readonly unknown[]) =>
          !among.some((other) => JSON.stringify(other) === JSON.stringify(one));
        const before = submit(context, EMPTY_SUBMISSION, earlier).submission;
        const fresh = {
          entities: rows.entities.filter((one) => isNew(one, earlier.entities)),
          relationships: rows.relationships.filter((one) => isNew(one, earlier.relationships)),
        };
        const after = submit(context, before, fresh).submission;
        // Relationships first: a node that goes takes its relationships along, those of before too.
        const ends = withdraw(context, after, { relationships: fresh.relationships }).submission;
        const dangling = earlier.relationships.some((one) =>
          fresh.entities.some(({ attributes }) => JSON.stringify(one).includes(JSON.stringify(attributes))),
        );
        fc.pre(!dangling);
        const back = withdraw(context, ends, {
          entities: fresh.entities.map(({ entity, attributes }) => ({ entity, key: attributes })),
        }).submission;
        expect(back).toEqual(before);
      }),
    );
  });
});
