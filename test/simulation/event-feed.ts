/**
 * The event stream of the simulated server: `GET /global/event` as server-sent events, in arrival order, and what goes
 * wrong with it on the way.
 */
import type { Faults } from './faults.ts';
import type { Subscriber } from './network.ts';
import type { SeededRandom } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

const HEARTBEAT_MS = 10_000;
/** A subscription may lose events this long after it was opened. */
const SETTLE_MS = 200;

interface Line {
  readonly subscriber: Subscription;
  /** When the last chunk arrives: the connection keeps the order. */
  lastMs: number;
  readonly openedMs: number;
  isSilent: boolean;
}

/** One frame on its way. */
export interface Sent {
  readonly text: string;
  readonly type: string;
  readonly isCopy: boolean;
  /** A frame whose loss may cost the instance an attempt. */
  readonly costs?: string;
}

export class EventFeed {
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #faults: Faults;
  readonly #lines = new Set<Line>();

  constructor(time: VirtualTime, random: SeededRandom, faults: Faults) {
    this.#time = time;
    this.#random = random;
    this.#faults = faults;
  }

  subscribe(): Subscriber {
    const subscriber = new Subscription(() => this.#lines.delete(line));
    const line: Line = { subscriber, lastMs: 0, openedMs: this.#time.nowMs, isSilent: false };
    this.#lines.add(line);
    this.#deliver(line, '{"payload":{"type":"server.connected","properties":{}}}', 1);
    this.#beat(line);
    return subscriber;
  }

  /** All connections break. */
  breakAll(): void {
    for (const line of [...this.#lines]) this.#break(line);
  }

  /** Whether somebody will hear it, unless the connection breaks meanwhile. */
  send(frame: Sent): boolean {
    return [...this.#lines].map((line) => this.#sendTo(line, frame)).some((isHeard) => isHeard);
  }

  #sendTo(line: Line, frame: Sent): boolean {
    const { type, isCopy } = frame;
    const name = `${type}${isCopy ? ' (copy)' : ''}`;
    const isEarly = this.#time.nowMs - line.openedMs < SETTLE_MS;
    if (isEarly && this.#mayLose(frame) && this.#faults.strikes('early-frames-lost', name)) return this.#lost(frame);
    if (this.#faults.strikes('stream-cut', name)) {
      this.#break(line);
      return false;
    }
    if (this.#faults.strikes('stream-ended', name)) {
      this.#end(line);
      return false;
    }
    if (this.#faults.strikes('stream-silent', name)) line.isSilent = true;
    if (line.isSilent) return false;
    if (this.#mayLose(frame) && this.#faults.strikes('frame-dropped', name)) return this.#lost(frame);
    if (this.#faults.strikes('frame-reordered', name)) {
      // Overtaken by what comes after it.
      this.#time.after(this.#random.between(20, 2_000), () => line.subscriber.push(chunkOf(frame.text)));
      return true;
    }
    this.#deliver(line, frame.text, this.#random.between(0, 15));
    if (this.#faults.strikes('frame-duplicated', name)) this.#deliver(line, frame.text, this.#random.between(0, 200));
    return true;
  }

  #lost({ costs }: Sent): boolean {
    if (costs !== undefined) this.#faults.cost(costs);
    return false;
  }

  #mayLose({ costs }: Sent): boolean {
    return costs === undefined || this.#faults.mayCost(costs);
  }

  #deliver(line: Line, text: string, delayMs: number): void {
    line.lastMs = Math.max(line.lastMs, this.#time.nowMs + delayMs);
    this.#time.after(line.lastMs - this.#time.nowMs, () => line.subscriber.push(chunkOf(text)));
  }

  #beat(line: Line): void {
    this.#time.after(HEARTBEAT_MS, () => {
      if (!this.#lines.has(line)) return;
      if (!line.isSilent) line.subscriber.push(chunkOf('{"payload":{"type":"server.heartbeat","properties":{}}}'));
      this.#beat(line);
    });
  }

  #break(line: Line): void {
    this.#lines.delete(line);
    line.subscriber.fail(Object.assign(new Error('terminated: other side closed'), { code: 'UND_ERR_SOCKET' }));
  }

  #end(line: Line): void {
    this.#lines.delete(line);
    line.subscriber.finish();
  }
}

function chunkOf(text: string): Uint8Array {
  return Buffer.from(`data: ${text}\n\n`);
}

/** The reader's end of a connection. */
class Subscription implements Subscriber {
  readonly #chunks: Uint8Array[] = [];
  readonly #onLeave: () => void;
  #wake: (() => void) | undefined;
  #end: { readonly error?: Error } | undefined;

  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  push(chunk: Uint8Array): void {
    if (this.#end) return;
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  finish(): void {
    this.#end ??= {};
    this.#wake?.();
  }

  leave(): void {
    this.#onLeave();
    this.fail(Object.assign(new Error('The operation was aborted'), { name: 'AbortError' }));
  }

  abandon(): void {
    this.#onLeave();
    this.#end ??= {};
    this.#chunks.length = 0;
    this.#wake = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        yield chunk;
        continue;
      }
      if (this.#end) {
        if (this.#end.error) throw this.#end.error;
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
