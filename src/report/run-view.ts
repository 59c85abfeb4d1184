/**
 * The state of a run as people look at it: a fold over its facts, and nothing else. Progress, report, `muster runs`
 * and the inspector are drawings of this value, so they cannot disagree.
 */
import type { Answer } from '../../schemas/failure.ts';
import type { Cause, Issue, Outcome, PlannedTask, RunCheck, RunEvent, RunOutcome } from '../../schemas/run-event.ts';
import { type Judgement, NO_USAGE, type Usage } from '../../schemas/session-event.ts';
import { foldHolds, type KnownHold } from '../policy/holds.ts';

export interface ToolCallView {
  readonly tool: string;
  readonly accepted: number;
  readonly issues: number;
}

export interface AnsweredFailure {
  /** Its `class` is set. */
  readonly cause: Cause;
  readonly answer: Answer;
  /** What the next prompt said, word for word. */
  readonly adjustment?: string;
}

export interface AttemptView {
  readonly attempt: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly sessionId?: string;
  readonly apiSessionId?: string;
  readonly turns: number;
  readonly repairs: readonly { readonly repair: number; readonly issues: readonly Issue[] }[];
  readonly toolCalls: readonly ToolCallView[];
  readonly lastJudgement?: Judgement;
  readonly failure?: Cause;
  /** What went wrong in it, in order, and what was done about it. */
  readonly answers: readonly AnsweredFailure[];
  readonly usage: Usage;
}

export interface InstanceView {
  readonly id: string;
  readonly task: string;
  readonly itemKey?: string;
  readonly wave: number;
  /** `waiting`, `running`, or how it ended. */
  readonly status: 'waiting' | 'running' | Outcome['kind'];
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Milliseconds from start to end. */
  readonly durationMs?: number;
  readonly cause?: Cause;
  readonly attempts: readonly AttemptView[];
  /** Nodes committed, by entity. */
  readonly entities: Readonly<Record<string, number>>;
  readonly relationships: number;
  readonly asksAnswered: number;
}

export interface TaskView {
  readonly id: string;
  readonly wave: number;
  readonly waitsFor: PlannedTask['waitsFor'];
  readonly fanOutOver?: string;
  readonly status: 'waiting' | 'running' | Outcome['kind'];
  readonly cause?: Cause;
}

export interface RunView {
  readonly runId: string;
  readonly musterVersion: string;
  readonly projectId: string;
  readonly manifest: { readonly name: string; readonly path: string; readonly sha256: string };
  readonly schema: { readonly name: string; readonly version: string };
  readonly model: string;
  readonly rehearsal: boolean;
  readonly gating: 'ready' | 'wave';
  readonly concurrency: number;
  readonly documents: Extract<RunEvent, { type: 'run.started' }>['documents'];
  /** Sections of documents that committed passages stand in: path → places in the order of its sections, rising. */
  readonly cited: Readonly<Record<string, readonly number[]>>;
  /** `running` until the journal says how the run ended; a run that died stays so. */
  readonly status: 'running' | RunOutcome;
  readonly cause?: Cause;
  /** What the checks after the run found; absent before, and when the run was interrupted. */
  readonly check?: RunCheck;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  readonly server?: { readonly version: string; readonly owned: boolean; readonly pid?: number; readonly url: string };
  /** OpenCode server processes started or attached to. */
  readonly servers: number;
  readonly streamConnections: number;
  readonly streamLosses: number;
  /** How often the run went on by itself after its server was lost. */
  readonly healings: number;
  /** Inputs that changed after its start, and that it went on with: what completed before is made from the old ones. */
  readonly changedInputs: readonly string[];
  readonly interrupted?: 'drain' | 'abort';
  /** Points that wait for a person, or did: by their names. */
  readonly holds: Readonly<Record<string, KnownHold>>;
  /** How often each provider asked for fewer calls. */
  readonly slowdowns: Readonly<Record<string, number>>;
  /** Why the run paused last. */
  readonly paused?: Cause;
  readonly tasks: Readonly<Record<string, TaskView>>;
  readonly instances: Readonly<Record<string, InstanceView>>;
}

const EMPTY: RunView = {
  runId: '',
  musterVersion: '',
  projectId: '',
  manifest: { name: '', path: '', sha256: '' },
  schema: { name: '', version: '' },
  model: '',
  rehearsal: false,
  gating: 'ready',
  concurrency: 0,
  documents: [],
  cited: {},
  status: 'running',
  startedAt: '',
  servers: 0,
  streamConnections: 0,
  streamLosses: 0,
  healings: 0,
  changedInputs: [],
  holds: {},
  slowdowns: {},
  tasks: {},
  instances: {},
};

