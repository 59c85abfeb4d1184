/** How far each session's durable events are known: they count from 0 without holes, so a hole is a lost frame. */
export class SeqLedger {
  readonly #limit: number;
  readonly #entries = new Map<string, { known: number; highest: number; isTold: boolean }>();

  /** @param limit Sessions kept; beyond it the one seen first is forgotten. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a sequence number; true when it reveals a hole that was not told yet. */
  note(sessionId: string, seq: number): boolean {
    let entry = this.#entries.get(sessionId);
    if (entry === undefined) {
      entry = { known: -1, highest: -1, isTold: false };
      this.#entries.set(sessionId, entry);
      if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value!);
    }
    if (seq <= entry.known) return false;
    entry.highest = Math.max(entry.highest, seq);
    if (seq === entry.known + 1) {
      entry.known = seq;
      if (entry.known === entry.highest) entry.isTold = false;
      return false;
    }
    const isNew = !entry.isTold;
    entry.isTold = true;
    return isNew;
  }

  hasHole(sessionId: string): boolean {
    const entry = this.#entries.get(sessionId);
    return entry !== undefined && entry.highest > entry.known;
  }

  /** Closes every hole: the history was read, and what it does not contain will not come. */
  accept(): void {
    for (const entry of this.#entries.values()) {
      entry.known = entry.highest;
      entry.isTold = false;
    }
  }

  /**
   * Last number before the first hole, for each session: what the history is to continue from. Sessions that
   * `isFollowed` denies are named with their highest number, for nobody wants their holes filled.
   */
  known(isFollowed: (sessionId: string) => boolean): Record<string, number> {
    const known: Record<string, number> = {};
    for (const [sessionId, entry] of this.#entries) {
      const seq = isFollowed(sessionId) ? entry.known : entry.highest;
      // The server takes no -1; a session that is left out returns its whole history, which is what we want then.
      if (seq >= 0) known[sessionId] = seq;
    }
    return known;
  }
}
