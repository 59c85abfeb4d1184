/**
 * Where the module of a specifier is: a path relative to a folder, or the export of a package as Node would resolve it
 * for an importer in that folder (its own package included). Node offers no such call before version 22.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureError, systemCode } from '../errors.ts';

interface PackageJson {
  readonly name?: string;
  readonly main?: string;
  readonly exports?: unknown;
}

const CONDITIONS = new Set(['node', 'import', 'module-sync', 'default']);

/** The file of the module, or undefined when there is none. Looks from `folder` first, then from muster itself. */
export function resolveModule(specifier: string, folder: string): string | undefined {
  if (specifier.startsWith('file:')) return existing(fileURLToPath(specifier));
  if (/^\.{1,2}(\/|$)/.test(specifier) || isAbsolute(specifier)) return existing(resolve(folder, specifier));
  // A colon marks an address, such as https: or node:, which is no place for a schema.
  if (specifier.includes(':')) return undefined;
  const beside = /\.[cm]?[jt]s$/.test(specifier) ? existing(join(folder, specifier)) : undefined;
  return beside ?? packageExport(specifier, folder) ?? packageExport(specifier, ownRoot());
}

function packageExport(specifier: string, folder: string): string | undefined {
  const [, name, rest] = /^((?:@[^/]+\/)?[^/]+)(\/.+)?$/.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  const root = packageRoot(name, folder);
  const target = root && exportOf(root, rest === undefined ? '.' : `.${rest}`);
  return target && existing(root === ownRoot() ? asRun(target) : target);
}

/** The package's folder: an enclosing package of that name, or one in the nearest `node_modules` that has it. */
function packageRoot(name: string, folder: string): string | undefined {
  for (let current = resolve(folder); ; current = dirname(current)) {
    if (packageJson(current)?.name === name) return current;
    const installed = join(current, 'node_modules', name);
    if (basename(current) !== 'node_modules' && packageJson(installed)) return installed;
    if (dirname(current) === current) return undefined;
  }
}

function exportOf(root: string, subpath: string): string | undefined {
  const { exports, main = 'index.js' } = packageJson(root) ?? {};
  if (exports === undefined || exports === null) {
    const file = join(root, subpath === '.' ? main : subpath);
    return existing(file) ?? existing(`${file}.js`);
  }
  const bySubpath = typeof exports === 'object' && Object.keys(exports).some((key) => key.startsWith('.'));
  const map = (bySubpath ? exports : { '.': exports }) as Readonly<Record<string, unknown>>;
  const exact = conditional(map[subpath]);
  if (exact !== undefined) return inside(root, exact);
  for (const [pattern, value] of Object.entries(map)) {
    const [head = '', tail] = pattern.split('*');
    if (tail === undefined || !subpath.startsWith(head) || !subpath.endsWith(tail)) continue;
    const star = subpath.slice(head.length, subpath.length - tail.length);
    const target = conditional(value);
    if (star !== '' && target !== undefined) return inside(root, target.replaceAll('*', star));
  }
  return undefined;
}

/** The first target whose conditions hold for an `import` in Node. */
function conditional(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(conditional).find((target) => target !== undefined);
  if (typeof value !== 'object' || value === null) return undefined;
  const targets = Object.entries(value).map(([name, target]) =>
    CONDITIONS.has(name) ? conditional(target) : undefined,
  );
  return targets.find((target) => target !== undefined);
}

function inside(root: string, target: string): string | undefined {
  const file = resolve(root, target);
  return file.startsWith(root + sep) ? file : undefined;
}

function packageJson(folder: string): PackageJson | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
  } catch (thrown) {
    const error = ensureError(thrown);
    // No package here, or one that Node could not read either: the search goes on above.
    if (error instanceof SyntaxError || systemCode(error) !== undefined) return undefined;
    throw error;
  }
}

function existing(file: string): string | undefined {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

/** muster's own folder, from the compiled files as well as from source. */
function ownRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** muster's exports name compiled files; when muster itself runs from source, its source is meant. */
function asRun(target: string): string {
  if (!import.meta.url.endsWith('.ts')) return target;
  return target.replace(join(ownRoot(), 'dist') + sep, ownRoot() + sep).replace(/\.js$/, '.ts');
}
