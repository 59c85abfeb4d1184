/**
 * One run from its inputs to its report: the only place where the machines meet the adapters.
 *
 * Owns the order in which things are opened and closed. Does not own any decision of the run (machines, plan, policy).
 * Invariants: nothing is written before every input has been checked; what was opened is closed in reverse order,
 * however the run ends; the journal is the last thing to be closed.
 */
import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createActor, toPromise } from 'xstate';
import type { OrchestratorOutput } from '../../machines/orchestrator-context.ts';
import { limitsOf } from '../../schemas/manifest.ts';
import { startEndpoint } from '../agent-tools/endpoint.ts';
import { removeEndpointFile, writeEndpointFile } from '../agent-tools/endpoint-file.ts';
import { convertDocuments } from '../convert/convert.ts';
import { ensureError, MusterError } from '../errors.ts';
import { createRunFolder, folderFailure } from '../journal/run-folder.ts';
import { newRunId } from '../journal/run-id.ts';
import { acquireLock } from '../journal/run-lock.ts';
import type { RunFolder } from '../journal/run-paths.ts';
import { openJournal } from '../journal/writer.ts';
import { openAppLog } from '../logs/app-log.ts';
import { loadManifest } from '../manifest/load.ts';
import { findBinary } from '../opencode/binary.ts';
import { readConfigFile } from '../opencode/inline-config.ts';
import { createPlan } from '../plan/plan.ts';
import { loadRehearsal } from '../rehearsal/load-rehearsal.ts';
import { startModelServer } from '../rehearsal/model-server.ts';
import type { DocumentRecord } from '../report/coverage.ts';
import { reportMarkdown, reportOf } from '../report/report.ts';
import { emptyRunView, foldRun, type RunView, viewOf } from '../report/run-view.ts';
import { findDocuments } from '../workspace/documents.ts';
import { prepareWorkspace } from '../workspace/workspace.ts';
import { recordsOf, writeDocumentRecords } from './document-records.ts';
import { takeOverOf } from './earlier-run.ts';
import { ensureCommitted } from './ensure-committed.ts';
import { Mailbox } from './mailbox.ts';
import { knowItems, orchestratorResume, resumedFacts } from './resumed-state.ts';
import { runActors } from './run-actors.ts';
import { openRunGraph, registerSources } from './run-graph.ts';
import type { Inputs, Resumed } from './run-inputs.ts';
import type { RunOptions } from './run-options.ts';
import { runRules } from './run-rules.ts';
import { requireSoundRules } from './sound-rules.ts';
import { openSources, type Sources } from './sources.ts';
import { partSource, startedFact } from './started-fact.ts';
import { systemClock } from './system-clock.ts';

export interface Run {
  readonly runId: string;
  readonly folder: RunFolder;
  /** X1: the first call drains, the second aborts. */
  interrupt(reason: string): void;
  /** Resolves when everything is closed; rejects only for a failure of muster itself. */
  readonly ended: Promise<RunEnd>;
}

export interface RunEnd {
  readonly outcome: OrchestratorOutput['outcome'];
  readonly view: RunView;
  /** An error of the environment that ended the run (exit code 3), rather than a task. */
  readonly error?: MusterError;
  /** The run has not ended: its server was lost, and it goes on with another one after this wait (healed-run.ts). */
  readonly healsAfterMs?: number;
}

/** Longest project id; it stands in every key. */
const MAX_PROJECT_ID = 128;

/**
 * Checks the inputs, prepares the run's folder, and starts.
 * @throws MusterError of kind usage or environment; nothing of a run is left behind then, but for its folder if it was made.
 */
export async function startRun(options: RunOptions): Promise<Run> {
  const inputs = await readInputs(options);
  const lock = await acquireLock(options.home);
  const closers: (() => Promise<unknown>)[] = [() => lock.release()];
  try {
    const { sources: wanted } = inputs.loaded.manifest;
    const sources = await openSources(wanted, { env: options.env ?? process.env, clock: systemClock });
    closers.push(() => sources.close());
    const runId = newRunId(systemClock, random);
    const folder = await createRunFolder(options.home, runId);
    const started = await assemble(options, inputs, sources, folder, closers);
    return { runId, folder, interrupt: started.interrupt, ended: started.ended };
  } catch (thrown) {
    await closeAll(closers);
    throw ensureError(thrown) instanceof MusterError ? thrown : folderFailure(resolve(options.home), thrown);
  }
}

