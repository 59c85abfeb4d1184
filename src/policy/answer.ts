/**
 * What follows a failure: decided once, by its class, by what was tried before, and by what the manifest says. Pure.
 *
 * The work of an agent is kept as long as it can be: a repair or a wait goes on in the same session; only a session that
 * is gone, or that went astray, is given up for a new one. Waits count no attempt, whether
 * for a provider or after others broke a turn off.
 */
import type { Answer, AnswerKind, FailureClass } from '../../schemas/failure.ts';
import type { Limits, RetrySettings } from '../../schemas/manifest.ts';
import type { AttemptFailure } from './classify.ts';

/** What was tried for this instance so far. */
export interface AttemptHistory {
  /** Number of the present attempt, from 1. */
  readonly attempt: number;
  /** Repairs of the present session. */
  readonly repairs: number;
  /** The turn ended as turns do, so that a repair can follow in the same session. */
  readonly canRepair: boolean;
  /** The provider failed, or others broke the turn off, and the session is there: it can go on later. */
  readonly canContinue: boolean;
  /** An earlier process began it: some of what it spent, perhaps, while nobody watched. Default false. */
  readonly isTakenUp?: boolean;
  /** Waits for a provider, or after others broke a turn off, since a model call last succeeded; how long together. */
  readonly waits: number;
  readonly waitedMs: number;
  /** New sessions in smaller portions so far. */
  readonly splits: number;
  /** `provider/model` used so far, the present one last; empty when it is not known. */
  readonly models: readonly string[];
}

export interface AnswerPolicy {
  readonly limits: Pick<Limits, 'attempts' | 'repairs'>;
  readonly retry: RetrySettings;
}

/** Remedies in the order in which they are considered; none left = give up. */
const REMEDIES: Readonly<Record<FailureClass, readonly AnswerKind[]>> = {
  'invalid-output': ['repair', 'fresh-session'],
  incomplete: ['repair', 'fresh-session'],
  'tool-error': ['repair', 'fresh-session'],
  'permission-refused': ['repair', 'fresh-session'],
  'rate-limit': ['fallback-model', 'back-off', 'pause-run'],
  overload: ['fallback-model', 'back-off'],
  'provider-down': ['fallback-model', 'back-off'],
  auth: ['fallback-model', 'stop-run'],
  'context-overflow': ['split', 'fallback-model'],
  loop: ['fresh-session'],
  stall: ['fresh-session'],
  time: ['fresh-session'],
  budget: ['fallback-model', 'pause-run'],
  'server-lost': ['fresh-session'],
  'session-lost': ['back-off', 'fresh-session'],
  cancelled: [],
  bug: ['fresh-session'],
};

/** Classes in which trying the same again helps only when the failure itself says so. */
const NEEDS_RETRYABLE = new Set<FailureClass>(['bug', 'session-lost', 'permission-refused']);
/** The provider itself refuses: another model of the same one meets the same. */
const NEEDS_OTHER_PROVIDER = new Set<FailureClass>(['auth', 'budget']);
/** The provider may recover: so many waits before another model takes over. */
const WAITS_BEFORE_FALLBACK = 2;
const MAY_RECOVER = new Set<FailureClass>(['rate-limit', 'overload', 'provider-down']);
/** Limits that the manifest set for one attempt: another one would spend as much again. */
const OWN_LIMITS = new Set(['step-limit', 'token-limit', 'cost-limit']);
/** Of an own limit, where another attempt is right at all. */
const AGAIN: readonly AnswerKind[] = ['fresh-session'];
const MAX_SPLITS = 1;

/**
 * @param random from 0 up to 1: spreads the waits of many instances, so that they do not come back in step
 */
export function answerTo(
  failure: AttemptFailure,
  history: AttemptHistory,
  policy: AnswerPolicy,
  random: number,
): Answer {
  const why = refusal(failure, history, policy);
  if (why !== undefined) return { kind: 'give-up', waitMs: 0, reason: why };
  for (const kind of OWN_LIMITS.has(failure.cause.code) ? AGAIN : REMEDIES[failure.class]) {
    const answer = remedy(kind, failure, history, policy, random);
    if (answer) return answer;
  }
  return { kind: 'give-up', waitMs: 0, reason: exhausted(failure, history, policy) };
}

/** Wait before attempt `attempt + 1`: doubled each time, up to the longest. Defaults: 1 s, 2 s, 4 s… up to 30 s. */
export function backoffMs(attempt: number, { firstWaitMs, longestWaitMs } = DEFAULT_WAITS): number {
  return Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(30, attempt - 1));
}

const DEFAULT_WAITS = { firstWaitMs: 1_000, longestWaitMs: 30_000 };

/** Never before `retryAfterMs`; the rest is spread over half of the wait. */
export function jitteredMs(baseMs: number, retryAfterMs: number | undefined, random: number): number {
  const spread = baseMs / 2 + (random * baseMs) / 2;
  if (retryAfterMs === undefined) return Math.round(spread);
  return Math.round(Math.max(spread, retryAfterMs + random * Math.min(5_000, 250 + retryAfterMs / 4)));
}

