/**
 * Brings every frame of the one stream to the session it belongs to.
 *
 * Owns the table session → tracker (children lead to their parent's tracker), the memory of event ids, the sequence
 * numbers, and the frames that came too early. Does not own the connection (stream.ts), the turns (session-tracker.ts),
 * or the filling of gaps (reconcile.ts). Invariants:
 *
 * - R1: a session is registered before its first prompt; what came before is kept, in order, and delivered then.
 * - R2: arrival order is kept for each session, nothing is lost that fits the bound, and `feed` never waits or throws.
 * - An event is delivered once, however often it comes: as itself, as its copy, in the history.
 */
import { ensureError } from '../errors.ts';
import type { SessionSink } from '../ports.ts';
import { EarlyFrames } from './early-frames.ts';
import { type Frame, isDelta, isRecord, parentOf, textOf } from './frames.ts';
import { RecentIds } from './recent-ids.ts';
import { SeqLedger } from './seq-ledger.ts';
import { type FrameLog, SessionTracker } from './session-tracker.ts';
import type { TurnPorts, TurnQuery } from './turn-watch.ts';

/** Something that the server would wait for a person to answer. */
export interface Ask {
  /** The registered session. */
  readonly sessionId: string;
  /** The session that asks: the registered one or a child of it. */
  readonly apiSessionId: string;
  readonly kind: 'permission' | 'question';
  readonly id: string;
  /** Needed for the reply; undefined when the frame had none. */
  readonly directory: string | undefined;
  /** `bash: npm install` or the question. */
  readonly subject: string;
}

export interface RouterPorts extends TurnPorts {
  /** Called once for each ask, whoever answers it. */
  onAsk(ask: Ask): void;
  /** Frames of these sessions were lost: close the gap. Called once for each hole. */
  onGap(apiSessionIds: readonly string[]): void;
}

export interface RouterOptions {
  /** Frames kept for sessions nobody registered yet; default 20,000. Beyond it whole sessions are given up, oldest first. */
  readonly earlyLimit?: number;
}

export interface RouterCounters {
  readonly frames: number;
  readonly deltas: number;
  /** Copies and repetitions. */
  readonly duplicates: number;
  /** Frames of the server itself, and noise. */
  readonly unscoped: number;
  /** Frames of sessions that were dropped. */
  readonly late: number;
  /** Frames that were given up because nobody registered their session. */
  readonly unrouted: number;
}

const EARLY_LIMIT = 20_000;
/** Far more than a server can repeat: copies follow directly, and the history overlaps with seconds of the stream. */
const EVENT_MEMORY = 50_000;
const ASK_MEMORY = 5_000;
const DROPPED_MEMORY = 5_000;
const SESSION_MEMORY = 50_000;

interface Route {
  readonly tracker: SessionTracker;
  /** All sessions that lead here. */
  readonly sessionIds: string[];
}

export class Router {
  readonly #ports: RouterPorts;
  readonly #routes = new Map<string, Route>();
  readonly #early: EarlyFrames;
  readonly #seqs = new SeqLedger(SESSION_MEMORY);
  readonly #events = new RecentIds(EVENT_MEMORY);
  readonly #asks = new RecentIds(ASK_MEMORY);
  readonly #dropped = new RecentIds(DROPPED_MEMORY);
  readonly #counters = { frames: 0, deltas: 0, duplicates: 0, unscoped: 0, late: 0, unrouted: 0 };

  constructor(ports: RouterPorts, options: RouterOptions = {}) {
    this.#ports = ports;
    this.#early = new EarlyFrames(options.earlyLimit ?? EARLY_LIMIT);
  }