export async function readInputs(options: RunOptions): Promise<Inputs> {
  const loaded = await loadManifest(options.manifest);
  await requireSoundRules(loaded.schema);
  const rehearsal = options.rehearsal === undefined ? undefined : await loadRehearsal(options.rehearsal);
  const project = checkProjectId(options.project ?? rehearsal?.project ?? '');
  const documents = await findDocuments(options.documents);
  const model = rehearsal ? `rehearsal/${rehearsal.model}` : (options.model ?? loaded.manifest.model);
  if (model === undefined || !/^[^/\s]+\/\S+$/.test(model)) {
    throw new MusterError(
      model === undefined ? 'USAGE' : 'MODEL_UNKNOWN',
      `expected a model as provider/model, got ${model === undefined ? 'none' : `"${model}"`}; give --model, or "model" in the manifest`,
    );
  }
  const { server } = options;
  if (server.kind === 'own') {
    if (server.configFile !== undefined) await readConfigFile(server.configFile);
    await findBinary({ ...(server.binary !== undefined && { named: server.binary }) });
  }
  const texts = await convertDocuments(documents);
  return { loaded, documents, texts, rehearsal, project, model };
}

/** Any key that a person may have given the project, a UUID included. @throws MusterError PROJECT_ID_INVALID */
export function checkProjectId(id: string): string {
  const problem =
    id === ''
      ? 'it is empty'
      : id.trim() !== id
        ? 'it begins or ends with white space'
        : /\p{Cc}/u.test(id)
          ? 'it holds control characters'
          : id.length > MAX_PROJECT_ID
            ? `it has ${id.length} characters`
            : undefined;
  if (problem === undefined) return id;
  throw new MusterError(
    'PROJECT_ID_INVALID',
    `expected a project id of 1 to ${MAX_PROJECT_ID} printable characters, got ${JSON.stringify(id.slice(0, 60))}: ${problem}. Give one with --project, such as BRU2`,
  );
}

