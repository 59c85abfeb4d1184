/** Who holds a lock, and whether that process still lives. */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { ensureError, systemCode } from '../errors.ts';

export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** Tells two processes with the same pid apart: boot and start tick; absent where the system does not say. */
  readonly started?: string;
  /** When the lock was taken, ISO 8601 UTC. */
  readonly since: string;
  /** Differs for every lock ever taken. */
  readonly token: string;
}

/** This process as a holder. */
export async function thisProcess(since: string, token: string): Promise<LockHolder> {
  const started = await startOf(process.pid);
  return { pid: process.pid, host: hostname(), ...(started === undefined ? {} : { started }), since, token };
}

/** The holder in the text of a lock file, or undefined when it is not one of ours. */
export function parseHolder(text: string): LockHolder | undefined {
  let value: Partial<LockHolder> | null;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    if (ensureError(thrown) instanceof SyntaxError) return undefined;
    throw thrown;
  }
  const sound =
    typeof value?.pid === 'number' &&
    typeof value.host === 'string' &&
    typeof value.since === 'string' &&
    /^[a-z0-9]+$/.test(value.token ?? '');
  return sound ? (value as LockHolder) : undefined;
}

/** True only when it is certain; a holder on another host counts as alive. */
export async function isDead(holder: LockHolder): Promise<boolean> {
  if (holder.host !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (thrown) {
    // EPERM: it lives and belongs to another user.
    if (systemCode(ensureError(thrown)) === 'ESRCH') return true;
  }
  const started = await startOf(holder.pid);
  return started === 'gone' || (started !== undefined && holder.started !== undefined && started !== holder.started);
}

/** Boot id and start tick of a process; `gone` for one that ended or is only waited for; undefined without /proc. */
async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may itself hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTick] = [fields[0], fields[19]];
    return state === 'Z' || state === 'X' || startTick === undefined ? 'gone' : `${boot}:${startTick}`;
  } catch (thrown) {
    // A process that ended meanwhile has no stat; where /proc is hidden the pid alone decides.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(systemCode(ensureError(thrown)) ?? '')) return undefined;
    throw thrown;
  }
}
