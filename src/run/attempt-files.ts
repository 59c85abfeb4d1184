/**
 * What is kept on disk of an attempt's work: its accepted calls, and the publication that a commit writes.
 *
 * Nothing in it is secret: rows, quotes and keys of the project's own documents.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureError, systemCode } from '../errors.ts';
import { folderFailure } from '../journal/run-folder.ts';
import type { Publication } from '../output/publication.ts';
import { instanceDir } from '../workspace/instance-dir.ts';

/** @param work the run's folder of this name. */
export function callsFile(work: string, instance: string, attempt: number): string {
  return join(work, instanceDir(instance), `attempt-${attempt}.calls.jsonl`);
}

/** @param work the run's folder of this name. */
export function publicationFile(work: string, instance: string, attempt: number): string {
  return join(work, instanceDir(instance), `attempt-${attempt}.publication.json`);
}

/** Whole and durable, or not there: written beside, synchronised, renamed. @throws MusterError DISK_FULL, FOLDER_NOT_WRITABLE */
export async function writePublication(path: string, publication: Publication): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const body = JSON.stringify(publication);
    const aside = await open(`${path}.new`, 'w');
    try {
      await aside.writeFile(`{"sha256":"${digest(body)}","publication":${body}}\n`);
      await aside.sync();
    } finally {
      await aside.close();
    }
    await rename(`${path}.new`, path);
    await syncFolder(dirname(path));
  } catch (thrown) {
    throw folderFailure(path, thrown);
  }
}

/** Undefined when there is none, or when it is not what was written. @throws MusterError FOLDER_NOT_WRITABLE */
export async function readPublication(path: string): Promise<Publication | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    const error = ensureError(thrown);
    if (systemCode(error) === 'ENOENT') return undefined;
    throw folderFailure(path, error);
  }
  try {
    const { sha256, publication } = JSON.parse(text) as { sha256?: unknown; publication?: Publication };
    return publication && sha256 === digest(JSON.stringify(publication)) ? publication : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The new name is durable only when the folder is. Windows cannot open a folder and needs no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
