import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Desk, type Tool } from '../../src/agent-tools/desk.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import type { TaskContext } from '../../src/output/task-context.ts';
import { type GraphNode, type GraphRelationship, type GraphStore, nodeId } from '../../src/ports.ts';
import { contextOf, edge, lessonsOf, row } from '../output/library.ts';

/** What the server shows a model of one tool's output. */
const SERVER_LIMIT = { bytes: 50_000, lines: 2_000 };

let graph: GraphStore;
beforeEach(() => {
  graph = openEmbeddedGraph(':memory:');
});
afterEach(() => graph.close());

const told: { tool: string; accepted: number; issues: readonly unknown[] }[] = [];

function deskOf(context: TaskContext, more: { elapsedMs?: () => number; graph?: GraphStore } = {}) {
  told.length = 0;
  const desk = new Desk({ context, graph, runId: 'now', onAnswer: (answer) => told.push(answer), ...more });
  return { desk, call: (tool: Tool, input: unknown) => desk.answer(tool, input) };
}

const shelf = (code: string, more: object = {}): GraphNode => ({
  entity: 'Shelf',
  key: ['L', code],
  properties: { libraryId: 'L', code, ...more },
});
const book = (code: string, kind = 'paper'): GraphNode => ({
  entity: 'Book',
  key: ['L', code],
  properties: { libraryId: 'L', code, kind },
});
const on = (from: GraphNode, type: string, to: GraphNode): GraphRelationship => ({
  type,
  from: { entity: from.entity, key: from.key },
  to: { entity: to.entity, key: to.key },
});
const commit = (runId: string, nodes: GraphNode[], relationships: GraphRelationship[] = []) =>
  graph.commit({ runId, task: 't', nodes, relationships });

const LESSON: [string, object] = ['Lesson', { courseNo: 'C-1', lessonNo: 1 }];
const teaches = (code: string) => edge('TEACHES_FROM', LESSON, ['Book', { code }]);
const lesson = row('Lesson', { courseNo: 'C-1', lessonNo: 1 });

