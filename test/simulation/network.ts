/**
 * The loopback network between muster, the OpenCode server and the tools of its agents.
 *
 * Owns what is under way: requests of muster to the server, calls of agents to muster, and their breaking when one end
 * dies. Does not own what either end answers.
 */
import type { Faults } from './faults.ts';
import type { ProcessLife } from './process-life.ts';
import type { SeededRandom } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | number>>;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

/** The OpenCode server as the network sees it. */
export interface Host {
  readonly isUp: boolean;
  /** The instance that a request concerns, where one can tell. */
  instanceOf(request: SentRequest): string | undefined;
  answer(request: SentRequest): Answered;
  /** A new subscriber of the event stream. */
  subscribe(): Subscriber;
}

/** One connection of the event stream: what the server says arrives in order, after a while. */
export interface Subscriber extends AsyncIterable<Uint8Array> {
  /** Ends it from the reader's side. */
  leave(): void;
  /** The reader is dead: it hears nothing more, not even the end. */
  abandon(): void;
}

/** What answers the agents' tools: muster's endpoint. */
export type Listener = (request: object, response: object) => void;

interface Flight {
  fail(error: Error): void;
}

export class Network {
  host: Host | undefined;
  readonly #time: VirtualTime;
  readonly #life: ProcessLife;
  readonly #random: SeededRandom;
  readonly #faults: Faults;
  readonly #listeners = new Map<number, Listener>();
  readonly #toServer = new Set<Flight>();
  readonly #toMuster = new Set<Flight>();
  #streams: Subscriber[] = [];
  #lastPort = 40_000;

  constructor(time: VirtualTime, life: ProcessLife, random: SeededRandom, faults: Faults) {
    this.#time = time;
    this.#life = life;
    this.#random = random;
    this.#faults = faults;
  }

  listen(listener: Listener): number {
    this.#lastPort += 1;
    this.#listeners.set(this.#lastPort, listener);
    return this.#lastPort;
  }

  unlisten(port: number): void {
    this.#listeners.delete(port);
  }

  /** The server is gone: whoever waited for it hears so. */
  serverDied(): void {
    for (const flight of [...this.#toServer]) flight.fail(broken('UND_ERR_SOCKET', 'other side closed'));
    this.#toServer.clear();
  }

  /** The process is gone with its sockets. */
  musterDied(): void {
    this.#listeners.clear();
    this.#toServer.clear();
    for (const stream of this.#streams) stream.abandon();
    this.#streams = [];
    for (const flight of [...this.#toMuster]) flight.fail(broken('ECONNRESET', 'socket hang up'));
    this.#toMuster.clear();
  }

  /** A request of muster; rejects as the client of the platform does. */
  request(request: SentRequest, signal: AbortSignal | undefined): Promise<Answered> {
    const mine = this.#life.number;
    return new Promise((resolve, reject) => {
      const finish = (end: () => void) => {
        this.#toServer.delete(flight);
        signal?.removeEventListener('abort', abort);
        if (this.#life.is(mine)) end();
      };
      let isOver = false;
      const once = (end: () => void) => {
        if (isOver) return;
        isOver = true;
        finish(end);
      };
      const flight: Flight = { fail: (error) => once(() => reject(error)) };
      const abort = () => once(() => reject(signal?.reason as Error));
      if (signal?.aborted) return once(() => reject(signal.reason as Error));
      signal?.addEventListener('abort', abort, { once: true });
      this.#toServer.add(flight);
      this.#time.after(this.#random.between(1, 20), () => {
        if (isOver) return;
        const { host } = this;
        if (!host?.isUp) return flight.fail(broken('ECONNREFUSED', 'connect ECONNREFUSED'));
        const who = host.instanceOf(request) ?? '';
        const name = `${request.method} ${request.path} of ${who || 'nobody'}`;
        if (this.#faults.strikes('request-reset', name, who))
          return flight.fail(broken('ECONNRESET', 'read ECONNRESET'));
        if (this.#faults.strikes('request-failed', name, who)) {
          const body = { name: 'UnknownError', data: { message: 'simulated failure' } };
          this.#time.after(this.#random.between(1, 20), () => once(() => resolve({ status: 500, body })));
          return;
        }
        const answer = host.answer(request);
        if (this.#faults.strikes('answer-lost', name, who))
          return flight.fail(broken('UND_ERR_SOCKET', 'other side closed'));
        const isSlow = this.#faults.strikes('request-slow', name, who);
        const backMs = isSlow ? this.#random.between(61_000, 70_000) : this.#random.between(1, 20);
        this.#time.after(backMs, () => once(() => resolve(answer)));
      });
    });
  }

  /** The event stream; faults of the connection itself are the server's. */
  async openStream(signal: AbortSignal): Promise<Subscriber> {
    const mine = this.#life.number;
    await this.#time.wait(this.#random.between(1, 20));
    if (!this.#life.is(mine)) return new Promise(() => {});
    const { host } = this;
    if (!host?.isUp || this.#faults.strikes('stream-refused', 'the event stream')) {
      throw broken('ECONNREFUSED', 'connect ECONNREFUSED');
    }
    if (signal.aborted) throw signal.reason as Error;
    const subscriber = host.subscribe();
    this.#streams.push(subscriber);
    signal.addEventListener('abort', () => subscriber.leave(), { once: true });
    return subscriber;
  }

  /** A call of an agent's tool to muster; rejects with a system code when nobody listens or muster dies meanwhile. */
  async callMuster(port: number, path: string, token: string, body: string): Promise<Answered> {
    await this.#time.wait(this.#random.between(1, 10));
    const listener = this.#listeners.get(port);
    if (!listener || !this.#life.isAlive) throw broken('ECONNREFUSED', 'connect ECONNREFUSED');
    const mine = this.#life.number;
    const text = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const flight: Flight = { fail: reject };
      this.#toMuster.add(flight);
      const response = {
        headersSent: false,
        destroyed: false,
        status: 200,
        writeHead(status: number) {
          response.headersSent = true;
          response.status = status;
        },
        end: (answer: string) => {
          this.#toMuster.delete(flight);
          if (this.#life.is(mine)) resolve({ status: response.status, text: answer });
        },
      };
      const request = {
        method: 'POST',
        url: path,
        headers: { host: `127.0.0.1:${port}`, authorization: `Bearer ${token}` },
        async *[Symbol.asyncIterator]() {
          yield Buffer.from(body);
        },
      };
      listener(request, response);
    });
    await this.#time.wait(this.#random.between(1, 10));
    return { status: text.status, body: JSON.parse(text.text) };
  }
}

function broken(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
