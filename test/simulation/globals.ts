/** The platform's own clock and timers, replaced while a world runs. */
import { inUniverse, universe } from './universe.ts';

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
  now: Date.now,
  performanceNow: performance.now.bind(performance),
  timeout: AbortSignal.timeout,
};

/** Lets every promise that can settle do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => real.setImmediate(resolve));
}

/** Milliseconds of the machine, for the rate of seeds. */
export function machineMs(): number {
  return real.performanceNow();
}

class SimulatedTimeout {
  readonly cancel: () => void;

  constructor(cancel: () => void) {
    this.cancel = cancel;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return false;
  }
}

/** A timer of the muster process. */
export function afterForMuster(delayMs: number, run: () => void): () => void {
  const { time, life } = universe();
  // The last microtasks of a dead process set no timers any more.
  return life.isAlive ? time.after(delayMs, run, life.number) : () => {};
}

export function replaceGlobals(): void {
  const target = globalThis as unknown as Record<string, unknown>;
  target['setTimeout'] = (run: (...given: unknown[]) => void, delayMs = 0, ...given: unknown[]) =>
    inUniverse()
      ? new SimulatedTimeout(afterForMuster(delayMs, () => run(...given)))
      : (real.setTimeout as (...all: unknown[]) => unknown)(run, delayMs, ...given);
  target['clearTimeout'] = (timer: unknown) => {
    if (timer instanceof SimulatedTimeout) timer.cancel();
    else real.clearTimeout(timer as NodeJS.Timeout);
  };
  Date.now = () => (inUniverse() ? Math.floor(universe().time.nowMs) : real.now());
  performance.now = () => (inUniverse() ? universe().time.nowMs : real.performanceNow());
  AbortSignal.timeout = (delayMs: number) => {
    if (!inUniverse()) return real.timeout.call(AbortSignal, delayMs);
    const controller = new AbortController();
    afterForMuster(delayMs, () => controller.abort(new DOMException('The operation timed out', 'TimeoutError')));
    return controller.signal;
  };
}
