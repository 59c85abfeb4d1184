import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { construction } from '../../schemas/construction/index.ts';
import { openNeo4jGraph } from '../../src/graph/neo4j.ts';
import { dryRun } from '../../src/graph/neo4j-dry-run.ts';
import type { GraphBatch, GraphStore } from '../../src/ports.ts';
import { type CompiledScript, compileScript, runScript } from '../child-process.ts';
import { graphStoreContract } from './contract.ts';
import { contractSchema } from './contract-schema.ts';
import {
  ask,
  auth,
  bareDatabase,
  emptyDatabase,
  env,
  rawDriver,
  server,
  where,
  wholeDatabase,
} from './neo4j-database.ts';

const driver = rawDriver();
let script: CompiledScript;
beforeAll(async () => {
  script = compileScript('test/graph/writer-script.ts');
  await bareDatabase(driver);
});
afterAll(async () => {
  script.remove();
  await bareDatabase(driver);
  await driver.close();
});

const open = (): Promise<GraphStore> => openNeo4jGraph(server.url, { schema: contractSchema, auth, ...where });

graphStoreContract('the graph in Neo4j', async () => {
  await emptyDatabase(driver);
  return {
    closedSchema: true,
    open,
    writer: (mode, name) => runScript(script.file, [mode, server.url, name], env),
    killInCommit: async () => {
      const session = driver.session(where);
      // Holds the node that the commit writes last, so that the commit stands still when all others are written.
      const holder = await session.beginTransaction();
      await holder.run("MATCH (n:Item {code: 'locked'}) SET n.musterOrder = n.musterOrder");
      const writer = runScript(script.file, ['huge', server.url, '3000'], env);
      const blocked = "SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked' RETURN count(*) AS n";
      while ((await ask(driver, blocked))[0]?.['n'] === 0) {
        if (writer.process.exitCode !== null) throw new Error((await writer.ended).stderr);
      }
      writer.process.kill('SIGKILL');
      expect((await writer.ended).signal).toBe('SIGKILL');
      await holder.rollback();
      await session.close();
      // The server notices the lost client when it next writes to it.
      const others =
        "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery STARTS WITH 'UNWIND' RETURN count(*) AS n";
      while ((await ask(driver, others))[0]?.['n'] !== 0);
    },
    remove: () => emptyDatabase(driver),
  };
});

const batchOf = (nodes: GraphBatch['nodes'], relationships: GraphBatch['relationships'] = []): GraphBatch => ({
  runId: 'R1',
  task: 'wbs-extraction',
  nodes,
  relationships,
});

