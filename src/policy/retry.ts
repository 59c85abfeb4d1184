/** What follows a failed attempt: a fresh session after a while, or the end. Decided once, by the cause. */
import type { Cause } from '../../schemas/run-event.ts';
import type { Judgement } from '../../schemas/session-event.ts';
import { ensureError, MusterError } from '../errors.ts';

export interface AttemptFailure {
  readonly cause: Cause;
  /** Whether a fresh session can do better. */
  readonly retryable: boolean;
}

/** Longest wait between two attempts. */
const MAX_BACKOFF_MS = 30_000;
const FIRST_BACKOFF_MS = 1_000;

/** Wait before attempt `attempt + 1`: 1 s, 2 s, 4 s… up to 30 s. */
export function backoffMs(attempt: number): number {
  return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
}

/** A limit of our own that an attempt ran into. Spending limits are not tried again: that would spend as much once more. */
export function limitFailure(
  code: 'stall' | 'time-limit' | 'step-limit' | 'token-limit' | 'cost-limit',
  message: string,
): AttemptFailure {
  return { cause: { code, message }, retryable: code === 'stall' || code === 'time-limit' };
}

/** A turn that the server ended without the work being complete. */
export function turnFailure(judgement: Judgement): AttemptFailure {
  switch (judgement.kind) {
    case 'failed':
      return { cause: { code: judgement.error, message: judgement.message }, retryable: judgement.retryable };
    case 'aborted':
      return { cause: { code: 'aborted', message: 'the turn was aborted, not by muster' }, retryable: true };
    case 'interrupted':
      return {
        cause: { code: 'interrupted', message: 'the server stopped in the middle of the turn' },
        retryable: true,
      };
    case 'not-started':
      return { cause: { code: 'not-started', message: judgement.message }, retryable: true };
    case 'loop':
      return {
        cause: {
          code: 'loop',
          message: 'the model ended two calls in a row without a finish reason; the server would repeat it for ever',
        },
        retryable: true,
      };
    case 'candidate':
    case 'truncated':
    case 'rejected':
      return {
        cause: { code: 'incomplete', message: 'the agent stopped without a complete submission, after all repairs' },
        retryable: true,
      };
  }
}

/** An error of one of our own effects. */
export function errorFailure(thrown: unknown): AttemptFailure {
  const error = ensureError(thrown);
  if (error instanceof MusterError) {
    return { cause: { code: error.code, message: error.message }, retryable: error.retryable };
  }
  return { cause: { code: 'BUG', message: error.message }, retryable: false };
}