/** The view before the first event. */
export function emptyRunView(): RunView {
  return EMPTY;
}

/** The view after one more event; unknown types change nothing, so that an older reader can read a newer journal. */
export function foldRun(before: RunView, event: RunEvent): RunView {
  const view = withHolds(before, event);
  switch (event.type) {
    case 'run.started': {
      const { seq: _seq, time, type: _type, tasks, ...of } = event;
      return {
        ...view,
        ...of,
        startedAt: time,
        tasks: Object.fromEntries(tasks.map((task) => [task.id, { ...task, status: 'waiting' as const }])),
        instances: Object.fromEntries(
          tasks.filter((task) => !task.fanOutOver).map(({ id, wave }) => [id, waiting({ id, task: id }, wave)]),
        ),
      };
    }
    case 'server.started': {
      const { seq: _seq, time: _time, type: _type, ...server } = event;
      return { ...view, server, servers: view.servers + 1 };
    }
    case 'server.lost':
      return { ...view, cause: view.cause ?? event.cause };
    case 'stream.connected':
      return { ...view, streamConnections: view.streamConnections + 1 };
    case 'stream.lost':
      return { ...view, streamLosses: view.streamLosses + 1 };
    case 'task.expanded': {
      const { wave } = view.tasks[event.task] ?? { wave: 0 };
      const added = event.instances.map((instance) => [instance.id, waiting(instance, wave)]);
      return { ...view, instances: { ...view.instances, ...Object.fromEntries(added) } };
    }
    case 'instance.started': {
      const next = change(view, event.instance, (i) => ({ ...i, status: 'running', startedAt: event.time }));
      return changeTask(next, next.instances[event.instance]?.task, { status: 'running' });
    }
    case 'attempt.started':
      return change(view, event.instance, (i) => ({
        ...i,
        attempts: [
          ...i.attempts,
          {
            attempt: event.attempt,
            startedAt: event.time,
            turns: 0,
            repairs: [],
            toolCalls: [],
            answers: [],
            usage: NO_USAGE,
          },
        ],
      }));
    case 'session.opened':
      return attempt(view, event, { sessionId: event.sessionId, apiSessionId: event.apiSessionId });
    case 'turn.started':
      return attempt(view, event, { turns: event.turn });
    case 'turn.ended':
      return attempt(view, event, { lastJudgement: event.judgement, ...(event.usage && { usage: event.usage }) });
    case 'tool.answered':
      return attempt(view, event, (a) => ({
        toolCalls: [...a.toolCalls, { tool: event.tool, accepted: event.accepted, issues: event.issues.length }],
      }));
    case 'repair.requested':
      return attempt(view, event, (a) => ({
        repairs: [...a.repairs, { repair: event.repair, issues: event.issues }],
      }));
    case 'failure.answered': {
      const { cause, answer, adjustment } = event;
      const answered = { cause, answer, ...(adjustment !== undefined && { adjustment }) };
      return attempt(view, event, (a) => ({ answers: [...a.answers, answered] }));
    }
    case 'provider.slowed': {
      const { [event.provider]: before = 0 } = view.slowdowns;
      return { ...view, slowdowns: { ...view.slowdowns, [event.provider]: before + 1 } };
    }
    case 'run.paused':
      return { ...view, paused: event.cause };
    case 'ask.answered':
      return change(view, event.instance, (i) => ({ ...i, asksAnswered: i.asksAnswered + 1 }));
    case 'attempt.failed':
      return attempt(view, event, { failure: event.cause, endedAt: event.time });
    case 'attempt.measured':
      return attempt(view, event, { usage: event.usage, endedAt: event.time });
    case 'commit.ended':
      return change({ ...view, cited: withCited(view.cited, event.cited ?? {}) }, event.instance, (i) => ({
        ...i,
        entities: event.entities,
        relationships: event.relationships,
      }));
    case 'instance.settled':
      return change(view, event.instance, (i) => ({
        ...i,
        status: event.outcome.kind,
        endedAt: event.time,
        ...(i.startedAt && { durationMs: elapsed(i.startedAt, event.time) }),
        ...(event.outcome.kind !== 'completed' && { cause: event.outcome.cause }),
      }));
    case 'task.settled':
      return changeTask(view, event.task, {
        status: event.outcome.kind,
        ...(event.outcome.kind !== 'completed' && { cause: event.outcome.cause }),
      });
    case 'run.checked': {
      const { seq: _seq, time: _time, type: _type, ...check } = event;
      return { ...view, check };
    }
    case 'run.interrupted':
      return { ...view, interrupted: event.how };
    case 'run.healing':
      return { ...view, healings: view.healings + 1, cause: view.cause ?? event.cause };
    case 'run.resumed':
      return {
        ...reopened(view, event.reopened),
        changedInputs: [...new Set([...view.changedInputs, ...event.changes])],
      };
    case 'run.ended':
      return {
        ...view,
        status: event.outcome,
        endedAt: event.time,
        durationMs: elapsed(view.startedAt, event.time),
        ...(event.cause && { cause: event.cause }),
      };
    default:
      return view;
  }
}

