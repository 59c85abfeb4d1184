/** What can go wrong with an attempt, and what can follow: the words of policy, journal and report. */

/** Every failure has exactly one of these classes (src/policy/classify.ts). */
export const FAILURE_CLASSES = [
  /** Rows were handed in and refused, and the agent did not mend them. */
  'invalid-output',
  /** The agent ended its turn, and what it owes is not there. */
  'incomplete',
  /** The agent gave up after a tool failed. */
  'tool-error',
  /** A permission, a question, a person or the provider's filter refused what the agent wanted. */
  'permission-refused',
  /** The provider takes no more calls for now. */
  'rate-limit',
  /** The provider has no capacity for now. */
  'overload',
  /** The provider cannot be reached, or its answer is broken. */
  'provider-down',
  /** The provider refuses the key, the account or the model. */
  'auth',
  /** The session no longer fits into the model's context, compaction included. */
  'context-overflow',
  /** The same again and again: tool calls, or model calls without a finish reason. */
  'loop',
  /** Silence for longer than allowed. */
  'stall',
  /** The attempt took longer than allowed. */
  'time',
  /** Money, tokens or calls ran out: of the attempt, or at the provider. */
  'budget',
  /** The OpenCode server is gone. */
  'server-lost',
  /** The session, or its turn, is gone although the server is there. */
  'session-lost',
  /** Told to end: an interrupt, a pause, the end of the run. */
  'cancelled',
  /** Wrong in itself: muster's own fault or that of its surroundings; the same again gives the same. */
  'bug',
] as const;

export type FailureClass = (typeof FAILURE_CLASSES)[number];

/** What muster does about a failure (src/policy/answer.ts). */
export const ANSWER_KINDS = [
  /** A further turn in the same session, with what is wrong. */
  'repair',
  /** A new session, told what went wrong in the one before. */
  'fresh-session',
  /** Wait, then go on in the same session. */
  'back-off',
  /** Go on with another model. */
  'fallback-model',
  /** A new session that works in smaller portions. */
  'split',
  /** The run stops here and can be resumed. */
  'pause-run',
  /** The run ends: every other session would meet the same. */
  'stop-run',
  'give-up',
] as const;

export type AnswerKind = (typeof ANSWER_KINDS)[number];

export interface Answer {
  readonly kind: AnswerKind;
  /** Before it is carried out; 0 = at once. */
  readonly waitMs: number;
  /** `provider/model` from now on; absent = as before. */
  readonly model?: string;
  /** Why not something better, in words. */
  readonly reason: string;
}
