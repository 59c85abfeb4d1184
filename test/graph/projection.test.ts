/** A graph in the embedded Cypher engine says what the graph says, and only to those who read. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import { openProjection } from '../../src/graph/projection.ts';
import { enginePackage } from '../../src/graph/projection-engine.ts';
import type { CypherSource, CypherValue, GraphNode, GraphSnapshot } from '../../src/ports.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';

const dir = mkdtempSync(join(tmpdir(), 'muster-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the graph of the sample project', () => {
  let source: CypherSource;
  beforeAll(async () => {
    source = await openProjection({ schema: construction, snapshot: expectedSnapshot(), dir });
  });
  afterAll(() => source.close());
  const rows = async (text: string, parameters: Record<string, CypherValue> = {}) =>
    (await source.cypher({ text, parameters })).rows;

  it('holds every node and every relationship', async () => {
    const { nodes, relationships } = expectedSnapshot();
    expect(await rows('MATCH (n) RETURN count(*)')).toEqual([[nodes.length]]);
    expect(await rows('MATCH ()-[r]->() RETURN count(*)')).toEqual([[relationships.length]]);
  });

  it.each<[string, CypherValue[][]]>([
    ["MATCH (n:WBSNode {code: '5.2.1'}) RETURN n.name, n.level", [['Pile caps', 3]]],
    ["MATCH (:WBSNode {code: '5.2.1'})-[r:CHILD_OF]->(p) RETURN p.code, type(r)", [['5.2', 'CHILD_OF']]],
    [
      "MATCH (n:WBSNode {code: '5.2.1'})-[:CHILD_OF*]->(p:WBSNode) RETURN p.code ORDER BY p.level DESC",
      [['5.2'], ['5'], ['0']],
    ],
    [
      "MATCH (n:WBSNode {code: '5.2.1'}) RETURN last(split(n.code, '.')) AS l, substring(n.code, 2, 1) AS s, split(n.code, '.')[0] AS f",
      [['1', '2', '5']],
    ],
    ['MATCH (p:Project) RETURN p.controlLines, p.defectsLiabilityMonths', [[['MC10', 'WL10'], 12]]],
    [
      'MATCH (p:Project) OPTIONAL MATCH (p)-[:CHILD_OF]->(x) RETURN collect(x.code) AS xs, p.projectId = $id',
      [[[], true]],
    ],
    ['MATCH (n) WHERE n:Project OR n:AreaCode RETURN count(n)', [[7]]],
    // As Neo4j counts: no relationship twice in one MATCH, whatever the pattern.
    ['MATCH (a:WBSNode)-[:CHILD_OF]->(p)<-[:CHILD_OF]-(b:WBSNode) WHERE a.code = b.code RETURN count(*)', [[0]]],
    ["MATCH (a:WBSNode {code: '5.2.1'})-[:CHILD_OF*]->(p)<-[:CHILD_OF]-(b) RETURN count(*)", [[12]]],
    [
      "MATCH (n:WBSNode {code: '0'}) WHERE NOT EXISTS { (n)-[:CHILD_OF]->() } RETURN COUNT { (n)<-[:CHILD_OF]-() }",
      [[7]],
    ],
    ["MATCH (n:WBSNode {code: '0'}) RETURN n.scheduleItems, all(x IN n.scheduleItems WHERE x = '')", [[null, null]]],
    ["MATCH (n:WBSNode {code: '0'}) WHERE NOT any(x IN n.scheduleItems WHERE x = '') RETURN n.code", []],
    [
      "MATCH (n:WBSNode {code: '0'}) OPTIONAL MATCH (n)-[r:CHILD_OF]->(p:WBSNode) RETURN labels(p), type(r), p:WBSNode",
      [[null, null, null]],
    ],
    [
      "RETURN toInteger('+12'), toInteger(-1.9), toInteger('x'), toFloat('1.5e3'), toFloat('A1')",
      [[12, -1, null, 1500, null]],
    ],
    [
      "WITH ['a', 'b', 'c'] AS xs RETURN xs[0], xs[-1], xs[1..], xs[0..2], xs[..-1]",
      [['a', 'c', ['b', 'c'], ['a', 'b'], ['a', 'b']]],
    ],
    ["RETURN date('2024-01-02'), round(-1.5), substring('abcd', 2), 7 / 2", [['2024-01-02', -1, 'cd', 3]]],
    ["MATCH (:WBSNode {code: '5.2'})-[rs:CHILD_OF*2]->(:WBSNode) RETURN rs", [[[{}, {}]]]],
    ['MATCH (n:WBSNode) WHERE n.level > 1.5 AND n.confidence > 0.6 RETURN count(n)', [[32]]],
    ['MATCH (n:WBSNode) RETURN n.parentCode ORDER BY n.parentCode DESC LIMIT 1', [[null]]],
    ["MATCH (n:WBSNode) WHERE n.projectId = 'BRU2' AND n.code IN $codes RETURN n.code", [['5'], ['5.2']]],
    ['MATCH (n:Party) RETURN n.code ORDER BY n.code LIMIT 2', [['HC'], ['KRC']]],
  ])('answers %s', async (text, expected) => {
    // Parameters that the statement does not use do no harm, even where it has their names.
    expect(await rows(text, { id: 'BRU2', projectId: 'BRU2', codes: ['5', '5.2'] })).toEqual(expected);
  });

  it('gives a node as its properties and names columns as they were asked for', async () => {
    const answer = await source.cypher({ text: 'MATCH (n:AreaCode) RETURN n, count(*) ORDER BY n.code LIMIT 1' });
    expect(answer.columns).toEqual(['n', 'count(*)']);
    expect(answer.rows[0]![0]).toMatchObject({ projectId: 'BRU2', code: expect.any(String) });
    expect(Object.keys(answer.rows[0]![0] as object).filter((name) => name.startsWith('_'))).toEqual([]);
  });

  it('gives as many rows as asked for and says that there are more', async () => {
    expect(await source.cypher({ text: 'MATCH (n:WBSNode) RETURN n.code', maxRows: 2 })).toMatchObject({
      rows: { length: 2 },
      truncated: true,
    });
    expect((await source.cypher({ text: 'MATCH (n:AreaCode) RETURN n.code', maxRows: 6 })).truncated).toBe(false);
  });

  it('ends a statement that takes too long, and answers the next', async () => {
    const endless =
      'UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a, b WHERE a * b = 7 RETURN count(*)';
    await expect(source.cypher({ text: endless, timeLimitMs: 100 })).rejects.toMatchObject({ code: 'CYPHER_TIMEOUT' });
    expect(await rows('RETURN 1')).toEqual([[1]]);
  });

  it.each([
    ['MATCH (n:WBSNode) SET n.name = "x"', 'CYPHER_REFUSED'],
    ['MATCH (n:WBSNode) RETURN n.colour', 'CYPHER_INVALID'],
    ['MATCH (n:Bridge) RETURN n', 'CYPHER_INVALID'],
    ['MATCH (n RETURN n', 'CYPHER_INVALID'],
  ])('refuses %s', async (text, code) => {
    await expect(source.cypher({ text })).rejects.toMatchObject({ code });
  });

  it('gives the same answer each time', async () => {
    const text = "MATCH (n) RETURN sum(toInteger(last(split(n.code, '.'))))";
    const sums = new Set<string>();
    for (let i = 0; i < 300; i++) sums.add(JSON.stringify(await rows(text)));
    expect([...sums]).toEqual(['[[122]]']);
  }, 60_000);

  it('gives a path as its nodes and relationships in turn', async () => {
    const [[path]] = (await rows("MATCH p = (:WBSNode {code: '5.2.1'})-[:CHILD_OF*2]->(:WBSNode) RETURN p")) as [
      [object[]],
    ];
    expect(path.map((each) => (each as { code?: string }).code)).toEqual(['5.2.1', undefined, '5.2', undefined, '5']);
  });

  it.each([
    ['is planned for ever', `RETURN ${'['.repeat(9_000)}1${']'.repeat(9_000)}`, 100, /longer than 100 ms/],
    ['takes all memory', 'UNWIND range(1, 300000000) AS x RETURN count(x)', 20_000, /more memory/],
    ['trips the engine', `RETURN ${'CASE WHEN true THEN '.repeat(800)}1${' END'.repeat(800)}`, 100, /./],
  ])(
    'survives a statement that %s, and answers the next',
    async (_, text, timeLimitMs, message) => {
      const next = source.cypher({ text, timeLimitMs }).then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      const after = rows('MATCH (n:WBSNode) RETURN count(*)');
      expect(await next).toMatchObject({
        code: expect.stringMatching(/^CYPHER_/),
        message: expect.stringMatching(message),
      });
      expect(await after).toEqual([[40]]);
    },
    60_000,
  );

  it('answers many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => rows('RETURN $i', { i })));
    expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => [[i]]));
  });
});

describe('values', () => {
  const schema = construction;
  const party = (code: string, properties: GraphNode['properties']): GraphNode => ({
    entity: 'Party',
    key: ['P', code],
    properties: { projectId: 'P', code, ...properties },
  });
  it.each<[string, GraphNode['properties']]>([
    ['a number that looks like a decimal', { name: '1.10' }],
    ['quotes, commas, new lines, backslashes', { name: 'a "b", \'c\'\r\nd\n\\n \\' }],
    ['Unicode', { name: 'Ünïcödé 😀 \u202eשלום 漢字' }],
    ['the empty text', { name: '' }],
    ['a long text', { name: 'x'.repeat(1_000_000) }],
    ['a list', { aliases: ['a,b', '"q"', '1.10'] }],
    ['a list without elements', { aliases: [] }],
    ['a value of another kind than the schema says', { name: 7 }],
    ['an attribute that the schema does not know', { colour: 'red' }],
    ['Cypher as text', { name: "'}) DETACH DELETE n //" }],
  ])('come back as they were: %s', async (_, properties) => {
    const snapshot: GraphSnapshot = { nodes: [party('A', properties), party('B', {})], relationships: [] };
    const source = await openProjection({ schema, snapshot, dir });
    try {
      const [name, value] = Object.entries(properties)[0]!;
      const { rows } = await source.cypher({ text: `MATCH (n:Party) RETURN n.${name} ORDER BY n.code` });
      // Where text and number meet in one attribute, text holds both.
      expect(rows).toEqual([[typeof value === 'number' ? String(value) : value], [null]]);
    } finally {
      await source.close();
    }
  });

  it('leaves no file behind', () => {
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a projection that was closed', () => {
  it('answers what was asked before, and nothing after', async () => {
    const source = await openProjection({ schema: construction, snapshot: { nodes: [], relationships: [] }, dir });
    const asked = source.cypher({ text: 'RETURN 1 AS one' });
    await source.close();
    await source.close();
    expect(await asked).toEqual({ columns: ['one'], rows: [[1]], truncated: false });
    await expect(source.cypher({ text: 'RETURN 1' })).rejects.toMatchObject({ code: 'BUG' });
  });
});

describe('a machine without the engine', () => {
  it('is told which package it lacks and what works without', () => {
    expect(() => enginePackage('plan9', 'mips')).toThrow(/@ladybugdb\/core-plan9-mips.*All else works without it/);
  });
});

describe('the embedded store', () => {
  it('answers Cypher about what was committed last', async () => {
    const graph = openEmbeddedGraph(':memory:', { schema: construction });
    const commit = (code: string) =>
      graph.commit({
        runId: 'r',
        task: 't',
        nodes: [{ entity: 'Party', key: ['P', code], properties: { projectId: 'P', code } }],
        relationships: [],
      });
    const codes = async () => (await graph.cypher({ text: 'MATCH (n:Party) RETURN n.code ORDER BY n.code' })).rows;
    try {
      expect(await codes()).toEqual([]);
      await commit('A');
      expect(await Promise.all([codes(), codes()])).toEqual([[['A']], [['A']]]);
      await commit('B');
      expect(await codes()).toEqual([['A'], ['B']]);
    } finally {
      await graph.close();
    }
  });

  it('sees what another process wrote into its file', async () => {
    const file = join(dir, 'shared.db');
    const [one, other] = [openEmbeddedGraph(file, { schema: construction }), openEmbeddedGraph(file)];
    const count = async () => (await one.cypher({ text: 'MATCH (n:Party) RETURN count(*)' })).rows;
    try {
      expect(await count()).toEqual([[0]]);
      await other.commit({
        runId: 'r',
        task: 't',
        nodes: [{ entity: 'Party', key: ['P', 'A'], properties: { projectId: 'P', code: 'A' } }],
        relationships: [],
      });
      expect(await count()).toEqual([[1]]);
      await expect(other.cypher({ text: 'RETURN 1' })).rejects.toMatchObject({ code: 'CYPHER_UNAVAILABLE' });
    } finally {
      await one.close();
      await other.close();
    }
    expect(existsSync(file)).toBe(true);
  });
});
