/** What the orchestrator is given, hears and knows, and what is read from it: inputs of its actors, causes, facts. Pure. */
import type { DoneActorEvent, ErrorActorEvent } from 'xstate';
import type { Limits } from '../schemas/manifest.ts';
import type { Cause, InstanceRef, RunFact, RunOutcome } from '../schemas/run-event.ts';
import type { Usage } from '../schemas/session-event.ts';
import type { Plan, PlanInstance } from '../src/plan/plan.ts';
import { spentOf } from '../src/policy/budget.ts';
import { errorCause, holdFailure } from '../src/policy/classify.ts';
import { healingWaitMs } from '../src/policy/healing.ts';
import { type HoldDecision, holdPointOf } from '../src/policy/holds.ts';
import type { StreamNotice } from './event-stream.ts';
import type { HoldCommand, HoldInput } from './hold.ts';
import type { RunRules } from './orchestrator-rules.ts';
import type { ServerNotice } from './server.ts';
import type { TaskInput, TaskNotice, TaskOutput } from './task-ports.ts';

export interface OrchestratorInput {
  readonly plan: Plan;
  /** Instances at work at the same time. */
  readonly concurrency: number;
  /** By task id. */
  readonly limits: Readonly<Record<string, Limits>>;
  /** How long running turns may go on after the first interrupt; default 30 s. */
  readonly drainGraceMs?: number;
  /** Default: no pools, no holds, no budget, no policies. */
  readonly rules?: RunRules;
  /** What an earlier process of this run left; the plan then says what has ended. */
  readonly resumed?: {
    /** What the commits so far brought for fan-outs: entity → item keys. */
    readonly items: Readonly<Record<string, readonly string[]>>;
    /** Instances to take up, with their last attempt and the attempts that their limits do not count. */
    readonly instances: Readonly<Record<string, { readonly attempt: number; readonly spared: number }>>;
    /** Every instance is taken up: an earlier run may have done its work. */
    readonly all: boolean;
  };
}

export interface OrchestratorOutput {
  readonly outcome: RunOutcome;
  readonly cause: Cause | undefined;
  readonly plan: Plan;
  /** The run did not end: whoever started it goes on with it after this wait, with another server. */
  readonly healsAfterMs?: number;
}

export interface OrchestratorContext {
  readonly plan: Plan;
  readonly concurrency: number;
  readonly limits: Readonly<Record<string, Limits>>;
  readonly drainGraceMs: number;
  readonly rules: RunRules;
  /** What each attempt has used (src/policy/budget.ts). */
  readonly spent: Readonly<Record<string, Usage>>;
  /** Tasks whose `before` point was opened, and those that were released. */
  readonly opened: readonly string[];
  readonly released: readonly string[];
  /** Instances that wait for a person. */
  readonly held: readonly string[];
  /** Why the run pauses. */
  readonly paused: Cause | undefined;
  readonly resumed: NonNullable<OrchestratorInput['resumed']>;
  /** What the commits of this run brought for fan-outs: entity → item keys. */
  readonly items: Readonly<Record<string, readonly string[]>>;
  /** Why the run cannot go on, when that is not an instance's own failure. */
  readonly cause: Cause | undefined;
  readonly interrupted: boolean;
  readonly serverEnded: boolean;
  /** The run cannot go on because its server, or the way to it, is lost. */
  readonly lost: boolean;
  /** Losses in a row so far, without this one. */
  readonly losses: number;
}

export type Settled = { readonly type: 'task.settled' } & TaskOutput;

/** `drain`: finish what runs, start nothing. `abort`: stop now. */
export type RunCommand =
  | { readonly type: 'run.drain'; readonly reason: string }
  | { readonly type: 'run.abort'; readonly reason: string };

/** A person decided at a point: `before:itp-generation`, `after:pqp-generation`. */
export type RunDecision = {
  readonly type: 'run.decide';
  readonly point: string;
  readonly decision: HoldCommand['decision'];
};

export type HoldClosed = { readonly type: 'hold.closed'; readonly task: string; readonly decision: HoldDecision };

export type OrchestratorEvent =
  | RunCommand
  | RunDecision
  | HoldClosed
  | TaskNotice
  | Settled
  | ServerNotice
  | StreamNotice
  | DoneActorEvent<TaskOutput | HoldDecision | { readonly cause: Cause | undefined }, string>
  | ErrorActorEvent<unknown, string>;

export function contextOf(input: OrchestratorInput): OrchestratorContext {
  return {
    plan: input.plan,
    concurrency: input.concurrency,
    limits: input.limits,
    drainGraceMs: input.drainGraceMs ?? 30_000,
    rules: input.rules ?? {},
    spent: input.rules?.spent ?? {},
    opened: [],
    released: [],
    held: [],
    paused: undefined,
    resumed: input.resumed ?? { items: {}, instances: {}, all: false },
    items: input.resumed?.items ?? {},
    cause: undefined,
    interrupted: false,
    serverEnded: false,
    lost: false,
    losses: input.rules?.healing?.losses ?? 0,
  };
}

