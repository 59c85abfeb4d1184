/** What every GraphStore keeps, whichever database is behind it. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Properties } from '../../schemas/define.ts';
import type { GraphBatch, GraphNode, GraphRelationship, GraphStore, NodeKey } from '../../src/ports.ts';
import { nodeId } from '../../src/ports.ts';
import type { RunningScript } from '../child-process.ts';
import { keyProperties } from './contract-schema.ts';

/** One empty graph; `open` again gives a second connection to the same graph. */
export interface GraphSubject {
  /** Whether the store refuses names that the master schema does not have. */
  readonly closedSchema: boolean;
  open(): Promise<GraphStore>;
  /** Starts writer-script.ts on this graph in a process of its own. */
  writer(mode: 'upsert' | 'batches', name: string): RunningScript;
  /** Runs writer-script.ts in the mode `huge` and kills it when its one commit has begun and cannot have ended. */
  killInCommit(): Promise<void>;
  remove(): Promise<void>;
}

const node = (entity: string, key: NodeKey['key'], properties: Properties = {}): GraphNode => ({
  entity,
  key,
  properties: { ...keyProperties(key), ...properties },
});
const edge = (type: string, from: NodeKey, to: NodeKey): GraphRelationship => ({
  type,
  from: { entity: from.entity, key: from.key },
  to: { entity: to.entity, key: to.key },
});
const batch = (nodes: GraphNode[], relationships: GraphRelationship[] = [], runId = 'R1'): GraphBatch => ({
  runId,
  task: 'task-a',
  nodes,
  relationships,
});

/** Everything of these entities, and all relationships, in the store's own order. */
async function dump(store: GraphStore, entities: readonly string[], runId?: string) {
  const run = runId === undefined ? {} : { runId };
  const nodes: GraphNode[] = [];
  for (const entity of entities) {
    for (let offset = 0; ; offset += 1000) {
      const page = await store.read({ entity, limit: 1000, offset, ...run });
      nodes.push(...page.nodes);
      if (nodes.length >= page.total || page.nodes.length === 0) break;
    }
  }
  return { nodes, relationships: await store.relationships(run) };
}

