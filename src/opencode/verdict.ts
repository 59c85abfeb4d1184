/**
 * Whether a turn is over, and how it ended (T3). Idle is a hint: it comes twice, before the final message, after an
 * error, or out of nothing. Only a clean success and a loop are believed from the stream alone; every other ending is
 * confirmed by reading the session over HTTP, because a lost frame could tell it otherwise.
 */
import type { Judgement } from '../../schemas/session-event.ts';
import type { ReplyInfo, ServerError } from './message-info.ts';
import { answersOf, hasStarted, lastCall, type TurnState } from './turn.ts';

export interface VerdictOptions {
  /** Whether muster asked for the abort: an abort in the retry wait leaves no other trace. */
  readonly askedAbort: boolean;
  /** True directly after status and messages were read; default false. */
  readonly hasRead?: boolean;
}

/** `open`: it runs, or nothing is known yet. `confirm`: it looks over; read the session and ask again. */
export function verdict(state: TurnState, options: VerdictOptions): Judgement | 'open' | 'confirm' {
  const answers = answersOf(state);
  if (!options.askedAbort && isLoop(answers)) return { kind: 'loop' };
  if (state.status === 'busy' || state.status === 'retry') return 'open';
  const isStarted = hasStarted(state);
  if (state.status === 'unknown') return state.error !== undefined && !isStarted ? 'confirm' : 'open';
  // An idle out of nothing: of the turn before, or of an abort of something else.
  if (!isStarted && state.error === undefined && !options.askedAbort) return 'open';
  if (state.asks.length > 0) return 'confirm';
  const last = lastCall(state);
  if (!options.askedAbort && state.isIdleTold && isCleanSuccess(last, state)) return { kind: 'candidate' };
  return options.hasRead === true && last?.isCompleted === true ? conclude(state, options.askedAbort) : 'confirm';
}

/** The judgement by what is known, for a turn of which no more will come. First match wins. */
export function conclude(state: TurnState, askedAbort: boolean): Judgement {
  if (askedAbort) return { kind: 'aborted', byUs: true };
  const answers = answersOf(state);
  const answer = answers.at(-1);
  const last = lastCall(state);
  if (last?.isSummary === true && last.error !== undefined) return failed(last.error);
  if (answer?.error !== undefined) return failed(answer.error);
  if (answer === undefined) return withoutAnswer(state);
  if (!answer.isCompleted || last?.isSummary === true) return { kind: 'interrupted' };
  if (state.wantsStructure) {
    if (answer.hasStructure) return { kind: 'candidate' };
    return failed({ name: 'StructuredOutputError', message: 'the answer has no structured output', retryable: true });
  }
  return byFinish(answer, state);
}

function byFinish(answer: ReplyInfo, { refusedIn }: TurnState): Judgement {
  switch (answer.finish) {
    case 'stop':
      return { kind: 'candidate' };
    case 'length':
      return { kind: 'truncated' };
    case 'tool-calls':
      if (answer.hasStructure) return { kind: 'candidate' };
      // The end of a turn only where something was refused; else the server died before it called the model again.
      return { kind: refusedIn.includes(answer.id) ? 'rejected' : 'interrupted' };
    case 'content-filter':
      return failed({ name: 'ContentFilterError', message: 'the model was stopped by a filter', retryable: false });
    case undefined:
    case 'unknown':
      return { kind: 'interrupted' };
    default:
      return failed({ name: answer.finish, message: `the model stopped with ${answer.finish}`, retryable: true });
  }
}

function withoutAnswer(state: TurnState): Judgement {
  if (state.error?.name === ABORTED && hasStarted(state)) return { kind: 'aborted', byUs: false };
  return {
    kind: 'not-started',
    message: state.error?.message ?? 'the server took the prompt and became idle without calling the model',
  };
}

const ABORTED = 'MessageAbortedError';

function failed(error: ServerError): Judgement {
  if (error.name === ABORTED) return { kind: 'aborted', byUs: false };
  const { name, ...rest } = error;
  return { kind: 'failed', error: name, ...rest };
}

function isCleanSuccess(last: ReplyInfo | undefined, state: TurnState): boolean {
  return (
    last !== undefined &&
    !last.isSummary &&
    last.isCompleted &&
    last.error === undefined &&
    last.finish === 'stop' &&
    !state.wantsStructure
  );
}

/** Two model calls in a row that ended without a finish reason: the server would repeat them for ever. */
function isLoop(answers: readonly ReplyInfo[]): boolean {
  const [before, last] = answers.filter((reply) => reply.isCompleted).slice(-2);
  return before?.finish === 'unknown' && last?.finish === 'unknown' && last.error === undefined;
}
