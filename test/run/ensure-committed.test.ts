import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import { runFolder } from '../../src/journal/run-paths.ts';
import type { GraphNode, GraphStore } from '../../src/ports.ts';
import type { KnownRun } from '../../src/resume/known-run.ts';
import { publicationFile, writePublication } from '../../src/run/attempt-files.ts';
import { ensureCommitted } from '../../src/run/ensure-committed.ts';

let graph: GraphStore;
let home: string;
beforeEach(() => {
  graph = openEmbeddedGraph(':memory:');
  home = mkdtempSync(join(tmpdir(), 'muster-ensure-'));
});
afterEach(async () => {
  await graph.close();
  rmSync(home, { recursive: true, force: true });
});

const book = (title: string): GraphNode => ({ entity: 'Book', key: ['L', 'B-1'], properties: { code: 'B-1', title } });
const known = {
  endOrder: ['paper', 'audio'],
  instances: new Map([
    ['paper', { ref: { id: 'paper', task: 'paper' }, started: true, spared: 0, committed: { attempt: 2, items: {} } }],
    ['audio', { ref: { id: 'audio', task: 'audio' }, started: true, spared: 0 }],
  ]),
} as unknown as KnownRun;

async function commit(runId: string, title: string) {
  await graph.commit({ runId, task: 'paper', nodes: [book(title)], relationships: [] });
}

describe('what a run that goes on had committed', () => {
  it('is left alone when it stands in the graph', async () => {
    const folder = runFolder(home, 'r1');
    await commit('r1', 'mine');
    await writePublication(publicationFile(folder.work, 'paper', 2), { nodes: [book('mine')], relationships: [] });
    await expect(ensureCommitted(graph, folder, { known, force: false })).resolves.toBeUndefined();
  });

  it('is refused when another run wrote over it, and written again only when that is forced', async () => {
    const folder = runFolder(home, 'r1');
    await commit('r1', 'mine');
    await writePublication(publicationFile(folder.work, 'paper', 2), { nodes: [book('mine')], relationships: [] });
    await commit('r2', 'theirs');
    await expect(ensureCommitted(graph, folder, { known, force: false })).rejects.toMatchObject({
      code: 'GRAPH_OVERWRITTEN',
      message: expect.stringContaining('paper'),
    });
    const title = async () => (await graph.read({ entity: 'Book' })).nodes[0]?.properties['title'];
    expect(await title()).toBe('theirs');
    await ensureCommitted(graph, folder, { known, force: true });
    expect(await title()).toBe('mine');
    await expect(ensureCommitted(graph, folder, { known, force: false })).resolves.toBeUndefined();
  });
});