export function graphStoreContract(name: string, fresh: () => Promise<GraphSubject>): void {
  describe(`${name} as a graph store`, () => {
    let subject: GraphSubject;
    let store: GraphStore;

    beforeEach(async () => {
      subject = await fresh();
      store = await subject.open();
    });
    afterEach(async () => {
      await store.close();
      await subject.remove();
    });

    it('creates nodes and gives them back with their properties', async () => {
      const result = await store.commit(
        batch([node('WBSNode', ['P', '5.1'], { code: '5.1', name: 'Earthworks', level: 2, leaf: true, weight: 0.5 })]),
      );
      expect(result).toEqual({ created: 1, updated: 0, unchanged: 0, relationships: 0 });
      expect(await store.read({ entity: 'WBSNode' })).toEqual({
        nodes: [node('WBSNode', ['P', '5.1'], { code: '5.1', name: 'Earthworks', level: 2, leaf: true, weight: 0.5 })],
        total: 1,
      });
    });

    it('counts a node committed again with the same properties as unchanged, and makes it the new run’s', async () => {
      await store.commit(batch([node('A', ['P', '1'], { x: 1, list: ['a', 'b'] })]));
      const again = await store.commit(batch([node('A', ['P', '1'], { list: ['a', 'b'], x: 1 })], [], 'R2'));
      expect(again).toEqual({ created: 0, updated: 0, unchanged: 1, relationships: 0 });
      expect((await store.read({ entity: 'A', runId: 'R2' })).total).toBe(1);
      expect((await store.read({ entity: 'A', runId: 'R1' })).total).toBe(0);
    });

    it('updates only the properties that are given; null removes, undefined leaves, a list is replaced', async () => {
      await store.commit(batch([node('A', ['P', '1'], { a: 1, b: 'two', c: ['x', 'y'], d: true })]));
      const change = { a: undefined, b: null, c: ['z'], e: 'new' };
      expect(await store.commit(batch([node('A', ['P', '1'], change)]))).toMatchObject({ created: 0, updated: 1 });
      expect((await store.read({ entity: 'A' })).nodes).toEqual([
        node('A', ['P', '1'], { a: 1, c: ['z'], d: true, e: 'new' }),
      ]);
    });

    it('keeps the number 1 and the text "1" as two keys', async () => {
      await store.commit(batch([node('A', ['P', 1], { t: 'number' }), node('A', ['P', '1'], { t: 'text' })]));
      const { nodes } = await store.read({ entity: 'A' });
      expect(nodes.map((found) => found.key)).toEqual([
        ['P', 1],
        ['P', '1'],
      ]);
      expect(await store.existing([node('A', ['P', 1]), node('A', ['P', '2'])])).toEqual(new Set(['A["P",1]']));
    });

    it('writes relationships once, however often they are committed', async () => {
      const [a, b] = [node('A', ['P', '1']), node('B', ['P', '2'])];
      const first = await store.commit(batch([a, b], [edge('NEXT', a, b), edge('NEXT', a, b)]));
      expect(first.relationships).toBe(1);
      await store.commit(batch([], [edge('NEXT', a, b)]));
      expect(await store.relationships({})).toEqual([edge('NEXT', a, b)]);
    });

    it('writes nothing when an end of a relationship does not exist, and names the edge', async () => {
      const [a, ghost] = [node('A', ['P', '1']), node('Ghost', ['P', '9'])];
      const commit = store.commit(batch([a, node('A', ['P', '2'])], [edge('NEXT', a, ghost)]));
      await expect(commit).rejects.toMatchObject({
        code: 'GRAPH_COMMIT',
        message: expect.stringMatching(/A\["P","1"\] NEXT Ghost\["P","9"\]: no node Ghost\["P","9"\]/),
      });
      expect(await dump(store, ['A', 'Ghost'])).toEqual({ nodes: [], relationships: [] });
      await store.commit(batch([a]));
      expect((await store.read({ entity: 'A' })).total).toBe(1);
    });

    it('refuses properties and keys that a graph cannot hold, and writes nothing of the batch', async () => {
      const nested = { deep: { a: 1 } } as unknown as Properties;
      for (const bad of [
        node('A', ['P', '1'], nested),
        node('A', ['P', '1'], { x: Number.NaN }),
        node('A', ['P', '1'], { x: [1, 'two'] as unknown as string[] }),
        node('A', ['P', '1'], { x: [null] as unknown as string[] }),
        node('A', ['P', '1'], { '': 'no name' }),
        node('A', ['P', '1'], { 'a\u0000b': 'no name' }),
        node('A', ['P', Number.NaN]),
        node('A', []),
      ]) {
        const commit = store.commit(batch([node('A', ['P', '0']), bad]));
        await expect(commit).rejects.toMatchObject({ code: 'GRAPH_COMMIT' });
      }
      expect((await store.read({ entity: 'A' })).total).toBe(0);
    });

    it('lists codes in the order people count, so that pages never overlap', async () => {
      const codes = ['1', '1.1', '1.2', '1.9', '1.10', '1.10.1', '2', '10', 'ITP-02', 'ITP-11', 'ITP-100'];
      await store.commit(batch([...codes].reverse().map((code) => node('WBSNode', ['P', code]))));
      const paged: unknown[] = [];
      for (let offset = 0; offset < codes.length; offset += 4) {
        const page = await store.read({ entity: 'WBSNode', limit: 4, offset });
        expect(page.total).toBe(codes.length);
        paged.push(...page.nodes.map((found) => found.key[1]));
      }
      expect(paged).toEqual(codes);
      expect((await store.read({ entity: 'WBSNode', offset: 100 })).total).toBe(codes.length);
    });

    it('lists numeric key parts as numbers', async () => {
      const numbers = [-10.5, -2, 0, 0.5, 3, 20, 1e12];
      await store.commit(batch([...numbers].reverse().map((number) => node('Point', ['P', number]))));
      expect((await store.read({ entity: 'Point' })).nodes.map((found) => found.key[1])).toEqual(numbers);
    });

    it('gives 200 nodes without a limit and at most 1000 with one', async () => {
      await store.commit(batch(Array.from({ length: 1200 }, (_, at) => node('A', ['P', `${at}`]))));
      expect((await store.read({ entity: 'A' })).nodes).toHaveLength(200);
      expect((await store.read({ entity: 'A', limit: 5000 })).nodes).toHaveLength(1000);
      expect((await store.read({ entity: 'A', limit: Number.POSITIVE_INFINITY })).nodes).toHaveLength(1000);
      expect((await store.read({ entity: 'A', limit: 0 })).nodes).toHaveLength(0);
    });

    it('filters by value and type, by scope and by run', async () => {
      await store.commit(
        batch([
          node('A', ['P', '1'], { kind: 'x', flag: true, n: 1 }),
          node('A', ['P', '2'], { kind: 'x', flag: false, n: '1' }),
          node('A', ['Q', '3'], { kind: 'y', flag: 1, n: 1 }),
        ]),
      );
      await store.commit(batch([node('A', ['P', '4'], { kind: 'x' })], [], 'R2'));
      const keys = async (query: object) =>
        (await store.read({ entity: 'A', ...query })).nodes.map((found) => found.key[1]);
      expect(await keys({ where: { kind: 'x' } })).toEqual(['1', '2', '4']);
      expect(await keys({ where: { kind: 'x', flag: true } })).toEqual(['1']);
      expect(await keys({ where: { flag: 1 } })).toEqual(['3']);
      expect(await keys({ where: { n: 1 } })).toEqual(['1', '3']);
      expect(await keys({ where: { n: '1' } })).toEqual(['2']);
      expect(await keys({ where: { absent: 'x' } })).toEqual([]);
      expect(await keys({ scope: 'Q' })).toEqual(['3']);
      expect(await keys({ runId: 'R2' })).toEqual(['4']);
      expect(await keys({ runId: 'R1', scope: 'P', where: { kind: 'x' } })).toEqual(['1', '2']);
    });

    it('treats hostile text as data', async () => {
      const text = `'); DROP TABLE node; -- "\\ $.a {"b":1} %_ \${x} \`MATCH (n) DETACH DELETE n\``;
      const one = node('A', ['P', text], { [text]: text });
      await store.commit(batch([one, node('A', ['P', 'other'])], [edge('USES', one, one)]));
      expect((await store.read({ entity: 'A', where: { [text]: text } })).nodes).toEqual([one]);
      expect((await store.read({ entity: text })).total).toBe(0);
      expect((await store.read({ entity: 'A', scope: text })).total).toBe(0);
      expect(await store.existing([node(text, ['P', text]), one])).toEqual(new Set([nodeId(one)]));
      expect(await store.relationships({ type: text })).toEqual([]);
      for (const named of [batch([node(text, ['P', '1'])]), batch([], [edge(text, one, one)])]) {
        const commit = store.commit(named);
        if (subject.closedSchema) await expect(commit).rejects.toMatchObject({ code: 'GRAPH_COMMIT' });
        else await commit;
      }
      expect(await store.relationships({ type: text, from: one })).toEqual(
        subject.closedSchema ? [] : [edge(text, one, one)],
      );
      expect((await store.read({ entity: text })).total).toBe(subject.closedSchema ? 0 : 1);
      expect((await store.read({ entity: 'A' })).total).toBe(2);
    });

    it('keeps any Unicode, control characters and very long text as they are', async () => {
      const long = 'long text über 道路 🛣️ \n\t\u0000\u001f '.repeat(60_000);
      const key = ['P', 'Ü-道路-🛣️ "quoted"\u0000end'] as const;
      const properties = { long, empty: '', list: ['', 'ä', '\u0000'], none: [] as string[] };
      await store.commit(batch([node('A', key, properties)]));
      expect((await store.read({ entity: 'A' })).nodes).toEqual([node('A', key, properties)]);
      expect((await store.read({ entity: 'A', where: { long } })).total).toBe(1);
      expect((await store.read({ entity: 'A', where: { long: `${long}x` } })).total).toBe(0);
      expect(await store.existing([node('A', key)])).toEqual(new Set([nodeId(node('A', key))]));
    });

    it('keeps right-to-left text, joined emoji and combining marks apart from what only looks the same', async () => {
      const texts = [
        'שלום ‎Z',
        'مشروع ١٢',
        '👩🏽‍🔧🏗️',
        'e\u0301',
        '\u00e9',
        '\u202eevil',
        '\ufeff',
        '\u200b',
        ' ',
        'ａ',
        'a',
      ];
      const nodes = texts.map((text) => node('A', ['P', text], { text, list: [text, text] }));
      expect((await store.commit(batch(nodes))).created).toBe(texts.length);
      for (const each of nodes) {
        const where = { text: each.properties['text'] as string };
        expect((await store.read({ entity: 'A', where })).nodes).toEqual([each]);
      }
    });

    it('keeps numbers as they are, whole or not, alone and in lists', async () => {
      const numbers = {
        zero: 0,
        whole: 3,
        most: Number.MAX_SAFE_INTEGER,
        beyond: 2 ** 60,
        large: 1e300,
        small: 5e-324,
        half: 0.5,
        negative: -7,
        list: [1, 2, 3],
        mixed: [1, 0.5, -2],
      };
      await store.commit(batch([node('A', ['P', '1'], numbers)]));
      expect((await store.read({ entity: 'A' })).nodes).toEqual([node('A', ['P', '1'], numbers)]);
      expect((await store.commit(batch([node('A', ['P', '1'], numbers)]))).unchanged).toBe(1);
    });

    it('keeps dates and times as the texts they came as', async () => {
      const times = { date: '2025-02-28', time: '2025-11-03T14:30:22.000Z', local: '2025-11-03T14:30:22+10:00' };
      await store.commit(batch([node('A', ['P', '1'], times)]));
      expect((await store.read({ entity: 'A' })).nodes).toEqual([node('A', ['P', '1'], times)]);
    });

    it('counts a node that stands twice in a batch twice, the later after the earlier', async () => {
      const twice = [node('A', ['P', '1'], { x: 1, y: 1 }), node('A', ['P', '1'], { x: 2 })];
      expect(await store.commit(batch([...twice, twice[1]!]))).toMatchObject({ created: 1, updated: 1, unchanged: 1 });
      expect((await store.read({ entity: 'A' })).nodes).toEqual([node('A', ['P', '1'], { x: 2, y: 1 })]);
    });

    it('connects a node to one of an earlier batch, and answers nothing for what cannot exist', async () => {
      const [a, b] = [node('A', ['P', '1']), node('B', ['P', '2'])];
      await store.commit(batch([a]));
      expect(await store.commit(batch([b], [edge('NEXT', a, b), edge('NEXT', b, a)]))).toMatchObject({
        relationships: 2,
      });
      expect(await store.relationships({ from: a })).toEqual([edge('NEXT', a, b)]);
      expect(await store.relationships({ from: node('A', ['P', '1', 'more']) })).toEqual([]);
      expect(await store.relationships({ to: node('A', ['P', 1]) })).toEqual([]);
      expect(await store.existing([node('A', ['P']), node('A', ['P', '1', 'more'])])).toEqual(new Set());
      expect(await store.commit(batch([]))).toEqual({ created: 0, updated: 0, unchanged: 0, relationships: 0 });
    });

    it('reads relationships by type, ends, scope and run, in a stable order', async () => {
      const [a, b10, b9, q] = [
        node('A', ['P', '1']),
        node('B', ['P', '1.10']),
        node('B', ['P', '1.9']),
        node('A', ['Q', '1']),
      ];
      await store.commit(
        batch([a, b10, b9, q], [edge('USES', a, b10), edge('USES', a, b9), edge('NEXT', b9, b10), edge('USES', q, b9)]),
      );
      await store.commit(batch([], [edge('NEXT', b9, b10)], 'R2'));
      expect(await store.relationships({ type: 'USES', from: a })).toEqual([edge('USES', a, b9), edge('USES', a, b10)]);
      expect(await store.relationships({ to: b10 })).toEqual([edge('NEXT', b9, b10), edge('USES', a, b10)]);
      expect(await store.relationships({ scope: 'Q' })).toEqual([edge('USES', q, b9)]);
      expect(await store.relationships({ runId: 'R2' })).toEqual([edge('NEXT', b9, b10)]);
      expect(await store.relationships({ limit: 1, offset: 1 })).toEqual([edge('USES', a, b9)]);
    });

    it('keeps two runs apart by run id in one graph', async () => {
      await store.commit(batch([node('A', ['P1', '1'])], [], 'R1'));
      const [x, y] = [node('A', ['P2', '1']), node('A', ['P2', '2'])];
      await store.commit(batch([x, y], [edge('NEXT', x, y)], 'R2'));
      expect(await dump(store, ['A'], 'R1')).toEqual({ nodes: [node('A', ['P1', '1'])], relationships: [] });
      expect(await dump(store, ['A'], 'R2')).toEqual({ nodes: [x, y], relationships: [edge('NEXT', x, y)] });
      expect(await store.existing([x, node('A', ['P1', '1'])], 'R2')).toEqual(new Set([nodeId(x)]));
    });

    it('runs commits that are called at once in the order of the calls', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, at) => store.commit(batch([node('A', ['P', '1'], { at })]))),
      );
      expect(results.map((result) => result.created)).toEqual([1, ...Array(19).fill(0)]);
      expect((await store.read({ entity: 'A' })).nodes).toEqual([node('A', ['P', '1'], { at: 19 })]);
    });

    it('shows a commit to a second connection at once, and to a later one', async () => {
      const second = await subject.open();
      await store.commit(batch([node('A', ['P', '1'])]));
      expect((await second.read({ entity: 'A' })).total).toBe(1);
      await second.commit(batch([node('A', ['P', '2'])]));
      await second.close();
      expect((await store.read({ entity: 'A' })).total).toBe(2);
    });

    it('rejects a use after close', async () => {
      const second = await subject.open();
      await second.close();
      await second.close();
      await expect(second.read({ entity: 'A' })).rejects.toMatchObject({ code: 'BUG' });
      await expect(second.commit(batch([]))).rejects.toMatchObject({ code: 'BUG' });
    });

    it('takes 20 000 nodes with a relationship each in one commit', async () => {
      const nodes = Array.from({ length: 20_000 }, (_, at) => node('Item', ['P', `${at}`], { name: `item ${at}`, at }));
      const relationships = nodes.slice(1).map((each, at) => edge('AFTER', each, nodes[at]!));
      expect(await store.commit(batch(nodes, relationships))).toEqual({
        created: 20_000,
        updated: 0,
        unchanged: 0,
        relationships: 19_999,
      });
      expect((await store.commit(batch(nodes, relationships))).unchanged).toBe(20_000);
      expect((await store.read({ entity: 'Item', where: { at: 19_999 } })).nodes).toEqual([nodes[19_999]]);
    }, 180_000);

    it('holds 100 000 nodes and pages through them in order', async () => {
      const nodes = Array.from({ length: 100_000 }, (_, at) => node('Item', ['P', `${at}`], { name: `item ${at}` }));
      for (let at = 0; at < nodes.length; at += 20_000) await store.commit(batch(nodes.slice(at, at + 20_000)));
      const found = (await dump(store, ['Item'])).nodes;
      expect(found).toHaveLength(nodes.length);
      expect(found.every((each, at) => each.key[1] === `${at}`)).toBe(true);
    }, 600_000);

    it('a batch committed twice leaves the same graph as committed once', async () => {
      await fc.assert(
        fc.asyncProperty(generatedBatches, async (batches) => {
          for (const each of batches) await store.commit(each);
          const once = await dump(store, ENTITIES);
          for (const each of batches) await store.commit(each);
          expect(await dump(store, ENTITIES)).toEqual(once);
        }),
        { numRuns: 40 },
      );
    });

    it('batches that do not contradict each other leave the same graph in any order', async () => {
      const anyOrder = generatedBatches.chain((batches) =>
        fc.tuple(
          fc.constant(batches),
          fc.shuffledSubarray(batches, { minLength: batches.length, maxLength: batches.length }),
        ),
      );
      await fc.assert(
        fc.asyncProperty(anyOrder, async ([batches, shuffled]) => {
          const graphs = [];
          for (const order of [batches, shuffled]) {
            const one = await fresh();
            const into = await one.open();
            for (const each of order) await into.commit(each);
            graphs.push(await dump(into, ENTITIES));
            await into.close();
            await one.remove();
          }
          expect(graphs[1]).toEqual(graphs[0]);
        }),
        { numRuns: 25 },
      );
    }, 180_000);

    it('merges what two processes write to the same keys at the same time', async () => {
      const writers = ['left', 'right'].map((each) => subject.writer('upsert', each));
      for (const writer of writers) expect(await writer.ended).toMatchObject({ code: 0, stderr: '' });
      const { nodes } = await dump(store, ['Item']);
      expect(nodes).toHaveLength(500);
      for (const each of nodes) expect(each.properties).toMatchObject({ left: each.key[1], right: each.key[1] });
    }, 180_000);

    it('holds nothing of a batch whose writer was killed in the middle of its commit', async () => {
      const locked = node('Item', ['P', 'locked']);
      await store.commit(batch([locked]));
      await subject.killInCommit();
      expect(await dump(store, ['Huge', 'Item'])).toEqual({ nodes: [locked], relationships: [] });
      expect((await store.commit(batch([node('Huge', ['P', 0])]))).created).toBe(1);
    }, 180_000);

    it('holds whole batches only after a writer was killed among its commits', async () => {
      for (let round = 1; round <= 3; round += 1) {
        const writer = subject.writer('batches', '');
        let seen = 0;
        for await (const line of writer.lines) {
          seen = Number(line);
          if (seen >= 5 * round) break;
        }
        writer.process.kill('SIGKILL');
        expect((await writer.ended).signal).toBe('SIGKILL');
        const { nodes, relationships } = await dump(store, ['Batch', 'Item']);
        const batches = nodes.filter((each) => each.entity === 'Batch').length;
        expect(batches).toBeGreaterThanOrEqual(seen);
        expect(nodes).toHaveLength(batches * 21);
        expect(relationships).toHaveLength(batches * 20);
        await store.commit(batch([node('After', ['P', round])]));
      }
    }, 180_000);
  });
}

