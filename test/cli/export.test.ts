import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { exportGraph } from '../../src/cli/export.ts';
import { writeExport } from '../../src/cli/export-folder.ts';
import { score } from '../../src/cli/score.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import type { GraphSnapshot } from '../../src/ports.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';

let home: string;
let out: string;
let graph: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-export-'));
  out = join(home, 'out');
  graph = join(home, 'graph.db');
  return () => rm(home, { recursive: true, force: true });
});

async function fill(snapshot: GraphSnapshot): Promise<void> {
  const store = openEmbeddedGraph(graph);
  await store.commit({ runId: 'r', task: 't', ...snapshot });
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

const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

describe('muster export', () => {
  it('writes everything at once, lists it, and leaves nothing half written beside it', async () => {
    await fill(expectedSnapshot());
    const text = await printed(() => exportGraph(graph, { format: 'all', out, home }));
    const files = await filesIn(out);
    expect(files.filter((name) => name.startsWith('itps/') && name.endsWith('.xlsx'))).toHaveLength(13);
    expect(files.filter((name) => name.startsWith('itps/') && name.endsWith('.docx'))).toHaveLength(13);
    expect(files).toEqual(
      expect.arrayContaining(['BRU2-registers.xlsx', 'graph.cypher', 'graph.graphml', 'graph.json', 'index.md']),
    );
    expect(text).toContain(`${files.length} files in`);
    const index = await readFile(join(out, 'index.md'), 'utf8');
    expect(index).toContain('From graph.db, exported ');
    for (const name of files.filter((one) => one !== 'index.md')) {
      expect(index).toContain(`](${name})`);
      expect(text).toContain(name);
    }
    expect(await besideTheGraph()).toEqual(['graph.db', 'out']);
  });

  it('writes a JSON that is a truth in which the same graph scores one', async () => {
    await fill(expectedSnapshot());
    await printed(() => exportGraph(graph, { format: 'json', out, home }));
    const text = await printed(() => score(graph, { truth: join(out, 'graph.json'), home, json: true }));
    expect(JSON.parse(text).totals).toMatchObject({ precision: 1, recall: 1, attributeAccuracy: 1, duplicates: 0 });
  });

  it('writes one ITP when one is named, and refuses one that is not there', async () => {
    await fill(expectedSnapshot());
    await printed(() => exportGraph(graph, { format: 'itp-xlsx', out, home, itp: 'ITP-07' }));
    expect(await filesIn(out)).toEqual(['index.md', 'itps/BRU2-ITP-07-RevA.xlsx']);
    const missing = exportGraph(graph, { format: 'itp-docx', out: join(home, 'b'), home, itp: 'ITP-99' });
    await expect(missing).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('ITP-07') });
    await expect(readdir(join(home, 'b'))).rejects.toThrow('ENOENT');
    const wrong = exportGraph(graph, { format: 'json', out: join(home, 'b'), home, itp: 'ITP-07' });
    await expect(wrong).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('refuses a graph without nodes, and asks which of several projects is meant', async () => {
    await fill({ nodes: [], relationships: [] });
    await expect(exportGraph(graph, { format: 'json', out, home })).rejects.toMatchObject({ code: 'USAGE' });
    const party = (project: string) => ({
      entity: 'Party',
      key: [project, 'AA'],
      properties: { projectId: project, code: 'AA', name: 'A Pty Ltd', contractRole: 'principal' },
    });
    await fill({ nodes: [party('P1'), party('P2')], relationships: [] });
    const several = exportGraph(graph, { format: 'registers', out, home });
    await expect(several).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('--project') });
    await printed(() => exportGraph(graph, { format: 'registers', out, home, project: 'P2' }));
    expect(await filesIn(out)).toContain('P2-registers.xlsx');
    await printed(() => exportGraph(graph, { format: 'json', out: join(home, 'both'), home }));
    expect(JSON.parse(await readFile(join(home, 'both', 'graph.json'), 'utf8')).nodes).toHaveLength(2);
  });
});

describe('the folder of an export', () => {
  const files = [
    { path: 'index.md', content: '[a](a.txt)', what: '' },
    { path: 'a.txt', content: 'new', what: '' },
  ];

  it('is left as it was when it holds something else', async () => {
    await mkdir(out);
    await writeFile(join(out, 'thesis.docx'), 'years of work');
    await expect(writeExport(out, files)).rejects.toMatchObject({
      code: 'EXPORT_EXISTS',
      message: expect.stringContaining('"thesis.docx"'),
    });
    expect(await filesIn(out)).toEqual(['thesis.docx']);
    await writeFile(join(home, 'file'), '');
    await expect(writeExport(join(home, 'file'), files, { force: true })).rejects.toMatchObject({
      code: 'EXPORT_EXISTS',
    });
  });

  it('is replaced with force; what no export wrote is kept beside it', async () => {
    await mkdir(out);
    await writeFile(join(out, 'thesis.docx'), 'years of work');
    const kept = await writeExport(out, files, { force: true });
    expect(kept).toBe(`${out}.old`);
    expect(await readFile(join(kept!, 'thesis.docx'), 'utf8')).toBe('years of work');
    expect(await filesIn(out)).toEqual(['a.txt', 'index.md']);
    // Now it is an export and nothing else.
    expect(await writeExport(out, files.slice(0, 1), { force: true })).toBeUndefined();
    expect(await filesIn(out)).toEqual(['index.md']);
    await writeFile(join(out, 'signed.pdf'), 'ink');
    expect(await writeExport(out, files, { force: true })).toBe(`${out}.old-2`);
    expect((await readdir(home)).sort()).toEqual(['out', 'out.old', 'out.old-2']);
  });

  it('is never the one we work in, or one around it', async () => {
    for (const folder of [process.cwd(), join(process.cwd(), '..'), '/']) {
      await expect(writeExport(folder, files, { force: true })).rejects.toMatchObject({ code: 'EXPORT_EXISTS' });
    }
  });

  it('holds all files or none', async () => {
    const twice = [...files, files[1]!];
    await expect(writeExport(out, twice)).rejects.toMatchObject({ code: 'FOLDER_NOT_WRITABLE' });
    expect(await readdir(home)).toEqual([]);
  });
});

/** What the database keeps beside its file. */
/** SQLite's log goes when the last statement is collected, at a moment nobody can name. */
async function besideTheGraph(): Promise<string[]> {
  return (await readdir(home)).filter((name) => !/^graph\.db-(wal|shm)$/.test(name)).sort();
}
