/**
 * Ladybug, the embedded engine that answers Cypher, in a process of its own. Its platform package is optional: where it
 * is missing, only Cypher is.
 *
 * Owns the process and the database in its memory. Does not own what the database was made from. Invariants: a question
 * that is overdue, or for which the process holds too much memory, ends the process; what is under way then, and
 * whatever comes after, is rejected; an idle process keeps muster from nothing, its own end included.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { ensureError, MusterError } from '../errors.ts';
import type { CypherValue } from '../ports.ts';
import {
  type EngineAnswer,
  type EngineReply,
  type EngineRequest,
  type EngineStart,
  engineProgram,
} from './projection-process.ts';

const BUFFER_BYTES = 256 * 1024 * 1024;
/** The engine's default of 8 TiB leaves room for a few databases only. */
const DATABASE_BYTES = 8 * 1024 * 1024 * 1024;
/** Lists are held outside of the engine's pages, without a bound of its own. */
const RESIDENT_BYTES = 1024 * 1024 * 1024;
/** How long beyond its time limit a question may take to notice: planning and some operators never look. */
const GRACE_MS = 1_000;

/** Path of the package. @throws MusterError CYPHER_UNAVAILABLE naming the package that this machine would need. */
export function enginePackage(platform: string = process.platform, arch: string = process.arch): string {
  const name = `@ladybugdb/core-${platform}-${arch}`;
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (thrown) {
    throw new MusterError(
      'CYPHER_UNAVAILABLE',
      `Cypher on the embedded graph needs the package ${name}, which cannot be loaded on this machine. ` +
        'Install the optional dependencies, or keep the graph in Neo4j (--graph neo4j://…). All else works without it.',
      { cause: ensureError(thrown) },
    );
  }
}

/** The process ended before it answered. */
export class EngineEnded extends Error {
  readonly why: 'late' | 'memory' | 'fault';

  constructor(why: 'late' | 'memory' | 'fault', how: string) {
    super(how);
    this.why = why;
  }
}

interface Waiting {
  readonly done: (value: unknown) => void;
  readonly failed: (why: Error) => void;
}
type Unnumbered<Request> = Request extends unknown ? Omit<Request, 'id'> : never;

export class Engine {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #gone: Promise<void>;
  #ended: EngineEnded | undefined;
  #lastId = 0;

  /** Starts the process. What it cannot load is said by the first request. */
  constructor(packagePath: string) {
    const start: EngineStart = {
      packagePath,
      bufferBytes: BUFFER_BYTES,
      databaseBytes: DATABASE_BYTES,
      residentBytes: RESIDENT_BYTES,
    };
    const { SystemRoot } = process.env;
    this.#child = spawn(
      process.execPath,
      ['--eval', `(${engineProgram.toString()})(require, process)`, JSON.stringify(start)],
      {
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        serialization: 'advanced',
        windowsHide: true,
        // Nothing of muster's own environment, where credentials stand.
        env: SystemRoot === undefined ? {} : { SystemRoot },
      },
    );
    this.#child.on('message', (reply: EngineReply) => this.#take(reply));
    this.#gone = new Promise((gone) => {
      const lose = (how: string) => {
        this.#lose(new EngineEnded('fault', how));
        gone();
      };
      this.#child.on('error', ({ message }) => lose(message));
      this.#child.on('exit', (code, signal) => lose(signal ?? `exit code ${code}`));
    });
    this.#restIfIdle();
  }

  /** True when it answers nothing any more. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Runs a statement of our own, one after the other on one connection. */
  async run(statement: string): Promise<void> {
    await this.#request({ op: 'run', statement });
  }

  /** Rejects with what the engine said, or with {@link EngineEnded}. */
  async ask(
    statement: string,
    parameters: Readonly<Record<string, CypherValue>>,
    limits: { readonly maxRows: number; readonly timeLimitMs: number },
  ): Promise<EngineAnswer> {
    const overdue = setTimeout(
      () => this.#kill(new EngineEnded('late', `after ${limits.timeLimitMs} ms`)),
      limits.timeLimitMs + GRACE_MS,
    );
    try {
      return (await this.#request({ op: 'ask', statement, parameters, ...limits })) as EngineAnswer;
    } finally {
      clearTimeout(overdue);
    }
  }

  /** Ends the process; resolves when it is gone. */
  async end(): Promise<void> {
    this.#kill(new EngineEnded('fault', 'closed'));
    await this.#gone;
  }

  #request(request: Unnumbered<EngineRequest>): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<unknown>((done, failed) => this.#waiting.set(id, { done, failed }));
    this.#child.ref();
    this.#child.channel?.ref();
    this.#child.send({ ...request, id }, (fault) => {
      if (fault) this.#kill(new EngineEnded('fault', fault.message));
    });
    return answer;
  }

  #take(reply: EngineReply): void {
    if ('residentBytes' in reply) {
      this.#kill(new EngineEnded('memory', `at ${reply.residentBytes} bytes`));
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    this.#restIfIdle();
    if ('error' in reply) waiting?.failed(new Error(reply.error));
    else waiting?.done(reply.value);
  }

  #restIfIdle(): void {
    if (this.#waiting.size > 0) return;
    this.#child.unref();
    this.#child.channel?.unref();
  }

  #kill(why: EngineEnded): void {
    this.#ended ??= why;
    this.#child.ref();
    this.#child.kill('SIGKILL');
  }

  #lose(how: EngineEnded): void {
    this.#ended ??= how;
    for (const { failed } of this.#waiting.values()) failed(this.#ended);
    this.#waiting.clear();
  }
}
