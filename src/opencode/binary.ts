/** Finds an OpenCode program of a supported version: the one named, else the one on PATH, else the npm package. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ensureError, MusterError } from '../errors.ts';
import { isSupportedVersion, SUPPORTED_VERSIONS } from './version.ts';

export interface Binary {
  /** Absolute path. */
  readonly path: string;
  readonly version: string;
  readonly source: 'named' | 'PATH' | 'package';
  /** Programs passed over, each with the reason. */
  readonly notes: readonly string[];
}

export interface BinaryRequest {
  /** `--opencode`: a path, or a name to look up on PATH. */
  readonly named?: string;
  /** Environment to search and run in; default the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Files from which the npm package is looked for; default this module. */
  readonly resolveFrom?: readonly string[];
}

/** A version question on a busy machine took 3 s. */
const VERSION_TIMEOUT_MS = 30_000;
const run = promisify(execFile);

/**
 * Finds the program to start.
 *
 * @throws MusterError OPENCODE_VERSION when the named program has another version, or does not tell one
 * @throws MusterError OPENCODE_NOT_FOUND when there is none
 */
export async function findBinary(request: BinaryRequest = {}): Promise<Binary> {
  const environment = request.environment ?? process.env;
  if (request.named !== undefined) return named(request.named, environment);

  const notes: string[] = [];
  const onPath = await lookUp('opencode', environment);
  if (onPath !== undefined) {
    const version = await versionOf(onPath, environment);
    if (typeof version === 'string' && isSupportedVersion(version)) {
      return { path: onPath, version, source: 'PATH', notes };
    }
    const found = typeof version === 'string' ? `is version ${version}` : `does not run (${version.message})`;
    notes.push(`${onPath} ${found}; muster needs ${SUPPORTED_VERSIONS} and passed it over`);
  }
  const packaged = await fromPackage(request.resolveFrom ?? [import.meta.url], notes);
  if (packaged !== undefined) return { ...packaged, source: 'package', notes };
  throw new MusterError(
    'OPENCODE_NOT_FOUND',
    `expected OpenCode ${SUPPORTED_VERSIONS}, found none${notes.map((note) => `; ${note}`).join('')}. ` +
      'Do one of these: install muster without --omit=optional (it brings the package opencode-ai), ' +
      'install opencode-ai@1.18 so that `opencode` is on PATH, or name the program with --opencode PATH',
  );
}

async function named(name: string, environment: Environment): Promise<Binary> {
  const isPath = isAbsolute(name) || name.includes('/') || name.includes('\\');
  const path = isPath ? resolve(name) : await lookUp(name, environment);
  if (path === undefined || !(await isExecutable(path))) {
    throw new MusterError(
      'OPENCODE_NOT_FOUND',
      `expected an OpenCode program at "${name}" (--opencode), found no executable file${isPath ? '' : ' of this name on PATH'}. ` +
        `Correct the path, put OpenCode ${SUPPORTED_VERSIONS} on PATH, or leave --opencode out to use the npm package opencode-ai`,
    );
  }
  const version = await versionOf(path, environment);
  if (typeof version !== 'string' || !isSupportedVersion(version)) {
    const got = typeof version === 'string' ? `version ${version}` : `no version (${version.message})`;
    throw new MusterError(
      'OPENCODE_VERSION',
      `expected OpenCode ${SUPPORTED_VERSIONS}, got ${got} from ${path} (--opencode). ` +
        'Name another program, or leave --opencode out to use the npm package opencode-ai',
    );
  }
  return { path, version, source: 'named', notes: [] };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The version that `path --version` prints, or why there is none. */
async function versionOf(path: string, environment: Environment): Promise<string | Error> {
  // The program makes its directories at every start: not in the user's home.
  const home = await mkdtemp(join(tmpdir(), 'muster-version-'));
  try {
    const own = ['HOME', 'USERPROFILE', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME'];
    const { stdout } = await run(path, ['--version'], {
      env: {
        ...pick(environment, ['PATH', 'Path', 'SystemRoot', 'ComSpec', 'PATHEXT']),
        ...Object.fromEntries(own.map((name) => [name, home])),
      },
      cwd: home,
      timeout: VERSION_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    return /\d+\.\d+\.\d+[\w.+-]*/.exec(stdout)?.[0] ?? new Error(`--version printed "${stdout.trim().slice(0, 80)}"`);
  } catch (thrown) {
    const error = ensureError(thrown);
    return new Error(error.message.split('\n')[0]!, { cause: error });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function pick(environment: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
}

async function lookUp(name: string, environment: Environment): Promise<string | undefined> {
  const path = environment['PATH'] ?? environment['Path'] ?? '';
  const file = process.platform === 'win32' && !/\.exe$/i.test(name) ? `${name}.exe` : name;
  for (const folder of path.split(delimiter).filter((entry) => entry !== '')) {
    const candidate = resolve(folder, file);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch (thrown) {
    // Absent or not permitted: to us the same, there is nothing to run.
    ensureError(thrown);
    return false;
  }
}

/**
 * The program inside the platform package of opencode-ai. Its own launcher is of no use: it is a stub until the install
 * scripts of the package ran, and they are off in many installations.
 */
async function fromPackage(
  from: readonly string[],
  notes: string[],
): Promise<{ path: string; version: string } | undefined> {
  const names = platformPackages(process.platform, process.arch, { hasAvx2: await hasAvx2(), isMusl: isMusl() });
  for (const name of names) {
    const manifest = resolvePackage(name, from);
    if (manifest === undefined) continue;
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
    const path = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'opencode.exe' : 'opencode');
    if (!isSupportedVersion(version)) notes.push(`${path} is version ${version}; muster needs ${SUPPORTED_VERSIONS}`);
    else if (await isExecutable(path)) return { path, version };
    else notes.push(`${path} is missing or not executable`);
  }
  return undefined;
}

/** The manifest file of a platform package: a dependency of opencode-ai, which may be nested below it. */
function resolvePackage(name: string, from: readonly string[]): string | undefined {
  for (const start of from) {
    const require = createRequire(start);
    const ai = tryResolve(require, 'opencode-ai/package.json');
    const found =
      (ai && tryResolve(createRequire(ai), `${name}/package.json`)) ?? tryResolve(require, `${name}/package.json`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function tryResolve(require: NodeJS.Require, request: string): string | undefined {
  try {
    return require.resolve(request);
  } catch (thrown) {
    // Optional dependency: not installed is an answer.
    ensureError(thrown);
    return undefined;
  }
}

/** Names of the platform packages that run here, the best first. */
export function platformPackages(
  platform: string,
  arch: string,
  machine: { readonly hasAvx2: boolean; readonly isMusl: boolean },
): readonly string[] {
  const base = `opencode-${platform === 'win32' ? 'windows' : platform}-${arch}`;
  const builds = arch === 'x64' ? (machine.hasAvx2 ? [base, `${base}-baseline`] : [`${base}-baseline`]) : [base];
  // A build for one C library does not start with the other.
  return platform === 'linux' && machine.isMusl ? builds.map((name) => `${name}-musl`) : builds;
}

/** Without knowledge false: the baseline build runs everywhere, the other one dies on its first instruction. */
async function hasAvx2(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    return /\bavx2\b/i.test(await readFile('/proc/cpuinfo', 'utf8'));
  } catch (thrown) {
    ensureError(thrown);
    return false;
  }
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined;
}
