import { existsSync, statSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import type { GraphNode } from '../../src/ports.ts';
import { type CompiledScript, compileScript, runScript } from '../child-process.ts';
import { graphStoreContract } from './contract.ts';

let script: CompiledScript;
beforeAll(() => {
  script = compileScript('test/graph/writer-script.ts');
});
afterAll(() => script.remove());

graphStoreContract('the embedded graph', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-graph-'));
  const file = join(folder, 'graph.db');
  return {
    open: async () => openEmbeddedGraph(file),
    closedSchema: false,
    writer: (mode, name) => runScript(script.file, [mode, file, name]),
    killInCommit: async () => {
      const writer = runScript(script.file, ['huge', file, '200000']);
      let said = '';
      writer.process.stdout?.on('data', (chunk) => {
        said += chunk;
      });
      // What no longer fits into the cache goes to the log before the commit does.
      while (!existsSync(`${file}-wal`) || statSync(`${file}-wal`).size < 4 << 20) {
        if (writer.process.exitCode !== null) throw new Error((await writer.ended).stderr);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      writer.process.kill('SIGKILL');
      expect((await writer.ended).signal).toBe('SIGKILL');
      expect(said).toBe('');
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});

const one: GraphNode = { entity: 'A', key: ['P', '1'], properties: { x: 1 } };
const batchOf = (runId: string, nodes: readonly GraphNode[] = [one]) => ({
  runId,
  task: 'wbs-extraction',
  nodes,
  relationships: [],
});
function opening(file: string): unknown {
  try {
    void openEmbeddedGraph(file);
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

describe('the file of the embedded graph', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-graph-'));
    file = join(folder, 'graph.db');
    return () => rm(folder, { recursive: true, force: true });
  });

  it('keeps task, run and times beside the properties; created_at stays, updated_at moves with a change', async () => {
    let now = Date.parse('2025-11-03T14:30:22.000Z');
    const clock = { now: () => now, after: () => () => {} };
    const store = openEmbeddedGraph(file, { clock });
    await store.commit(batchOf('R1'));
    now += 1000;
    await store.commit(batchOf('R2'));
    const rows = () => new Database(file).prepare('SELECT props, task, run_id, created_at, updated_at FROM node').all();
    const row = { props: '{"x":1}', task: 'wbs-extraction', created_at: '2025-11-03T14:30:22.000Z' };
    expect(rows()).toEqual([{ ...row, run_id: 'R2', updated_at: '2025-11-03T14:30:22.000Z' }]);
    await store.commit({ ...batchOf('R3'), nodes: [{ ...one, properties: { x: 2 } }] });
    expect(rows()).toEqual([{ ...row, props: '{"x":2}', run_id: 'R3', updated_at: '2025-11-03T14:30:23.000Z' }]);
    await store.close();
  });

  it('refuses a file that is no database, a folder, a missing folder and another program’s database', async () => {
    await writeFile(file, 'not a database at all, but quite long. '.repeat(100));
    await mkdir(join(folder, 'sub'));
    const foreign = new Database(join(folder, 'foreign.db'));
    foreign.exec('CREATE TABLE things (x)');
    foreign.close();
    expect(opening(file)).toMatchObject({ code: 'GRAPH_OPEN', message: expect.stringContaining(file) });
    for (const [path, says] of [
      ['sub', 'cannot be opened'],
      ['missing/graph.db', 'Check that the folder exists'],
      ['foreign.db', 'another program'],
    ] as const) {
      expect(opening(join(folder, path))).toMatchObject({
        code: 'GRAPH_OPEN',
        message: expect.stringMatching(new RegExp(says)),
      });
    }
  });

  it('refuses the layout of a newer version and leaves the file as it is', async () => {
    await openEmbeddedGraph(file).close();
    const database = new Database(file);
    database.exec("UPDATE meta SET value = '99' WHERE name = 'layout'");
    expect(opening(file)).toMatchObject({ code: 'GRAPH_OPEN', message: expect.stringMatching(/layout 99.*newer/) });
    expect(database.prepare('SELECT value FROM meta').all()).toEqual([{ value: '99' }]);
    database.close();
  });

  it('refuses a file that this user may not write', async () => {
    const store = openEmbeddedGraph(file);
    await store.commit(batchOf('R1'));
    await store.close();
    await chmod(file, 0o444);
    await chmod(folder, 0o555);
    const asRoot = process.getuid?.() === 0;
    // Root may write anything: become nobody for the one call.
    if (asRoot) process.seteuid?.(65534);
    try {
      expect(opening(file)).toMatchObject({
        code: 'GRAPH_OPEN',
        message: expect.stringMatching(/permission|read and write/),
      });
    } finally {
      if (asRoot) process.seteuid?.(0);
      await chmod(folder, 0o755);
    }
  });

  it('answers a full disk with DISK_FULL, writes nothing of that batch, and stays usable', async () => {
    const store = openEmbeddedGraph(file, { maxPages: 60 });
    await store.commit(batchOf('R1'));
    const big = Array.from({ length: 100 }, (_, at) => ({
      entity: 'Big',
      key: ['P', at],
      properties: { text: 'x'.repeat(5000) },
    }));
    const commit = store.commit({ runId: 'R1', task: 't', nodes: big, relationships: [] });
    await expect(commit).rejects.toMatchObject({ code: 'DISK_FULL', message: expect.stringContaining(file) });
    expect((await store.read({ entity: 'Big' })).total).toBe(0);
    expect(await store.commit(batchOf('R2'))).toMatchObject({ unchanged: 1 });
    await store.close();
  });

  it('waits for a lock of another writer without blocking, and gives up with a retryable error', async () => {
    let now = 0;
    let polls = 0;
    const clock = {
      now: () => now,
      after: (delayMs: number, run: () => void) => {
        now += delayMs;
        polls += 1;
        if (polls === 2 && release) other.exec('COMMIT');
        queueMicrotask(run);
        return () => {};
      },
    };
    const store = openEmbeddedGraph(file, { clock, lockWaitMs: 75 });
    const other = new Database(file);
    let release = true;
    other.exec('BEGIN IMMEDIATE');
    expect(await store.commit(batchOf('R1'))).toMatchObject({ created: 1 });
    expect(polls).toBe(2);
    release = false;
    other.exec('BEGIN IMMEDIATE');
    await expect(store.commit(batchOf('R2'))).rejects.toMatchObject({ code: 'GRAPH_COMMIT', retryable: true });
    other.exec('COMMIT');
    await store.close();
  });

  it('commits that wait for a lock wait one behind the other', async () => {
    const polls: (() => void)[] = [];
    const after = (_: number, run: () => void) => {
      polls.push(run);
      return () => {};
    };
    const clock = { now: () => 0, after };
    const store = openEmbeddedGraph(file, { clock });
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    const commits = [1, 2, 3].map((x) => store.commit(batchOf('R1', [{ ...one, properties: { x } }])));
    await new Promise((resolve) => setImmediate(resolve));
    expect(polls).toHaveLength(1);
    other.exec('COMMIT');
    polls[0]!();
    expect((await Promise.all(commits)).map((result) => [result.created, result.updated])).toEqual([
      [1, 0],
      [0, 1],
      [0, 1],
    ]);
    expect((await store.read({ entity: 'A' })).nodes[0]?.properties).toEqual({ x: 3 });
    await store.close();
  });

  it('is whole without its neighbours once it is closed', async () => {
    const store = openEmbeddedGraph(file);
    await store.commit(batchOf('R1'));
    await store.close();
    await copyFile(file, join(folder, 'copy.db'));
    const copy = openEmbeddedGraph(join(folder, 'copy.db'));
    expect((await copy.read({ entity: 'A' })).nodes).toEqual([one]);
    await copy.close();
  });

  it('can live in memory only', async () => {
    const store = openEmbeddedGraph(':memory:');
    await store.commit(batchOf('R1'));
    expect((await store.read({ entity: 'A' })).total).toBe(1);
    await store.close();
  });
});
