/**
 * Holds a world to this: what an agent was told is kept stands on disk, and stays there, as long as its attempt may go on.
 *
 * Reads the bytes of the files alone. Knows nothing of what a call means to muster.
 */
import type { Observer } from './observer.ts';
import type { ServerSession } from './server-session.ts';
import type { AgentCall } from './simulated-agent.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

export interface KeptWatchPorts {
  readonly disk: SimulatedDisk;
  readonly observer: Observer;
}

/** How muster says that something counts. */
const KEPT = /^(accepted [1-9]|withdrew [1-9]|Complete: )/;

export class KeptWatch {
  readonly #ports: KeptWatchPorts;
  /** Path → what stood there on disk when the last call was answered. */
  readonly #kept = new Map<string, Buffer>();

  constructor(ports: KeptWatchPorts) {
    this.#ports = ports;
  }

  onAnswered({ instance, attempt }: ServerSession, call: AgentCall, text: string): void {
    if (!KEPT.test(text)) return;
    const path = this.#path(instance, attempt);
    const bytes = this.#durable(path);
    if (!bytes.includes(JSON.stringify(call.arguments))) {
      this.#fail(`${instance} attempt ${attempt} is told that ${call.tool} counts, and it is not on disk`);
    }
    this.#judge(path, bytes);
    this.#kept.set(path, Buffer.from(bytes));
  }

  /** Whoever takes an attempt up, or commits it, builds on its file. */
  hear({ type, instance, attempt }: { readonly type: string; readonly [name: string]: unknown }): void {
    if (type !== 'instance.resumed' && type !== 'commit.started') return;
    const path = this.#path(String(instance), Number(attempt));
    this.#judge(path, this.#durable(path));
  }

  #judge(path: string, bytes: Buffer): void {
    const kept = this.#kept.get(path);
    if (kept && !bytes.subarray(0, kept.length).equals(kept)) this.#fail(`${path} has lost calls that were kept`);
  }

  #durable(path: string): Buffer {
    const { disk } = this.#ports;
    return disk.exists(path) ? disk.readDurable(path) : Buffer.alloc(0);
  }

  #path(instance: string, attempt: number): string {
    return `${this.#ports.observer.workFolder(instance)}/attempt-${attempt}.calls.jsonl`;
  }

  #fail(message: string): void {
    this.#ports.observer.fail('D1', message);
  }
}
