import neo4j from 'neo4j-driver';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openNeo4jGraph } from '../../src/graph/neo4j.ts';
import type { GraphNode, GraphRelationship, GraphStore } from '../../src/ports.ts';
import { contractSchema, keyProperties } from './contract-schema.ts';
import { ask, auth, bareDatabase, rawDriver, server, where } from './neo4j-database.ts';

const COMMITTERS = 8;
const REPETITIONS = 100;
const SHARED = 40;

const driver = rawDriver();
beforeEach(() => bareDatabase(driver));
afterAll(async () => {
  await bareDatabase(driver);
  await driver.close();
});

const open = (): Promise<GraphStore> => openNeo4jGraph(server.url, { schema: contractSchema, auth, ...where });
const shared = (at: number, properties: GraphNode['properties'] = {}): GraphNode => {
  const key = ['P', `${at % SHARED}`];
  return { entity: at % 2 === 0 ? 'A' : 'B', key, properties: { ...keyProperties(key), ...properties } };
};

describe('eight committers at once', () => {
  it('lose nothing, create each node once, and meet no deadlock, a hundred times over', async () => {
    const retried = countRetries();
    const stores = await Promise.all(Array.from({ length: COMMITTERS }, open));
    const created = await Promise.all(
      stores.map(async (store, who) => {
        let sum = 0;
        for (let round = 0; round < REPETITIONS; round += 1) {
          // Everybody's rows overlap with everybody's, each in an order of its own; some ends are not in the batch.
          const places = Array.from({ length: 12 }, (_, at) => (who * 5 + round * 7 + at * (who + 1) * 3) % SHARED);
          const nodes = [...new Set(places)].map((at) =>
            shared(at, { [`by${who}`]: round, [`last${who}.${at}`]: round }),
          );
          const relationships = places.flatMap((at): GraphRelationship[] => [
            { type: 'NEXT', from: shared(at), to: shared(at + 1) },
            { type: 'USES', from: shared(at + round), to: shared(at) },
          ]);
          // The first rounds make the nodes; only then can ends outside of a batch be expected to exist.
          const whole = { runId: `R${who}`, task: 'task-a', nodes: round === 0 ? everyNode(who) : nodes };
          const result = await store.commit({ ...whole, relationships });
          expect(result.created + result.updated + result.unchanged).toBe(whole.nodes.length);
          sum += result.created;
        }
        return sum;
      }),
    );
    expect(created.reduce((a, b) => a + b, 0)).toBe(SHARED);
    const [graph] = await ask(
      driver,
      `MATCH (n) WITH count(n) AS nodes, collect(properties(n)) AS all
       OPTIONAL MATCH (a)-[r]->(b) WITH nodes, all, a, b, type(r) AS type, count(r) AS each
       RETURN nodes, all, count(*) AS edges, max(each) AS most`,
    );
    expect(graph).toMatchObject({ nodes: SHARED, most: 1 });
    const last = lastWrites();
    for (const node of graph!['all'] as Record<string, unknown>[]) {
      const own = last.get(String(node['code']))!;
      expect(node).toMatchObject(own);
    }
    await Promise.all(stores.map((store) => store.close()));
    expect(retried()).toBeLessThan(COMMITTERS * 2);
  }, 600_000);

  it('create the same nodes at the same moment once, whatever the order of their rows', async () => {
    const stores = await Promise.all(Array.from({ length: COMMITTERS }, open));
    for (let round = 0; round < 10; round += 1) {
      const results = await Promise.all(
        stores.map((store, who) => {
          const keys = Array.from({ length: 50 }, (_, at) => ['P', `${round}.${(at * 7 + who * 13) % 50}`]);
          const nodes = keys.map((key) => ({ entity: 'Item', key, properties: keyProperties(key) }));
          return store.commit({ runId: 'R', task: 'task-a', nodes, relationships: [] });
        }),
      );
      expect(results.reduce((sum, { created }) => sum + created, 0)).toBe(50);
    }
    expect((await stores[0]!.read({ entity: 'Item' })).total).toBe(500);
    await Promise.all(stores.map((store) => store.close()));
  }, 300_000);
});

function everyNode(who: number): GraphNode[] {
  return Array.from({ length: SHARED }, (_, at) => shared((at * 7 + who) % SHARED, { [`by${who}`]: 0 }));
}

/** What each committer wrote last to each node. */
function lastWrites(): Map<string, Record<string, number>> {
  const found = new Map<string, Record<string, number>>();
  for (let who = 0; who < COMMITTERS; who += 1) {
    for (let at = 0; at < SHARED; at += 1) found.set(`${at}`, { ...found.get(`${at}`), [`by${who}`]: 0 });
    for (let round = 1; round < REPETITIONS; round += 1) {
      for (let at = 0; at < 12; at += 1) {
        const place = (who * 5 + round * 7 + at * (who + 1) * 3) % SHARED;
        found.set(`${place}`, { ...found.get(`${place}`), [`by${who}`]: round, [`last${who}.${place}`]: round });
      }
    }
  }
  return found;
}

/** How many transactions the driver ran more than once: those that met a deadlock. */
function countRetries(): () => number {
  let calls = 0;
  let runs = 0;
  const { executeWrite } = neo4j.Session.prototype;
  const spy = vi.spyOn(neo4j.Session.prototype, 'executeWrite').mockImplementation(function (
    this: neo4j.Session,
    work,
    config,
  ) {
    calls += 1;
    return executeWrite.call(
      this,
      (transaction) => {
        runs += 1;
        return work(transaction);
      },
      config,
    ) as ReturnType<typeof executeWrite<never>>;
  });
  return () => {
    spy.mockRestore();
    console.log(`${calls} transactions, ${runs - calls} of them again`);
    return runs - calls;
  };
}
