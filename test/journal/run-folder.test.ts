import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RunFact } from '../../schemas/run-event.ts';
import { createRunFolder, findRun, latestRun, listRuns } from '../../src/journal/run-folder.ts';
import { newRunId, RUN_ID } from '../../src/journal/run-id.ts';
import { openJournal } from '../../src/journal/writer.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-home-'));
  return () => rm(home, { recursive: true, force: true });
});

const started = (runId: string): RunFact => ({
  type: 'run.started',
  runId,
  musterVersion: '0.1.0',
  projectId: 'BRU2',
  manifest: { name: 'construction-quality', path: 'manifest.json', sha256: '' },
  schema: { name: 'construction', version: '1' },
  documents: Array.from({ length: 400 }, (_, at) => ({
    path: `documents/${at}.md`,
    sha256: 'f'.repeat(64),
    bytes: at,
  })),
  model: 'provider/model',
  rehearsal: true,
  gating: 'ready',
  concurrency: 8,
  tasks: [],
});

async function run(runId: string, at: string, facts: readonly RunFact[]): Promise<string> {
  const folder = await createRunFolder(home, runId);
  const journal = openJournal(folder.journal, { clock: { now: () => Date.parse(at) } });
  for (const fact of facts) journal.append(fact);
  await journal.close();
  return folder.journal;
}

describe('run ids', () => {
  it('say when the run began, in UTC, and end in six random characters', () => {
    const clock = { now: () => Date.parse('2025-11-03T23:59:59.999+02:00') };
    expect(newRunId(clock, () => 0)).toBe('20251103-215959-aaaaaa');
    expect(newRunId(clock, () => 0.999999)).toBe('20251103-215959-999999');
    expect(newRunId(Date, Math.random)).toMatch(RUN_ID);
  });
});

describe('run folders', () => {
  it('are made with the parts a run needs, and never twice', async () => {
    const folder = await createRunFolder(join(home, 'new'), '20251103-143022-abc123');
    expect((await readdir(folder.path)).sort()).toEqual(['logs', 'server', 'workspace']);
    await expect(createRunFolder(join(home, 'new'), '20251103-143022-abc123')).rejects.toMatchObject({
      code: 'FOLDER_NOT_WRITABLE',
    });
  });

  it('that cannot be made say where and what to do', async () => {
    await writeFile(join(home, 'file'), '');
    await expect(createRunFolder(join(home, 'file'), 'x')).rejects.toMatchObject({
      code: 'FOLDER_NOT_WRITABLE',
      message: expect.stringContaining(join(home, 'file')),
    });
  });

  it('are listed newest first by their first fact, with how they stand', async () => {
    await run('20251103-143022-aaaaaa', '2025-11-03T14:30:22.500Z', [
      started('20251103-143022-aaaaaa'),
      { type: 'server.stopped' },
      { type: 'run.ended', outcome: 'failed' },
    ]);
    const open = await run('20251103-143022-bbbbbb', '2025-11-03T14:30:22.100Z', [
      started('20251103-143022-bbbbbb'),
      { type: 'server.lost', cause: { code: 'X', message: 'long '.repeat(10_000) } },
    ]);
    await appendFile(open, '{"seq":3,"torn');
    await createRunFolder(home, '20251104-000000-cccccc');
    const runs = await listRuns(home);
    expect(runs.map(({ runId, state, outcome, lastSeq }) => [runId, state, outcome, lastSeq])).toEqual([
      ['20251104-000000-cccccc', 'unreadable', undefined, undefined],
      ['20251103-143022-aaaaaa', 'ended', 'failed', 3],
      ['20251103-143022-bbbbbb', 'open', undefined, 2],
    ]);
    expect(runs[1]).toMatchObject({
      projectId: 'BRU2',
      manifest: 'construction-quality',
      rehearsal: true,
      startedAt: '2025-11-03T14:30:22.500Z',
    });
    expect(runs[0]?.problem).toBe('it has no journal');
    expect((await latestRun(home)).runId).toBe('20251103-143022-aaaaaa');
  });

  it('with a damaged journal are listed as unreadable, not thrown', async () => {
    const journal = await run('20251103-143022-aaaaaa', '2025-11-03T14:30:22.500Z', [started('x')]);
    for (const text of ['', 'no json\n', '{"seq":1,"type":"server.stopped"}\n', '{"torn']) {
      await writeFile(journal, text);
      expect((await listRuns(home)).map((each) => each.state)).toEqual(['unreadable']);
    }
  });

  it('are found by id or by a prefix that fits one run only', async () => {
    for (const runId of ['20251103-143022-aaaaaa', '20251103-143022-bbbbbb', '20251104-000000-cccccc']) {
      await run(runId, '2025-11-03T14:30:22.500Z', [started(runId)]);
    }
    expect((await findRun(home, '20251104')).runId).toBe('20251104-000000-cccccc');
    expect((await findRun(home, '20251103-143022-bbbbbb')).runId).toBe('20251103-143022-bbbbbb');
    await expect(findRun(home, '20251103')).rejects.toMatchObject({
      code: 'RUN_NOT_FOUND',
      message: expect.stringMatching(/got 2: 20251103-143022-aaaaaa, 20251103-143022-bbbbbb/),
    });
    await expect(findRun(home, '20251104-000000-ccccc0')).rejects.toMatchObject({
      message: expect.stringContaining('Did you mean 20251104-000000-cccccc or'),
    });
    for (const hostile of ['', '..', '../..', '/etc']) {
      await expect(findRun(home, hostile)).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    }
  });

  it('that do not exist at all: the message says how to begin', async () => {
    expect(await listRuns(join(home, 'none'))).toEqual([]);
    await expect(latestRun(join(home, 'none'))).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await expect(findRun(home, 'x')).rejects.toMatchObject({ message: expect.stringContaining('There are no runs') });
  });
});