function refusal(
  { class: of, cause, retryable }: AttemptFailure,
  { isTakenUp }: AttemptHistory,
  { retry }: AnswerPolicy,
): string | undefined {
  if (of === 'cancelled') return 'it was told to end';
  if (retry.giveUpOn.includes(of)) return `the manifest gives up on ${of} (retry.giveUpOn)`;
  // A session that was left alone may have called its model for ever: that says nothing about one that is watched.
  if (OWN_LIMITS.has(cause.code) && !isTakenUp) return 'a further attempt would spend as much again';
  if (NEEDS_RETRYABLE.has(of) && !retryable) return 'the same again would fail in the same way';
  return undefined;
}

function remedy(
  kind: AnswerKind,
  failure: AttemptFailure,
  history: AttemptHistory,
  policy: AnswerPolicy,
  random: number,
): Answer | undefined {
  const { limits, retry } = policy;
  const attemptsLeft = limits.attempts - history.attempt;
  const freshWaitMs = backoffMs(Math.max(1, history.attempt), retry);
  switch (kind) {
    case 'repair':
      if (!history.canRepair || history.repairs >= limits.repairs) return undefined;
      return { kind, waitMs: 0, reason: `repair ${history.repairs + 1} of ${limits.repairs} in the same session` };
    case 'fresh-session':
      if (attemptsLeft < 1) return undefined;
      return { kind, waitMs: freshWaitMs, reason: `attempt ${history.attempt + 1} of ${limits.attempts}` };
    case 'split':
      if (attemptsLeft < 1 || history.splits >= MAX_SPLITS) return undefined;
      return { kind, waitMs: freshWaitMs, reason: 'a new session that works in smaller portions' };
    case 'back-off':
      // A session that is gone comes back by no wait.
      if (failure.class === 'session-lost' && !history.canContinue) return undefined;
      return backOff(failure, history, policy, random);
    case 'fallback-model':
      return fallback(failure, history, policy);
    case 'pause-run':
      // A rate limit is waited for; one that lasts longer than the patience is a quota.
      if (failure.class === 'rate-limit' && (failure.retryAfterMs ?? 0) <= retry.patienceMs) return undefined;
      return { kind, waitMs: 0, reason: 'the provider takes no more calls for now; resume when it does' };
    case 'stop-run':
      return { kind, waitMs: 0, reason: 'every session of this provider would be refused' };
    case 'give-up':
      return undefined;
  }
}

function backOff(
  failure: AttemptFailure,
  history: AttemptHistory,
  { limits, retry }: AnswerPolicy,
  random: number,
): Answer | undefined {
  const waitMs = jitteredMs(backoffMs(history.waits + 1, retry), failure.retryAfterMs, random);
  if (history.waitedMs + waitMs > retry.patienceMs) return undefined;
  const leftMs = retry.patienceMs - history.waitedMs - waitMs;
  if (history.canContinue)
    return { kind: 'back-off', waitMs, reason: `then the same session; ${leftMs} ms of patience left` };
  if (history.attempt >= limits.attempts) return undefined;
  return { kind: 'fresh-session', waitMs, reason: 'the session cannot go on' };
}

function fallback(
  failure: AttemptFailure,
  history: AttemptHistory,
  { limits, retry }: AnswerPolicy,
): Answer | undefined {
  const present = history.models.at(-1);
  if (present === undefined) return undefined;
  if (MAY_RECOVER.has(failure.class) && history.waits < WAITS_BEFORE_FALLBACK && !isBeyondPatience(failure, retry)) {
    return undefined;
  }
  const isOther = NEEDS_OTHER_PROVIDER.has(failure.class);
  const model = retry.fallbackModels.find(
    (one) => !history.models.includes(one) && (!isOther || providerOf(one) !== providerOf(present)),
  );
  if (model === undefined) return undefined;
  if (!history.canContinue && history.attempt >= limits.attempts) return undefined;
  return { kind: 'fallback-model', waitMs: 0, model, reason: `in place of ${present}` };
}

function isBeyondPatience({ retryAfterMs }: AttemptFailure, { patienceMs }: RetrySettings): boolean {
  return (retryAfterMs ?? 0) > patienceMs;
}

/** `anthropic/claude-sonnet-4-5` → `anthropic`. */
export function providerOf(model: string): string {
  return model.split('/', 1)[0] ?? model;
}

function exhausted(
  { class: of }: AttemptFailure,
  { attempt, waitedMs }: AttemptHistory,
  { limits, retry }: AnswerPolicy,
): string {
  if (MAY_RECOVER.has(of)) return `waited ${waitedMs} ms of ${retry.patienceMs} ms (retry.patienceMs)`;
  return attempt >= limits.attempts
    ? `attempt ${attempt} was the last of ${limits.attempts} (limits.attempts)`
    : 'nothing that could help is left';
}

/**
 * A number from 0 up to 1 that depends on the text alone: chance where there is none, the same on every replay.
 */
export function spreadOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // The low bits of FNV are poor: mixed once more.
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}
