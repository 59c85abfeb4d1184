/**
 * Goes on with a run that was interrupted or whose process died.
 *
 * Owns the order: lock, journal, inputs, then the same assembly as a new run. Does not own what follows for an instance
 * (src/resume) or its effects (take-up.ts). Invariants: nothing is changed before journal and inputs were checked; a
 * journal that is cut is kept beside; two processes never go on with the same run (the home's lock).
 */
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { RunEvent } from '../../schemas/run-event.ts';
import { ensureError, MusterError } from '../errors.ts';
import type { Selection } from '../fingerprint/decide.ts';
import { findRun, latestRun } from '../journal/run-folder.ts';
import { acquireLock } from '../journal/run-lock.ts';
import { graphLocation, type RunFolder } from '../journal/run-paths.ts';
import { keepJournal, readJournalUntil } from '../journal/until-line.ts';
import { endLeftServer } from '../opencode/left-server.ts';
import { allEnded } from '../plan/plan.ts';
import { changedInputs } from '../resume/changed-inputs.ts';
import { foldResume, type KnownRun, type RunStarted } from '../resume/known-run.ts';
import { resumePlan } from '../resume/resume-plan.ts';
import { assemble, closeAll, type Run, readInputs } from './run.ts';
import type { Inputs } from './run-inputs.ts';
import type { RunOptions } from './run-options.ts';
import { openSources } from './sources.ts';
import { JOURNAL_FORMAT, taskFingerprints } from './started-fact.ts';
import { systemClock } from './system-clock.ts';

export interface ResumeOptions
  extends Partial<
      Pick<RunOptions, 'manifest' | 'documents' | 'graph' | 'concurrency' | 'budget' | 'model' | 'rehearsal'>
    >,
    Pick<RunOptions, 'musterVersion' | 'home' | 'onEvent' | 'inspect' | 'env'> {
  /** Id of the run or the beginning of it; default the latest. */
  readonly run?: string;
  /** Goes on although the inputs differ from those at the start. */
  readonly force?: boolean;
  /** Tries failed instances again too. */
  readonly failed?: boolean;
  /** Goes on from the state after this line of the journal; what stands behind is kept in a copy. */
  readonly untilLine?: number;
  /** Default as at the start. */
  readonly server?: Partial<Omit<Extract<RunOptions['server'], { kind: 'own' }>, 'kind'>> & {
    readonly url?: string;
    readonly password?: string;
  };
}

/**
 * @throws MusterError RUN_NOT_FOUND, RUN_LOCKED, JOURNAL_CORRUPT, JOURNAL_VERSION, RUN_ENDED, INPUTS_CHANGED,
 * GRAPH_OVERWRITTEN, and what a new run throws.
 */
export async function resumeRun(options: ResumeOptions): Promise<Run> {
  const { home, run } = options;
  const { folder } = run === undefined || run === 'latest' ? await latestRun(home) : await findRun(home, run);
  const lock = await acquireLock(home);
  const closers: (() => Promise<unknown>)[] = [() => lock.release()];
  try {
    const { events, bytes } = await readJournalUntil(folder.journal, options.untilLine);
    const known = knownRun(folder, events);
    const runOptions = runOptionsOf(options, known.started, folder);
    const inputs = await readInputs(runOptions);
    const changes = changesOf(known.started, inputs);
    const { manifest, graph } = inputs.loaded;
    const plan = resumePlan(known, graph.tasks, manifest.gating, { failed: options.failed === true });
    // A run that failed before its graph was judged has that left to do.
    const isJudged = known.ended === 'completed' || (known.ended !== undefined && known.checked);
    if (isJudged && allEnded(plan.plan)) throw nothingLeft(folder, known);
    if (changes.length > 0 && !options.force) throw inputsChanged(folder, changes);
    await endServerOf(events, folder);
    if (options.untilLine !== undefined) await keepJournal(folder.journal, options.untilLine);
    const prepare = changes.length > 0 || !existsSync(join(folder.workspace, 'schemas'));
    const sources = await openSources(inputs.loaded.manifest.sources, {
      env: runOptions.env ?? process.env,
      clock: systemClock,
    });
    closers.push(() => sources.close());
    const started = await assemble(runOptions, inputs, sources, folder, closers, {
      events,
      bytes,
      known,
      plan,
      changes,
      force: options.force === true,
      prepare: prepare && !isWorkspaceCopy(runOptions, folder),
    });
    return { runId: folder.runId, folder, interrupt: started.interrupt, ended: started.ended };
  } catch (thrown) {
    const error = ensureError(thrown);
    await closeAll(closers);
    throw error;
  }
}

