import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import type { RunFact } from '../../schemas/run-event.ts';
import { openTarget } from '../../src/cli/graph-of-run.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import { createRunFolder } from '../../src/journal/run-folder.ts';
import { graphLocation, graphRecord, runFolder } from '../../src/journal/run-paths.ts';
import { openJournal } from '../../src/journal/writer.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-target-'));
  return () => rm(home, { recursive: true, force: true });
});

const MANIFEST = join(import.meta.dirname, '..', '..', 'manifest.json');

function started(runId: string, graph: string | undefined, rehearsal = false): RunFact {
  return {
    type: 'run.started',
    runId,
    musterVersion: '0.1.0',
    projectId: 'BRU2',
    manifest: { name: 'construction-quality', path: MANIFEST, sha256: '' },
    schema: { name: construction.name, version: construction.version },
    ...(graph !== undefined && { graph }),
    documents: [],
    model: 'provider/model',
    rehearsal,
    gating: 'ready',
    concurrency: 1,
    tasks: [],
  };
}

async function run(runId: string, at: string, graph?: string, rehearsal = false): Promise<void> {
  const folder = await createRunFolder(home, runId);
  const journal = openJournal(folder.journal, { clock: { now: () => Date.parse(at) } });
  journal.append(started(runId, graph, rehearsal));
  await journal.close();
}

/** A graph with one work type that names the file. */
async function graphAt(file: string, code: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const graph = openEmbeddedGraph(file);
  await graph.commit({
    runId: 'r',
    task: 't',
    nodes: [{ entity: 'WorkType', key: ['BRU2', code], properties: { projectId: 'BRU2', code } }],
    relationships: [],
  });
  await graph.close();
}

async function codesIn(target: string | undefined, options = {}): Promise<unknown[]> {
  const opened = await openTarget(target, { home, ...options });
  const { nodes } = await opened.store.read({ entity: 'WorkType' });
  await opened.close();
  return nodes.map(({ key }) => key[1]);
}

const A = '20251103-100000-aaaaaa';
const B = '20251104-100000-bbbbbb';

describe('the target of a command', () => {
  it('is the last run when none is named, with its project, its id and the schema of its manifest', async () => {
    await run(A, '2025-11-03T10:00:00Z', '../../graph.db');
    await run(B, '2025-11-04T10:00:00Z', 'graph.db', true);
    await graphAt(join(home, 'graph.db'), 'SHARED');
    await graphAt(runFolder(home, B).graph, 'OWN');
    const opened = await openTarget(undefined, { home });
    expect(opened).toMatchObject({ runId: B, scope: 'BRU2', location: runFolder(home, B).graph });
    expect(opened.schema.name).toBe(construction.name);
    await opened.close();
    expect(await codesIn(undefined)).toEqual(['OWN']);
    expect(await codesIn('latest')).toEqual(['OWN']);
    expect(await codesIn('20251103')).toEqual(['SHARED']);
  });

  it('is found after the home was moved, and wherever --graph pointed outside of it', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'muster-outside-'));
    const elsewhere = join(outside, 'far.db');
    await run(A, '2025-11-03T10:00:00Z', graphRecord(runFolder(home, A), runFolder(home, A).graph), true);
    await run(B, '2025-11-04T10:00:00Z', graphRecord(runFolder(home, B), elsewhere));
    await graphAt(runFolder(home, A).graph, 'OWN');
    await graphAt(elsewhere, 'FAR');
    const moved = join(outside, 'moved');
    await rename(home, moved);
    expect(await codesIn(A, { home: moved })).toEqual(['OWN']);
    expect(await codesIn(B, { home: moved })).toEqual(['FAR']);
    await rm(outside, { recursive: true });
  });

  it('of a journal that does not say where the graph is: where such a run kept it', async () => {
    await run(A, '2025-11-03T10:00:00Z');
    await run(B, '2025-11-04T10:00:00Z', undefined, true);
    await graphAt(join(home, 'graph.db'), 'SHARED');
    await graphAt(runFolder(home, B).graph, 'OWN');
    expect(await codesIn(A)).toEqual(['SHARED']);
    expect(await codesIn(B)).toEqual(['OWN']);
  });

  it('is a graph file named by its path, of any project and run', async () => {
    const file = join(home, 'some.db');
    await graphAt(file, 'FILE');
    const opened = await openTarget(file, { home, schema: construction });
    expect(opened).toMatchObject({ location: file, schema: construction });
    expect(opened).not.toHaveProperty('runId');
    expect(opened).not.toHaveProperty('scope');
    await opened.close();
    expect(await codesIn(file)).toEqual(['FILE']);
  });

  it('that is not there is refused with what there is to name, and no file is made', async () => {
    await expect(openTarget(undefined, { home })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await run(A, '2025-11-03T10:00:00Z', '../../graph.db');
    await run('20251103-110000-cccccc', '2025-11-03T11:00:00Z', 'graph.db', true);
    await expect(openTarget('2024', { home })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await expect(openTarget('20251103', { home })).rejects.toThrow(/got 2: .*aaaaaa, .*cccccc/);
    const missing = openTarget(A, { home });
    await expect(missing).rejects.toMatchObject({ code: 'GRAPH_TARGET', exitCode: 2 });
    await expect(missing).rejects.toThrow(`expected the graph file of run ${A} at ${join(home, 'graph.db')}`);
    await expect(openTarget(A, { home })).rejects.toMatchObject({ code: 'GRAPH_TARGET' });
    await expect(openTarget(join(home, 'none.db'), { home })).rejects.toMatchObject({ code: 'GRAPH_TARGET' });
    await expect(openTarget(`${home}/`, { home })).rejects.toThrow(/got a folder/);
  });

  it('is not read with a schema that cannot be the run’s', async () => {
    await run(A, '2025-11-03T10:00:00Z', '../../graph.db');
    await graphAt(join(home, 'graph.db'), 'SHARED');
    const other = { ...construction, name: 'library' };
    await expect(openTarget(A, { home, schema: other })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('the graph in the journal', () => {
  const folder = runFolder('/h', A);
  it('is a URL without credentials, and an absolute path only outside of the home', () => {
    expect(graphRecord(folder, 'neo4j+s://me:secret@host:7687/x?user=me&password=secret')).toBe(
      'neo4j+s://host:7687/x',
    );
    expect(graphRecord(folder, '/h/graph.db')).toBe('../../graph.db');
    expect(graphRecord(folder, folder.graph)).toBe('graph.db');
    expect(graphRecord(folder, '/hh/graph.db')).toBe('/hh/graph.db');
    for (const location of ['/h/graph.db', '/x/y.db', folder.graph, 'bolt://host']) {
      expect(graphLocation(folder, { graph: graphRecord(folder, location), rehearsal: true })).toBe(location);
    }
  });
});
