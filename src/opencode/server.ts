/**
 * One OpenCode server for a run: started by us, or running already and attached to.
 *
 * Owns the process (when started by us), the client, and what stands in the workspace's `.opencode`. Does not own the
 * sessions (agent-server.ts) or the events (stream.ts, router.ts). Invariants:
 *
 * - Credentials leave this room in no form: `url` and every error are free of them.
 * - A start that fails leaves nothing behind that runs.
 * - No abort is sent before {@link OpenCodeServer.abortSafe}: it could poison the server for good.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cause } from '../../schemas/run-event.ts';
import type { Judgement } from '../../schemas/session-event.ts';
import { ensureError, MusterError } from '../errors.ts';
import { findBinary } from './binary.ts';
import { OpenCodeClient } from './client.ts';
import { configDir, type ServerMode, serverEnvironment, serverFolders } from './environment.ts';
import { watchHealth } from './health-watch.ts';
import { inlineConfig, parseConfig, readConfigFile } from './inline-config.ts';
import type { JsonObject } from './json-object.ts';
import { writeOfflineMarkers } from './offline-marker.ts';
import { PoisonWatch } from './poison-watch.ts';
import { startServerProcess } from './server-process.ts';
import { writeToolFile } from './tool-file.ts';
import { checkVersion, type WarmUpLimits, warmUp } from './warm-up.ts';

/** OpenCode's default agent: every tool it has is decided by the session's rules. */
export const AGENT = 'build';

export interface StartOptions {
  readonly mode: ServerMode;
  /** The run's folder; the server's own files go to `<run>/server`. */
  readonly runDir: string;
  /** The directory of all sessions; must exist. */
  readonly workspaceDir: string;
  /** `--opencode`. */
  readonly binary?: string;
  /** `--opencode-config`. */
  readonly configFile?: string;
  /** Configuration of the run itself, such as the scripted provider; wins over the file. */
  readonly config?: JsonObject;
  readonly port?: number;
  /** Default the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Names of environment variables with credentials of the run: agents' programs must not inherit them. */
  readonly withheld?: readonly string[];
  /** Beside the password, texts that must not reach the server's log file. */
  readonly secrets?: readonly string[];
  readonly startTimeoutMs?: number;
  readonly limits?: WarmUpLimits;
}

export interface AttachOptions {
  /** May hold user and password; they are taken out. */
  readonly url: string;
  readonly password?: string;
  readonly username?: string;
  readonly workspaceDir: string;
  readonly limits?: WarmUpLimits;
}

export interface OpenCodeServer {
  readonly client: OpenCodeClient;
  readonly version: string;
  readonly owned: boolean;
  readonly pid?: number;
  /** Without credentials. */
  readonly url: string;
  /** The workspace as the server names it on every event: symlinks resolved. */
  readonly directory: string;
  /** Things worth telling: programs that were passed over. */
  readonly notes: readonly string[];
  /** Resolves when aborts have become harmless, or when there is nothing left to abort. */
  readonly abortSafe: Promise<void>;
  /** Resolves with the cause when the server is gone, or of no use any more; not because of `stop`. */
  readonly gone: Promise<Cause>;
  /** How a turn ended; tells of an instance that was poisoned meanwhile, which ends in `gone`. */
  hearEnd(judgement: Judgement): void;
  /**
   * Makes the workspace's instance and checks models, agent and tools; call it before the first session.
   *
   * @throws MusterError as {@link warmUp}
   */
  warm(models: readonly string[]): Promise<{ readonly worktree: string }>;
  /** Ends our own server, and leaves another one running; closes the connections. Never rejects. */
  stop(): Promise<void>;
}

/**
 * Starts a server of our own and resolves when it answers.
 *
 * @throws MusterError OPENCODE_NOT_FOUND, OPENCODE_VERSION, OPENCODE_CONFIG_INVALID, PORT_TAKEN, OPENCODE_START
 */
export async function startServer(options: StartOptions): Promise<OpenCodeServer> {
  const parent = options.environment ?? process.env;
  const config = await configOf(options, parent);
  const binary = await findBinary({
    environment: parent,
    ...(options.binary === undefined ? {} : { named: options.binary }),
  });
  const directory = await realpath(options.workspaceDir);
  const serverDir = join(await realpath(options.runDir), 'server');
  const folders = serverFolders(serverDir);
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeToolFile(directory);
  const ownConfigDirs = options.mode === 'isolated' ? [join(folders.config, 'opencode')] : [];
  await writeOfflineMarkers([configDir(directory), ...ownConfigDirs], binary.version);

  const password = randomBytes(24).toString('base64url');
  const process_ = await startServerProcess({
    binary: binary.path,
    environment: serverEnvironment({
      mode: options.mode,
      serverDir,
      workspaceDir: directory,
      password,
      config,
      withheld: options.withheld ?? [],
      parent,
    }),
    cwd: directory,
    logFile: join(serverDir, 'opencode.log'),
    secrets: [password, ...(options.secrets ?? [])],
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.startTimeoutMs === undefined ? {} : { startTimeoutMs: options.startTimeoutMs }),
  });
  const client = new OpenCodeClient({ url: process_.url, directory, password });
  const watch = new AbortController();
  const stop = async () => {
    watch.abort();
    await client.close();
    await process_.stop();
  };
  try {
    const version = await checkVersion(client, options.limits);
    const { pid, url } = process_;
    const ended = process_.exited.then(({ code, signal }): Cause => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      return { code: 'OPENCODE_LOST', message: `the OpenCode server ended with ${how}; see server/opencode.log` };
    });
    // A process that lives and answers nothing is lost too; `stop` ends it for certain.
    const gone = Promise.race([ended, watchHealth(client, url, watch.signal, OWN_HEALTH)]);
    return assemble(
      { client, version, owned: true, pid, url, directory, notes: binary.notes },
      { gone, stop, limits: options.limits },
    );
  } catch (thrown) {
    const error = ensureError(thrown);
    await stop();
    throw error;
  }
}

