/**
 * One run at a time in a home, across processes.
 *
 * Owns: the file `lock` in the home and its neighbours `lock.*`. Does not own: anything the lock protects.
 *
 * Invariants: a lock file appears whole, with its holder in it (made aside, then linked). A file whose holder T lives
 * is changed by T alone. A file whose holder T is dead is changed only by whoever holds the lock on `<file>.<T>` and has
 * then seen that T is still in it; that lock is taken by this same rule, so a process that dies during a takeover blocks
 * nobody. Hence of several processes at once exactly one wins.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import { isDead, type LockHolder, parseHolder, thisProcess } from './lock-holder.ts';
import { folderFailure } from './run-folder.ts';

export interface RunLock {
  /** Gives the lock back; safe to call twice. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** Says since when; default the system's. */
  readonly clock?: { now(): number };
  /** Whether the process of a holder is gone for certain; default {@link isDead}. */
  readonly isGone?: (holder: LockHolder) => Promise<boolean>;
}

/** Who is in the way; `undefined` for a file that names no holder. */
class Held extends Error {
  readonly holder: LockHolder | undefined;

  constructor(holder: LockHolder | undefined) {
    super('held');
    this.holder = holder;
  }
}

/**
 * Takes the lock of `home`, which is made when it does not exist. A lock whose process is gone is taken over.
 * @throws MusterError RUN_LOCKED naming the holder, FOLDER_NOT_WRITABLE, DISK_FULL.
 */
export async function acquireLock(home: string, options: LockOptions = {}): Promise<RunLock> {
  const folder = resolve(home);
  const file = join(folder, 'lock');
  const { clock = Date, isGone = isDead } = options;
  try {
    await mkdir(folder, { recursive: true });
    const mine = await thisProcess(new Date(clock.now()).toISOString(), randomBytes(8).toString('hex'));
    const aside = `${file}.new-${mine.token}`;
    try {
      await writeFile(aside, textOfHolder(mine), { flag: 'wx', flush: true });
      await take(file, aside, mine, isGone);
    } finally {
      await rm(aside, { force: true });
    }
    try {
      await sweep(file, mine);
    } catch (thrown) {
      await release(file, mine);
      throw thrown;
    }
    return { release: () => release(file, mine) };
  } catch (thrown) {
    throw thrown instanceof Held ? lockedError(file, thrown.holder) : folderFailure(file, thrown);
  }
}

/** Makes `file` ours by linking `aside`, which holds `mine`; takes it over from a dead holder. @throws Held */
async function take(
  file: string,
  aside: string,
  mine: LockHolder,
  isGone: (holder: LockHolder) => Promise<boolean>,
): Promise<void> {
  for (;;) {
    if (await linked(aside, file)) return;
    const text = await textOf(file);
    if (text === undefined) continue;
    const holder = parseHolder(text);
    if (holder === undefined || !(await isGone(holder))) throw new Held(holder);
    const claim = `${file}.${holder.token}`;
    await take(claim, aside, mine, isGone);
    try {
      if ((await textOf(file)) !== text) continue;
      const successor = `${aside}-successor`;
      await writeFile(successor, textOfHolder(mine), { flush: true });
      await rename(successor, file);
      return;
    } finally {
      await rm(claim, { force: true });
    }
  }
}

/** Whether `file` was made; false when there is one already. */
async function linked(aside: string, file: string): Promise<boolean> {
  try {
    await link(aside, file);
    return true;
  } catch (thrown) {
    const code = systemCode(ensureError(thrown));
    if (code === 'EEXIST') return false;
    if (code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS' && code !== 'EPERM') throw thrown;
  }
  // A file system without links: exclusive, but for a moment without a holder; a reader of that moment reports "locked".
  try {
    await writeFile(file, await readFile(aside), { flag: 'wx' });
    return true;
  } catch (thrown) {
    if (systemCode(ensureError(thrown)) === 'EEXIST') return false;
    throw thrown;
  }
}

async function release(file: string, mine: LockHolder): Promise<void> {
  try {
    const text = await textOf(file);
    if (text !== undefined && parseHolder(text)?.token === mine.token) await rm(file, { force: true });
  } catch (thrown) {
    throw folderFailure(file, thrown);
  }
}

/** Removes what processes left behind that died while they took a lock. Claims on an earlier holder bind nobody any more. */
async function sweep(file: string, mine: LockHolder): Promise<void> {
  const prefix = `${basename(file)}.`;
  for (const name of await readdir(dirname(file))) {
    if (!name.startsWith(prefix)) continue;
    const path = join(dirname(file), name);
    const text = await textOf(path);
    const holder = text === undefined ? undefined : parseHolder(text);
    if (holder !== undefined && holder.token !== mine.token && (await isDead(holder))) await rm(path, { force: true });
  }
}

function textOfHolder(holder: LockHolder): string {
  return `${JSON.stringify(holder)}\n`;
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (systemCode(ensureError(thrown)) === 'ENOENT') return undefined;
    throw thrown;
  }
}

function lockedError(file: string, holder: LockHolder | undefined): MusterError {
  if (holder === undefined) {
    const message = `Expected no other run in this home; got a lock without a holder at ${file}. If no muster is at work here, delete that file.`;
    return new MusterError('RUN_LOCKED', message, { retryable: true });
  }
  const message = `Expected no other run in this home; got one of process ${holder.pid} on ${holder.host} since ${holder.since} (${file}). Wait until it ends, stop it, or name another home folder.`;
  const elsewhere = ` If ${holder.host} no longer runs muster here, delete ${file}.`;
  return new MusterError('RUN_LOCKED', holder.host === hostname() ? message : message + elsewhere, { retryable: true });
}
