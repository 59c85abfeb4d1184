/**
 * Ends a child's process group when muster ends, however it ends.
 *
 * Three nets: the `exit` event; signals that nobody else handles; and a small shell that waits for the end of a pipe
 * that only muster holds open, which also notices `kill -9`. Owns none of the child's orderly stop. Invariant: after
 * `release` nothing is killed any more, so that a process id given to somebody else later is safe.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { signalProcess } from './process-tree.ts';

export interface OrphanGuard {
  release(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `pid` leads its own process group. */
export function guardOrphan(pid: number): OrphanGuard {
  const watcher = startWatcher(pid);
  const kill = () => {
    signalProcess(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  };
  const onSignal = (signal: NodeJS.Signals) => {
    // Whoever else listens decides how muster ends, and stops the server in good order.
    if (process.listenerCount(signal) > 1) return;
    kill();
    release();
    process.kill(process.pid, signal);
  };
  process.on('exit', kill);
  for (const signal of SIGNALS) process.on(signal, onSignal);

  function release(): void {
    process.off('exit', kill);
    for (const signal of SIGNALS) process.off(signal, onSignal);
    watcher?.kill('SIGKILL');
  }
  return { release };
}

/** Survives a `kill -9` of muster by a moment: the pipe to it ends, it kills the group, and ends itself. */
function startWatcher(pid: number): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const watcher = spawn('/bin/sh', ['-c', 'read _; kill -9 "-$1" 2>/dev/null', 'muster-orphan-guard', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
  });
  // Without a shell two nets remain.
  watcher.on('error', () => {});
  watcher.stdin?.on('error', () => {});
  watcher.unref();
  (watcher.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return watcher;
}