describe('the desk of an attempt', () => {
  it('reminds of what is still owed with every submit', async () => {
    const { call } = deskOf(contextOf('shelving'));
    expect(await call('submit', { entities: [row('Shelf', { code: 'A' })] })).toBe(
      'accepted 1, refused 0; 1 entities and 0 relationships are staged.\n' +
        'Before muster_complete: Library (expected at least 1; 0 submitted so far); Shelf (expected at least 2; 1 submitted so far).',
    );
    expect(
      await call('submit', { entities: [row('Library', { name: 'N' }), row('Shelf', { code: 'B', parentCode: 'A' })] }),
    ).toContain('When everything is in, call muster_complete.');
  });

  it('completes, and is complete no longer after any submit, however little of it was accepted', async () => {
    const { desk, call } = deskOf(contextOf('courses'));
    await call('submit', { entities: [row('Course', { courseNo: 'C-1' })] });
    expect(await call('complete', { summary: 'one course' })).toMatch(/^Complete: 1 entities/);
    expect((await desk.review()).complete).toBe(true);
    await call('submit', { entities: ['nonsense'] });
    expect(await desk.review()).toEqual({
      complete: false,
      issues: [expect.objectContaining({ path: 'muster_complete' })],
    });
  });

  it('is not complete by an earlier answer when a later one refused', async () => {
    const { desk, call } = deskOf(contextOf('courses'));
    await call('submit', { entities: [row('Course', { courseNo: 'C-1' })] });
    await call('complete', { summary: 'one' });
    expect(
      await call('complete', { summary: 'one', none: [{ entity: 'Course', reason: 'none at all, really' }] }),
    ).toMatch(/^Not complete/);
    expect((await desk.review()).complete).toBe(false);
  });

  it('publishes what was reviewed, whatever a late call adds, and nothing without a review', async () => {
    const { desk, call } = deskOf(contextOf('courses'));
    await expect(desk.publication()).rejects.toMatchObject({ code: 'BUG' });
    await call('submit', { entities: [row('Course', { courseNo: 'C-1' })] });
    await call('complete', { summary: 'one' });
    const [review] = await Promise.all([
      desk.review(),
      call('submit', { entities: [row('Course', { courseNo: 'C-2' })] }),
    ]);
    expect(review.complete).toBe(true);
    const { nodes } = await desk.publication();
    expect(nodes.filter(({ entity }) => entity === 'Course').map(nodeId)).toEqual(['Course["L","C-1"]']);
    expect((await desk.review()).complete).toBe(false);
    await expect(desk.publication()).rejects.toMatchObject({ code: 'BUG' });
  });

  it('answers a call only when the one before has its answer', async () => {
    await commit('now', [book('B-1')]);
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const slow: GraphStore = Object.create(graph, {
      existing: { value: (...of: Parameters<GraphStore['existing']>) => gate.then(() => graph.existing(...of)) },
      read: { value: (query: Parameters<GraphStore['read']>[0]) => graph.read(query) },
    });
    const { call } = deskOf(lessonsOf('C-1'), { graph: slow });
    const answers = Promise.all([
      call('submit', { entities: [lesson], relationships: [teaches('B-1')] }),
      call('complete', { summary: 'sent before the submit was answered' }),
    ]);
    open();
    expect((await answers)[1]).toMatch(/^Complete/);
    expect(told.map(({ tool }) => tool).slice(0, 2)).toEqual(['submit', 'complete']);
  });

  it('takes ends that this run committed, not what an earlier run left in the graph', async () => {
    await commit('before', [book('B-1'), book('B-2')]);
    await commit('now', [book('B-2')]);
    const { call } = deskOf(lessonsOf('C-1'));
    const text = await call('submit', { entities: [lesson], relationships: [teaches('B-1'), teaches('B-2')] });
    expect(text).toContain('accepted 2, refused 1');
    expect(text).toContain('relationships[0].to.key: there is no Book "B-1"; read the existing ones with muster_read');
  });

  it('judges a narrowed end by what the graph says of it', async () => {
    await commit('now', [book('B-1', 'audio'), book('B-2')]);
    const { call } = deskOf(lessonsOf('C-1'));
    await call('submit', { entities: [lesson], relationships: [teaches('B-1')] });
    expect(await call('complete', { summary: 's' })).toContain('TEACHES_FROM: Book "B-1" is none with kind = paper');
    await call('withdraw', { relationships: [teaches('B-1')] });
    await call('submit', { relationships: [teaches('B-2')] });
    expect(await call('complete', { summary: 's' })).toMatch(/^Complete/);
  });

  it.each<[Tool, unknown]>([
    ['submit', { entities: Array.from({ length: 2_000 }, () => ({ ['x'.repeat(3_000)]: 1 })) }],
    ['submit', { ['y'.repeat(100_000)]: 1 }],
    ['withdraw', { entities: Array.from({ length: 2_000 }, (_, i) => ({ entity: `E${'z'.repeat(900)}${i}` })) }],
    ['complete', { none: Array.from({ length: 3_000 }, () => 'nothing') }],
    ['read', { entity: 'Shelf', where: Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`a${i}`, i])) }],
    ['query', { start: { entity: 'Shelf' }, follow: [{ type: 'T'.repeat(1_000_000) }] }],
  ])('keeps the answer to %s small, and what is told of it, whatever was sent', async (tool, input) => {
    const { call } = deskOf(contextOf('lessons'));
    const text = await call(tool, input);
    expect(Buffer.byteLength(text)).toBeLessThan(SERVER_LIMIT.bytes);
    expect(text.split('\n').length).toBeLessThan(SERVER_LIMIT.lines);
    expect(JSON.stringify(told).length).toBeLessThan(200_000);
    expect(told).toHaveLength(1);
  });
});

