/**
 * The processes below one process, and their end.
 *
 * Killing the server's process group is not enough: it starts each shell of the `bash` tool in a group of its own, and
 * such a shell survived both SIGTERM and SIGKILL of the server (measured).
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ensureError, systemCode } from '../errors.ts';

const run = promisify(execFile);
const PS_TIMEOUT_MS = 5_000;

/** Process ids of all descendants of `pid`, nearest first; empty where `ps` is missing (Windows). */
export async function descendants(pid: number): Promise<number[]> {
  let listing: string;
  try {
    ({ stdout: listing } = await run('ps', ['-A', '-o', 'pid=,ppid='], { timeout: PS_TIMEOUT_MS }));
  } catch (thrown) {
    // Best effort: without the listing only the group is ended.
    ensureError(thrown);
    return [];
  }
  return descendantsIn(listing, pid);
}

/** Reads lines of `pid ppid`. */
export function descendantsIn(listing: string, pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const line of listing.split('\n')) {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    if (child === undefined || parent === undefined || Number.isNaN(parent)) continue;
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const found: number[] = [];
  const queue = [pid];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const below = (children.get(next) ?? []).filter((child) => child !== pid && !found.includes(child));
    found.push(...below);
    queue.push(...below);
  }
  return found;
}

/** Sends `signal` to a process, or with a negative id to a group; false when there is none. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (thrown) {
    const error = ensureError(thrown);
    // EPERM: the id was given to a process of somebody else, ours is gone.
    if (systemCode(error) === 'ESRCH' || systemCode(error) === 'EPERM') return false;
    throw error;
  }
}