/** The points are folded as a resume folds them, so that both know the same. */
function withHolds(view: RunView, event: RunEvent): RunView {
  const known = new Map(Object.entries(view.holds));
  const holds = foldHolds(known, event);
  return holds === known ? view : { ...view, holds: Object.fromEntries(holds) };
}

/** Milliseconds between two times of the journal; a clock that was set back in between makes it 0. */
function elapsed(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from));
}

/** The run goes on: what is open again waits again; attempts that were cut off stay as they were. */
function reopened(
  { endedAt: _e, durationMs: _d, cause: _c, interrupted: _i, paused: _p, ...view }: RunView,
  open: { readonly instances: readonly string[]; readonly tasks: readonly string[] },
): RunView {
  const instances = { ...view.instances };
  for (const id of open.instances) {
    const { endedAt: _, durationMs: __, cause: ___, ...instance } = instances[id] ?? waiting({ id, task: id }, 0);
    instances[id] = { ...instance, status: 'waiting' };
  }
  const tasks = { ...view.tasks };
  for (const id of open.tasks) {
    const { cause: _, ...task } = tasks[id] ?? { id, wave: 0, waitsFor: [] };
    tasks[id] = { ...task, status: 'waiting' };
  }
  return { ...view, status: 'running', instances, tasks };
}

/** The whole run from its facts. */
export function viewOf(events: Iterable<RunEvent>): RunView {
  let view = EMPTY;
  for (const event of events) view = foldRun(view, event);
  return view;
}

/** Sums over all attempts of some instances. */
export function usageOf(instances: Iterable<InstanceView>): Usage {
  const sum: Record<keyof Usage, number> = { ...NO_USAGE };
  for (const { attempts } of instances) {
    for (const { usage } of attempts) {
      for (const name of Object.keys(sum) as (keyof Usage)[]) sum[name] += usage[name];
    }
  }
  return sum;
}

export function entityCount({ entities }: InstanceView): number {
  return Object.values(entities).reduce((sum, count) => sum + count, 0);
}

export function repairCount({ attempts }: InstanceView): number {
  return attempts.reduce((sum, { repairs }) => sum + repairs.length, 0);
}

function waiting(ref: { id: string; task: string; itemKey?: string }, wave: number): InstanceView {
  return { ...ref, wave, status: 'waiting', attempts: [], entities: {}, relationships: 0, asksAnswered: 0 };
}

function change(view: RunView, id: string, by: (instance: InstanceView) => InstanceView): RunView {
  const instance = view.instances[id];
  return instance ? { ...view, instances: { ...view.instances, [id]: by(instance) } } : view;
}

function withCited(known: RunView['cited'], added: RunView['cited']): RunView['cited'] {
  const paths = Object.entries(added).map(([path, places]) => {
    const all = new Set([...(Object.hasOwn(known, path) ? known[path]! : []), ...places]);
    return [path, [...all].sort((a, b) => a - b)] as const;
  });
  return { ...known, ...Object.fromEntries(paths) };
}

function changeTask(view: RunView, id: string | undefined, by: Partial<TaskView>): RunView {
  const task = id === undefined ? undefined : view.tasks[id];
  return task ? { ...view, tasks: { ...view.tasks, [task.id]: { ...task, ...by } } } : view;
}

function attempt(
  view: RunView,
  { instance, attempt: number }: { instance: string; attempt: number },
  by: Partial<AttemptView> | ((attempt: AttemptView) => Partial<AttemptView>),
): RunView {
  return change(view, instance, (i) => ({
    ...i,
    attempts: i.attempts.map((a) => (a.attempt === number ? { ...a, ...(typeof by === 'function' ? by(a) : by) } : a)),
  }));
}
