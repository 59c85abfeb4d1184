/**
 * What is known of one turn: the prompt with our message id, and everything the server did to answer it.
 *
 * A pure fold. Every step is idempotent and monotonic: a completed message stays completed, an error stays, so frames
 * may arrive twice, late (from the history after a gap) or not at all, and the state is never less true for it. Only
 * the status follows arrival order; it is never replayed.
 */
import { type Frame, isRecord, type Properties, textOf } from './frames.ts';
import { messageInfo, type ReplyInfo, type ServerError, serverError } from './message-info.ts';

export interface TurnState {
  readonly sessionId: string;
  /** Our own user message. */
  readonly messageId: string;
  /** User messages whose answers answer us: ours, then those that compactions put in its place. */
  readonly chain: readonly string[];
  readonly isPromptSeen: boolean;
  /** True once the session was seen at work since the turn began. */
  readonly hasRun: boolean;
  readonly status: 'unknown' | 'busy' | 'retry' | 'idle';
  /** True when `session.idle` was the last word on the status; `session.status` alone comes a moment earlier. */
  readonly isIdleTold: boolean;
  readonly wantsStructure: boolean;
  /** Newest model calls of the session in order, whoever they answer; at most {@link MAX_REPLIES}. */
  readonly replies: readonly ReplyInfo[];
  /** Model calls in which a tool was refused in the way that stops the turn. */
  readonly refusedIn: readonly string[];
  /** Asks of this session and its children that nobody answered yet. */
  readonly asks: readonly string[];
  /** First `session.error` of the turn: later ones repeat it with a stack. */
  readonly error: ServerError | undefined;
}

/** The verdict looks at the newest two answers only; the rest is slack for answers whose prompt is not known yet. */
const MAX_REPLIES = 16;

/** A turn of which nothing was heard yet; call it before the prompt is sent. */
export function beginTurn(sessionId: string, messageId: string): TurnState {
  return {
    sessionId,
    messageId,
    chain: [messageId],
    isPromptSeen: false,
    hasRun: false,
    status: 'unknown',
    isIdleTold: false,
    wantsStructure: false,
    replies: [],
    refusedIn: [],
    asks: [],
    error: undefined,
  };
}

/** The state after `frame`; the same object when the frame changes nothing. Of children only the asks count. */
export function applyFrame(state: TurnState, frame: Frame): TurnState {
  switch (frame.type) {
    case 'permission.asked':
    case 'question.asked':
      return withAsk(state, textOf(frame.properties['id']));
    case 'permission.replied':
    case 'question.replied':
    case 'question.rejected':
      return withoutAsk(state, textOf(frame.properties['requestID']));
  }
  if (frame.sessionId !== state.sessionId) return state;
  switch (frame.type) {
    case 'session.status':
      return withStatus(state, frame.properties['status']);
    case 'session.idle':
      return { ...state, status: 'idle', isIdleTold: true };
    case 'session.error': {
      const error = serverError(frame.properties['error']);
      return error === undefined || state.error !== undefined ? state : { ...state, error };
    }
    case 'message.updated':
      return withMessage(state, frame.properties['info']);
    case 'message.part.updated':
      return withPart(state, frame.properties['part']);
    default:
      return state;
  }
}

/** Model calls that answer us, oldest first. */
export function answersOf(state: TurnState): readonly ReplyInfo[] {
  return state.replies.filter((reply) => !reply.isSummary && state.chain.includes(reply.parentId));
}

/** Newest model call made for us, a compaction's summary included. */
export function lastCall(state: TurnState): ReplyInfo | undefined {
  return state.replies.findLast((reply) => state.chain.includes(reply.parentId));
}

/** Evidence of start: somebody works on our message. The server's 204 and a stored message alone are none. */
export function hasStarted(state: TurnState): boolean {
  return (state.isPromptSeen && state.hasRun) || lastCall(state) !== undefined;
}

function withStatus(state: TurnState, status: unknown): TurnState {
  const type = isRecord(status) ? status['type'] : undefined;
  if (type === 'busy' || type === 'retry') return { ...state, status: type, hasRun: true, isIdleTold: false };
  return type === 'idle' ? { ...state, status: 'idle' } : state;
}

function withMessage(state: TurnState, value: unknown): TurnState {
  const info = messageInfo(value);
  if (info === undefined) return state;
  if (info.role === 'assistant') return { ...state, replies: upsert(state.replies, info) };
  if (info.id !== state.messageId) return state;
  return { ...state, isPromptSeen: true, wantsStructure: state.wantsStructure || info.wantsStructure };
}

function withPart(state: TurnState, part: unknown): TurnState {
  const messageId = isRecord(part) ? textOf(part['messageID']) : undefined;
  // Trap: a reading after a gap shows the parts of earlier turns too. Ids of one session sort in time.
  if (!isRecord(part) || messageId === undefined || messageId <= state.messageId) return state;
  if (stopsTurn(part)) return { ...state, refusedIn: including(state.refusedIn, messageId) };
  return continuesTurn(part) ? { ...state, chain: including(state.chain, messageId) } : state;
}

/** Whether the fold looks at a part; all others may be left out of a reading. */
export function countsForTurn(part: Properties): boolean {
  return continuesTurn(part) || stopsTurn(part);
}

/** A compaction answers us under another parent: the message that asks for it, then the one that says "continue". */
function continuesTurn({ type, synthetic, metadata }: Properties): boolean {
  return (
    type === 'compaction' || (synthetic === true && isRecord(metadata) && metadata['compaction_continue'] === true)
  );
}

/** As 1.18.33 words it. A refusal with a feedback does not stop the turn: the agent hears why, and goes on. */
const STOPPED = /^The user (rejected permission to use this specific tool call\.$|dismissed this question)/;

function stopsTurn({ type, state }: Properties): boolean {
  return (
    type === 'tool' && isRecord(state) && state['status'] === 'error' && STOPPED.test(textOf(state['error']) ?? '')
  );
}

function including(some: readonly string[], one: string): readonly string[] {
  return some.includes(one) ? some : [...some, one];
}

function upsert(replies: readonly ReplyInfo[], next: ReplyInfo): readonly ReplyInfo[] {
  const at = replies.findIndex((reply) => reply.id === next.id);
  if (at >= 0) return replies.with(at, merge(replies[at]!, next));
  const after = replies.findLastIndex((reply) => reply.id < next.id);
  return replies.toSpliced(after + 1, 0, next).slice(-MAX_REPLIES);
}

function merge(old: ReplyInfo, next: ReplyInfo): ReplyInfo {
  return {
    ...next,
    isSummary: old.isSummary || next.isSummary,
    isCompleted: old.isCompleted || next.isCompleted,
    finish: next.finish ?? old.finish,
    error: next.error ?? old.error,
    hasStructure: old.hasStructure || next.hasStructure,
  };
}

function withAsk(state: TurnState, id: string | undefined): TurnState {
  return id === undefined || state.asks.includes(id) ? state : { ...state, asks: [...state.asks, id] };
}

function withoutAsk(state: TurnState, id: string | undefined): TurnState {
  return id === undefined || !state.asks.includes(id)
    ? state
    : { ...state, asks: state.asks.filter((ask) => ask !== id) };
}