const ENTITIES = ['A', 'B'];
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const keyValue = fc.oneof(fc.constantFrom('1', '1.9', '1.10', 'ITP-07', 'ü'), fc.integer({ min: -3, max: 12 }));
const value = fc.oneof(
  text,
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.array(text, { maxLength: 3 }),
);

/** Batches whose property names carry the number of the batch: they meet on the same nodes and never contradict. */
const generatedBatches: fc.Arbitrary<GraphBatch[]> = fc
  .array(
    fc.record({
      nodes: fc.array(
        fc.tuple(
          fc.constantFrom(...ENTITIES),
          keyValue,
          fc.dictionary(fc.oneof(text, fc.constant('__proto__')), value),
        ),
        { minLength: 1, maxLength: 6 },
      ),
      pairs: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom('NEXT', 'USES')), { maxLength: 5 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((drafts) =>
    drafts.map((draft, at) => {
      const nodes = draft.nodes.map(([entity, key, properties]) =>
        node(entity, ['P', key], Object.fromEntries(Object.entries(properties).map(([n, v]) => [`${n}${at}`, v]))),
      );
      const pick = (index: number) => nodes[index % nodes.length]!;
      return batch(
        nodes,
        draft.pairs.map(([from, to, type]) => edge(type, pick(from), pick(to))),
      );
    }),
  );
