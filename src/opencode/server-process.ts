/**
 * The process of our own OpenCode server, from spawn to its certain end.
 *
 * Owns the process, its port and its log file. Does not own readiness beyond the listening line (warm-up.ts). Invariants:
 *
 * - No request is sent before the listening line: one that arrives earlier is never answered.
 * - The password reaches the process by its environment only, and never the log file or an error.
 * - After `stop` resolved, or `start` rejected, neither the process nor one of its descendants is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as pause } from 'node:timers/promises';
import { ensureError, MusterError } from '../errors.ts';
import { redactText } from '../redact.ts';
import { freePort } from './free-port.ts';
import { guardOrphan } from './orphan-guard.ts';
import { descendants, signalProcess } from './process-tree.ts';

export interface ServerProcessOptions {
  readonly binary: string;
  /** The whole environment; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Appended, mode 0600, secrets redacted. */
  readonly logFile: string;
  readonly secrets: readonly string[];
  /** Default: a free one. */
  readonly port?: number;
  /** Until the listening line; default 60,000. */
  readonly startTimeoutMs?: number;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  readonly pid: number;
  /** As the server printed it, without credentials. */
  readonly url: string;
  /** Resolves when the process is gone and its output is on disk; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Ends the process with all it started: SIGTERM, and SIGKILL after `graceMs` (default 5,000). Harmless when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const GRACE_MS = 5_000;
/** Wait for the rest of the output after the end. */
const OUTPUT_MS = 1_000;
/** Tries with another port when somebody took ours between the choice and the start. */
const PORT_TRIES = 3;
/** Kept of the output for the message of a failed start. */
const TAIL_CHARACTERS = 1_000;

/**
 * Starts the server and resolves at its listening line.
 *
 * @throws MusterError PORT_TAKEN, or OPENCODE_START with the end of the output
 */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(options.port);
    try {
      return await launch(options, port);
    } catch (thrown) {
      const error = ensureError(thrown);
      // The server's own message does not tell a taken port from other errors: ask the port.
      const isTaken = await freePort(port).then(
        () => false,
        () => true,
      );
      if (!isTaken) throw error;
      if (options.port !== undefined || attempt === PORT_TRIES) {
        const message = `expected port ${port} on 127.0.0.1 to be free, another program took it; choose another --port`;
        throw new MusterError('PORT_TAKEN', message, { cause: error });
      }
    }
  }
}

async function launch(options: ServerProcessOptions, port: number): Promise<ServerProcess> {
  const args = ['serve', '--hostname', '127.0.0.1', '--port', String(port), '--print-logs', '--log-level', 'WARN'];
  const child = spawn(options.binary, args, {
    cwd: options.cwd,
    env: { ...options.environment },
    // A group of its own: Ctrl-C at the terminal reaches muster, which decides.
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const spawned = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  try {
    await spawned;
  } catch (thrown) {
    const cause = ensureError(thrown);
    throw new MusterError('OPENCODE_START', `expected to start ${options.binary}, got: ${cause.message}`, { cause });
  }
  child.on('error', () => {});
  const pid = child.pid!;
  const guard = guardOrphan(pid);
  const output = keepOutput(child, options);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      guard.release();
      resolve({ code, signal });
    });
  });
  const stop = stopper(pid, exited);
  const closed = exited.then(async (exit) => {
    // A process that the server left behind may hold the pipes open.
    await Promise.race([output.closed, pause(OUTPUT_MS, undefined, { ref: false })]);
    return exit;
  });

  const timeoutMs = options.startTimeoutMs ?? START_TIMEOUT_MS;
  const timer = new AbortController();
  try {
    const url = await Promise.race([
      output.url,
      closed.then(({ code, signal }) => failed(`it ended with ${signal ?? `exit code ${code}`}`)),
      pause(timeoutMs, undefined, { signal: timer.signal }).then(() => failed(`nothing within ${timeoutMs} ms`)),
    ]);
    return { pid, url, exited: closed, stop };
  } catch (thrown) {
    const error = ensureError(thrown);
    await stop();
    await closed;
    throw error;
  } finally {
    timer.abort();
  }

  function failed(what: string): never {
    const tail = output.tail().trim().split('\n').slice(-5).join(' | ');
    throw new MusterError(
      'OPENCODE_START',
      `expected the line "opencode server listening" from ${options.binary}, got: ${what}` +
        `${tail === '' ? '' : `; its last output: ${tail}`}; the whole output is in ${options.logFile}`,
    );
  }
}

/** Writes output to the log line by line, so that a secret cut by a chunk is still seen whole. */
function keepOutput(child: ChildProcess, options: ServerProcessOptions) {
  const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  let tail = '';
  let sayUrl: (url: string) => void;
  const url = new Promise<string>((resolve) => {
    sayUrl = resolve;
  });
  const take = (line: string) => {
    const safe = redactText(line, options.secrets);
    tail = `${tail}${safe}\n`.slice(-TAIL_CHARACTERS);
    log.write(`${safe}\n`);
    const listening = /^opencode server listening on (http:\/\/\S+)/.exec(line);
    if (listening !== null) sayUrl(new URL(listening[1]!).origin);
  };
  const drained = [child.stdout!, child.stderr!].map((stream) => {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop()!;
      for (const line of lines) take(line);
    });
    return new Promise<void>((resolve) => {
      stream.once('close', () => {
        if (rest !== '') take(rest);
        resolve();
      });
    });
  });
  // A full disk ends the log, not the run: the journal reports it by its own writes.
  log.on('error', () => {});
  const closed = Promise.all(drained).then(async () => {
    log.end();
    await finished(log).catch(ensureError);
  });
  return { url, closed, tail: () => tail };
}

function stopper(pid: number, exited: Promise<ProcessExit>): (graceMs?: number) => Promise<void> {
  let isGone = false;
  exited.then(() => {
    isGone = true;
  }, ensureError);
  let stopping: Promise<void> | undefined;

  async function end(graceMs: number): Promise<void> {
    if (isGone) return;
    // Listed before the end: afterwards they are nobody's children.
    const below = await descendants(pid);
    const group = process.platform === 'win32' ? pid : -pid;
    const timer = new AbortController();
    signalProcess(group, 'SIGTERM');
    const grace = pause(graceMs, undefined, { signal: timer.signal }).then(
      () => signalProcess(group, 'SIGKILL'),
      ensureError,
    );
    await exited;
    timer.abort();
    await grace;
    signalProcess(group, 'SIGKILL');
    for (const id of below) signalProcess(id, 'SIGKILL');
  }

  return (graceMs = GRACE_MS) => {
    stopping ??= end(graceMs);
    return stopping;
  };
}