/** Opens everything in order and starts the actors; on failure the caller closes what `closers` hold. */
export async function assemble(
  options: RunOptions,
  inputs: Inputs,
  sources: Sources,
  folder: RunFolder,
  closers: (() => Promise<unknown>)[],
  resumed?: Resumed,
): Promise<{ interrupt: (reason: string) => void; ended: Promise<RunEnd> }> {
  const { loaded, documents, texts, rehearsal, project, model } = inputs;
  const { manifest, schema, graph: graphOfTasks } = loaded;
  const takeOver = await takeOverOf(
    options,
    project,
    folder,
    manifest.tasks.map(({ id }) => id),
  );
  const appLog = openAppLog(folder.appLog, { clock: systemClock, secrets: sources.secrets });
  closers.push(async () => appLog.close());
  const fault = (error: Error) => appLog.logger.error({ err: error }, 'fault');
  const { graph, location } = await openRunGraph(options, folder, schema);
  closers.push(() => graph.close());
  if (resumed) await ensureCommitted(graph, folder, resumed);
  if (!resumed || resumed.prepare) await prepareWorkspace(folder.workspace, schema, documents, texts);
  const records = recordsOf(documents, texts);
  await writeDocumentRecords(folder.documents, records);
  for (const { path, warnings } of records) {
    for (const warning of warnings) appLog.logger.warn({ document: path }, warning);
  }
  const endpoint = await startEndpoint(fault);
  closers.push(() => endpoint.close());
  await writeEndpointFile(folder.endpoint, endpoint);
  closers.push(() => removeEndpointFile(folder.endpoint));
  const modelServer = rehearsal && (await startModelServer(rehearsal, systemClock));
  if (modelServer) closers.push(() => modelServer.close());

  let abort: ((error: MusterError) => void) | undefined;
  const journal = openJournal(folder.journal, {
    clock: systemClock,
    onError: (error) => abort?.(error),
    ...(resumed && { resume: { lastSeq: resumed.events.length, bytes: resumed.bytes } }),
  });
  closers.push(() => journal.close().catch(fault));
  let view = resumed ? viewOf(resumed.events) : emptyRunView();
  journal.subscribe((event) => {
    view = foldRun(view, event);
    appLog.logger.debug({ event }, event.type);
    options.onEvent?.(event, view);
  });
  const concurrency = options.concurrency ?? manifest.concurrency;
  for (const fact of resumed
    ? resumedFacts(options, resumed)
    : [startedFact(options, inputs, folder, location, takeOver?.earlier.runId)])
    journal.append(fact);
  const hasBegun = resumed?.events.some(({ type }) => type === 'instance.started') === true;
  if (!hasBegun) await registerSources(graph, folder.runId, project, loaded, documents, texts);

  const { machine, attempts, gates } = runActors({
    partSource: partSource(inputs),
    ...(takeOver && { takeOver }),
    options,
    loaded,
    documents,
    texts,
    project,
    model,
    folder,
    journal,
    graph,
    sources,
    endpoint,
    modelServer,
    random,
    clock: systemClock,
    log: appLog.logger,
    onFault: fault,
    ...(resumed && {
      resumed: { open: resumed.plan.open, isChanged: resumed.known.isChanged || resumed.changes.length > 0 },
    }),
  });
  if (resumed) await knowItems(attempts, graph, folder.runId, project, resumed.plan);
  const actor = createActor(machine, {
    systemId: 'orchestrator',
    ...(options.inspect && { inspect: options.inspect }),
    input: {
      plan: resumed?.plan.plan ?? createPlan(graphOfTasks.tasks, manifest.gating),
      ...((resumed || takeOver) && { resumed: orchestratorResume(resumed?.plan, takeOver !== undefined) }),
      concurrency,
      limits: Object.fromEntries(manifest.tasks.map((task) => [task.id, limitsOf(manifest, task)])),
      rules: runRules({
        manifest,
        model,
        isRehearsal: rehearsal !== undefined,
        nowMs: systemClock.now(),
        ...(options.budget && { budget: options.budget }),
        ...(resumed && { events: resumed.events }),
      }),
    },
  });
  const mailbox = new Mailbox({
    folder: folder.decisions,
    clock: systemClock,
    decide: (point, decision) => actor.send({ type: 'run.decide', point, decision }),
    flushed: () => journal.flushed(),
    onFault: fault,
  });
  journal.subscribe((event) => mailbox.hear(event));
  closers.push(() => mailbox.close());
  let broken: MusterError | undefined;
  abort = (error) => {
    broken ??= error;
    actor.send({ type: 'run.abort', reason: error.message });
  };
  // Without a listener the actor would rethrow its error globally.
  actor.subscribe({ error: (thrown) => fault(ensureError(thrown)) });
  const output = toPromise(actor);
  actor.start();
  const ended = output
    .then(
      ({ outcome, cause, healsAfterMs }) => ({ outcome, cause, healsAfterMs }),
      (thrown: unknown) => {
        broken ??= new MusterError('BUG', `the orchestrator failed: ${ensureError(thrown).message}`, { cause: thrown });
        return { outcome: 'failed' as const, cause: undefined, healsAfterMs: undefined };
      },
    )
    .then(async ({ outcome, cause, healsAfterMs }): Promise<RunEnd> => {
      gates.close();
      await mailbox.close();
      await attempts.closed();
      await journal.flushed().catch((thrown: unknown) => {
        broken ??= thrown as MusterError;
      });
      await writeReport(folder, view, records).catch((thrown: unknown) => {
        broken ??= folderFailure(folder.path, thrown);
      });
      await closeAll(closers);
      if (healsAfterMs !== undefined && !broken) return { outcome, view, healsAfterMs };
      const error = broken ?? environmentError(cause);
      return { outcome, view, ...(error && { error }) };
    });
  return { interrupt: (reason) => actor.send({ type: 'run.drain', reason }), ended };
}

const random = (): number => randomInt(2 ** 47) / 2 ** 47;

/** A run that ended because of its surroundings, not because of a task: the exit code tells. */
function environmentError(
  cause: { readonly code: string; readonly message: string } | undefined,
): MusterError | undefined {
  if (!cause) return undefined;
  const error = new MusterError(cause.code as MusterError['code'], cause.message);
  return error.kind === undefined ? new MusterError('BUG', cause.message) : error;
}

async function writeReport(folder: RunFolder, view: RunView, records: readonly DocumentRecord[]): Promise<void> {
  const report = reportOf(view, records);
  await writeFile(folder.reportJson, `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(folder.reportMarkdown, reportMarkdown(report));
}

/** In reverse order; one that fails does not keep the others from closing. */
export async function closeAll(closers: (() => Promise<unknown>)[]): Promise<void> {
  for (const close of closers.reverse()) await close().catch(() => undefined);
  closers.length = 0;
}
