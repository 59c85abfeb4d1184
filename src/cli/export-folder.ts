/**
 * Writes the files of an export into a folder: all of them or none. They are written beside the folder and renamed into
 * place, so that nobody ever reads half an export. A folder with other content is never touched without being told so,
 * and even then nothing is deleted but what an earlier export wrote.
 */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import type { ExportFile } from '../export/file.ts';

export interface ExportFolderOptions {
  /** Replaces a folder with other content; default false. */
  readonly force?: boolean;
}

/** The file in which an export lists its files as `](path)`. */
const INDEX = 'index.md';

/**
 * Resolves with the folder in which the earlier content is kept, when a replaced folder held more than an export.
 * @throws MusterError EXPORT_EXISTS (the folder holds something else, is a file, or is the one we work in),
 * FOLDER_NOT_WRITABLE, DISK_FULL. The folder is then as it was.
 */
export async function writeExport(
  folder: string,
  files: readonly ExportFile[],
  { force = false }: ExportFolderOptions = {},
): Promise<string | undefined> {
  const target = resolve(folder);
  const there = await contentOf(target);
  if (there.length > 0 && !force) throw taken(target, there);
  if (there.length > 0 && isInside(process.cwd(), target)) {
    throw new MusterError(
      'EXPORT_EXISTS',
      `expected --out to name a folder that can be replaced, got ${target}, in which muster itself works. Name another`,
    );
  }
  let draft: string | undefined;
  try {
    await mkdir(dirname(target), { recursive: true });
    draft = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
    for (const { path, content } of files) {
      const file = join(draft, ...path.split('/'));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content, { flag: 'wx' });
    }
    return await swap(draft, target);
  } catch (thrown) {
    const error = ensureError(thrown);
    if (draft !== undefined) await rm(draft, { recursive: true, force: true });
    throw error instanceof MusterError ? error : failed(target, error);
  }
}

/** Names of what is in the folder; empty when there is none. */
async function contentOf(target: string): Promise<string[]> {
  try {
    return await readdir(target);
  } catch (thrown) {
    const error = ensureError(thrown);
    if (systemCode(error) === 'ENOENT') return [];
    if (systemCode(error) === 'ENOTDIR') {
      throw new MusterError('EXPORT_EXISTS', `expected a folder at ${target}, got a file. Name another with --out`);
    }
    throw failed(target, error);
  }
}

/** Puts the draft where the folder is; what was there goes only when the draft stands. */
async function swap(draft: string, target: string): Promise<string | undefined> {
  const old = await freeName(`${target}.old`);
  const wasThere = await rename(target, old).then(
    () => true,
    (thrown: unknown) => {
      if (systemCode(ensureError(thrown)) === 'ENOENT') return false;
      throw thrown;
    },
  );
  try {
    await rename(draft, target);
  } catch (thrown) {
    const error = ensureError(thrown);
    if (wasThere) await rename(old, target);
    throw error;
  }
  if (!wasThere) return undefined;
  if (!(await isExport(old))) return old;
  await rm(old, { recursive: true, force: true });
  return undefined;
}

async function freeName(wished: string): Promise<string> {
  const names = new Set(await readdir(dirname(wished)));
  for (let nth = 1; ; nth += 1) {
    const name = nth === 1 ? wished : `${wished}-${nth}`;
    if (!names.has(basename(name))) return name;
  }
}

/** Whether the folder holds nothing but what its own index lists. */
async function isExport(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  if (files.length === 0) return true;
  const index = await readFile(join(folder, INDEX), 'utf8').catch((thrown: unknown) => void ensureError(thrown));
  const listed = new Set([INDEX, ...Array.from((index ?? '').matchAll(/\]\(([^)\s]+)\)/g), (link) => link[1])]);
  return files.every((file) => listed.has(relative(folder, join(file.parentPath, file.name)).split(sep).join('/')));
}

function isInside(folder: string, target: string): boolean {
  const way = relative(target, folder);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`));
}

function taken(target: string, there: readonly string[]): MusterError {
  const shown = there.slice(0, 3).map((name) => JSON.stringify(name));
  const more = there.length > shown.length ? ` and ${there.length - shown.length} more` : '';
  return new MusterError(
    'EXPORT_EXISTS',
    `expected an empty or new folder at ${target}, got ${shown.join(', ')}${more}. Name another with --out, or replace it with --force`,
  );
}

function failed(target: string, error: Error): MusterError {
  const code = systemCode(error) === 'ENOSPC' ? 'DISK_FULL' : 'FOLDER_NOT_WRITABLE';
  return new MusterError(
    code,
    `expected to write the export to ${target}: ${error.message}. Name another folder with --out`,
    {
      cause: error,
    },
  );
}
