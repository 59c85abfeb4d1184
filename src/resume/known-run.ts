/**
 * What a journal tells of a run that is to go on: a fold over its facts, and nothing else.
 *
 * The order is that of the lines: times are never compared, so that a clock that was set back changes nothing. A journal
 * cut behind any line gives a sound answer: what was not written did not happen, as far as anybody can know (J1).
 */
import type { Cause, InstanceRef, Outcome, RunEvent, RunOutcome } from '../../schemas/run-event.ts';
import type { Judgement } from '../../schemas/session-event.ts';

export type RunStarted = Extract<RunEvent, { type: 'run.started' }>;

export interface KnownAttempt {
  readonly attempt: number;
  readonly session?: { readonly sessionId: string; readonly apiSessionId: string };
  /** Turns whose prompt was about to be sent. */
  readonly turns: number;
  /** Repair turns among them. */
  readonly repairs: number;
  /** Of the last turn. */
  readonly messageId?: string;
  /** The last turn was to go on with one that was cut off or broken off. */
  readonly continues?: true;
  /** Of the last turn, when its end was noted. */
  readonly judgement?: Judgement;
  readonly commitStarted: boolean;
  readonly failure?: {
    readonly cause: Cause;
    readonly isLast: boolean;
    /** It ended because of what surrounded it: it may go on where it stopped. */
    readonly isCutOff: boolean;
  };
}

export interface KnownInstance {
  readonly ref: InstanceRef;
  readonly started: boolean;
  /** The last attempt. */
  readonly attempt?: KnownAttempt;
  /** Attempts that ended because of what surrounded them, not by themselves: limits do not count them. */
  readonly spared: number;
  /** Present when it committed; `items` is what that brought for fan-outs. */
  readonly committed?: { readonly attempt: number; readonly items: Readonly<Record<string, readonly string[]>> };
  /** Taken back when a later resume opened it again. */
  readonly outcome?: Outcome;
}

export interface KnownTask {
  readonly expanded?: readonly InstanceRef[];
  readonly outcome?: Outcome;
}

export interface KnownRun {
  readonly started: RunStarted;
  readonly resumes: number;
  /** Absent while the run has not ended, or goes on after a resume. */
  readonly ended?: RunOutcome;
  /** The graph as a whole was finished and judged since the last resume. */
  readonly checked: boolean;
  /** An earlier resume went on with other inputs than it started with. */
  readonly isChanged: boolean;
  /** In the order in which they became known. */
  readonly instances: ReadonlyMap<string, KnownInstance>;
  readonly tasks: ReadonlyMap<string, KnownTask>;
  /** Ids in the order in which they ended for good. */
  readonly endOrder: readonly string[];
}

/** Causes by which an attempt ended although nothing was wrong with it. */
const SURROUNDINGS = new Set([
  'interrupted',
  'cancelled',
  'paused',
  'server-lost',
  'OPENCODE_LOST',
  'STREAM_LOST',
  'DISK_FULL',
  'FOLDER_NOT_WRITABLE',
  'GRAPH_OPEN',
  'GRAPH_UNREACHABLE',
  'PROVIDER_AUTH',
]);

/**
 * Whether the cause says nothing about the work: a refused key is put right, and what was told to end goes on, whatever
 * the reason it was told.
 */
export function isSurroundings({ code, class: of }: Cause): boolean {
  return of === 'auth' || of === 'cancelled' || SURROUNDINGS.has(code);
}

/** Whether the attempt ended, or stopped, through no fault of its own. */
export function wasCutOff(attempt: KnownAttempt | undefined): boolean {
  return attempt !== undefined && attempt.failure?.isCutOff !== false;
}

/** The instance open again; one that had failed for good has all its attempts before it. */
export function reopened({ outcome: _, ...instance }: KnownInstance): KnownInstance {
  const { attempt } = instance;
  if (!attempt?.failure?.isLast) return instance;
  return {
    ...instance,
    spared: wasCutOff(attempt) ? instance.spared : attempt.attempt,
    attempt: { ...attempt, failure: { ...attempt.failure, isLast: false } },
  };
}

/** What is known; undefined when the facts do not begin with `run.started`. */
export function foldResume(facts: Iterable<RunEvent>): KnownRun | undefined {
  let run: KnownRun | undefined;
  for (const fact of facts) {
    if (run) run = next(run, fact);
    else if (fact.type === 'run.started') run = first(fact);
    else return undefined;
  }
  return run;
}

function first(started: RunStarted): KnownRun {
  const plain = started.tasks.filter((task) => task.fanOutOver === undefined);
  return {
    started,
    resumes: 0,
    checked: false,
    isChanged: false,
    instances: new Map(plain.map(({ id }) => [id, unstarted({ id, task: id })])),
    tasks: new Map(started.tasks.map(({ id }) => [id, {}])),
    endOrder: [],
  };
}

