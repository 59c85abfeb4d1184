/** An earlier run of the same project, as far as a later one takes over from it. */
import { MusterError } from '../errors.ts';
import type { Fingerprint } from '../fingerprint/compare.ts';
import { readJournal } from '../journal/reader.ts';
import { findRun, listRuns } from '../journal/run-folder.ts';
import type { RunFolder } from '../journal/run-paths.ts';
import type { Publication } from '../output/publication.ts';
import { foldResume, type KnownRun } from '../resume/known-run.ts';
import { nearest } from '../schema/nearest.ts';
import { publicationFile, readPublication } from './attempt-files.ts';
import { readFingerprint } from './instance-record.ts';
import type { RunOptions } from './run-options.ts';

export interface EarlierRun {
  readonly runId: string;
  readonly folder: RunFolder;
  readonly known: KnownRun;
  completed(instance: string): boolean;
  fingerprint(instance: string): Promise<Fingerprint | undefined>;
  /** What it committed; undefined when that is no longer on disk. */
  publication(instance: string): Promise<Publication | undefined>;
}

/**
 * The run named, or the latest of this project whose journal can be read, other than `except`.
 *
 * @throws MusterError RUN_NOT_FOUND; USAGE for a run of another project; JOURNAL_CORRUPT
 */
export async function findEarlierRun(
  home: string,
  project: string,
  against: string | undefined,
  except?: string,
): Promise<EarlierRun> {
  const found =
    against === undefined || against === 'latest'
      ? (await listRuns(home)).find(
          ({ state, projectId, runId }) => state !== 'unreadable' && projectId === project && runId !== except,
        )
      : await findRun(home, against);
  if (!found) {
    throw new MusterError(
      'RUN_NOT_FOUND',
      `expected an earlier run of ${project} in ${home} to take over from, got none. Start a whole run first, or name the home folder of its runs`,
    );
  }
  const known = foldResume((await readJournal(found.folder.journal)).events);
  if (!known) {
    const message = `Expected run.started in line 1 of ${found.folder.journal}; got something else. Name another run with --against.`;
    throw new MusterError('JOURNAL_CORRUPT', message);
  }
  if (known.started.projectId !== project) {
    throw new MusterError(
      'USAGE',
      `expected a run of project ${project} to take over from, ${found.runId} is of ${known.started.projectId}; name another one with --against`,
    );
  }
  const { folder, runId } = found;
  return {
    runId,
    folder,
    known,
    completed: (instance) => known.instances.get(instance)?.committed !== undefined,
    fingerprint: (instance) => readFingerprint(folder.work, instance),
    publication: async (instance) => {
      const attempt = known.instances.get(instance)?.committed?.attempt;
      return attempt === undefined ? undefined : readPublication(publicationFile(folder.work, instance, attempt));
    },
  };
}

/** For a selective run what it takes over from. @throws as {@link findEarlierRun}, and USAGE for an unknown task */
export async function takeOverOf(
  { home, selective }: RunOptions,
  project: string,
  { runId }: RunFolder,
  tasks: readonly string[],
) {
  if (!selective) return undefined;
  const { selection, against } = selective;
  for (const id of 'ids' in selection ? selection.ids : []) {
    const task = /^[^[]+/.exec(id)?.[0] ?? id;
    if (tasks.includes(task)) continue;
    const close = nearest(task, tasks);
    const cure = close === undefined ? `The plan has ${tasks.join(', ')}.` : `Did you mean ${close}?`;
    throw new MusterError('USAGE', `expected a task of this plan, or an instance of one, got "${id}". ${cure}`);
  }
  return { selection, earlier: await findEarlierRun(home, project, against, runId) };
}
