/**
 * Environment and inline configuration of our own server. Pure: the parent's environment comes in as a value.
 *
 * Two modes. `isolated` (rehearsal): homes of its own, no network, only the providers it is given. `user` (real runs):
 * the user's providers and credentials work as they are, what the server writes about this run is ours. Measured on
 * 1.18.33, and therefore so in `user` mode:
 *
 * - XDG_DATA_HOME stays the user's. auth.json lives there; the server writes refreshed OAuth tokens back to it in
 *   place, and one default plugin reads the file by this variable. A copy, or OPENCODE_AUTH_CONTENT, would lose a
 *   refreshed token and with it the user's login.
 * - OPENCODE_DB with an absolute path moves the database alone. Of what the server writes below the user's data home
 *   only log/opencode.log (a shared file, appended) and long tool outputs remain.
 * - XDG_STATE_HOME (locks) is ours. XDG_CACHE_HOME stays: model catalogue, provider packages, ripgrep.
 * - XDG_CONFIG_HOME stays; OPENCODE_CONFIG_DIR is read beside it. It also takes the place of the global AGENTS.md,
 *   so that the user's personal instructions do not reach agents.
 *
 * In both modes OPENCODE_DISABLE_PROJECT_CONFIG keeps opencode.json, .opencode and AGENTS.md of the folders above the
 * workspace away from agents (the tool file is then found through OPENCODE_CONFIG_DIR), and a GIT_DIR that does not
 * exist makes every directory one without git: inside a git repository the server would let glob and grep search the
 * whole repository, and in a directory without git they stay in the directory.
 */
import { join } from 'node:path';
import type { JsonObject } from './json-object.ts';

export type ServerMode = 'isolated' | 'user';

export interface EnvironmentRequest {
  readonly mode: ServerMode;
  /** Folder of the server's own files, `<run>/server`. */
  readonly serverDir: string;
  /** The directory of all sessions; its `.opencode` holds the tool file. */
  readonly workspaceDir: string;
  readonly password: string;
  readonly config: JsonObject;
  /** Names of variables that hold credentials of the run, whatever they are called; never passed on. */
  readonly withheld?: readonly string[];
  readonly parent: Readonly<Record<string, string | undefined>>;
}

/** Our folders below `<run>/server`; all must exist before the start. */
export function serverFolders(serverDir: string) {
  const folder = (name: string) => join(serverDir, name);
  return {
    home: folder('home'),
    data: folder('data'),
    config: folder('config'),
    cache: folder('cache'),
    state: folder('state'),
    tmp: folder('tmp'),
  };
}

/** The folder in the workspace that the server reads tools from. */
export function configDir(workspaceDir: string): string {
  return join(workspaceDir, '.opencode');
}

/** What every program needs to run at all. */
const SYSTEM = new Set(['PATH', 'LANG', 'LANGUAGE', 'TZ', 'SYSTEMROOT', 'WINDIR', 'COMSPEC', 'PATHEXT', 'SYSTEMDRIVE']);

/** Of the user's OpenCode settings those that name providers, credentials and the catalogue. */
const OPENCODE_KEPT = new Set([
  'OPENCODE_API_KEY',
  'OPENCODE_AUTH_CONTENT',
  'OPENCODE_CONFIG',
  'OPENCODE_CONSOLE_TOKEN',
  'OPENCODE_DISABLE_DEFAULT_PLUGINS',
  'OPENCODE_DISABLE_MODELS_FETCH',
  'OPENCODE_MODELS_PATH',
  'OPENCODE_MODELS_URL',
  'OPENCODE_PURE',
]);

/**
 * Never passed on: our own and the graph's credentials, what points git elsewhere, and what changes how the program
 * runs (BUN_BE_BUN would make it another program). NODE_EXTRA_CA_CERTS and the like stay: companies need them.
 */
const NOT_PASSED =
  /^(MUSTER_|NEO4J_|GIT_|BUN_|VITEST|npm_(lifecycle|package)_|NODE_(OPTIONS|PATH|ENV|V8_COVERAGE)$|(INIT_CWD|OLDPWD|PWD)$)/i;

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

export function serverEnvironment(request: EnvironmentRequest): Record<string, string> {
  const { mode, serverDir, workspaceDir, password, config, withheld = [] } = request;
  const parent = without(request.parent, withheld);
  const folders = serverFolders(serverDir);
  const common = {
    OPENCODE_SERVER_PASSWORD: password,
    OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
    OPENCODE_CONFIG_DIR: configDir(workspaceDir),
    OPENCODE_DISABLE_PROJECT_CONFIG: '1',
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_SHARE: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_DISABLE_CLAUDE_CODE: '1',
    OPENCODE_DISABLE_EXTERNAL_SKILLS: '1',
    GIT_DIR: join(serverDir, 'no-repository'),
    XDG_STATE_HOME: folders.state,
  };
  if (mode === 'user') {
    return { ...userParent(parent), ...common, OPENCODE_DB: join(serverDir, 'opencode.db') };
  }
  return {
    ...filter(parent, (name) => SYSTEM.has(name.toUpperCase()) || /^LC_/i.test(name)),
    ...common,
    HOME: folders.home,
    USERPROFILE: folders.home,
    XDG_DATA_HOME: folders.data,
    XDG_CONFIG_HOME: folders.config,
    XDG_CACHE_HOME: folders.cache,
    TMPDIR: folders.tmp,
    TEMP: folders.tmp,
    TMP: folders.tmp,
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    OPENCODE_PURE: '1',
    npm_config_offline: 'true',
  };
}

function userParent(parent: EnvironmentRequest['parent']): Record<string, string> {
  const kept = filter(parent, (name) =>
    name.startsWith('OPENCODE_') ? OPENCODE_KEPT.has(name) : !NOT_PASSED.test(name),
  );
  // The tool file calls muster on loopback; behind a proxy variable the call would leave the machine.
  const direct = (kept['NO_PROXY'] ?? kept['no_proxy'] ?? '').split(',').map((host) => host.trim());
  const noProxy = [...new Set([...direct.filter((host) => host !== ''), ...LOOPBACK])].join(',');
  return { ...kept, NO_PROXY: noProxy, no_proxy: noProxy };
}

/** In any letter case: on Windows names have none. */
function without(parent: EnvironmentRequest['parent'], withheld: readonly string[]): EnvironmentRequest['parent'] {
  const names = new Set(withheld.map((name) => name.toUpperCase()));
  return filter(parent, (name) => !names.has(name.toUpperCase()));
}

function filter(parent: EnvironmentRequest['parent'], keep: (name: string) => boolean): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(parent)) if (value !== undefined && keep(name)) kept[name] = value;
  return kept;
}