/**
 * Attaches to a running server on this machine.
 *
 * @throws MusterError OPENCODE_LOST when nothing answers, OPENCODE_VERSION, OPENCODE_REQUEST for a wrong password
 */
export async function attachServer(options: AttachOptions): Promise<OpenCodeServer> {
  const { url, password, username } = address(options);
  const directory = await realpath(options.workspaceDir);
  const client = new OpenCodeClient({
    url,
    directory,
    ...(password === undefined ? {} : { password }),
    ...(username === undefined ? {} : { username }),
  });
  try {
    const version = await checkVersion(client, {
      healthMs: ATTACH_HEALTH_MS,
      probeMs: ATTACH_HEALTH_MS,
      ...options.limits,
    });
    // Before the instance is made: it loads the tools once.
    await writeToolFile(directory);
    await writeOfflineMarkers([configDir(directory)], version);
    const watch = new AbortController();
    const stop = async () => {
      watch.abort();
      await client.close();
    };
    const gone = watchHealth(client, url, watch.signal);
    return assemble(
      { client, version, owned: false, url, directory, notes: [] },
      { gone, stop, limits: options.limits },
    );
  } catch (thrown) {
    const error = ensureError(thrown);
    await client.close();
    throw error;
  }
}

/** A server that runs already answers within seconds, even in a burst of prompts. */
const ATTACH_HEALTH_MS = 15_000;
/** A server of our own that hangs is lost within 60 s: three looks, none shorter than the slowest answer that was measured (10.6 s). */
const OWN_HEALTH = { everyMs: 5_000, timeoutMs: 15_000 };

type Told = Pick<OpenCodeServer, 'client' | 'version' | 'owned' | 'url' | 'directory' | 'notes'> & { pid?: number };

function assemble(
  told: Told,
  life: { gone: Promise<Cause>; stop: () => Promise<void>; limits: WarmUpLimits | undefined },
): OpenCodeServer {
  let isSafe: () => void;
  const abortSafe = new Promise<void>((resolve) => {
    isSafe = resolve;
  });
  let isStopping = false;
  const poison = new PoisonWatch(told.client);
  const gone = Promise.race([life.gone, poison.found]).then((cause) => {
    isSafe();
    // A stop is no loss: nobody is told.
    return isStopping ? new Promise<Cause>(() => {}) : cause;
  });
  return {
    ...told,
    abortSafe,
    gone,
    hearEnd: (judgement) => void poison.hear(judgement),
    warm: (models) => warmUp(told.client, { models, agent: AGENT, onWarm: () => isSafe() }, life.limits),
    stop: async () => {
      isStopping = true;
      isSafe();
      await life.stop();
    },
  };
}

async function configOf(options: StartOptions, parent: Readonly<Record<string, string | undefined>>) {
  const layers: JsonObject[] = [];
  const inherited = parent['OPENCODE_CONFIG_CONTENT'];
  // Ours takes the place of the user's own inline configuration: it must not get lost.
  if (options.mode === 'user' && inherited) layers.push(parseConfig(inherited, 'OPENCODE_CONFIG_CONTENT'));
  if (options.configFile !== undefined) layers.push(await readConfigFile(options.configFile));
  if (options.config !== undefined) layers.push(options.config);
  return inlineConfig(layers);
}

function address(options: AttachOptions): { url: string; password?: string; username?: string } {
  let url: URL;
  try {
    url = new URL(options.url);
    if (!/^https?:$/.test(url.protocol)) throw new TypeError('not http');
  } catch (thrown) {
    // Not quoted: it may hold a password.
    ensureError(thrown);
    throw new MusterError('USAGE', 'expected the address of an OpenCode server as http://127.0.0.1:4096, got none');
  }
  const password = options.password ?? (url.password === '' ? undefined : decodeURIComponent(url.password));
  const username = options.username ?? (url.username === '' ? undefined : decodeURIComponent(url.username));
  return {
    url: url.origin,
    ...(password === undefined ? {} : { password }),
    ...(username === undefined ? {} : { username }),
  };
}