function next(run: KnownRun, fact: RunEvent): KnownRun {
  switch (fact.type) {
    case 'task.expanded': {
      const instances = new Map(run.instances);
      for (const ref of fact.instances) if (!instances.has(ref.id)) instances.set(ref.id, unstarted(ref));
      return { ...withTask(run, fact.task, { expanded: fact.instances }), instances };
    }
    case 'instance.started':
      return withInstance(run, fact.instance, () => ({ started: true }));
    case 'attempt.started':
      return withInstance(run, fact.instance, ({ attempt, spared }) => ({
        attempt: { attempt: fact.attempt, turns: 0, repairs: 0, commitStarted: false },
        // An attempt without an end was cut off by a death; one that its surroundings ended did nothing wrong.
        spared: spared + (wasCutOff(attempt) ? 1 : 0),
      }));
    case 'session.opened': {
      const { sessionId, apiSessionId } = fact;
      return withAttempt(run, fact, (attempt) => ({ ...attempt, session: { sessionId, apiSessionId } }));
    }
    case 'turn.started':
      return withAttempt(run, fact, ({ judgement: _, failure: __, continues: ___, ...attempt }) => ({
        ...attempt,
        turns: fact.turn,
        repairs: attempt.repairs + (fact.kind === 'repair' && fact.turn > attempt.turns ? 1 : 0),
        messageId: fact.messageId,
        ...(fact.kind === 'continue' && { continues: true as const }),
      }));
    case 'turn.ended':
      return withAttempt(run, fact, (attempt) => ({
        ...attempt,
        judgement: fact.judgement,
        // Taken up without the prompt behind it, a repair that never arrived.
        ...(fact.turn < attempt.turns && { turns: fact.turn, repairs: Math.max(0, attempt.repairs - 1) }),
      }));
    case 'attempt.failed':
      return withAttempt(run, fact, (attempt) => ({
        ...attempt,
        failure: {
          cause: fact.cause,
          isLast: fact.retryInMs === undefined,
          isCutOff: isSurroundings(fact.cause),
        },
      }));
    case 'commit.started':
      return withAttempt(run, fact, (attempt) => ({ ...attempt, commitStarted: true }));
    case 'commit.ended':
      return ended(
        withInstance(run, fact.instance, () => ({ committed: { attempt: fact.attempt, items: fact.items } })),
        fact.instance,
      );
    case 'instance.settled':
      return ended(
        withInstance(run, fact.instance, (instance) => settled(instance, fact.outcome)),
        fact.instance,
      );
    case 'task.settled':
      return withTask(run, fact.task, { outcome: run.tasks.get(fact.task)?.outcome ?? fact.outcome });
    case 'run.resumed':
      return { ...reopen(run, fact.reopened), isChanged: run.isChanged || fact.changes.length > 0 };
    case 'run.checked':
      return { ...run, checked: true };
    case 'run.ended':
      return { ...run, ended: fact.outcome };
    default:
      return run;
  }
}

/** The first outcome counts. An attempt that was still at work when its instance was cancelled was cut off. */
function settled({ attempt, outcome: first }: KnownInstance, outcome: Outcome): Partial<KnownInstance> {
  const failure = attempt?.failure;
  const isCutOff = outcome.kind === 'cancelled' && failure?.isLast === true;
  return {
    outcome: first ?? outcome,
    ...(isCutOff && { attempt: { ...attempt!, failure: { ...failure, isCutOff: true } } }),
  };
}

function unstarted(ref: InstanceRef): KnownInstance {
  return { ref, started: false, spared: 0 };
}

function ended(run: KnownRun, id: string): KnownRun {
  return run.endOrder.includes(id) ? run : { ...run, endOrder: [...run.endOrder, id] };
}

function reopen(
  { ended: _, ...run }: KnownRun,
  open: { readonly instances: readonly string[]; readonly tasks: readonly string[] },
): KnownRun {
  const instances = new Map(run.instances);
  for (const id of open.instances) {
    instances.set(id, reopened(instances.get(id) ?? unstarted({ id, task: id })));
  }
  const tasks = new Map(run.tasks);
  for (const id of open.tasks) {
    const { outcome: _outcome, ...task } = tasks.get(id) ?? {};
    tasks.set(id, task);
  }
  const endOrder = run.endOrder.filter((id) => !open.instances.includes(id));
  return { ...run, resumes: run.resumes + 1, checked: false, instances, tasks, endOrder };
}

function withInstance(
  run: KnownRun,
  id: string,
  change: (instance: KnownInstance) => Partial<KnownInstance>,
): KnownRun {
  const known = run.instances.get(id);
  if (!known) return run;
  return { ...run, instances: new Map(run.instances).set(id, { ...known, ...change(known) }) };
}

function withAttempt(
  run: KnownRun,
  { instance, attempt }: { readonly instance: string; readonly attempt: number },
  change: (attempt: KnownAttempt) => KnownAttempt,
): KnownRun {
  return withInstance(run, instance, (known) =>
    known.attempt?.attempt === attempt ? { attempt: change(known.attempt) } : {},
  );
}

function withTask(run: KnownRun, id: string, change: Partial<KnownTask>): KnownRun {
  return { ...run, tasks: new Map(run.tasks).set(id, { ...run.tasks.get(id), ...change }) };
}
