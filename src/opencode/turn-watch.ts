/**
 * Watches one turn from before its prompt is sent until its one end.
 *
 * Owns the turn's state and the two timers that decide when to look over HTTP: the look (the turn seems over, or an
 * abort shows no effect) and the deadline for the start. Does not own the rule of how a turn ended (verdict.ts) or any
 * request. Invariants:
 *
 * - `onStarted` and `onEnded` are called at most once each, and nothing is called after `onEnded` or `close`.
 * - A reading never overrides a status that the stream told later than the reading began.
 * - T3: idle ends nothing; the verdict does.
 */
import type { Judgement } from '../../schemas/session-event.ts';
import { ensureError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { Frame } from './frames.ts';
import { answersOf, applyFrame, beginTurn, hasStarted, lastCall, type TurnState } from './turn.ts';
import { conclude, verdict } from './verdict.ts';

/** What to read over HTTP about a turn, and what is known of it. */
export interface TurnQuery {
  readonly apiSessionId: string;
  readonly messageId: string;
  /** Newest answers known, for a server that cannot list the messages; at most 2. */
  readonly replyIds: readonly string[];
  /** Asks held to be pending. */
  readonly asks: readonly string[];
  /** Hand it back with what was read: tells whether the stream spoke about the status meanwhile. */
  readonly mark: number;
}

export interface TurnPorts {
  readonly clock: Clock;
  /** Reads status and messages as frames (see reconcile.ts); may reject. */
  readTurn(query: TurnQuery): Promise<readonly Frame[]>;
  /** Sends the prompt again with the same ids, which is harmless; may reject. */
  resend(apiSessionId: string, messageId: string): Promise<void>;
  /** Hears what went wrong without ending anything. */
  onFault(error: Error, apiSessionId: string): void;
}

export interface TurnEars {
  onStarted(): void;
  onEnded(judgement: Judgement): void;
}

/** Silence after idle before the session is read, and between two readings: the final message may come 790 ms late. */
const QUIET_MS = 250;
/** Readings of a turn that looks over and still has no final message; then it is judged by what is known. */
const MAX_LOOKS = 5;
/** Between readings while an abort of ours shows no effect: the stream may not tell it. */
const ABORT_LOOK_MS = 1_000;
/** Between readings while something seems wrong and the prompt request is not answered yet. */
const UNTAKEN_LOOK_MS = 1_000;
/** Before a reading of a session that is busy, silent, and has no model call open: its idle may have been lost. */
const BUSY_LOOK_MS = 5_000;
/** Before a reading of a session that runs and tells nothing but text: one long tool call, or everything was lost. */
const SILENT_LOOK_MS = 30_000;
/** A start is due this long after the server took the prompt, and once more after the prompt was sent again. */
const START_MS = 15_000;
/** The same before the server answered the prompt at all: in a burst of 200 prompts the answer took 8.6 s. */
const TAKE_MS = 60_000;

export class TurnWatch {
  readonly messageId: string;
  readonly #apiSessionId: string;
  readonly #ports: TurnPorts;
  readonly #ears: TurnEars;
  #state: TurnState;
  #isOver = false;
  #isTaken = false;
  #isStartTold = false;
  #isResent = false;
  #isReading = false;
  #hasAskedAbort = false;
  #looks = 0;
  /** Frames by which the stream told this session's status. */
  #statusFrames = 0;
  #cancelLook = (): void => {};
  #cancelDeadline = (): void => {};

  constructor(apiSessionId: string, messageId: string, ports: TurnPorts, ears: TurnEars) {
    this.messageId = messageId;
    this.#apiSessionId = apiSessionId;
    this.#ports = ports;
    this.#ears = ears;
    this.#state = beginTurn(apiSessionId, messageId);
    this.#armDeadline(TAKE_MS);
  }

  /** What to read about the turn. */
  get query(): TurnQuery {
    const answers = answersOf(this.#state).slice(-2);
    return {
      apiSessionId: this.#apiSessionId,
      messageId: this.messageId,
      replyIds: answers.map((answer) => answer.id),
      asks: this.#state.asks,
      mark: this.#statusFrames,
    };
  }

  /** Takes a frame of the stream or the history. */
  observe(frame: Frame): void {
    if (this.#isOver) return;
    if (frame.sessionId === this.#apiSessionId && isStatus(frame)) this.#statusFrames += 1;
    this.#state = applyFrame(this.#state, frame);
    this.#settle(false);
  }

  /** Takes what was read for `query`. */
  absorb(frames: readonly Frame[], query: TurnQuery): void {
    if (this.#isOver || query.messageId !== this.messageId) return;
    const isFresh = query.mark === this.#statusFrames;
    for (const frame of frames) {
      if (isFresh || !isStatus(frame)) this.#state = applyFrame(this.#state, frame);
    }
    this.#settle(isFresh && frames.some(isStatus));
  }

  /** The server answered the prompt request. */
  noteTaken(): void {
    if (this.#isOver || this.#isTaken) return;
    this.#isTaken = true;
    if (!this.#isStartTold) this.#armDeadline(START_MS);
  }

  /** We are about to ask for the abort. */
  noteAbort(): void {
    if (this.#isOver) return;
    this.#hasAskedAbort = true;
    this.#settle(false);
  }

  /** Ends the watch without a judgement. */
  close(): void {
    this.#isOver = true;
    this.#cancelLook();
    this.#cancelDeadline();
  }

  #settle(hasRead: boolean): void {
    if (!this.#isStartTold && hasStarted(this.#state)) {
      this.#isStartTold = true;
      this.#cancelDeadline();
      this.#ears.onStarted();
      if (this.#isOver) return;
    }
    this.#cancelLook();
    const outcome = verdict(this.#state, { askedAbort: this.#hasAskedAbort, hasRead });
    if (outcome === 'open') this.#stayOpen();
    else if (outcome === 'confirm') this.#confirm();
    else this.#end(outcome);
  }

  #stayOpen(): void {
    this.#looks = 0;
    const isBetweenCalls = this.#state.status === 'busy' && lastCall(this.#state)?.isCompleted === true;
    if (this.#hasAskedAbort) this.#armLook(ABORT_LOOK_MS);
    else if (isBetweenCalls) this.#armLook(BUSY_LOOK_MS);
    else if (this.#isStartTold) this.#armLook(SILENT_LOOK_MS);
  }

  #confirm(): void {
    // While the prompt request is under way, an error or an idle may still belong to the turn before.
    if (!this.#isDue) this.#armLook(UNTAKEN_LOOK_MS);
    else if (this.#looks < MAX_LOOKS) this.#armLook(QUIET_MS);
    else this.#end(conclude(this.#state, this.#hasAskedAbort));
  }

  /** True when the server has our prompt, so that what it does is about this turn. */
  get #isDue(): boolean {
    return this.#isTaken || this.#isStartTold;
  }

  #end(judgement: Judgement): void {
    this.close();
    this.#ears.onEnded(judgement);
  }

  #armLook(delayMs: number): void {
    this.#cancelLook();
    this.#cancelLook = this.#ports.clock.after(delayMs, () => void this.#look());
  }

  /** Reads the session and settles by it; never rejects. */
  async #look(): Promise<void> {
    // The reading under way arms the next look when it comes back.
    if (this.#isOver || this.#isReading) return;
    this.#isReading = true;
    const query = this.query;
    let frames: readonly Frame[] = [];
    try {
      frames = await this.#ports.readTurn(query);
    } catch (thrown) {
      this.#ports.onFault(ensureError(thrown), this.#apiSessionId);
    }
    this.#isReading = false;
    if (this.#isDue) this.#looks += 1;
    this.absorb(frames, query);
  }

  #armDeadline(delayMs: number): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#ports.clock.after(delayMs, () => void this.#demandStart(delayMs));
  }

  /** No evidence of a start in time: look, send again once, then give up. A 204 promises nothing. Never rejects. */
  async #demandStart(waitedMs: number): Promise<void> {
    await this.#look();
    // An abort, and an error at the start, are judged by the readings.
    if (this.#isOver || this.#isStartTold || this.#hasAskedAbort || this.#state.error !== undefined) return;
    if (this.#isResent) {
      const message = `no sign of a start within ${waitedMs / 1000} s, although the prompt was sent twice`;
      this.#end({ kind: 'not-started', message });
      return;
    }
    this.#isResent = true;
    this.#armDeadline(START_MS);
    try {
      await this.#ports.resend(this.#apiSessionId, this.messageId);
    } catch (thrown) {
      this.#ports.onFault(ensureError(thrown), this.#apiSessionId);
    }
  }
}

function isStatus(frame: Frame): boolean {
  return frame.type === 'session.status' || frame.type === 'session.idle';
}
