import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNeo4jGraph } from '../../src/graph/neo4j.ts';
import { openNeo4jSource } from '../../src/graph/neo4j-source.ts';
import type { CypherSource } from '../../src/ports.ts';
import { contractSchema } from './contract-schema.ts';
import { ask, auth, bareDatabase, rawDriver, server, where, wholeDatabase } from './neo4j-database.ts';

const driver = rawDriver();
let source: CypherSource;
beforeAll(async () => {
  await bareDatabase(driver);
  const store = await openNeo4jGraph(server.url, { schema: contractSchema, auth, ...where });
  const [a, b] = ['A', 'B'].map((entity) => ({
    entity,
    key: ['P', '1'],
    properties: { projectId: 'P', code: '1', n: 1 },
  }));
  await store.commit({ runId: 'R', task: 't', nodes: [a!, b!], relationships: [{ type: 'NEXT', from: a!, to: b! }] });
  await store.close();
  source = await openNeo4jSource(server.url, { auth, ...where });
});
afterAll(async () => {
  await source.close();
  await bareDatabase(driver);
  await driver.close();
});

const one = async (text: string, parameters = {}) => (await source.cypher({ text, parameters })).rows[0];

describe('Cypher on Neo4j', () => {
  it('gives nodes, relationships and paths as their attributes, and columns as they are named', async () => {
    const node = { projectId: 'P', code: '1', n: 1 };
    expect(
      await source.cypher({ text: 'MATCH p = (a:A)-[r]->(b) RETURN a, r, p, [b, {deep: a}] AS list, type(r)' }),
    ).toEqual({
      columns: ['a', 'r', 'p', 'list', 'type(r)'],
      rows: [[node, {}, [node, {}, node], [node, { deep: node }], 'NEXT']],
      truncated: false,
    });
    expect(await one('MATCH (a:A) RETURN a.musterRunId')).toEqual(['R']);
  });

  it('gives numbers as numbers, times as ISO text, and the rest as plain data', async () => {
    expect(
      await one(
        `RETURN 3, 0.5, 9007199254740991, 0.0 / 0.0, true, null, [1, [2.5]], date('2025-02-28'),
         datetime('2025-11-03T14:30:22+10:00'), localdatetime('2025-11-03T14:30:22'), time('14:30Z'), localtime('14:30'),
         duration('P1DT2H'), point({x: 1, y: 2})`,
      ),
    ).toEqual([
      3,
      0.5,
      9007199254740991,
      'NaN',
      true,
      null,
      [1, [2.5]],
      '2025-02-28',
      '2025-11-03T14:30:22+10:00',
      '2025-11-03T14:30:22',
      '14:30:00Z',
      '14:30:00',
      'P1DT2H',
      { srid: 7203, x: 1, y: 2 },
    ]);
  });

  it('takes parameters as data, whole numbers as integers', async () => {
    const parameters = { n: 2, half: 0.5, list: [1, 'a', null], map: { deep: [3] }, text: "'] RETURN 1 //" };
    expect(await one('RETURN $n, range(1, $n), $half, $list, $map, $text', parameters)).toEqual([
      2,
      [1, 2],
      0.5,
      [1, 'a', null],
      { deep: [3] },
      "'] RETURN 1 //",
    ]);
  });

  it('stops after the rows that were asked for, and says so', async () => {
    const text = 'UNWIND range(1, 1000000) AS i RETURN i';
    expect(await source.cypher({ text, maxRows: 3 })).toEqual({
      columns: ['i'],
      rows: [[1], [2], [3]],
      truncated: true,
    });
    expect(await source.cypher({ text })).toMatchObject({ rows: { length: 200 }, truncated: true });
    expect(await source.cypher({ text, maxRows: 1e9 })).toMatchObject({ rows: { length: 10_000 }, truncated: true });
    expect(await source.cypher({ text, maxRows: 0 })).toEqual({ columns: ['i'], rows: [], truncated: true });
    expect(await source.cypher({ text: 'UNWIND range(1, 3) AS i RETURN i', maxRows: 3 })).toMatchObject({
      truncated: false,
    });
  });

  it.each([
    ['RETURN 1 +', /Invalid input/],
    ['RETURN nowhere', /not defined/],
    ['RETURN $absent', /[Pp]arameter/],
    ['RETURN 1 / 0', /by zero/],
    ["RETURN date('never')", /never/],
  ])('is CYPHER_INVALID with the words of the server: %s', async (text, says) => {
    const message = expect.stringMatching(says);
    await expect(source.cypher({ text })).rejects.toMatchObject({ code: 'CYPHER_INVALID', message });
  });

  it('is CYPHER_TIMEOUT at the limit, stops on the server, and the source answers on', async () => {
    const text = 'UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN max(a * b % 7)';
    const start = performance.now();
    await expect(source.cypher({ text, timeLimitMs: 500 })).rejects.toMatchObject({ code: 'CYPHER_TIMEOUT' });
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(await one('RETURN 1')).toEqual([1]);
    const running = "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery STARTS WITH 'UNWIND' RETURN count(*) AS n";
    // The server looks for late transactions every other second.
    await expect.poll(async () => (await ask(driver, running))[0]?.['n'], { timeout: 30_000 }).toBe(0);
  });

  it('refuses to write, whichever of the two guards sees it first', async () => {
    const before = await wholeDatabase(driver);
    for (const text of [
      'MATCH (n) DETACH DELETE n',
      'CREATE (:A)',
      'MATCH (a:A) SET a.x = 1 RETURN a',
      'CALL db.createLabel("X")',
    ]) {
      await expect(source.cypher({ text })).rejects.toMatchObject({ code: 'CYPHER_REFUSED' });
    }
    expect(await wholeDatabase(driver)).toEqual(before);
  });

  it('the server itself refuses a statement that writes', async () => {
    const session = driver.session({ ...where, defaultAccessMode: 'READ' });
    const refused = session.executeRead((transaction) => transaction.run('CREATE (:A)'));
    await expect(refused).rejects.toMatchObject({ code: 'Neo.ClientError.Statement.AccessMode' });
    await session.close();
  });

  it('answers several questions at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => one('RETURN $at', { at })));
    expect(answers).toEqual(Array.from({ length: 20 }, (_, at) => [at]));
  });
});
