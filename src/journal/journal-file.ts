/** The file under the journal: the few calls the writer needs, so that tests can fail each of them. */
import { close, closeSync, constants, fdatasync, fsyncSync, ftruncateSync, openSync, write } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

export interface JournalFile {
  /** Appends a part of `bytes`, at least one byte, and tells how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Resolves when everything written is on disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const writeTo = promisify(write);
const syncData = promisify(fdatasync);
const closeFile = promisify(close);

/**
 * Opens `file` for appending: a new one, which must not exist yet, or with `keepBytes` the existing one, cut to that
 * length (a torn last line goes).
 * @throws the system's error.
 */
export function openJournalFile(file: string, keepBytes?: number): JournalFile {
  const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY } = constants;
  const descriptor = openSync(file, O_WRONLY | O_APPEND | (keepBytes === undefined ? O_CREAT | O_EXCL : 0), 0o644);
  try {
    if (keepBytes !== undefined) ftruncateSync(descriptor, keepBytes);
    syncFolder(dirname(file));
  } catch (thrown) {
    closeSync(descriptor);
    throw thrown;
  }
  return {
    write: async (bytes) => (await writeTo(descriptor, bytes)).bytesWritten,
    sync: () => syncData(descriptor),
    close: () => closeFile(descriptor),
  };
}

/** The name of a new file is durable only when its folder is. Windows cannot open a folder and needs no such call. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
