/**
 * Every failure has exactly one class. Table-driven: the first row that fits decides, and the last fits everything.
 *
 * What OpenCode 1.18.33 reports was measured: a refused key is an `APIError` with status 401; its own five retries of
 * 429 and 5xx end in an `APIError` with that status, those of a broken connection in one without; a context that is too
 * large, compaction included, is a `ContextOverflowError`; a rejected permission ends the turn with no error at all.
 */
import type { FailureClass } from '../../schemas/failure.ts';
import type { Cause, Issue } from '../../schemas/run-event.ts';
import type { Judgement, ToolTally } from '../../schemas/session-event.ts';
import { ensureError, MusterError } from '../errors.ts';

/** A failure with its class. */
export interface AttemptFailure {
  /** Its `class` is always set. */
  readonly cause: Cause;
  readonly class: FailureClass;
  /** Whether the same can succeed later without a change by a person. */
  readonly retryable: boolean;
  /** Of a provider that said when to come again. */
  readonly retryAfterMs?: number;
}

/** What an attempt has handed in so far. */
export interface WorkSeen {
  /** Rows accepted. */
  readonly accepted: number;
  /** Rows refused by the last call that handed any in, so nobody mended them; 0 when that call was clean. */
  readonly refused: number;
}

/** What is known of a turn that ended without complete work. */
export interface TurnEnd {
  readonly judgement: Judgement;
  readonly issues?: readonly Issue[];
  readonly tools?: ToolTally;
  readonly work?: WorkSeen;
}

interface ProviderRow {
  readonly class: FailureClass;
  readonly names?: readonly string[];
  readonly statuses?: readonly number[];
  /** Of the provider's own code or of the message. */
  readonly text?: RegExp;
}

/**
 * First match wins. A spent quota comes as 429 like a rate limit and would be waited for in vain, so it stands first;
 * the words of a rate limit stand before the statuses, because some providers answer it with 403 or 503.
 */
const PROVIDER_ROWS: readonly ProviderRow[] = [
  { class: 'context-overflow', names: ['ContextOverflowError'], statuses: [413] },
  { class: 'context-overflow', text: /context[ _-]?length|maximum context|prompt is too long|too large to compact/i },
  { class: 'budget', statuses: [402] },
  {
    class: 'budget',
    text: /insufficient[ _-]?(quota|funds|balance|credit)|exceeded your current quota|billing|credit balance|out of credits/i,
  },
  { class: 'rate-limit', statuses: [429] },
  { class: 'rate-limit', text: /rate[ _-]?limit|too many requests|requests per (minute|day)|tokens per minute/i },
  { class: 'overload', statuses: [529] },
  { class: 'overload', text: /overloaded|at capacity|no capacity|server is busy/i },
  { class: 'auth', names: ['ProviderAuthError'], statuses: [401, 403] },
  {
    class: 'auth',
    text: /invalid api[ _-]?key|unauthori[sz]ed|model not found|model_not_found|does not exist or you do not have access/i,
  },
  { class: 'permission-refused', names: ['ContentFilterError'] },
  { class: 'permission-refused', text: /content[ _-]?(filter|policy)/i },
  { class: 'invalid-output', names: ['StructuredOutputError'] },
  { class: 'incomplete', names: ['MessageOutputLengthError'] },
  // The workspace's instance on the server is poisoned, and every session with it.
  { class: 'server-lost', text: /all fibers interrupted/i },
  { class: 'session-lost', names: ['MessageAbortedError'] },
  { class: 'provider-down', statuses: [408, 500, 502, 503, 504, 520, 521, 522, 523, 524] },
  {
    class: 'provider-down',
    text: /ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|connection|socket|fetch failed|network|timed? ?out/i,
  },
];

/** Causes of limits that muster set itself. */
const LIMIT_CLASSES = {
  stall: 'stall',
  'time-limit': 'time',
  'step-limit': 'budget',
  'token-limit': 'budget',
  'cost-limit': 'budget',
  'repeated-calls': 'loop',
} as const satisfies Record<string, FailureClass>;

/** Codes of our own errors; the others are bugs or surroundings of ours. */
const ERROR_CLASSES: Readonly<Record<string, FailureClass>> = {
  OPENCODE_LOST: 'server-lost',
  STREAM_LOST: 'server-lost',
};

/** The class of what a provider answered; undefined when nothing in it says so. */
export function providerClass(error: {
  readonly name?: string;
  readonly message: string;
  readonly status?: number;
  readonly providerCode?: string;
}): FailureClass | undefined {
  const { name, message, status, providerCode } = error;
  return PROVIDER_ROWS.find(
    (row) =>
      (name !== undefined && row.names?.includes(name)) ||
      (status !== undefined && row.statuses?.includes(status)) ||
      (row.text !== undefined &&
        (row.text.test(message) || (providerCode !== undefined && row.text.test(providerCode)))),
  )?.class;
}

