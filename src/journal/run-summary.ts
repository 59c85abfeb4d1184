/** What the first and the last line of a journal tell about a run, without reading what lies between. */
import { type FileHandle, open } from 'node:fs/promises';
import type { RunEvent, RunOutcome } from '../../schemas/run-event.ts';
import { ensureError, systemCode } from '../errors.ts';
import type { RunFolder } from './run-paths.ts';

export interface RunSummary {
  readonly runId: string;
  readonly folder: RunFolder;
  /** `ended`: the journal closes with run.ended; `open`: it does not (still running, or broken off); `unreadable`: no first fact. */
  readonly state: 'ended' | 'open' | 'unreadable';
  /** Why the journal is unreadable. */
  readonly problem?: string;
  /** ISO 8601 UTC. */
  readonly startedAt?: string;
  /** Time of the last fact, ISO 8601 UTC. */
  readonly lastAt?: string;
  readonly lastSeq?: number;
  readonly projectId?: string;
  readonly manifest?: string;
  readonly rehearsal?: boolean;
  readonly outcome?: RunOutcome;
}

const CHUNK_BYTES = 16 * 1024;
const LINE_FEED = 0x0a;

/** Never rejects for what a journal holds: that is `unreadable`. */
export async function summariseRun(folder: RunFolder): Promise<RunSummary> {
  const { runId } = folder;
  const unreadable = (problem: string): RunSummary => ({ runId, folder, state: 'unreadable', problem });
  let handle: FileHandle;
  try {
    handle = await open(folder.journal, 'r');
  } catch (thrown) {
    const error = ensureError(thrown);
    return unreadable(systemCode(error) === 'ENOENT' ? 'it has no journal' : error.message);
  }
  try {
    const first = parse(await firstLine(handle));
    if (first?.type !== 'run.started') return unreadable('the first line of its journal is not run.started');
    const last = parse(await lastLine(handle));
    if (last === undefined) return unreadable('the last line of its journal is not a fact');
    return {
      runId,
      folder,
      state: last.type === 'run.ended' ? 'ended' : 'open',
      startedAt: first.time,
      lastAt: last.time,
      lastSeq: last.seq,
      projectId: first.projectId,
      manifest: first.manifest.name,
      rehearsal: first.rehearsal,
      ...(last.type === 'run.ended' ? { outcome: last.outcome } : {}),
    };
  } catch (thrown) {
    return unreadable(ensureError(thrown).message);
  } finally {
    await handle.close();
  }
}

async function firstLine(handle: FileHandle): Promise<string> {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const chunk = await readAt(handle, at, CHUNK_BYTES);
    const end = chunk.indexOf(LINE_FEED);
    if (end !== -1) return Buffer.concat([...chunks, chunk.subarray(0, end)]).toString();
    if (chunk.length === 0) return '';
    chunks.push(chunk);
    at += chunk.length;
  }
}

/** The last finished line; a torn one behind it does not count. */
async function lastLine(handle: FileHandle): Promise<string> {
  let tail: Buffer = Buffer.alloc(0);
  for (let from = (await handle.stat()).size; from > 0; ) {
    const length = Math.min(CHUNK_BYTES, from);
    from -= length;
    tail = Buffer.concat([await readAt(handle, from, length), tail]);
    const end = tail.lastIndexOf(LINE_FEED);
    const start = end <= 0 ? -1 : tail.lastIndexOf(LINE_FEED, end - 1);
    if (end !== -1 && (start !== -1 || from === 0)) return tail.subarray(start + 1, end).toString();
  }
  return '';
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function parse(line: string): RunEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'type' in value ? (value as RunEvent) : undefined;
  } catch (thrown) {
    if (ensureError(thrown) instanceof SyntaxError) return undefined;
    throw thrown;
  }
}
