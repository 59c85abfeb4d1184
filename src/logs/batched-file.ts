/**
 * Appends lines to a file in batches, off the path of whoever writes them.
 *
 * Owns: the file and the lines that wait. Does not own: what a line says. Not durable: a crash loses the lines that wait.
 *
 * Invariants: order is kept; memory is bounded by `maxBytes`; a line that is not written is counted, and the count
 * stands in the file as soon as there is room, and in `lost`.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ensureError } from '../errors.ts';
import type { Clock } from '../ports.ts';

/** The calls on the file, so that tests can slow or fail them. */
export type LogFile = Pick<FileHandle, 'appendFile' | 'close'>;

export interface BatchedFileOptions {
  readonly clock: Clock;
  /** A batch is written this long after its first line; default 500 ms. */
  readonly flushMs?: number;
  /** A batch is written at once when it has this size; default 256 kB. */
  readonly flushBytes?: number;
  /** Most bytes that wait for the disk; further lines are lost and counted. Default 8 MB. */
  readonly maxBytes?: number;
  /** The line that stands for `lost` lines at this place. */
  readonly lossNote: (lost: number) => string;
  /** Told once when the file can no longer be written; later lines are lost and counted. */
  readonly onError?: (error: Error) => void;
  /** Opens the file for appending; its folder exists then. */
  readonly open?: (path: string) => Promise<LogFile>;
}

export class BatchedFile {
  readonly #path: string;
  readonly #options: BatchedFileOptions;
  #lines: string[] = [];
  #lineBytes = 0;
  /** Of `#lines`, those that were given to `append`; the others are loss notes. */
  #given = 0;
  /** Bytes handed to the system and not yet taken. */
  #writingBytes = 0;
  #unnoted = 0;
  #lost = 0;
  #file: LogFile | undefined;
  #failed = false;
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string, options: BatchedFileOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Lines that did not reach the file; a batch that failed half-way counts whole. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes `line`, which has no line feed at its end. False when it was lost. */
  append(line: string): boolean {
    const bytes = Buffer.byteLength(line) + 1;
    const room = (this.#options.maxBytes ?? 8_000_000) - this.#lineBytes - this.#writingBytes;
    if (this.#failed || this.#closing !== undefined || bytes > room) {
      this.#lost += 1;
      this.#unnoted += 1;
      return false;
    }
    this.#noteLoss();
    this.#add(line);
    this.#given += 1;
    if (this.#lineBytes >= (this.#options.flushBytes ?? 256_000)) this.#flush();
    else this.#cancelTimer ??= this.#options.clock.after(this.#options.flushMs ?? 500, () => this.#flush());
    return true;
  }

  /** Writes what waits and closes the file, which exists afterwards even when it is empty. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writing;
    if (!this.#failed) this.#noteLoss();
    this.#flush();
    await this.#writing;
    try {
      if (!this.#failed) await (await this.#opened()).close();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #add(line: string): void {
    this.#lines.push(line);
    this.#lineBytes += Buffer.byteLength(line) + 1;
  }

  #noteLoss(): void {
    if (this.#unnoted === 0) return;
    this.#add(this.#options.lossNote(this.#unnoted));
    this.#unnoted = 0;
  }

  #flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#writing ??= this.#writeWaiting();
  }

  /** One batch after another until nothing waits. Never rejects: the first failure ends the writing. */
  async #writeWaiting(): Promise<void> {
    await Promise.resolve();
    try {
      while (this.#lines.length > 0) {
        const lines = this.#lines;
        const given = this.#given;
        this.#writingBytes = this.#lineBytes;
        this.#lines = [];
        this.#lineBytes = 0;
        this.#given = 0;
        try {
          await (await this.#opened()).appendFile(`${lines.join('\n')}\n`);
        } catch (thrown) {
          this.#lost += given;
          throw thrown;
        }
        this.#writingBytes = 0;
      }
    } catch (thrown) {
      this.#fail(thrown);
      // A second failure of the same file says nothing new.
      await this.#file?.close().catch(ensureError);
    } finally {
      // Before anything else can run: a line that comes now must start a new batch.
      this.#writing = undefined;
    }
  }

  async #opened(): Promise<LogFile> {
    if (this.#file === undefined) {
      await mkdir(dirname(this.#path), { recursive: true });
      this.#file = await (this.#options.open ?? openLogFile)(this.#path);
    }
    return this.#file;
  }

  #fail(thrown: unknown): void {
    this.#failed = true;
    this.#lost += this.#given;
    this.#lines = [];
    this.#lineBytes = 0;
    this.#given = 0;
    this.#options.onError?.(ensureError(thrown));
  }
}

function openLogFile(path: string): Promise<LogFile> {
  return open(path, 'a');
}
