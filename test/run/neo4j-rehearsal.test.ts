/** The whole rehearsal with the real OpenCode server into a real Neo4j: the same graph as embedded, also the second time. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import type { RunEvent } from '../../schemas/run-event.ts';
import { openGraph } from '../../src/graph/open-graph.ts';
import { type GraphSnapshot, nodeId } from '../../src/ports.ts';
import { readSnapshot } from '../../src/snapshot/snapshot.ts';
import { ask, bareDatabase, env, rawDriver, server } from '../graph/neo4j-database.ts';

const ROOT = join(import.meta.dirname, '../..');
const TRUTH = join(ROOT, 'examples/road-upgrade/expected/graph.json');
const home = mkdtempSync(join(tmpdir(), 'muster-test-'));
const driver = rawDriver();

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function muster(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'bin/muster.js'), ...args, '--home', home], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}
const factsOf = ({ out }: Ended) =>
  out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RunEvent);

async function graphAt(target: string): Promise<GraphSnapshot> {
  const store = await openGraph(target, { schema: construction, env });
  try {
    return await readSnapshot(store, { schema: construction, scope: 'BRU2' });
  } finally {
    await store.close();
  }
}
/** Two tasks may cite one passage; whose words the store keeps is not part of the graph. */
const values = ({ nodes }: GraphSnapshot) =>
  nodes
    .map(({ entity, key, properties }) => {
      const { producedBy: _, attribute: __, ...own } = properties;
      return `${nodeId({ entity, key })} ${JSON.stringify(Object.entries(entity === 'Evidence' ? own : properties).sort())}`;
    })
    .sort();
const edges = ({ relationships }: GraphSnapshot) =>
  relationships.map(({ type, from, to }) => `${nodeId(from)} ${type} ${nodeId(to)}`).sort();

let first: Ended;
beforeAll(async () => {
  await bareDatabase(driver);
  first = await muster('rehearse', '--json', '--graph', server.url);
}, 240_000);
afterAll(async () => {
  await bareDatabase(driver);
  await driver.close();
  rmSync(home, { recursive: true, force: true });
});

describe('the rehearsal of road-upgrade into Neo4j', () => {
  it('completes, and breaks no rule when Neo4j itself is asked', () => {
    expect(first.err).toBe('');
    expect(first.code).toBe(0);
    const checked = factsOf(first).find((fact) => fact.type === 'run.checked');
    expect(checked).toMatchObject({ rules: 58, lateRelationships: 159, counts: { blocker: 0, error: 0, warning: 0 } });
  });

  it('gives, entity by entity, the graph that the embedded store gives', async () => {
    const embedded = await muster('rehearse', '--json');
    expect(embedded.code).toBe(0);
    const [folder] = readdirSync(join(home, 'runs')).sort().slice(-1);
    const [there, here] = [await graphAt(server.url), await graphAt(join(home, 'runs', folder!, 'graph.db'))];
    expect(there.nodes).toHaveLength(666);
    expect(there.relationships).toHaveLength(1818);
    expect(values(there)).toEqual(values(here));
    expect(edges(there)).toEqual(edges(here));
  }, 240_000);

  it('changes nothing when it is run again', async () => {
    const before = await graphAt(server.url);
    const again = await muster('rehearse', '--json', '--graph', server.url);
    expect(again.code).toBe(0);
    const commits = factsOf(again).filter((fact) => fact.type === 'commit.ended');
    expect(commits).toHaveLength(22);
    expect(commits.reduce((sum, { created }) => sum + created, 0)).toBe(0);
    const after = await graphAt(server.url);
    expect(values(after)).toEqual(values(before));
    expect(edges(after)).toEqual(edges(before));
  }, 240_000);

  it('is found sound by check and complete by score', async () => {
    const check = await muster('check');
    expect(check).toMatchObject({ code: 0, err: '' });
    expect(check.out).toContain('58 rules: no finding');
    const score = await muster('score', '--truth', TRUTH);
    expect(score).toMatchObject({ code: 0, err: '' });
    expect(score.out).toMatch(/total +318 +318 +318 +1\.000 +1\.000 +1\.000/);
  }, 120_000);

  it('is checked as a database too, and a broken graph is told by its keys', async () => {
    await ask(driver, "MATCH (c:ControlPoint {pointNo: 'HP-08'}) SET c.releasingRole = 'contractor'");
    const check = await muster('check', server.url);
    expect(check.code).toBe(1);
    expect(check.out).toMatch(/blocker +Q28 +the principal's hold point HP-08 is released by contractor/);
  }, 60_000);

  it('leaves no password anywhere in the home', async () => {
    const { spawnSync } = await import('node:child_process');
    expect(spawnSync('grep', ['-rl', server.password, home], { encoding: 'utf8' }).stdout).toBe('');
  });
});
