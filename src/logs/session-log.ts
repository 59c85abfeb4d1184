/**
 * The log of one attempt: every event of its session as a line, and at the end the record of the attempt.
 *
 * Owns: `attempt-<n>.events.jsonl` and `attempt-<n>.record.json`. Does not own: which events belong to the session;
 * the caller also leaves out the `sync` copies. Secrets are redacted.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import { redact } from '../redact.ts';
import { BatchedFile, type BatchedFileOptions } from './batched-file.ts';
import { type ToolCall, ToolCalls } from './tool-calls.ts';

export interface SessionLogOptions
  extends Pick<BatchedFileOptions, 'clock' | 'flushMs' | 'flushBytes' | 'maxBytes' | 'open'> {
  readonly taskName: string;
  /** Our own name of the session. */
  readonly sessionId: string;
  /** The server's name of it. */
  readonly apiSessionId: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Literal secrets to redact beside what is recognised. */
  readonly secrets?: readonly string[];
  /** Told once when events can no longer be written (DISK_FULL, FOLDER_NOT_WRITABLE); the session goes on without. */
  readonly onError?: (error: MusterError) => void;
}

/** Times in milliseconds since the epoch, durations in milliseconds. */
export interface SessionRecord {
  readonly taskName: string;
  readonly sessionId: string;
  readonly apiSessionId: string;
  readonly attempt: number;
  readonly startTime: number;
  readonly endTime: number;
  readonly duration: number;
  readonly status: string;
  readonly toolCalls: readonly ToolCall[];
  /** Events of the session, those that could not be written included. */
  readonly eventCount: number;
  /** Events that could not be written; absent when there are none. */
  readonly lostEvents?: number;
  /** Name of the file with the events, beside the record. */
  readonly events: string;
}

export interface SessionLog {
  /** Logs one event: its type and its data as the server sent them. Heartbeats, and events after `close`, are not logged. */
  event(type: string, data: unknown): void;
  /** Writes what waits and the record. Rejects with DISK_FULL or FOLDER_NOT_WRITABLE when the record cannot be written. */
  close(status: string): Promise<SessionRecord>;
}

/** Starts the log of an attempt in `dir`, which is made when it does not exist. Returns at once; files follow with the first batch. */
export function openSessionLog(dir: string, options: SessionLogOptions): SessionLog {
  return new AttemptLog(dir, options);
}

class AttemptLog implements SessionLog {
  readonly #dir: string;
  readonly #options: SessionLogOptions;
  readonly #events: BatchedFile;
  readonly #eventsName: string;
  readonly #toolCalls = new ToolCalls();
  readonly #startTime: number;
  #eventCount = 0;
  #closing: Promise<SessionRecord> | undefined;

  constructor(dir: string, options: SessionLogOptions) {
    const { clock, onError } = options;
    this.#dir = dir;
    this.#options = options;
    this.#startTime = clock.now();
    this.#eventsName = `attempt-${options.attempt}.events.jsonl`;
    const path = join(dir, this.#eventsName);
    this.#events = new BatchedFile(path, {
      ...options,
      lossNote: (lost) =>
        JSON.stringify({ timestamp: clock.now(), type: 'muster.events-lost', data: { events: lost } }),
      onError: (error) => onError?.(logFailure(path, error)),
    });
  }

  event(type: string, data: unknown): void {
    if (type === 'server.heartbeat' || this.#closing !== undefined) return;
    const timestamp = this.#options.clock.now();
    this.#eventCount += 1;
    this.#toolCalls.see(type, data, timestamp);
    this.#events.append(JSON.stringify({ timestamp, type, data: redact(data, this.#options.secrets) }));
  }

  close(status: string): Promise<SessionRecord> {
    this.#closing ??= this.#close(status);
    return this.#closing;
  }

  async #close(status: string): Promise<SessionRecord> {
    const { clock, taskName, sessionId, apiSessionId, attempt } = this.#options;
    const endTime = clock.now();
    await this.#events.close();
    const { lost } = this.#events;
    const record: SessionRecord = {
      taskName,
      sessionId,
      apiSessionId,
      attempt,
      startTime: this.#startTime,
      endTime,
      duration: endTime - this.#startTime,
      status,
      toolCalls: this.#toolCalls.all(),
      eventCount: this.#eventCount,
      ...(lost > 0 ? { lostEvents: lost } : {}),
      events: this.#eventsName,
    };
    await this.#write(join(this.#dir, `attempt-${attempt}.record.json`), record);
    return record;
  }

  /** Through a second name, so that nobody ever reads half a record. */
  async #write(path: string, record: SessionRecord): Promise<void> {
    try {
      await mkdir(this.#dir, { recursive: true });
      await writeFile(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`);
      await rename(`${path}.new`, path);
    } catch (thrown) {
      throw logFailure(path, ensureError(thrown));
    }
  }
}

function logFailure(path: string, cause: Error): MusterError {
  const code = systemCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MusterError('DISK_FULL', `No space left to write the log ${path}. Free space on that disk.`, { cause });
  }
  const message = `Cannot write the log ${path}: ${cause.message}. Give this user write permission on the run folder.`;
  return new MusterError('FOLDER_NOT_WRITABLE', message, { cause });
}
