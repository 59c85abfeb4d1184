/** What a task actor knows, and what is read from it: requests, facts and failures. Pure. */
import type { Answer } from '../schemas/failure.ts';
import type { Cause, Issue, Outcome, RunFact } from '../schemas/run-event.ts';
import { type Judgement, NO_USAGE, type ToolTally, type Usage } from '../schemas/session-event.ts';
import { type AttemptFailure, holdFailure, type turnFailure, type WorkSeen } from '../src/policy/classify.ts';
import { type HoldDecision, holdPointOf } from '../src/policy/holds.ts';
import type { HoldInput } from './hold.ts';
import type { KnownHold } from './task-answer.ts';
import type { GateRequest, OpenedSession, ResumedStart, TaskInput, TaskNotice, TaskOutput } from './task-ports.ts';

export interface TaskMachineContext extends TaskInput {
  readonly attempt: number;
  /** Turns of the present attempt. */
  readonly turn: number;
  /** Repairs of the present attempt. */
  readonly repair: number;
  /** The turn that goes on after an interruption; 0 when there is none. */
  readonly continuedTurn: number;
  readonly session: OpenedSession | undefined;
  readonly judgement: Judgement | undefined;
  readonly issues: readonly Issue[];
  readonly usage: Usage;
  readonly retryWaitMs: number;
  /** What the agent's tools did in the last turn, and what it had handed in. */
  readonly tools: ToolTally | undefined;
  readonly work: WorkSeen | undefined;
  /** What follows the last failure. */
  readonly answer: Answer | undefined;
  readonly adjustment: string | undefined;
  /** Models used so far, the present one last; empty without a policy. */
  readonly models: readonly string[];
  /** Waits in which the session stayed, or for the provider, since a model call last gave something. */
  readonly waits: number;
  readonly waitedMs: number;
  readonly splits: number;
  /** Repairs that a person asked for: limits do not count them. */
  readonly rejections: number;
  /** What an earlier process left of its point; used up by the first time it is held. */
  readonly holdBefore: KnownHold | undefined;
  /** What follows the gate. */
  readonly next: 'open' | 'prompt' | 'repair';
  readonly failure: AttemptFailure | undefined;
  /** The cause of the attempt before, told to the next session. */
  readonly previous: Cause | undefined;
  readonly cancelled: Cause | undefined;
  readonly outcome: Outcome;
  readonly items: Readonly<Record<string, readonly string[]>>;
}

const NEVER_STARTED: Outcome = {
  kind: 'cancelled',
  cause: { code: 'BUG', message: 'the task ended without an outcome' },
};

export function contextOf(input: TaskInput): TaskMachineContext {
  return {
    ...input,
    attempt: input.resumed?.attempt ?? 0,
    turn: 0,
    repair: 0,
    continuedTurn: 0,
    session: undefined,
    judgement: undefined,
    issues: [],
    usage: NO_USAGE,
    retryWaitMs: 0,
    tools: undefined,
    work: undefined,
    answer: undefined,
    adjustment: undefined,
    models: input.policy ? [input.policy.model] : [],
    waits: 0,
    waitedMs: 0,
    splits: 0,
    rejections: 0,
    holdBefore: input.knownHold,
    next: 'open',
    failure: undefined,
    previous: undefined,
    cancelled: undefined,
    outcome: NEVER_STARTED,
    items: {},
  };
}

const TRIES_AGAIN = new Set<string | undefined>(['fresh-session', 'split', 'fallback-model', 'back-off']);

export function triesAgain({ answer }: TaskMachineContext): boolean {
  return TRIES_AGAIN.has(answer?.kind);
}

export function turnEnd({ judgement, issues, tools, work }: TaskMachineContext): Parameters<typeof turnFailure>[0] {
  return { judgement: judgement ?? { kind: 'interrupted' }, issues, ...(tools && { tools }), ...(work && { work }) };
}

export function told({ models, adjustment }: TaskMachineContext): {
  readonly model?: string;
  readonly adjustment?: string;
} {
  const model = models.at(-1);
  return { ...(model !== undefined && { model }), ...(adjustment !== undefined && { adjustment }) };
}

export function gateRequest({ context }: { context: TaskMachineContext }): GateRequest {
  return { instance: context.instance, model: context.models.at(-1) ?? '' };
}

export function spent({
  context,
  event,
}: {
  context: TaskMachineContext;
  event: { readonly usage: Usage };
}): TaskNotice {
  return { type: 'task.spent', instance: context.instance.id, attempt: context.attempt, usage: event.usage };
}

export function cancelCause(cause: Cause | undefined): Cause | undefined {
  return cause && { ...cause, class: cause.class ?? 'cancelled' };
}

export function holdInput({ instance, policy, holdBefore }: TaskMachineContext): HoldInput {
  const { reason = '', timeoutMs } = policy?.hold ?? {};
  return {
    point: holdPointOf('after', instance.id),
    when: 'after',
    of: instance.id,
    reason,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(holdBefore && { before: holdBefore }),
  };
}

export function rejectionOf(decision: HoldDecision): { readonly by: string; readonly reason: string } {
  return decision.kind === 'rejected' ? decision : { by: 'nobody', reason: '' };
}

export function expiredFailure(decision: HoldDecision): AttemptFailure {
  const { timeoutMs } = decision.kind === 'expired' ? decision : { timeoutMs: 0 };
  return holdFailure('hold-expired', `nobody released it within ${timeoutMs} ms (hold.timeoutMs)`);
}

/** The run cannot go on with anybody: told once, by whoever met it first. */
export function stopOf({ answer, failure }: TaskMachineContext): Pick<TaskOutput, 'stop'> {
  if (!failure || (answer?.kind !== 'stop-run' && answer?.kind !== 'pause-run')) return {};
  return { stop: { how: answer.kind, cause: failure.cause } };
}

export function resumedFact({
  context,
  event,
}: {
  context: TaskMachineContext;
  event: { output: ResumedStart };
}): RunFact {
  const { step, attempt } = event.output;
  const cause = 'previous' in event.output ? event.output.previous : undefined;
  return { type: 'instance.resumed', instance: context.instance.id, attempt, step, ...(cause && { cause }) };
}

export function sessionOf(start: ResumedStart): OpenedSession {
  return 'session' in start ? start.session : { sessionId: '', apiSessionId: '' };
}