describe('what stands in Neo4j', () => {
  beforeEach(() => emptyDatabase(driver));

  it('has a composite uniqueness constraint for each entity, on Community', async () => {
    await bareDatabase(driver);
    const store = await openNeo4jGraph(server.url, { schema: construction, auth, ...where });
    await store.close();
    const constraints = await ask(driver, 'SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties');
    expect(constraints).toHaveLength(construction.entities.length);
    for (const { name, key } of construction.entities) {
      const expected = { name: `muster_${name}_key`, type: 'UNIQUENESS', labelsOrTypes: [name], properties: key };
      expect(constraints).toContainEqual(expected);
    }
    await ask(driver, "CREATE (:WBSNode {projectId: 'P', code: '1'}), (:WBSNode {projectId: 'Q', code: '1'})");
    await expect(ask(driver, "CREATE (:WBSNode {projectId: 'P', code: '1'})")).rejects.toMatchObject({
      code: 'Neo.ClientError.Schema.ConstraintValidationFailed',
    });
    await bareDatabase(driver);
  });

  it('is the same after a second opening, and after two at the same moment', async () => {
    await bareDatabase(driver);
    const stores = await Promise.all([open(), open(), open()]);
    const first = await wholeDatabase(driver);
    await (await open()).close();
    expect(await wholeDatabase(driver)).toEqual(first);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('keeps task, run and times beside the attributes; the first time stays, the last moves with a change', async () => {
    let now = Date.parse('2025-11-03T14:30:22.000Z');
    const clock = { now: () => now };
    const store = await openNeo4jGraph(server.url, { schema: contractSchema, auth, ...where, clock });
    const node = { entity: 'A', key: ['P', '1'], properties: { x: 1 } };
    const edge = { type: 'NEXT', from: node, to: node };
    await store.commit(batchOf([node], [edge]));
    now += 1000;
    await store.commit({ ...batchOf([node], [edge]), runId: 'R2' });
    const rows = () => ask(driver, 'MATCH (n)-[r]->(n) RETURN properties(n) AS n, properties(r) AS r');
    const written = { musterTask: 'wbs-extraction', musterCreatedAt: '2025-11-03T14:30:22.000Z' };
    const first = { ...written, musterRunId: 'R2', musterUpdatedAt: '2025-11-03T14:30:22.000Z' };
    const key = { projectId: 'P', code: '1', musterOrder: expect.any(String) };
    expect(await rows()).toEqual([{ n: { ...key, ...first, x: 1 }, r: first }]);
    await store.commit({ ...batchOf([{ ...node, properties: { x: 2 } }]), runId: 'R3' });
    const last = { ...written, musterRunId: 'R3', musterUpdatedAt: '2025-11-03T14:30:23.000Z' };
    expect(await rows()).toEqual([{ n: { ...key, ...last, x: 2 }, r: first }]);
    await store.close();
  });

  it('holds whole numbers as integers, fractions as floats, and times as text', async () => {
    const store = await open();
    const properties = { level: 3, weight: 0.5, levels: [1, 2], weights: [1, 0.5], date: '2025-02-28' };
    await store.commit(batchOf([{ entity: 'A', key: ['P', 7], properties }]));
    const types = 'MATCH (n:A) RETURN [name IN $names | valueType(n[name])] AS types';
    const [row] = await ask(driver, types, { names: ['code', ...Object.keys(properties)] });
    expect(row?.['types']).toEqual([
      'INTEGER NOT NULL',
      'INTEGER NOT NULL',
      'FLOAT NOT NULL',
      'LIST<INTEGER NOT NULL> NOT NULL',
      'LIST<FLOAT NOT NULL> NOT NULL',
      'STRING NOT NULL',
    ]);
    await store.close();
  });

  it('refuses what is not of the schema, a key that contradicts itself, and names of the engine', async () => {
    const store = await open();
    const good = { entity: 'A', key: ['P', '1'], properties: {} };
    for (const [bad, says] of [
      [{ ...good, entity: 'Unheard' }, /the entity "Unheard"/],
      [{ ...good, key: ['P'] }, /a key of projectId, code .* 1 parts/],
      [{ ...good, properties: { code: '2' } }, /"code" to be the part of the key .* "2"/],
      [{ ...good, properties: { code: null } }, /"code" to be the part of the key/],
      [{ ...good, properties: { musterRunId: 'R9' } }, /"musterRunId", which is not one/],
      [{ ...good, key: ['P', 'x'.repeat(20_000)] }, /could not be written/],
    ] as const) {
      const commit = store.commit(batchOf([{ ...good, key: ['P', '0'] }, bad]));
      await expect(commit).rejects.toMatchObject({ code: 'GRAPH_COMMIT', message: expect.stringMatching(says) });
    }
    expect((await store.read({ entity: 'A' })).total).toBe(0);
    await store.close();
  });

  it('leaves nodes alone that somebody else adds under the same label later', async () => {
    const store = await open();
    await ask(driver, "CREATE (:A {projectId: 'P', code: 'theirs', name: 'x'})");
    expect((await store.read({ entity: 'A' })).total).toBe(0);
    expect(await store.existing([{ entity: 'A', key: ['P', 'theirs'] }])).toEqual(new Set());
    await store.close();
  });
});

describe('the dry run', () => {
  const text = `it's "quoted" \\ \\u0041 \n\t\u0000 $rows \`; MATCH (n) DETACH DELETE n // שלום 👩🏽‍🔧 \u202e`;
  const nodes = [
    { entity: 'A', key: ['P', text], properties: { text, n: 3, half: [1, 0.5], big: 1e300, whole: 2 ** 60, no: null } },
    { entity: 'B', key: ['P', 7], properties: { flag: true, none: [], [text.replaceAll('\u0000', '')]: 'name' } },
  ];
  const [a, b] = nodes;
  const batch = batchOf(nodes, [{ type: 'USES', from: a!, to: b! }]);
  const time = '2025-11-03T14:30:22.000Z';

  it('prints what a commit runs: pasted into an empty database it leaves the same graph', async () => {
    await bareDatabase(driver);
    const clock = { now: () => Date.parse(time) };
    const store = await openNeo4jGraph(server.url, { schema: contractSchema, auth, ...where, clock });
    await store.commit(batch);
    await store.close();
    const committed = await wholeDatabase(driver);
    await bareDatabase(driver);
    const printed = dryRun(batch, contractSchema, time);
    for (const statement of printed.split(';\n').filter((each) => each.trim() !== '')) await ask(driver, statement);
    expect(await wholeDatabase(driver)).toEqual(committed);
    expect(printed.split('\n').every((line) => line.length < 1000)).toBe(true);
  });
});
