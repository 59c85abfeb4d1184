/** Remembers ids for a while, in bounded memory. */
export class RecentIds {
  readonly #limit: number;
  #young = new Set<string>();
  #old = new Set<string>();

  /** @param limit The newest `limit` ids are remembered for certain, at most twice as many are kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id);
  }

  /** True when `id` is new; from now on it is known. */
  add(id: string): boolean {
    if (this.#young.has(id)) return false;
    const isNew = !this.#old.has(id);
    this.#young.add(id);
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    return isNew;
  }
}