/** A limit of our own that an attempt ran into. */
export function limitFailure(code: keyof typeof LIMIT_CLASSES, message: string): AttemptFailure {
  // Spending limits are not tried again: that would spend as much once more.
  return failure(LIMIT_CLASSES[code], code, message, LIMIT_CLASSES[code] !== 'budget');
}

/** A turn that ended, by the server or by an abort that was not ours, without the work being complete. */
export function turnFailure(end: TurnEnd): AttemptFailure {
  const { judgement } = end;
  switch (judgement.kind) {
    case 'failed':
      return serverFailure(judgement);
    case 'aborted':
      return failure('session-lost', 'aborted', 'the turn was aborted, not by muster', true);
    case 'interrupted':
      return failure('session-lost', 'interrupted', 'the server stopped in the middle of the turn', true);
    case 'not-started': {
      // The same words as an error of the provider, for a model or key that is refused before the first call.
      const known = providerClass(judgement);
      if (known === 'server-lost') return lostFailure(judgement.message);
      const isAuth = known === 'auth';
      return failure(isAuth ? 'auth' : 'session-lost', 'not-started', judgement.message, !isAuth);
    }
    case 'loop':
      return failure(
        'loop',
        'loop',
        'the model ended two calls in a row without a finish reason; the server would repeat it for ever',
        true,
      );
    case 'rejected':
      return failure('permission-refused', 'rejected', 'the turn stopped at something that was refused', true);
    case 'candidate':
    case 'truncated':
      return unfinished(end, judgement.kind === 'truncated');
  }
}

/** An error of one of our own effects. */
export function errorFailure(thrown: unknown): AttemptFailure {
  const error = ensureError(thrown);
  if (!(error instanceof MusterError)) return failure('bug', 'BUG', error.message, false);
  const { code, message, retryable } = error;
  if (code !== 'OPENCODE_REQUEST') return failure(ERROR_CLASSES[code] ?? 'bug', code, message, retryable);
  const { status } = error as { readonly status?: number };
  if (status === 401 || status === 403) return failure('auth', code, message, false);
  if (status === 404 || retryable) return failure('session-lost', code, message, true);
  return failure('bug', code, message, false);
}

/** Of anything thrown, where no attempt is concerned. */
export function errorCause(thrown: unknown): Cause {
  const { class: _, ...cause } = errorFailure(thrown).cause;
  return cause;
}

/** The server that held the session is gone. */
export function lostFailure(reason: string): AttemptFailure {
  return failure('server-lost', 'server-lost', reason, true);
}

/** The server did not let go of a turn that was to be broken off. */
export function unendedFailure(): AttemptFailure {
  return failure('session-lost', 'aborted', 'the server did not end the turn that muster broke off', true);
}

/** A person refused, or nobody decided in time. */
export function holdFailure(code: 'hold-rejected' | 'hold-expired', message: string): AttemptFailure {
  return failure('permission-refused', code, message, false);
}

function serverFailure(judgement: Extract<Judgement, { kind: 'failed' }>): AttemptFailure {
  const { error, message, retryable, retryAfterMs } = judgement;
  const known = providerClass({ ...judgement, name: error });
  if (known === 'server-lost') return lostFailure(message);
  return {
    ...failure(known ?? (retryable ? 'provider-down' : 'bug'), error, message, retryable),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** The turn ended as turns do; what is missing tells why. */
function unfinished({ tools, work }: TurnEnd, isTruncated: boolean): AttemptFailure {
  const refusal = tools?.lastFailed && REFUSED.test(tools.lastFailed.message);
  if (refusal) {
    return failure(
      'permission-refused',
      'rejected',
      `the agent stopped after ${tools.lastFailed?.tool} was refused`,
      true,
    );
  }
  if (tools?.lastFailed) {
    return failure('tool-error', 'tool-error', `the agent stopped after ${tools.lastFailed.tool} failed`, true);
  }
  if (work && work.refused > 0) {
    const rows = work.refused === 1 ? '1 refused row' : `${work.refused} refused rows`;
    return failure('invalid-output', 'invalid-output', `the agent stopped without mending ${rows}`, true);
  }
  if (isTruncated) {
    return failure('incomplete', 'truncated', 'the answer was cut off at the length limit of the model', true);
  }
  const message =
    work?.accepted === 0
      ? 'the agent ended its turn without having handed in anything'
      : 'the agent stopped without a complete submission';
  return failure('incomplete', 'incomplete', message, true);
}

const REFUSED = /rejected permission|specified a rule which prevents|dismissed this question|unavailable tool/i;

function failure(of: FailureClass, code: string, message: string, retryable: boolean): AttemptFailure {
  return { cause: { code, message, class: of }, class: of, retryable };
}
