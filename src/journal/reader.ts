/**
 * Reads the journal of a run: whole, as a stream, or as it grows.
 *
 * A last line without its line feed is torn: it was never told to be durable, and is left out. Any other line that is
 * not a fact, and any hole in `seq`, means that the file was damaged or edited: JOURNAL_CORRUPT.
 */
import { constants, type FileHandle, open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { RunEvent } from '../../schemas/run-event.ts';
import { ensureError, MusterError, systemCode } from '../errors.ts';

export interface JournalContent {
  readonly events: readonly RunEvent[];
  /** Whether an unfinished last line was left out. */
  readonly torn: boolean;
  /** Length of the finished lines; a resumed writer cuts the file there. */
  readonly bytes: number;
}

const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** @throws MusterError JOURNAL_CORRUPT naming the line, JOURNAL_READ when the file cannot be read. */
export async function readJournal(file: string): Promise<JournalContent> {
  const events: RunEvent[] = [];
  const lines = new JournalLines(file);
  for await (const event of lines.read()) events.push(event);
  return { events, torn: lines.torn, bytes: lines.bytes };
}

/** One fact after another, in constant memory. @throws as {@link readJournal}. */
export async function* streamJournal(file: string): AsyncGenerator<RunEvent, void, undefined> {
  yield* new JournalLines(file).read();
}

/**
 * All facts so far and each further one, until `run.ended` or the signal; looks every `pollMs` (default 200 ms) for more.
 * @throws as {@link readJournal}.
 */
export async function* followJournal(
  file: string,
  signal: AbortSignal,
  pollMs = 200,
): AsyncGenerator<RunEvent, void, undefined> {
  const lines = new JournalLines(file);
  while (!signal.aborted) {
    for await (const event of lines.read()) {
      yield event;
      if (event.type === 'run.ended' || signal.aborted) return;
    }
    await wait(pollMs, undefined, { signal }).catch(onlyAborted);
  }
}

/** Remembers where the finished lines end, so that `read` can be called again when the file has grown. */
class JournalLines {
  /** Length of the finished lines read so far. */
  bytes = 0;
  torn = false;
  readonly #file: string;
  #line = 0;

  constructor(file: string) {
    this.#file = file;
  }

  async *read(): AsyncGenerator<RunEvent, void, undefined> {
    const handle = await this.#open();
    try {
      let rest: Buffer[] = [];
      for (let at = this.bytes; ; ) {
        const chunk = await this.#readAt(handle, at);
        if (chunk.length === 0) break;
        at += chunk.length;
        let from = 0;
        for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
          const line = Buffer.concat([...rest, chunk.subarray(from, end)]);
          rest = [];
          from = end + 1;
          this.bytes += line.length + 1;
          yield this.#parse(line);
        }
        if (from < chunk.length) rest.push(chunk.subarray(from));
      }
      this.torn = rest.length > 0;
    } finally {
      await handle.close();
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.#file, constants.O_RDONLY);
    } catch (thrown) {
      throw this.#unreadable(thrown);
    }
  }

  async #readAt(handle: FileHandle, position: number): Promise<Buffer> {
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, position);
      return buffer.subarray(0, bytesRead);
    } catch (thrown) {
      throw this.#unreadable(thrown);
    }
  }

  #parse(bytes: Buffer): RunEvent {
    this.#line += 1;
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString());
    } catch (thrown) {
      throw this.#corrupt(`text that is no JSON (${ensureError(thrown).message})`, ensureError(thrown));
    }
    const { seq, time, type } = (value ?? {}) as { seq?: unknown; time?: unknown; type?: unknown };
    if (typeof seq !== 'number' || typeof time !== 'string' || typeof type !== 'string') {
      throw this.#corrupt('an object without seq, time and type');
    }
    if (seq !== this.#line) throw this.#corrupt(`seq ${seq}`);
    return value as RunEvent;
  }

  #corrupt(got: string, cause?: Error): MusterError {
    const sound = this.#line - 1;
    const before = sound < 1 ? '' : `, go on from the state before it with "muster resume RUN --until-line ${sound}"`;
    return new MusterError(
      'JOURNAL_CORRUPT',
      `Expected the fact with seq ${this.#line} in line ${this.#line} of ${this.#file}; got ${got}. The file was damaged or edited; the graph is not affected. Restore it from a copy${before}, or start a new run.`,
      { cause },
    );
  }

  #unreadable(thrown: unknown): MusterError {
    const cause = ensureError(thrown);
    const cure =
      systemCode(cause) === 'ENOENT'
        ? 'Check the path and the run id; a run that never started has no journal.'
        : 'Check that this user may read the file.';
    return new MusterError('JOURNAL_READ', `Cannot read the journal ${this.#file}: ${cause.message}. ${cure}`, {
      cause,
    });
  }
}

function onlyAborted(thrown: unknown): void {
  const error = ensureError(thrown);
  if (error.name !== 'AbortError') throw error;
}