function knownRun(folder: RunFolder, events: readonly RunEvent[]): KnownRun {
  const known = foldResume(events);
  if (!known) {
    throw new MusterError(
      'JOURNAL_CORRUPT',
      `Expected run.started in line 1 of ${folder.journal}; got ${events[0]?.type ?? 'no line'}. Nothing had happened that could be gone on with: start a new run.`,
    );
  }
  const { format = 1, musterVersion } = known.started;
  if (format > JOURNAL_FORMAT) {
    throw new MusterError(
      'JOURNAL_VERSION',
      `Expected a journal of format ${JOURNAL_FORMAT} or earlier in ${folder.journal}; got format ${format}, written by muster ${musterVersion}. Resume the run with that version or a later one.`,
    );
  }
  return known;
}

/** As at the start, unless something else is asked for now; paths were kept relative to the run's folder. */
export function runOptionsOf(options: ResumeOptions, started: RunStarted, folder: RunFolder): RunOptions {
  const { given } = started;
  const at = (path: string) => (isAbsolute(path) ? path : resolve(folder.path, ...path.split('/')));
  const manifest = options.manifest ?? [given && at(given.manifest), started.manifest.path].find(isThere);
  const rehearsal = options.rehearsal ?? (given?.rehearsal === undefined ? undefined : at(given.rehearsal));
  if (started.rehearsal !== (rehearsal !== undefined)) {
    throw new MusterError(
      'USAGE',
      `expected the script of the rehearsal ${folder.runId}, its journal names none; give the folder with --script`,
    );
  }
  const graph = options.graph ?? graphLocation(folder, started);
  const model = options.model ?? (started.rehearsal ? undefined : started.model);
  const { onEvent, inspect, env, musterVersion, home } = options;
  return {
    musterVersion,
    home,
    manifest: manifest ?? started.manifest.path,
    documents: options.documents ?? documentsOf(given && at(given.documents), folder),
    project: started.projectId,
    concurrency: options.concurrency ?? started.concurrency,
    ...(options.budget && { budget: options.budget }),
    server: serverOf(options, started, at),
    ...(given?.against !== undefined &&
      given.selection && { selective: { against: given.against, selection: given.selection as Selection } }),
    graph,
    ...(model !== undefined && { model }),
    ...(rehearsal !== undefined && { rehearsal }),
    ...(onEvent && { onEvent }),
    ...(inspect && { inspect }),
    ...(env && { env }),
  };
}

/** The originals, or the copies in the workspace when the originals are gone. */
function documentsOf(originals: string | undefined, folder: RunFolder): string {
  return originals !== undefined && existsSync(originals) ? originals : join(folder.workspace, 'documents');
}

function isWorkspaceCopy({ documents }: RunOptions, folder: RunFolder): boolean {
  return resolve(documents) === join(folder.workspace, 'documents');
}

function isThere(path: string | undefined): path is string {
  return path !== undefined && existsSync(path);
}

function serverOf(
  { server = {} }: ResumeOptions,
  { given }: RunStarted,
  at: (path: string) => string,
): RunOptions['server'] {
  const { url = given?.serverUrl, password, binary = given?.opencode, port } = server;
  const configFile = server.configFile ?? (given?.opencodeConfig === undefined ? undefined : at(given.opencodeConfig));
  if (url !== undefined) return { kind: 'attached', url, ...(password !== undefined && { password }) };
  return {
    kind: 'own',
    ...(binary !== undefined && { binary }),
    ...(configFile !== undefined && { configFile }),
    ...(port !== undefined && { port }),
  };
}

function changesOf(started: RunStarted, inputs: Inputs): readonly string[] {
  const { loaded, documents, model } = inputs;
  return changedInputs(started, {
    manifestSha256: loaded.sha256,
    schema: loaded.schema,
    model,
    documents,
    tasks: taskFingerprints(inputs),
  });
}

async function endServerOf(events: readonly RunEvent[], folder: RunFolder): Promise<void> {
  const last = events.findLast((event) => event.type === 'server.started');
  if (last?.owned && last.pid !== undefined) await endLeftServer(last.pid, folder.workspace);
}

function nothingLeft({ runId }: RunFolder, { ended }: KnownRun): MusterError {
  const cure =
    ended === 'failed'
      ? `Try its failed tasks again with "muster resume ${runId} --failed".`
      : 'Start a new run, or choose parts of it (docs/selective-runs.md).';
  return new MusterError(
    'RUN_ENDED',
    `expected a run with something left to do, ${runId} ended ${ended} and nothing of it was interrupted. ${cure}`,
  );
}

function inputsChanged({ runId }: RunFolder, changes: readonly string[]): MusterError {
  return new MusterError(
    'INPUTS_CHANGED',
    [
      `expected the inputs that ${runId} started with, got changes:`,
      ...changes.map((change) => `  ${change}`),
      `What has completed stays as it is. Go on with the present inputs with "muster resume ${runId} --force", or start a new run.`,
    ].join('\n'),
  );
}