describe('reading', () => {
  it('fits into what the server shows of an answer; paging reaches every row exactly once', async () => {
    const long = 'word '.repeat(700);
    await commit(
      'now',
      Array.from({ length: 60 }, (_, i) => shelf(`S-${i}`, { tags: [long], note: long })),
    );
    const { call } = deskOf(contextOf('lessons'));
    const seen: string[] = [];
    for (let offset = 0, calls = 0; calls < 60; calls += 1) {
      const text = await call('read', { entity: 'Shelf', limit: 1_000, offset });
      expect(Buffer.byteLength(text)).toBeLessThan(SERVER_LIMIT.bytes);
      seen.push(...[...text.matchAll(/"code":"(S-\d+)"/g)].map(([, code]) => code!));
      const next = /call again with offset (\d+)$/.exec(text)?.[1];
      if (next === undefined) break;
      offset = Number(next);
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => `S-${i}`));
  });

  it('shows the beginning of a long text, and goes on past a row that is too large for any answer', async () => {
    const huge = Array.from({ length: 40 }, () => 'ü'.repeat(1_000));
    await commit('now', [shelf('A', { note: 'n'.repeat(5_000) }), shelf('B', { tags: huge }), shelf('C')]);
    const { call } = deskOf(contextOf('lessons'));
    const first = await call('read', { entity: 'Shelf' });
    expect(first).toContain('… (3000 more characters)');
    expect(first).toContain('2 more: call again with offset 1');
    const second = await call('read', { entity: 'Shelf', offset: 1 });
    expect(second).toContain('1 more: call again with offset 2');
    expect(Buffer.byteLength(second)).toBeLessThan(SERVER_LIMIT.bytes);
  });

  it('names an argument that it does not know', async () => {
    const { call } = deskOf(contextOf('lessons'));
    expect(await call('read', { entity: 'Shelf', limits: 3 })).toContain(
      'limits: unknown field; expected entity, where, limit, offset. Did you mean limit?',
    );
    expect(await call('query', { start: { entity: 'Shelf', code: 'A' } })).toContain('start.code: unknown field');
    expect(await call('complete', { summery: 'x' })).toContain('Did you mean summary?');
  });
});

describe('a query', () => {
  const [a, b, c] = [shelf('A'), shelf('B'), shelf('C')];
  const novel = book('B-1');

  it('walks what this run wrote and may be read, and nothing else', async () => {
    await commit('before', [a, b, c], [on(b, 'CHILD_OF', a), on(c, 'CHILD_OF', a)]);
    await commit('now', [a, b, novel], [on(b, 'CHILD_OF', a), on(novel, 'STANDS_ON', b)]);
    const { call } = deskOf(contextOf('lessons'));
    const start = { entity: 'Shelf', where: { code: 'A' } };
    const down = { type: 'CHILD_OF', direction: 'in' };
    expect(await call('query', { start, follow: [down] })).toBe('1 found:\n{"entity":"Shelf","code":"B"}');
    expect(await call('query', { start, follow: [down, { type: 'STANDS_ON', direction: 'in', entity: 'Book' }] })).toBe(
      '1 found:\n{"entity":"Book","code":"B-1","kind":"paper"}',
    );
    const blind = deskOf(contextOf('lessons', { readable: ['Shelf'] }));
    expect(await blind.call('query', { start, follow: [down, { type: 'STANDS_ON', direction: 'in' }] })).toBe(
      '0 found:',
    );
    expect(
      await blind.call('query', { start, follow: [{ type: 'STANDS_ON', direction: 'in', entity: 'Book' }] }),
    ).toContain('follow[0].entity: expected an entity that this task may read (Shelf); got "Book"');
  });

  it('says how many rows it left out', async () => {
    await commit(
      'now',
      Array.from({ length: 250 }, (_, i) => shelf(`S-${i}`)),
    );
    const { call } = deskOf(contextOf('lessons'));
    const text = await call('query', { start: { entity: 'Shelf' }, limit: 1_000 });
    expect(text).toMatch(/^250 found:/);
    expect(text.split('\n')).toHaveLength(202);
    expect(text).toMatch(/50 more: narrow the query$/);
  });

  it('sees more nodes than one page of the store holds', async () => {
    const many = Array.from({ length: 1_500 }, (_, i) => shelf(`S-${i}`));
    await commit(
      'now',
      [a, ...many],
      many.map((one) => on(one, 'CHILD_OF', a)),
    );
    const { call } = deskOf(contextOf('lessons'));
    const up = [{ type: 'CHILD_OF', direction: 'out' }];
    expect(await call('query', { start: { entity: 'Shelf' }, follow: up })).toBe(
      '1 found:\n{"entity":"Shelf","code":"A"}',
    );
    expect(
      await call('query', { start: { entity: 'Shelf' }, follow: [{ type: 'CHILD_OF', direction: 'in' }] }),
    ).toMatch(/^1500 found:/);
  });

  it('is stopped after five seconds, and says so', async () => {
    await commit('now', [a, b], [on(b, 'CHILD_OF', a)]);
    let now = 0;
    const { call } = deskOf(contextOf('lessons'), { elapsedMs: () => (now += 2_000) });
    const follow = Array.from({ length: 4 }, () => ({ type: 'CHILD_OF', direction: 'in' }));
    expect(await call('query', { start: { entity: 'Shelf' }, follow })).toContain('follow: was stopped after 5 s');
  });
});
