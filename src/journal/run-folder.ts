/** The folders of the runs in a home: making one, listing them, finding one by a part of its id. */
import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import { type RunFolder, runFolder } from './run-paths.ts';
import { type RunSummary, summariseRun } from './run-summary.ts';

/** Ids offered when none fits. */
const NEAREST = 3;

/** @throws MusterError FOLDER_NOT_WRITABLE, DISK_FULL; also when the run's folder exists already. */
export async function createRunFolder(home: string, runId: string): Promise<RunFolder> {
  const folder = runFolder(home, runId);
  try {
    await mkdir(join(resolve(home), 'runs'), { recursive: true });
    await mkdir(folder.path);
    for (const part of [folder.server, folder.logs, folder.workspace]) await mkdir(part);
    return folder;
  } catch (thrown) {
    throw folderFailure(folder.path, thrown);
  }
}

/** Newest first; a home without runs gives an empty list. A run whose journal cannot be read is listed as unreadable. */
export async function listRuns(home: string): Promise<RunSummary[]> {
  const summaries: RunSummary[] = [];
  for (const runId of await runIds(home)) summaries.push(await summariseRun(runFolder(home, runId)));
  const startOf = (run: RunSummary) => run.startedAt ?? timeInId(run.runId);
  return summaries.sort((a, b) => compare(startOf(b), startOf(a)) || compare(b.runId, a.runId));
}

/** The newest run that can be read, else the newest. @throws MusterError RUN_NOT_FOUND when there is none. */
export async function latestRun(home: string): Promise<RunSummary> {
  const runs = await listRuns(home);
  const latest = runs.find((run) => run.state !== 'unreadable') ?? runs[0];
  if (latest !== undefined) return latest;
  throw new MusterError(
    'RUN_NOT_FOUND',
    `Expected a run in ${join(resolve(home), 'runs')}; got none. Start one with "muster run", or name the home folder of your runs.`,
  );
}

/**
 * The run with this id, or the only one whose id begins so.
 * @throws MusterError RUN_NOT_FOUND, with the ids that fit or the nearest ones.
 */
export async function findRun(home: string, idOrPrefix: string): Promise<RunSummary> {
  const ids = await runIds(home);
  const fitting = ids.filter((id) => id.startsWith(idOrPrefix));
  const found = ids.includes(idOrPrefix) ? idOrPrefix : fitting.length === 1 ? fitting[0] : undefined;
  if (found !== undefined && idOrPrefix !== '') return summariseRun(runFolder(home, found));
  const where = `in ${join(resolve(home), 'runs')}`;
  if (fitting.length > 1) {
    const named = fitting.slice(0, NEAREST).join(', ');
    const message = `Expected one run whose id begins with "${idOrPrefix}" ${where}; got ${fitting.length}: ${named}${fitting.length > NEAREST ? ', …' : ''}. Give more of the id.`;
    throw new MusterError('RUN_NOT_FOUND', message);
  }
  const nearest = ids
    .map((id) => ({ id, distance: distance(idOrPrefix, id) }))
    .sort((a, b) => a.distance - b.distance || compare(b.id, a.id))
    .slice(0, NEAREST)
    .map(({ id }) => id);
  const cure =
    nearest.length === 0
      ? 'There are no runs: start one with "muster run", or name the home folder of your runs.'
      : `Did you mean ${nearest.join(' or ')}? "muster runs" lists all.`;
  throw new MusterError('RUN_NOT_FOUND', `Expected the run "${idOrPrefix}" ${where}; got no such run. ${cure}`);
}

/** What a failed call on a folder of ours means. */
export function folderFailure(path: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  if (cause instanceof MusterError) return cause;
  const code = systemCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MusterError('DISK_FULL', `No space left to write ${path}. Free space on that disk, then try again.`, {
      cause,
    });
  }
  const cure =
    code === 'EEXIST' || code === 'ENOTDIR'
      ? 'Something else stands there: move it away, or name another home folder.'
      : 'Give this user write permission, or name another home folder.';
  return new MusterError('FOLDER_NOT_WRITABLE', `Expected to write to ${path}; got: ${cause.message}. ${cure}`, {
    cause,
  });
}

/** Folder names under `runs`, sorted; hidden ones are not runs. */
async function runIds(home: string): Promise<string[]> {
  const folder = join(resolve(home), 'runs');
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort();
  } catch (thrown) {
    const cause = ensureError(thrown);
    if (systemCode(cause) === 'ENOENT') return [];
    const message = `Cannot list the runs in ${folder}: ${cause.message}. Check that it is a folder that this user may read.`;
    throw new MusterError('FOLDER_NOT_WRITABLE', message, { cause });
  }
}

/** For a run without a readable first line: the time its id was made from, in the form of `startedAt`. */
function timeInId(runId: string): string {
  return runId.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d).*$/, '$1-$2-$3T$4:$5:$6.000Z');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
