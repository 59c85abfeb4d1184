/** The exported script on a real server: what it makes is the graph, and running it again changes nothing. */
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { construction } from '../../schemas/construction/index.ts';
import { graphCypher } from '../../src/export/graph/cypher.ts';
import { orderedGraph } from '../../src/export/graph/ordered.ts';
import { type GraphSnapshot, nodeId } from '../../src/ports.ts';
import { ask, bareDatabase, rawDriver, wholeDatabase } from '../graph/neo4j-database.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';
import { HOSTILE, hostileSnapshot } from './hostile-graph.ts';

/** Planning a hundred statements takes a busy machine its time. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const driver = rawDriver();
beforeEach(() => bareDatabase(driver));
afterAll(async () => {
  await bareDatabase(driver);
  await driver.close();
});

async function runScript(graph: GraphSnapshot): Promise<void> {
  const script = graphCypher(graph, construction).content as string;
  for (const statement of script.split(/;\n/).slice(0, -1)) await ask(driver, statement);
}

/** The database as sorted texts, nodes by their keys. */
async function found(): Promise<{ nodes: string[]; relationships: string[] }> {
  const key = new Map(construction.entities.map((entity) => [entity.name, entity.key]));
  const idOf = (label: string, properties: Record<string, unknown>) =>
    nodeId({ entity: label, key: key.get(label)!.map((name) => properties[name] as string) });
  const nodes = await ask(driver, 'MATCH (n) RETURN labels(n)[0] AS label, properties(n) AS properties');
  const edges = await ask(
    driver,
    'MATCH (a)-[r]->(b) RETURN type(r) AS type, labels(a)[0] AS from, properties(a) AS a, labels(b)[0] AS to, properties(b) AS b, properties(r) AS own',
  );
  const properties = (one: unknown) => one as Record<string, unknown>;
  return {
    nodes: nodes
      .map((row) => {
        const own = properties(row['properties']);
        return `${idOf(String(row['label']), own)} ${JSON.stringify(Object.entries(own).sort())}`;
      })
      .sort(),
    relationships: edges
      .map((row) => {
        expect(row['own']).toEqual({});
        const [from, to] = [
          idOf(String(row['from']), properties(row['a'])),
          idOf(String(row['to']), properties(row['b'])),
        ];
        return `${row['type']} ${from} ${to}`;
      })
      .sort(),
  };
}

function wanted(graph: GraphSnapshot): { nodes: string[]; relationships: string[] } {
  const { nodes, relationships } = orderedGraph(graph, construction);
  return {
    nodes: nodes.map((node) => `${nodeId(node)} ${JSON.stringify([...node.properties].sort())}`).sort(),
    relationships: relationships.map(({ type, from, to }) => `${type} ${nodeId(from)} ${nodeId(to)}`).sort(),
  };
}

describe('the Cypher script on a server', () => {
  it('makes the graph of the sample, with a constraint on every key, and changes nothing when it is run again', async () => {
    await runScript(expectedSnapshot());
    expect(await found()).toEqual(wanted(expectedSnapshot()));
    const constraints = await ask(driver, 'SHOW CONSTRAINTS YIELD labelsOrTypes, properties, type');
    expect(constraints).toHaveLength(construction.entities.length);
    for (const { name, key } of construction.entities) {
      expect(constraints.find((one) => String(one['labelsOrTypes']) === name)?.['properties']).toEqual(key);
    }
    const once = await wholeDatabase(driver);
    await runScript(expectedSnapshot());
    expect(await wholeDatabase(driver)).toEqual(once);
  });

  it('keeps hostile texts as texts, in keys, values and lists', async () => {
    const kept = (text: string) => text.replace(/\p{Cs}/gu, '\uFFFD');
    await ask(driver, "CREATE (:Party {projectId: 'P', code: 'STAYS'})");
    await runScript(hostileSnapshot());
    const rows = await ask(driver, 'MATCH (n:WBSNode) RETURN n.code AS code, n.name AS name, n.scheduleItems AS items');
    expect(rows.map((row) => row['code']).sort()).toEqual(HOSTILE.map(kept).sort());
    for (const row of rows) expect([row['name'], row['items']]).toEqual([row['code'], [row['code'], 'x']]);
    expect(await ask(driver, 'MATCH (n:Party) RETURN count(n) AS n')).toEqual([{ n: 1 }]);
    expect(await ask(driver, 'MATCH (:WBSNode)-[r:CHILD_OF]->(:WBSNode) RETURN count(r) AS n')).toEqual([
      { n: HOSTILE.length - 1 },
    ]);
  });

  it('keeps kinds of numbers apart: whole ones are integers, others floats, lists of one kind', async () => {
    const values = { quantity: 168, level: -3, ratio: 2.4, tiny: 1e-7, huge: 1e21, whole: [1, 2], mixed: [1, 2.5] };
    const key = ['P', '1'];
    const node = { entity: 'WBSNode', key, properties: { projectId: 'P', code: '1', ...values } };
    await runScript({ nodes: [node], relationships: [] });
    const [row] = await ask(
      driver,
      'MATCH (n:WBSNode) RETURN properties(n) AS n, valueType(n.quantity) AS quantity, valueType(n.ratio) AS ratio, valueType(n.huge) AS huge, valueType(n.mixed) AS mixed',
    );
    expect(row!['n']).toEqual(node.properties);
    expect([row!['quantity'], row!['ratio'], row!['huge'], row!['mixed']].map((kind) => String(kind))).toEqual([
      expect.stringContaining('INTEGER'),
      expect.stringContaining('FLOAT'),
      expect.stringContaining('FLOAT'),
      expect.stringContaining('LIST<FLOAT'),
    ]);
  });
});
