/** The documents of a run: found, hashed, and copied into the workspace. The originals are only read. */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { ensureError, MusterError, systemCode } from '../errors.ts';

export interface SourceDocument {
  /** As evidence names it: `documents/01-scope.md`, with forward slashes. */
  readonly path: string;
  /** Absolute path of the original. */
  readonly original: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly mediaType: string;
}

/** Control characters, line ends, what turns the direction of text round, the backtick that ends a name in a prompt. */
const LINE_BREAKING = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069`]/u;

/** OpenCode 1.18.33 takes a file of this name for instructions when an agent reads one beside it (measured). */
const INSTRUCTION_FILES = new Set(['agents.md', 'claude.md', 'context.md']);

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.md': 'text/markdown',
  '.txt': 'text/plain',
  '.csv': 'text/csv',
  '.json': 'application/json',
  '.html': 'text/html',
  '.htm': 'text/html',
  '.xml': 'application/xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.doc': 'application/msword',
  '.xls': 'application/vnd.ms-excel',
  '.pdf': 'application/pdf',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/**
 * All regular files below `folder`, in path order; hidden files and folders are passed over.
 * @throws MusterError DOCUMENTS_MISSING, DOCUMENTS_EMPTY, DOCUMENT_NAME for a name that would break the lines of a
 * prompt or be taken for instructions, DOCUMENT_OUTSIDE for a link that leads out of the folder.
 */
export async function findDocuments(folder: string): Promise<readonly SourceDocument[]> {
  const root = await realpath(resolve(folder)).catch((thrown: unknown) => {
    throw missing(folder, thrown);
  });
  if (!(await stat(root)).isDirectory()) {
    throw new MusterError(
      'DOCUMENTS_MISSING',
      `Expected a folder of documents; ${folder} is a file. Name the folder that holds it.`,
    );
  }
  const files = await walk(root, root);
  if (files.length === 0) {
    throw new MusterError(
      'DOCUMENTS_EMPTY',
      `Expected documents in ${folder}; it holds no files. Put the project's documents there (hidden files do not count).`,
    );
  }
  const documents: SourceDocument[] = [];
  // One after the other: a large folder must not use up the file descriptors.
  for (const file of files.sort((a, b) => (a < b ? -1 : 1))) documents.push(await describe(root, file));
  return documents;
}

/** Copies the documents to `<workspace>/documents`, same relative paths. */
export async function copyDocuments(documents: readonly SourceDocument[], workspace: string): Promise<void> {
  for (const { path, original } of documents) {
    const to = join(workspace, ...path.split('/'));
    await mkdir(dirname(to), { recursive: true });
    await copyFile(original, to, constants.COPYFILE_FICLONE);
  }
}

async function walk(root: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true }).catch((thrown: unknown) => {
    throw missing(folder, thrown);
  });
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (LINE_BREAKING.test(entry.name)) {
      throw new MusterError(
        'DOCUMENT_NAME',
        `Expected file names of printable characters, since prompts list them; got ${JSON.stringify(relative(root, path))} in ${root}. Rename it.`,
      );
    }
    if (INSTRUCTION_FILES.has(entry.name.toLowerCase())) {
      throw new MusterError(
        'DOCUMENT_NAME',
        `Expected documents that are data; ${relative(root, path)} in ${root} has a name that OpenCode reads as instructions to the agent. Rename it, or take it out.`,
      );
    }
    if (entry.isSymbolicLink()) {
      const target = await realpath(path).catch(() => undefined);
      if (target === undefined || !target.startsWith(root + sep)) {
        throw new MusterError(
          'DOCUMENT_OUTSIDE',
          `Expected every document to stand in ${root}; ${relative(root, path)} is a link to ${target ?? 'nothing'}. Copy the file there, or remove the link.`,
        );
      }
      if ((await stat(target)).isFile()) found.push(path);
    } else if (entry.isDirectory()) found.push(...(await walk(root, path)));
    else if (entry.isFile()) found.push(path);
  }
  return found;
}

async function describe(root: string, original: string): Promise<SourceDocument> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(original) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (thrown) {
    throw missing(original, thrown);
  }
  return {
    path: `documents/${relative(root, original).split(sep).join('/')}`,
    original,
    bytes,
    sha256: hash.digest('hex'),
    mediaType: MEDIA_TYPES[extname(original).toLowerCase()] ?? 'application/octet-stream',
  };
}

function missing(path: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  const what = systemCode(cause) === 'ENOENT' ? 'there is no such path' : cause.message;
  return new MusterError('DOCUMENTS_MISSING', `Expected to read ${path}; ${what}. Check --documents.`, { cause });
}
