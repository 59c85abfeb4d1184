/**
 * Appends the facts of a run to its journal, one JSON object per line.
 *
 * Owns: the order of facts (`seq`), their time, the file. Does not own: what a fact means, or when it must be durable;
 * whoever makes an effect visible awaits `flushed()` first (J1).
 *
 * Invariants: a fact takes its place at once and is told to listeners in that order; all lines that wait are written
 * together and made durable together; the first error is kept and nothing is appended after it, so that what is on disk
 * is a prefix of what happened, but for a torn last line.
 */

import type { RunEvent, RunFact } from '../../schemas/run-event.ts';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import type { Clock, JournalPort } from '../ports.ts';
import { type JournalFile, openJournalFile } from './journal-file.ts';

export type JournalListener = (event: RunEvent) => void;

export interface Journal extends JournalPort {
  /**
   * Calls `listener` for each later fact, synchronously, once it has its place; the returned function ends that. A fact
   * appended by a listener is told after the one at hand.
   */
  subscribe(listener: JournalListener): () => void;
  /** Flushes, then closes the file. Rejects with the error that ended the journal, if any. */
  close(): Promise<void>;
}

export interface JournalOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Goes on after these: the last `seq` and the length in bytes that `readJournal` gave; a torn last line is cut. */
  readonly resume?: { readonly lastSeq: number; readonly bytes: number };
  /** Told once, when the journal can no longer be written (DISK_FULL, JOURNAL_WRITE). */
  readonly onError?: (error: MusterError) => void;
  /** Told when a listener threw; the journal goes on. Default: a process warning. */
  readonly onListenerError?: (error: Error) => void;
  /** The file; default {@link openJournalFile}. */
  readonly open?: (file: string, keepBytes?: number) => JournalFile;
}

/**
 * Opens a new journal, or with `resume` an existing one.
 * @throws MusterError JOURNAL_WRITE when it cannot be made or exists already, DISK_FULL.
 */
export function openJournal(file: string, options: JournalOptions): Journal {
  try {
    return new JournalWriter(file, (options.open ?? openJournalFile)(file, options.resume?.bytes), options);
  } catch (thrown) {
    throw writeFailure(file, thrown);
  }
}

class JournalWriter implements Journal {
  readonly #path: string;
  readonly #file: JournalFile;
  readonly #options: JournalOptions;
  readonly #listeners = new Set<JournalListener>();
  #seq: number;
  #durableSeq: number;
  #lines: string[] = [];
  #untold: RunEvent[] = [];
  #telling = false;
  #writing: Promise<void> | undefined;
  #waiting: { readonly seq: number; resolve(): void; reject(error: MusterError): void }[] = [];
  #error: MusterError | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string, file: JournalFile, options: JournalOptions) {
    this.#path = path;
    this.#file = file;
    this.#options = options;
    this.#seq = options.resume?.lastSeq ?? 0;
    this.#durableSeq = this.#seq;
  }

  append(fact: RunFact): void {
    if (this.#closing !== undefined) {
      this.#fail(new MusterError('BUG', `A fact (${fact.type}) came after the journal ${this.#path} was closed.`));
    }
    if (this.#error !== undefined) return;
    const event: RunEvent = { seq: this.#seq + 1, time: new Date(this.#options.clock.now()).toISOString(), ...fact };
    this.#lines.push(`${JSON.stringify(event)}\n`);
    this.#seq = event.seq;
    this.#writing ??= this.#writeAll();
    this.#untold.push(event);
    this.#tell();
  }

  flushed(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#durableSeq === this.#seq) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ seq: this.#seq, resolve, reject }));
  }

  subscribe(listener: JournalListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writing;
    try {
      await this.#file.close();
    } catch (thrown) {
      this.#fail(writeFailure(this.#path, thrown));
    }
    if (this.#error !== undefined) throw this.#error;
  }

  /** One batch after another until nothing waits. Never rejects: a failure is kept. */
  async #writeAll(): Promise<void> {
    // Everything appended in this turn of the event loop goes with the first batch.
    await Promise.resolve();
    try {
      while (this.#lines.length > 0) {
        const batch = Buffer.from(this.#lines.join(''));
        const lastSeq = this.#seq;
        this.#lines = [];
        for (let at = 0; at < batch.length; ) {
          const written = await this.#file.write(batch.subarray(at));
          if (written <= 0) throw new Error('the system took no byte');
          at += written;
        }
        await this.#file.sync();
        this.#durableSeq = lastSeq;
        this.#resolveUpTo(lastSeq);
      }
    } catch (thrown) {
      this.#fail(writeFailure(this.#path, thrown));
    } finally {
      this.#writing = undefined;
    }
  }

  #resolveUpTo(seq: number): void {
    const ready = this.#waiting.filter((waiter) => waiter.seq <= seq);
    this.#waiting = this.#waiting.filter((waiter) => waiter.seq > seq);
    for (const waiter of ready) waiter.resolve();
  }

  /** Keeps the first error only: after a failed write or sync nobody knows what the file holds behind the last sync. */
  #fail(error: MusterError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#lines = [];
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.reject(error);
    this.#options.onError?.(error);
  }

  /** In the order of the journal, also when a listener appends. */
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    for (let event = this.#untold.shift(); event !== undefined; event = this.#untold.shift()) {
      for (const listener of this.#listeners) {
        try {
          listener(event);
        } catch (thrown) {
          const error = ensureError(thrown);
          (this.#options.onListenerError ?? process.emitWarning)(error);
        }
      }
    }
    this.#telling = false;
  }
}

function writeFailure(path: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  const code = systemCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const message = `No space left to write the journal ${path}. Free space on that disk, then resume the run.`;
    return new MusterError('DISK_FULL', message, { cause });
  }
  const cure =
    code === 'EEXIST'
      ? 'It exists already: resume that run, or start one with a new id.'
      : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? 'Give this user write permission on the run folder, or name another home folder.'
        : 'Check the disk and the run folder, then resume the run.';
  return new MusterError('JOURNAL_WRITE', `Cannot write the journal ${path}: ${cause.message}. ${cure}`, { cause });
}
