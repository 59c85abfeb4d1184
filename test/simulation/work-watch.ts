/** Holds a world to this: no session is at work that nobody waits for, since somebody pays for it. */
import type { Faults } from './faults.ts';
import type { Observer } from './observer.ts';
import type { ServerSession } from './server-session.ts';

export interface WorkWatchPorts {
  readonly faults: Faults;
  readonly observer: Observer;
  readonly sessions: () => Iterable<ServerSession>;
  readonly nowMs: () => number;
}

/** An abort, its grace, and the look at what was left by others. */
const STOPPING_MS = 30_000;

export class WorkWatch {
  readonly #ports: WorkWatchPorts;
  /** Since the run began or went on. */
  readonly #settledMs = new Map<string, number>();

  constructor(ports: WorkWatchPorts) {
    this.#ports = ports;
  }

  hear({ type, instance }: { readonly type: string; readonly [name: string]: unknown }): void {
    if (type === 'run.resumed') this.#settledMs.clear();
    if (type === 'instance.settled') this.#settledMs.set(String(instance), this.#ports.nowMs());
  }

  /** An instance has one session at work, also when the one before could not be taken up. */
  onSession({ id, instance }: ServerSession): void {
    const other = this.#atWork().find((one) => one.instance === instance);
    if (other) this.#fail('sessions', `${instance} gets ${id} while ${other.id} is still at work`);
  }

  /** While a process lives. */
  judge(): void {
    if (this.#settledMs.size === 0) return;
    for (const { id, instance } of this.#atWork()) {
      const settledMs = this.#settledMs.get(instance);
      if (settledMs === undefined || this.#ports.nowMs() - settledMs < STOPPING_MS) continue;
      this.#fail('left-work', `${instance} has ended, and ${id} is still at work ${STOPPING_MS} ms later`);
    }
  }

  /** The process ended by itself: it left nothing at work that it could have told to stop. */
  processEnded(): void {
    const [left] = this.#atWork();
    if (!left) return;
    const { lines } = this.#ports.observer;
    const last = (type: string) => lines.findLastIndex((line) => line.type === type);
    // It never had a server that it could have told.
    if (last('stream.connected') < last('run.resumed')) return;
    this.#fail('left-work', `the process ended, and ${left.id} of ${left.instance} is still at work`);
  }

  #atWork(): readonly ServerSession[] {
    return [...this.#ports.sessions()].filter(({ turn }) => turn);
  }

  #fail(invariant: string, message: string): void {
    const wasAbortStruck = this.#ports.faults.injected.some(({ detail }) => /\/abort /.test(detail));
    if (!wasAbortStruck) this.#ports.observer.fail(invariant, message);
  }
}