export function instanceRef({ id, task, itemKey }: PlanInstance): InstanceRef {
  return { id, task, ...(itemKey !== undefined && { itemKey }) };
}

export function taskInput({ limits, resumed, rules }: OrchestratorContext, instance: PlanInstance): TaskInput {
  const ref = instanceRef(instance);
  const of = limits[instance.task]!;
  const known = resumed.instances[instance.id] ?? (resumed.all ? { attempt: 0, spared: 0 } : undefined);
  const policy = rules.policies?.[instance.task];
  const knownHold = rules.knownHolds?.[holdPointOf('after', instance.id)];
  const shared = { instance: ref, ...(policy && { policy }), ...(knownHold && { knownHold }) };
  if (!known) return { ...shared, limits: of };
  return {
    ...shared,
    limits: { ...of, attempts: of.attempts + known.spared },
    resumed: { attempt: known.attempt },
  };
}

export function interruptCause(reason: string): Cause {
  return { code: 'interrupted', message: reason };
}

/** Why what is open ends, when it has to. */
export function endCause({ cause, paused }: OrchestratorContext): Cause {
  return cause ?? paused ?? interruptCause('the run was interrupted');
}

export function holdInputOf({ rules }: OrchestratorContext, task: string): HoldInput {
  const { reason = '', timeoutMs } = rules.holdBefore?.[task] ?? {};
  const point = holdPointOf('before', task);
  const before = rules.knownHolds?.[point];
  return {
    point,
    when: 'before',
    of: task,
    reason,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(before && { before }),
  };
}

/** The provider refuses everybody: said once, for the whole run. */
export function stopCause({ instance, stop }: Settled): Cause {
  const message = `the provider refused ${instance}, and would refuse every session: ${stop?.cause.message}. Nothing was lost: put the key or the model right, and go on with "muster resume"`;
  return { code: 'PROVIDER_AUTH', message, class: 'auth' };
}

export function pauseCause({ instance, stop }: Settled): Cause {
  const message = `the provider takes no more calls of ${instance}: ${stop?.cause.message}. Nothing is lost: go on with "muster resume" when it does`;
  return { code: 'paused', message, class: 'budget' };
}

export function pausedFact(context: OrchestratorContext): RunFact {
  return { type: 'run.paused', cause: endCause(context), spent: spentOf(context.spent) };
}

export function isWhole(plan: Plan): boolean {
  return Object.values(plan.tasks).every((task) => task.outcome?.kind === 'completed');
}

export function outcomeOf({ plan, cause, interrupted, paused }: OrchestratorContext): OrchestratorOutput['outcome'] {
  if (isWhole(plan) && !cause) return 'completed';
  if (paused && !cause) return 'paused';
  return interrupted && !cause ? 'cancelled' : 'failed';
}

/** The number of this loss, when the run goes on after it. */
export function healedLoss(context: OrchestratorContext): number | undefined {
  const { lost, losses, interrupted, plan, rules } = context;
  const isOver = !lost || interrupted || isWhole(plan);
  return isOver || losses >= (rules.healing?.lossesMax ?? 0) ? undefined : losses + 1;
}

export function endFact(context: OrchestratorContext): RunFact {
  const { cause, paused, rules } = context;
  const loss = healedLoss(context);
  if (loss !== undefined) {
    const lossesMax = rules.healing?.lossesMax ?? 0;
    return { type: 'run.healing', cause: endCause(context), loss, lossesMax, waitMs: healingWaitMs(loss) };
  }
  const outcome = outcomeOf(context);
  return { type: 'run.ended', outcome, ...((cause ?? paused) && { cause: endCause(context) }) };
}

export function outputOf(context: OrchestratorContext): OrchestratorOutput {
  const loss = healedLoss(context);
  return {
    outcome: outcomeOf(context),
    cause: context.cause,
    plan: context.plan,
    ...(loss !== undefined && { healsAfterMs: healingWaitMs(loss) }),
  };
}

/** O2: whatever an actor threw is a failed instance or a lost server, told by name. */
export function crash(thrown: unknown): Cause {
  return { code: 'BUG', message: errorCause(thrown).message };
}

export function denied(task: string, decision: HoldDecision): { readonly cause: Cause } {
  if (decision.kind === 'rejected') {
    return holdFailure('hold-rejected', `${decision.by} did not release ${task}: ${decision.reason}`);
  }
  const timeoutMs = decision.kind === 'expired' ? decision.timeoutMs : 0;
  return holdFailure('hold-expired', `nobody released ${task} within ${timeoutMs} ms (hold.timeoutMs)`);
}
