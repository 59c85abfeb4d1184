/** The rules on a real Neo4j: the correct graph breaks none, and each single change trips what it trips embedded. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { openNeo4jSource } from '../../src/graph/neo4j-source.ts';
import { type CypherSource, type GraphSnapshot, nodeId } from '../../src/ports.ts';
import { evaluateRules } from '../../src/rules/evaluate.ts';
import { statementsOf } from '../../src/rules/statements.ts';
import { ask, auth, bareDatabase, emptyDatabase, rawDriver, server, where } from '../graph/neo4j-database.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';
import { mutated, mutations } from './mutate.ts';

const driver = rawDriver();
let source: CypherSource;
beforeAll(async () => {
  // No constraints: two of the changes give a key twice, which the store would never write.
  await bareDatabase(driver);
  source = await openNeo4jSource(server.url, { auth, ...where });
});
afterAll(async () => {
  await source.close();
  await emptyDatabase(driver);
  await driver.close();
});

/** Puts a graph into the database as it is, node by node, past the store. */
async function load({ nodes, relationships }: GraphSnapshot): Promise<void> {
  await emptyDatabase(driver);
  const at = new Map<string, number>();
  for (const [i, node] of nodes.entries()) if (!at.has(nodeId(node))) at.set(nodeId(node), i);
  const labels = new Map<string, object[]>();
  for (const [i, { entity, properties }] of nodes.entries()) {
    labels.set(entity, [...(labels.get(entity) ?? []), { i, properties }]);
  }
  for (const [label, rows] of labels) {
    await ask(driver, `UNWIND $rows AS row CREATE (n:\`${label}\` {at: row.i}) SET n += row.properties SET n:Loaded`, {
      rows,
    });
  }
  await ask(driver, 'CREATE INDEX loaded_at IF NOT EXISTS FOR (n:Loaded) ON (n.at)');
  const types = new Map<string, object[]>();
  for (const { type, from, to } of relationships) {
    types.set(type, [...(types.get(type) ?? []), { from: at.get(nodeId(from)), to: at.get(nodeId(to)) }]);
  }
  for (const [type, rows] of types) {
    await ask(
      driver,
      `UNWIND $rows AS row MATCH (a:Loaded {at: row.from}), (b:Loaded {at: row.to}) CREATE (a)-[:\`${type}\`]->(b)`,
      { rows },
    );
  }
  await ask(driver, 'MATCH (n:Loaded) REMOVE n:Loaded, n.at');
}

async function tripped(snapshot: GraphSnapshot): Promise<string[]> {
  await load(snapshot);
  const { findings } = await evaluateRules({
    statements: statementsOf(construction.rules!),
    source,
    facts: { nodes: snapshot.nodes },
    scope: { attribute: 'projectId', value: 'BRU2' },
  });
  return [...new Set(findings.map(({ rule }) => rule))].sort();
}

describe('the rules of the construction pack on Neo4j', () => {
  it('find nothing in the correct graph', async () => {
    expect(await tripped(expectedSnapshot())).toEqual([]);
  });

  it.each(mutations)('$rule finds: $change', async (mutation) => {
    expect(await tripped(mutated(mutation))).toEqual([...mutation.trips].sort());
  });
});
