/**
 * The application's own log: one JSON object per line, by pino, with secrets redacted.
 *
 * Lines are written at once, so that the last words before a crash are in the file; they are few. Redaction happens on
 * the finished line: messages, bindings, error stacks and causes all pass it.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Logger, pino, stdSerializers } from 'pino';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import { redact, redactText } from '../redact.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface AppLogOptions {
  readonly clock: { now(): number };
  /** Least level that is written; default `info`. */
  readonly level?: LogLevel;
  /** Literal secrets to redact beside what is recognised. */
  readonly secrets?: readonly string[];
  /** Told once when the log can no longer be written; later lines are lost, the run goes on. */
  readonly onError?: (error: MusterError) => void;
}

export interface AppLog {
  readonly logger: Logger;
  close(): void;
}

/** Appends to `file`; its folder is made when it does not exist. @throws MusterError FOLDER_NOT_WRITABLE, DISK_FULL. */
export function openAppLog(file: string, options: AppLogOptions): AppLog {
  const { clock, secrets = [] } = options;
  let descriptor: number | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true });
    descriptor = openSync(file, 'a');
  } catch (thrown) {
    throw failure(file, thrown);
  }
  const close = () => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  const write = (line: string) => {
    if (descriptor === undefined) return;
    try {
      writeAll(descriptor, line);
    } catch (thrown) {
      close();
      options.onError?.(failure(file, thrown));
    }
  };
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.errWithCause, error: stdSerializers.errWithCause },
      hooks: { streamWrite: (line) => redactLine(line, secrets) },
    },
    { write },
  );
  return { logger, close };
}

/** A disk that fills up takes a part of a line first; the rest tells the error. */
function writeAll(descriptor: number, line: string): void {
  const bytes = Buffer.from(line);
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

function redactLine(line: string, secrets: readonly string[]): string {
  try {
    return `${JSON.stringify(redact(JSON.parse(line), secrets))}\n`;
  } catch (thrown) {
    // A line that pino made and JSON does not take: redacted as text, because losing it would hide something.
    if (ensureError(thrown) instanceof SyntaxError) return redactText(line, secrets);
    throw thrown;
  }
}

function failure(file: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  const code = systemCode(cause);
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new MusterError('DISK_FULL', `No space left to write the log ${file}. Free space on that disk.`, { cause })
    : new MusterError(
        'FOLDER_NOT_WRITABLE',
        `Cannot write the log ${file}: ${cause.message}. Give this user write permission on the folder.`,
        { cause },
      );
}
