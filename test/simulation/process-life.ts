/**
 * The life of the muster process that is simulated: one at a time, each with its number.
 *
 * Owns who is alive. Invariant: nothing that a dead process had begun ever comes back to it, and nothing that its last
 * microtasks still ask for takes effect.
 */
export class ProcessLife {
  #number = 0;
  #isAlive = false;

  /** Of the present or last process, from 1. */
  get number(): number {
    return this.#number;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  begin(): number {
    this.#number += 1;
    this.#isAlive = true;
    return this.#number;
  }

  end(): void {
    this.#isAlive = false;
  }

  is(number: number): boolean {
    return this.#isAlive && this.#number === number;
  }

  /** Does `work` for the present process, and answers only while it lives. */
  answer<T>(work: () => T | Promise<T>): Promise<T> {
    const mine = this.#number;
    if (!this.#isAlive) return new Promise<T>(() => {});
    return new Promise<T>((resolve, reject) => {
      const settle = async () => {
        try {
          const value = await work();
          if (this.is(mine)) resolve(value);
        } catch (thrown) {
          if (this.is(mine)) reject(thrown);
        }
      };
      void settle();
    });
  }
}
