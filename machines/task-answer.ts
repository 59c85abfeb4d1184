/** How the task machine asks the policy: its context in, the answer and the words for the next prompt out. */

import type { Answer } from '../schemas/failure.ts';
import { DEFAULT_RETRY, type Limits, type RetrySettings } from '../schemas/manifest.ts';
import type { InstanceRef, Issue } from '../schemas/run-event.ts';
import type { Judgement, ToolTally } from '../schemas/session-event.ts';
import { adjustmentFor } from '../src/policy/adjustment.ts';
import { answerTo, spreadOf } from '../src/policy/answer.ts';
import { type AttemptFailure, limitFailure, type WorkSeen } from '../src/policy/classify.ts';
import type { HoldBefore } from './hold.ts';

/** What the manifest says of one task beside its limits. */
export interface TaskPolicy {
  /** `provider/model` of the first attempt. */
  readonly model: string;
  readonly retry: RetrySettings;
  /** The work waits for a person before it is committed. */
  readonly hold?: { readonly reason: string; readonly timeoutMs?: number };
}

/** What an earlier process left of the instance's point. */
export type KnownHold = HoldBefore;

/** What of a task's context decides. */
export interface Weighable {
  readonly instance: InstanceRef;
  readonly limits: Limits;
  readonly policy?: TaskPolicy;
  readonly attempt: number;
  readonly repair: number;
  readonly rejections: number;
  readonly session: object | undefined;
  readonly judgement: Judgement | undefined;
  readonly issues: readonly Issue[];
  readonly tools: ToolTally | undefined;
  readonly work: WorkSeen | undefined;
  readonly models: readonly string[];
  readonly waits: number;
  readonly waitedMs: number;
  readonly splits: number;
  readonly resumed?: { readonly attempt: number };
}

export interface Weighed {
  readonly answer: Answer;
  readonly adjustment: string | undefined;
}

/** Pure: the same context gives the same answer, on every replay. */
export function weigh(context: Weighable, failure: AttemptFailure): Weighed {
  const { instance, limits, attempt, judgement, session, waits, waitedMs, splits, models, issues, tools, work } =
    context;
  const answer = answerTo(
    failure,
    {
      attempt,
      isTakenUp: context.resumed?.attempt === attempt,
      repairs: context.repair - context.rejections,
      canRepair: session !== undefined && isRepairable(context),
      canContinue: session !== undefined && goesOn(judgement),
      waits,
      waitedMs,
      splits,
      models,
    },
    { limits, retry: retryOf(context) },
    spreadOf(`${instance.id} ${attempt} ${waits}`),
  );
  const adjustment = adjustmentFor({
    failure,
    answer: answer.kind,
    issues,
    ...(tools && { tools }),
    ...(work && { work }),
  });
  return { answer, adjustment };
}

export function retryOf({ policy }: Pick<Weighable, 'policy'>): RetrySettings {
  return policy?.retry ?? DEFAULT_RETRY;
}

/** The turn ended as turns do, so that the same session can go on. */
function isRepairable({ judgement }: Weighable): boolean {
  return ['candidate', 'truncated', 'rejected'].includes(judgement?.kind ?? '');
}

/** The provider failed, or somebody else broke the turn off: that says nothing about the session. */
export function goesOn(judgement: Judgement | undefined): boolean {
  return ['failed', 'aborted', 'interrupted'].includes(judgement?.kind ?? '');
}

/** The server announced a wait that is longer than anybody is to wait. */
export function waitFailure(message: string, waitMs: number): AttemptFailure {
  const cause = {
    code: 'retry-wait',
    message: `the provider takes no call for ${waitMs} ms: ${message}`,
    class: 'rate-limit' as const,
  };
  return { cause, class: 'rate-limit', retryable: true, retryAfterMs: waitMs };
}

export function timeFailure(attemptMs: number): AttemptFailure {
  return limitFailure('time-limit', `the attempt took longer than ${attemptMs} ms (limits.attemptMs)`);
}

export function stallFailure(stallMs: number): AttemptFailure {
  return limitFailure('stall', `no event of the session for ${stallMs} ms (limits.stallMs)`);
}
