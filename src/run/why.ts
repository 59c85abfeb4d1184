/**
 * Why an instance would run again: what it was made from in a run, compared with what stands there now.
 *
 * Reads only. What it reads of other tasks is known when those have run; here is told which of them would run again.
 */
import { MusterError } from '../errors.ts';
import { compareFingerprints, type Fingerprint } from '../fingerprint/compare.ts';
import { tasksBefore } from '../fingerprint/decide.ts';
import { type Explanation, explainChanges } from '../fingerprint/explain.ts';
import { type Parts, taskParts, UPSTREAM } from '../fingerprint/parts.ts';
import { readJournal } from '../journal/reader.ts';
import { findRun, latestRun } from '../journal/run-folder.ts';
import type { RunFolder } from '../journal/run-paths.ts';
import { foldResume } from '../resume/known-run.ts';
import { nearest } from '../schema/nearest.ts';
import { readFingerprint, readInput } from './instance-record.ts';
import { type ResumeOptions, runOptionsOf } from './resume.ts';
import { readInputs } from './run.ts';
import { partSource, sha256, taskFingerprints } from './started-fact.ts';

export interface Why {
  readonly runId: string;
  readonly instances: readonly InstanceWhy[];
}

export interface InstanceWhy {
  readonly instance: string;
  /** How it stands in the run: completed is the only state that can be taken over. */
  readonly completed: boolean;
  /** Decided in that run, when it was a selective one. */
  readonly decided?: {
    readonly decision: 'take-over' | 'run';
    readonly against: string;
    readonly causes: readonly string[];
    /** What differed then, as far as both runs kept it. */
    readonly changes: readonly Explanation[];
  };
  /** False when the run kept no record of what it was made from. */
  readonly recorded: boolean;
  /** Inputs of its own that differ now. */
  readonly changes: readonly Explanation[];
  /** Tasks before it whose own inputs differ now: what it reads may come out otherwise. */
  readonly upstream: readonly { readonly task: string; readonly parts: readonly string[] }[];
}

/** @throws MusterError RUN_NOT_FOUND, JOURNAL_CORRUPT, USAGE for an unknown task, and what reading the inputs throws. */
export async function explainWhy(
  options: ResumeOptions & { readonly run: string; readonly task: string },
): Promise<Why> {
  const { home, run, task } = options;
  const { folder } = run === 'latest' ? await latestRun(home) : await findRun(home, run);
  const { events } = await readJournal(folder.journal);
  const known = foldResume(events);
  if (!known) throw new MusterError('JOURNAL_CORRUPT', `Expected run.started in line 1 of ${folder.journal}.`);
  // Nothing is started: no binary is looked for.
  const inputs = await readInputs({
    ...runOptionsOf(options, known.started, folder),
    server: { kind: 'attached', url: '' },
  });
  const source = partSource(inputs);
  const now = taskFingerprints(inputs);
  const of = [...known.instances.values()].filter(({ ref }) => ref.id === task || ref.task === task);
  if (of.length === 0) throw unknownTask(task, [...known.instances.keys()]);
  const tasks = inputs.loaded.graph.tasks.map(({ id, waitsFor }) => ({
    id,
    waitsFor: waitsFor.map((edge) => edge.task),
  }));
  const before = tasksBefore(tasks);
  const instances: InstanceWhy[] = [];
  for (const { ref, committed } of of) {
    const fingerprint = (await readFingerprint(folder.work, ref.id)) ?? known.started.inputs?.[ref.task];
    const decided = events.findLast((event) => event.type === 'instance.decided' && event.instance === ref.id);
    instances.push({
      instance: ref.id,
      completed: committed !== undefined,
      ...(decided?.type === 'instance.decided' && {
        decided: {
          decision: decided.decision,
          against: decided.against,
          causes: decided.causes,
          changes: fingerprint ? await changesSince(home, decided.against, folder, ref.id, fingerprint) : [],
        },
      }),
      recorded: fingerprint !== undefined,
      changes: fingerprint ? await explained(fingerprint, taskParts(source, ref.task), folder.inputs) : [],
      upstream: [...(before.get(ref.task) ?? [])].flatMap((id) => {
        const parts = compareFingerprints(known.started.inputs?.[id] ?? {}, now[id] ?? {}).map(({ part }) => part);
        return parts.length === 0 ? [] : [{ task: id, parts }];
      }),
    });
  }
  return { runId: folder.runId, instances };
}

/** What differed between an earlier run and this one; nothing when the earlier one is gone, or kept no record. */
async function changesSince(
  home: string,
  against: string,
  { inputs }: RunFolder,
  instance: string,
  after: Fingerprint,
): Promise<readonly Explanation[]> {
  const earlier = await findRun(home, against).catch(unlessMissing);
  const before = earlier && (await readFingerprint(earlier.folder.work, instance));
  if (!earlier || !before) return [];
  const [old, now]: [Map<string, string>, Record<string, string>] = [new Map(), {}];
  for (const { part } of compareFingerprints(before, after)) {
    const [from, to] = [before[part], after[part]];
    const text = from === undefined ? undefined : await readInput(earlier.folder.inputs, from);
    if (from !== undefined && text !== undefined) old.set(from, text);
    now[part] = (to === undefined ? undefined : await readInput(inputs, to)) ?? '';
  }
  return explainChanges(before, after, now, (hash) => old.get(hash));
}

function unlessMissing(thrown: unknown): undefined {
  if (thrown instanceof MusterError && thrown.code === 'RUN_NOT_FOUND') return undefined;
  throw thrown;
}

/** Of its own parts: the item and what is read of others are left out. */
async function explained(before: Fingerprint, now: Parts, inputs: string): Promise<readonly Explanation[]> {
  const own = Object.fromEntries(
    Object.entries(before).filter(([part]) => part !== 'item' && !part.startsWith(UPSTREAM)),
  );
  const after = Object.fromEntries(Object.entries(now).map(([part, text]) => [part, sha256(text)]));
  const texts = new Map<string, string>();
  for (const { part } of compareFingerprints(own, after)) {
    const hash = own[part];
    const text = hash === undefined ? undefined : await readInput(inputs, hash);
    if (hash !== undefined && text !== undefined) texts.set(hash, text);
  }
  return explainChanges(own, after, now, (hash) => texts.get(hash));
}

function unknownTask(task: string, ids: readonly string[]): MusterError {
  const close = nearest(task, ids);
  const cure = close === undefined ? `It has ${ids.slice(0, 5).join(', ')}.` : `Did you mean ${close}?`;
  return new MusterError('USAGE', `expected a task or instance of this run, got "${task}". ${cure}`);
}
