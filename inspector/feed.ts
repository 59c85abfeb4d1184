/**
 * The bounded store behind the page, and the batches that go out to those who watch.
 *
 * Owns: the view of the run so far and the traces that were not sent yet. Does not own: sockets, or what becomes of a
 * client that is too slow (server.ts). Invariants:
 * - Without clients a trace costs its place in the view and nothing else; no timer runs.
 * - A client gets the view first and then every later trace once, in order; or, when more came between two batches than
 *   the view would keep, the whole view again.
 * - Memory is bounded: see view.ts, and `pending` never holds more than `eventsMax` traces.
 */
import type { Trace } from './trace.ts';
import { applyTrace, emptyView, type FeedMessage, freezeView } from './view.ts';

export interface FeedOptions {
  /** Calls `run` once after `delayMs`; the returned function cancels. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Events kept for those who join late; default 5,000. Older ones are forgotten. */
  readonly eventsMax?: number;
  /** How long traces are collected before they go out together; default 100 ms. */
  readonly batchMs?: number;
}

/** Takes messages as JSON text. */
export type FeedClient = (message: string) => void;

export class Feed {
  readonly #after: FeedOptions['after'];
  readonly #batchMs: number;
  readonly #view;
  readonly #clients = new Set<FeedClient>();
  #pending: Trace[] = [];
  /** More came than a batch should hold: the next one is the view. */
  #overflowed = false;
  #cancelBatch: (() => void) | undefined;

  constructor({ after, eventsMax = 5_000, batchMs = 100 }: FeedOptions) {
    this.#after = after;
    this.#batchMs = batchMs;
    this.#view = emptyView(eventsMax);
  }

  /** On the hot path: called for every trace of a run. */
  push(trace: Trace): void {
    applyTrace(this.#view, trace);
    if (this.#clients.size === 0) return;
    if (this.#pending.length < this.#view.eventsMax) {
      this.#pending.push(trace);
    } else {
      this.#overflowed = true;
    }
    this.#cancelBatch ??= this.#after(this.#batchMs, () => this.flush());
  }

  /** Sends the view at once and follows; the returned function ends it. */
  join(client: FeedClient): () => void {
    // What waits is in the view already: the others get it now, or the newcomer would get it twice.
    this.flush();
    client(this.#viewMessage());
    this.#clients.add(client);
    return () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#forgetPending();
    };
  }

  /** Sends what waits without waiting for the batch's time. */
  flush(): void {
    if (this.#pending.length > 0) {
      const message = this.#overflowed
        ? this.#viewMessage()
        : JSON.stringify({ kind: 'traces', traces: this.#pending } satisfies FeedMessage);
      for (const client of [...this.#clients]) client(message);
    }
    this.#forgetPending();
  }

  #viewMessage(): string {
    return JSON.stringify({ kind: 'view', view: freezeView(this.#view) } satisfies FeedMessage);
  }

  #forgetPending(): void {
    this.#cancelBatch?.();
    this.#cancelBatch = undefined;
    this.#pending = [];
    this.#overflowed = false;
  }
}
