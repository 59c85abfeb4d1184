/**
 * The accepted tool calls of one attempt, so that what an agent handed in survives the death of this process.
 *
 * Owns the file `attempt-<n>.calls.jsonl`. Does not own what a call means (src/agent-tools). Invariants: a call is on disk
 * before its answer leaves; calls that wait are written and synchronised together; after the first failure, or when it is
 * closed, nothing more is written, so that the file is always a prefix of what was accepted, and belongs to whoever goes on
 * with it.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Tool } from '../agent-tools/desk.ts';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import { type JournalFile, openJournalFile } from '../journal/journal-file.ts';
import { folderFailure } from '../journal/run-folder.ts';

export interface LoggedCall {
  readonly tool: Tool;
  readonly arguments: unknown;
  /** Rows that were accepted; the same call must be answered so again. */
  readonly accepted: number;
}

export interface LoggedCalls {
  readonly calls: readonly LoggedCall[];
  /** Length of the finished lines. */
  readonly bytes: number;
}

/** Nothing for an attempt that handed in nothing; undefined when a line in the middle is not a call. */
export async function readCalls(path: string): Promise<LoggedCalls | undefined> {
  let text: Buffer;
  try {
    text = await readFile(path);
  } catch (thrown) {
    const error = ensureError(thrown);
    if (systemCode(error) === 'ENOENT') return { calls: [], bytes: 0 };
    throw folderFailure(path, error);
  }
  // What stands behind the last line feed was never answered.
  const bytes = text.lastIndexOf(0x0a) + 1;
  const lines = text.subarray(0, bytes).toString().split('\n').slice(0, -1);
  const calls: LoggedCall[] = [];
  for (const line of lines) {
    const call = parse(line);
    if (!call) return undefined;
    calls.push(call);
  }
  return { calls, bytes };
}

function parse(line: string): LoggedCall | undefined {
  try {
    const value = JSON.parse(line) as Partial<LoggedCall> | null;
    const isCall = typeof value?.tool === 'string' && typeof value.accepted === 'number' && 'arguments' in value;
    return isCall ? (value as LoggedCall) : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

export class CallLog {
  readonly #path: string;
  readonly #keepBytes: number | undefined;
  #file: JournalFile | undefined;
  #lines: string[] = [];
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();
  #error: Error | undefined;
  #isClosed = false;

  /** @param keepBytes goes on with an existing file behind this length; default a new file. */
  constructor(path: string, keepBytes?: number) {
    this.#path = path;
    this.#keepBytes = keepBytes;
  }

  /** The attempt has ended: what it is told now cannot be kept any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Resolves when the call is on disk. Rejects with DISK_FULL or FOLDER_NOT_WRITABLE, from the first failure on always, and
   * with BUG when it is closed.
   */
  append(call: LoggedCall): Promise<void> {
    if (this.#isClosed) {
      return Promise.reject(new MusterError('BUG', `expected ${this.#path} to be open for a call, it is closed`));
    }
    this.#lines.push(`${JSON.stringify({ ...call, arguments: call.arguments ?? null })}\n`);
    if (!this.#next) {
      const batch = this.#last.then(() => this.#write());
      this.#next = batch;
      this.#last = batch.catch((thrown: unknown) => {
        this.#error ??= ensureError(thrown);
      });
    }
    return this.#next;
  }

  /** Takes nothing more at once; resolves when what it took is on disk. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #write(): Promise<void> {
    const batch = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#next = undefined;
    if (this.#error) throw this.#error;
    try {
      const file = await this.#opened();
      for (let at = 0; at < batch.length; ) {
        const written = await file.write(batch.subarray(at));
        if (written <= 0) throw new Error('the system took no byte');
        at += written;
      }
      await file.sync();
    } catch (thrown) {
      throw folderFailure(this.#path, thrown);
    }
  }

  async #opened(): Promise<JournalFile> {
    if (!this.#file) {
      await mkdir(dirname(this.#path), { recursive: true });
      this.#file = this.#open();
    }
    return this.#file;
  }

  #open(): JournalFile {
    if (this.#keepBytes !== undefined) return openJournalFile(this.#path, this.#keepBytes);
    try {
      return openJournalFile(this.#path);
    } catch (thrown) {
      // An attempt of this number that no journal knows any more: its run was taken back to an earlier line.
      if (systemCode(ensureError(thrown)) !== 'EEXIST') throw thrown;
      return openJournalFile(this.#path, 0);
    }
  }
}
