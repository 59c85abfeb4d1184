import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { score } from '../../src/cli/score.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import { createRunFolder } from '../../src/journal/run-folder.ts';
import { openJournal } from '../../src/journal/writer.ts';
import type { GraphSnapshot } from '../../src/ports.ts';
import { changed, truth } from '../score/road-upgrade.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TRUTH = join(ROOT, 'examples/road-upgrade/expected/graph.json');
const RUN = '20251103-100000-aaaaaa';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-score-'));
  return () => rm(home, { recursive: true, force: true });
});

/** A run that committed this graph, and an earlier one that committed more to the same file. */
async function runWith(graph: GraphSnapshot): Promise<void> {
  const folder = await createRunFolder(home, RUN);
  const journal = openJournal(folder.journal, { clock: { now: () => Date.parse('2025-11-03T10:00:00Z') } });
  journal.append({
    type: 'run.started',
    runId: RUN,
    musterVersion: '0.1.0',
    projectId: 'BRU2',
    manifest: { name: 'construction-quality', path: join(ROOT, 'manifest.json'), sha256: '' },
    schema: { name: construction.name, version: construction.version },
    graph: '../../graph.db',
    documents: [],
    model: 'provider/model-7',
    rehearsal: false,
    gating: 'ready',
    concurrency: 1,
    tasks: [],
  });
  await journal.close();
  const store = openEmbeddedGraph(join(home, 'graph.db'));
  const known = new Set(graph.nodes.map(({ entity, key }) => JSON.stringify([entity, key])));
  const isKnown = ({ entity, key }: GraphSnapshot['nodes'][number] | { entity: string; key: readonly unknown[] }) =>
    known.has(JSON.stringify([entity, key]));
  const relationships = graph.relationships.filter(({ from, to }) => isKnown(from) && isKnown(to));
  await store.commit({
    runId: 'an-earlier-run',
    task: 't',
    nodes: [{ entity: 'WBSNode', key: ['BRU2', '99'], properties: { projectId: 'BRU2', code: '99' } }],
    relationships: [],
  });
  await store.commit({ runId: RUN, task: 't', nodes: graph.nodes, relationships });
  await store.close();
}

async function printed(act: () => Promise<void>): Promise<string> {
  let text = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    await act();
  } finally {
    write.mockRestore();
  }
  return text;
}

describe('muster score', () => {
  it('gives a run that found everything 1 throughout, as JSON with its id, project and model', async () => {
    await runWith(truth.graph);
    const text = await printed(() => score(undefined, { truth: TRUTH, home, json: true }));
    const { totals, ...rest } = JSON.parse(text);
    expect(rest).toMatchObject({ run: RUN, project: 'BRU2', model: 'provider/model-7' });
    expect(totals).toMatchObject({ precision: 1, recall: 1, f1: 1, attributeAccuracy: 1, duplicates: 0 });
  });

  it('prints a table that ends with the totals, and what to look at', async () => {
    await runWith(changed(truth.graph, 'WBSNode', (node) => (node['code'] === '7.2' ? undefined : node)));
    const text = await printed(() => score('2025', { truth: TRUTH, home }));
    const lines = text.split('\n');
    expect(lines[0]).toBe(`run ${RUN} · project BRU2 · model provider/model-7`);
    expect(lines.find((line) => line.startsWith('wbs '))).toMatch(/40 +39 +39 +1\.000 +0\.975/);
    expect(lines.findIndex((line) => line.startsWith('total '))).toBe(16);
    expect(text).toContain('wbs: 1 missed: 7.2\n');
  });

  it('scores a graph file too', async () => {
    await runWith(truth.graph);
    const file = join(home, 'graph.db');
    const manifest = join(ROOT, 'manifest.json');
    const result = JSON.parse(await printed(() => score(file, { truth: TRUTH, home, manifest, json: true })));
    expect(result).toMatchObject({ graph: file, totals: { recall: 1 } });
    expect(result.lists.find(({ name }: { name: string }) => name === 'wbs')).toMatchObject({
      found: 41,
      invented: ['99'],
    });
  });

  it('refuses a truth that is missing, no JSON, or does not fit the schema, naming where', async () => {
    await runWith(truth.graph);
    const refused = async (file: string, text?: string) => {
      const path = join(home, file);
      if (text !== undefined) await writeFile(path, text);
      const act = score(undefined, { truth: path, home });
      await expect(act).rejects.toMatchObject({ code: 'TRUTH_INVALID', exitCode: 2 });
      return act.catch((error: Error) => error.message);
    };
    expect(await refused('none.json')).toContain(join(home, 'none.json'));
    expect(await refused('torn.json', '{"nodes": [\n}')).toMatch(/torn\.json, line 2, column 1/);
    expect(
      await refused('wrong.json', '{"projectId":"P","nodes":[{"label":"Wbs","props":{}}],"relationships":[]}'),
    ).toContain('nodes[0].label: expected an entity of the schema, got "Wbs"');
  });
});
