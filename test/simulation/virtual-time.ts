/**
 * Time that jumps from timer to timer.
 *
 * Owns the present and the timers, each with the owner that it dies with. Does not own when to go on: the world lets all
 * promises settle first. Invariants: timers of the same moment run in the order in which they were set; time never goes back.
 */

/** Whose a timer is: the world's own, or the muster process of that number. */
export type Owner = 'world' | number;

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly owner: Owner;
  run: (() => void) | undefined;
}

/** Timers of the platform overflow above this and then run at once. */
const LONGEST_MS = 2 ** 31 - 1;

export class VirtualTime {
  #nowMs: number;
  #order = 0;
  readonly #heap: Timer[] = [];

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Calls `run` once; the returned function cancels. Durations follow the platform: at least 1 ms, 1 ms when too long. */
  after(delayMs: number, run: () => void, owner: Owner = 'world'): () => void {
    const waitMs = delayMs >= 1 && delayMs <= LONGEST_MS ? delayMs : 1;
    const timer: Timer = { atMs: this.#nowMs + waitMs, order: this.#order++, owner, run };
    this.#push(timer);
    return () => {
      timer.run = undefined;
    };
  }

  /** Resolves after `delayMs` of the world's own time. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve));
  }

  /** Timers of a process that is gone never run. */
  dropAllOf(owner: Owner): void {
    for (const timer of this.#heap) if (timer.owner === owner) timer.run = undefined;
  }

  /** Goes on to the next timer and runs it; false when there is none. */
  step(): boolean {
    for (let timer = this.#pop(); timer !== undefined; timer = this.#pop()) {
      const { run } = timer;
      if (run === undefined) continue;
      this.#nowMs = timer.atMs;
      timer.run = undefined;
      run();
      return true;
    }
    return false;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
