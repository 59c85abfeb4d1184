/**
 * What the engine hears of an agent session, in words that survive a change of the server's wire format.
 *
 * Only these reach a statechart. Text deltas, tool progress and heartbeats go to the event log and to counters.
 */

/** Tokens and cost of one attempt so far; tokens count input, output, reasoning and cache together where not split. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** In the currency of the provider's price list (US dollars for OpenCode's catalogue). */
  readonly cost: number;
  /** Model calls that ended. */
  readonly steps: number;
}

export const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cost: 0,
  steps: 0,
};

/**
 * How a turn ended. `candidate`: the server is done and validation decides; every other kind is a reason why the turn
 * itself went wrong. `loop`: two model calls in a row without a finish reason (the server would go on for ever).
 */
export type Judgement =
  | { readonly kind: 'candidate' }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'rejected' }
  | {
      readonly kind: 'failed';
      readonly error: string;
      readonly message: string;
      readonly retryable: boolean;
      /** HTTP status of the provider's answer. */
      readonly status?: number;
      /** The provider's own name of the error, such as `insufficient_quota`. */
      readonly providerCode?: string;
      /** As the provider's `retry-after` asked for. */
      readonly retryAfterMs?: number;
    }
  | { readonly kind: 'aborted'; readonly byUs: boolean }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'not-started'; readonly message: string }
  | { readonly kind: 'loop' };

/** Tool calls of one turn that ended. */
export interface ToolTally {
  readonly calls: number;
  readonly failed: number;
  /** Present when the last call that ended had failed. */
  readonly lastFailed?: { readonly tool: string; readonly message: string };
}

export type SessionEvent =
  /** Our message was taken up: evidence of start. */
  | { readonly type: 'session.started'; readonly messageId: string }
  /** Something of this session arrived; coalesced to at most one a second. Feeds the stall clock. */
  | { readonly type: 'session.activity' }
  /** A model call ended. */
  | { readonly type: 'session.usage'; readonly usage: Usage }
  /** The server waits `waitMs` from now before it calls the model again; until then the session is alive. */
  | {
      readonly type: 'session.retrying';
      readonly attempt: number;
      readonly message: string;
      readonly waitMs: number;
    }
  /** The turn that answers `messageId` is over; sent once for each prompt. */
  | {
      readonly type: 'session.turn-ended';
      readonly messageId: string;
      readonly judgement: Judgement;
      readonly tools?: ToolTally;
    }
  /** The same tool calls in a row, or the same two or three in turn, `times` times over. */
  | { readonly type: 'session.repeating'; readonly tool: string; readonly times: number }
  /** The server that held the session is gone. */
  | { readonly type: 'session.lost'; readonly reason: string };
