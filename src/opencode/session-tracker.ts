/**
 * Follows one session and its children, and tells its owner what matters in the words of schemas/session-event.ts.
 *
 * Owns the usage of the session, the pace of `session.activity`, and the watch of the turn in flight (turn-watch.ts).
 * Does not own the routing of frames (router.ts). Invariants: one turn at a time; nothing is sent after `close`; a
 * throwing owner or log harms nobody else.
 */
import type { SessionEvent } from '../../schemas/session-event.ts';
import { ensureError } from '../errors.ts';
import type { SessionSink } from '../ports.ts';
import { countOf, type Frame, isDelta, isRecord, textOf } from './frames.ts';
import { ToolWatch } from './tool-watch.ts';
import { type TurnPorts, type TurnQuery, TurnWatch } from './turn-watch.ts';
import { UsageCount } from './usage-count.ts';

/** Hears every frame of the session and its children, deltas included, each once. */
export type FrameLog = (frame: Frame) => void;

/** Shortest time between two `session.activity`: the stall clock needs no more. */
const ACTIVITY_MS = 1_000;

export class SessionTracker {
  readonly apiSessionId: string;
  readonly #sink: SessionSink;
  readonly #log: FrameLog;
  readonly #ports: TurnPorts;
  readonly #usage = new UsageCount();
  readonly #tools = new ToolWatch();
  #watch: TurnWatch | undefined;
  #isClosed = false;
  #lastActivityMs = Number.NEGATIVE_INFINITY;

  constructor(apiSessionId: string, sink: SessionSink, log: FrameLog, ports: TurnPorts) {
    this.apiSessionId = apiSessionId;
    this.#sink = sink;
    this.#log = log;
    this.#ports = {
      clock: ports.clock,
      readTurn: async (query) => {
        const frames = await ports.readTurn(query);
        for (const frame of frames) this.#noteUsage(frame);
        return frames;
      },
      resend: (sessionId, messageId) => ports.resend(sessionId, messageId),
      onFault: (error, sessionId) => ports.onFault(error, sessionId),
    };
  }

  /** Begins a turn, and forgets one that is still in flight. */
  expectTurn(messageId: string): void {
    this.#watch?.close();
    this.#tools.beginTurn();
    const watch = new TurnWatch(this.apiSessionId, messageId, this.#ports, {
      onStarted: () => this.#send({ type: 'session.started', messageId }),
      onEnded: (judgement) => {
        // Before the owner hears of it, for the owner may prompt again at once.
        this.#watch = undefined;
        const tools = this.#tools.tally;
        this.#send({ type: 'session.turn-ended', messageId, judgement, ...(tools.calls > 0 && { tools }) });
      },
    });
    this.#watch = watch;
  }

  notePromptTaken(): void {
    this.#watch?.noteTaken();
  }

  noteAbort(): void {
    this.#watch?.noteAbort();
  }

  /** Takes a frame of the session or of a child, in arrival order. */
  observe(frame: Frame): void {
    if (this.#isClosed) return;
    this.#write(frame);
    this.#noteActivity();
    if (isDelta(frame)) return;
    this.#noteUsage(frame);
    this.#noteRetry(frame);
    this.#noteTool(frame);
    this.#watch?.observe(frame);
  }

  /** What to read about the turn in flight; undefined when there is none. */
  get query(): TurnQuery | undefined {
    return this.#watch?.query;
  }

  /** Takes what was read for `query`. No evidence of life: only the session's own events feed the stall clock. */
  absorb(frames: readonly Frame[], query: TurnQuery): void {
    for (const frame of frames) this.#noteUsage(frame);
    this.#watch?.absorb(frames, query);
  }

  /** The server that held the session is gone: ends the turn without a judgement. */
  lose(reason: string): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#send({ type: 'session.lost', reason });
  }

  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#isClosed = true;
  }

  #noteActivity(): void {
    const nowMs = this.#ports.clock.now();
    if (nowMs - this.#lastActivityMs < ACTIVITY_MS) return;
    this.#lastActivityMs = nowMs;
    this.#send({ type: 'session.activity' });
  }

  #noteUsage(frame: Frame): void {
    if (frame.type !== 'message.updated' || !this.#usage.count(frame.properties['info'])) return;
    this.#send({ type: 'session.usage', usage: this.#usage.total });
  }

  #noteTool(frame: Frame): void {
    const repetition = this.#tools.observe(frame);
    if (repetition) this.#send({ type: 'session.repeating', ...repetition });
  }

  #noteRetry(frame: Frame): void {
    const status = frame.properties['status'];
    if (frame.type !== 'session.status' || !isRecord(status) || status['type'] !== 'retry') return;
    this.#send({
      type: 'session.retrying',
      attempt: countOf(status['attempt']),
      message: textOf(status['message']) ?? '',
      waitMs: Math.max(0, countOf(status['next']) - this.#ports.clock.now()),
    });
  }

  #write(frame: Frame): void {
    try {
      this.#log(frame);
    } catch (thrown) {
      // A full disk must not hide how the turn ends.
      this.#ports.onFault(ensureError(thrown), this.apiSessionId);
    }
  }

  #send(event: SessionEvent): void {
    if (this.#isClosed) return;
    try {
      this.#sink(event);
    } catch (thrown) {
      // One owner's failure must not stop the stream of all the others.
      this.#ports.onFault(ensureError(thrown), this.apiSessionId);
    }
  }
}
