/** Frames that came before somebody asked for their session, in arrival order and bounded (R2). */
import { type Frame, parentOf } from './frames.ts';

export class EarlyFrames {
  readonly #limit: number;
  /** By the topmost session: children wait in their parent's queue, so that the family keeps its order. */
  readonly #queues = new Map<string, Frame[]>();
  readonly #topOf = new Map<string, string>();
  #size = 0;

  /** @param limit Frames kept in all; beyond it the session that waits longest is given up as a whole. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** Keeps `frame` of a session; returns how many frames were given up for it. */
  push(sessionId: string, frame: Frame): number {
    const top = this.#adopt(sessionId, parentOf(frame));
    const queue = this.#queues.get(top);
    if (queue === undefined) this.#queues.set(top, [frame]);
    else queue.push(frame);
    this.#size += 1;
    let lost = 0;
    while (this.#size > this.#limit) lost += this.take(this.#queues.keys().next().value!).length;
    return lost;
  }

  /** Frames of the session and its children, oldest first; they are not kept any longer. */
  take(sessionId: string): readonly Frame[] {
    const queue = this.#queues.get(sessionId) ?? [];
    this.#queues.delete(sessionId);
    this.#size -= queue.length;
    for (const [child, top] of this.#topOf) if (top === sessionId) this.#topOf.delete(child);
    return queue;
  }

  #adopt(sessionId: string, parentId: string | undefined): string {
    const known = this.#topOf.get(sessionId);
    if (known !== undefined || parentId === undefined) return known ?? sessionId;
    const top = this.#topOf.get(parentId) ?? parentId;
    const own = this.#queues.get(sessionId);
    if (own !== undefined) {
      this.#queues.delete(sessionId);
      this.#queues.set(top, [...(this.#queues.get(top) ?? []), ...own]);
      for (const [child, of] of this.#topOf) if (of === sessionId) this.#topOf.set(child, top);
    }
    this.#topOf.set(sessionId, top);
    return top;
  }
}