  get counters(): RouterCounters {
    return { ...this.#counters };
  }

  /** Delivers the session's frames to `sink` and `log` from now on, those that came already first (R1). */
  register(apiSessionId: string, sink: SessionSink, log: FrameLog): void {
    this.drop(apiSessionId);
    const tracker = new SessionTracker(apiSessionId, sink, log, this.#ports);
    this.#open(apiSessionId, { tracker, sessionIds: [] });
  }

  /** A prompt with this message id is about to be sent. */
  expectTurn(apiSessionId: string, turn: { readonly messageId: string }): void {
    this.#routes.get(apiSessionId)?.tracker.expectTurn(turn.messageId);
  }

  /** The server answered the prompt request: a start is due. */
  notePromptTaken(apiSessionId: string): void {
    this.#routes.get(apiSessionId)?.tracker.notePromptTaken();
  }

  /** The abort of the turn in flight is about to be asked for. */
  noteAbort(apiSessionId: string): void {
    this.#routes.get(apiSessionId)?.tracker.noteAbort();
  }

  /** Forgets the session and its children; their later frames are counted and nothing else. */
  drop(apiSessionId: string): void {
    const route = this.#routes.get(apiSessionId);
    if (route === undefined) return;
    route.tracker.close();
    for (const id of route.sessionIds) {
      this.#routes.delete(id);
      this.#dropped.add(id);
    }
  }

  /** Takes one frame of the stream or the history. Never waits, never throws. */
  feed(frame: Frame): void {
    this.#counters.frames += 1;
    const sessionId = frame.sessionId;
    if (sessionId === undefined) {
      this.#counters.unscoped += 1;
      return;
    }
    if (frame.seq !== undefined && this.#seqs.note(sessionId, frame.seq)) this.#reportGap(sessionId);
    if (isDelta(frame)) {
      this.#counters.deltas += 1;
    } else if (frame.id !== undefined && !this.#events.add(frame.id)) {
      this.#counters.duplicates += 1;
      return;
    }
    this.#dispatch(sessionId, frame);
  }

  /** The server is gone: every registered session hears `session.lost`. */
  lost(reason: string): void {
    for (const tracker of this.#trackers()) tracker.lose(reason);
  }

  /** The server has no such session any more: whoever registered it hears `session.lost`. */
  lose(apiSessionId: string, reason: string): void {
    this.#routes.get(apiSessionId)?.tracker.lose(reason);
  }

  /** Last sequence number known without a hole, for each session ever seen: the body of the history request. */
  seqs(): Record<string, number> {
    return this.#seqs.known((sessionId) => this.#routes.has(sessionId));
  }

  /** The turns in flight, and what to read about each. */
  openTurns(): readonly TurnQuery[] {
    const queries: TurnQuery[] = [];
    for (const tracker of this.#trackers()) {
      const query = tracker.query;
      if (query !== undefined) queries.push(query);
    }
    return queries;
  }

  /** Takes what was read over HTTP for one of {@link openTurns}. */
  absorb(frames: readonly Frame[], query: TurnQuery): void {
    this.#routes.get(query.apiSessionId)?.tracker.absorb(frames, query);
  }

  /** The gap is closed: holes that the history did not fill are not asked for again. */
  noteReconciled(): void {
    this.#seqs.accept();
  }

  #trackers(): SessionTracker[] {
    return [...new Set([...this.#routes.values()].map((route) => route.tracker))];
  }

  #open(sessionId: string, route: Route): void {
    this.#routes.set(sessionId, route);
    route.sessionIds.push(sessionId);
    for (const frame of this.#early.take(sessionId)) this.#dispatch(frame.sessionId ?? sessionId, frame);
    if (this.#seqs.hasHole(sessionId)) this.#reportGap(sessionId);
  }

  #dispatch(sessionId: string, frame: Frame): void {
    const route = this.#routes.get(sessionId) ?? this.#adopt(sessionId, frame);
    if (route !== undefined) {
      this.#guard(sessionId, () => route.tracker.observe(frame));
      this.#reportAsk(route, frame);
    } else if (this.#dropped.has(sessionId)) {
      this.#counters.late += 1;
    } else {
      this.#counters.unrouted += this.#early.push(sessionId, frame);
    }
  }

  /** A child leads to its parent's tracker, from the frame on that names the parent. */
  #adopt(sessionId: string, frame: Frame): Route | undefined {
    const parentId = parentOf(frame);
    const route = parentId === undefined ? undefined : this.#routes.get(parentId);
    if (route !== undefined) this.#open(sessionId, route);
    return route;
  }

  #reportGap(sessionId: string): void {
    if (this.#routes.has(sessionId)) this.#guard(sessionId, () => this.#ports.onGap([sessionId]));
  }

  #reportAsk(route: Route, frame: Frame): void {
    const kind =
      frame.type === 'permission.asked' ? 'permission' : frame.type === 'question.asked' ? 'question' : undefined;
    const id = textOf(frame.properties['id']);
    if (kind === undefined || id === undefined || !this.#asks.add(id)) return;
    const sessionId = route.tracker.apiSessionId;
    const ask: Ask = {
      sessionId,
      apiSessionId: frame.sessionId ?? sessionId,
      kind,
      id,
      directory: frame.directory,
      subject: kind === 'permission' ? permissionSubject(frame) : questionSubject(frame),
    };
    this.#guard(sessionId, () => this.#ports.onAsk(ask));
  }

  /** A fault of one session's owner or log must not stop the stream of the others. */
  #guard(sessionId: string, run: () => void): void {
    try {
      run();
    } catch (thrown) {
      this.#ports.onFault(ensureError(thrown), sessionId);
    }
  }
}

function permissionSubject(frame: Frame): string {
  const { permission, patterns } = frame.properties;
  const list = Array.isArray(patterns) ? patterns.filter((pattern) => typeof pattern === 'string') : [];
  return `${textOf(permission) ?? 'permission'}: ${list.join(', ')}`;
}

function questionSubject(frame: Frame): string {
  const questions = frame.properties['questions'];
  const texts = Array.isArray(questions)
    ? questions.map((one) => (isRecord(one) ? textOf(one['question']) : undefined))
    : [];
  return texts.filter((text) => text !== undefined).join(' · ') || 'question';
}
