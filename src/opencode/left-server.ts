/**
 * Ends an OpenCode server of an earlier process of the same run, should it have outlived it: it would go on with its
 * sessions beside the new one. The guard (orphan-guard.ts) leaves one only when it was killed itself.
 */
import { readlink, realpath } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureError } from '../errors.ts';
import { descendants, signalProcess } from './process-tree.ts';

const CHECKS = 50;
const CHECK_MS = 100;

/** Does nothing unless the process certainly is that server: it works in this run's workspace. Never rejects. */
export async function endLeftServer(pid: number, workspaceDir: string): Promise<boolean> {
  if (!(await worksIn(pid, workspaceDir))) return false;
  const below = await descendants(pid);
  for (const id of [-pid, pid, ...below]) signalProcess(id, 'SIGKILL');
  for (let check = 0; check < CHECKS && (await worksIn(pid, workspaceDir)); check++) await wait(CHECK_MS);
  return true;
}

/** By /proc alone: where there is none, nothing is certain. */
async function worksIn(pid: number, folder: string): Promise<boolean> {
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(folder));
  } catch (thrown) {
    ensureError(thrown);
    return false;
  }
}
