/** What a failure of the database means to the person who runs muster. */
import { ensureError, MusterError, systemCode } from '../errors.ts';

/** Whether another process holds the write lock at this moment. */
export function isBusy(thrown: unknown): boolean {
  return systemCode(thrown)?.startsWith('SQLITE_BUSY') ?? false;
}

/** A failure while the file was opened: GRAPH_OPEN, or DISK_FULL. */
export function openFailure(file: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  if (cause instanceof MusterError) return cause;
  const code = systemCode(cause) ?? '';
  if (code === 'SQLITE_FULL') return diskFull(file, cause);
  const [got, cure] = code.startsWith('SQLITE_NOTADB')
    ? ['a file that is not a database', 'Move that file away, or name another home folder.']
    : code.startsWith('SQLITE_CORRUPT')
      ? ['a damaged database', 'Restore it from a copy, or move it away and run again: runs write everything anew.']
      : code.startsWith('SQLITE_READONLY')
        ? ['a file that may not be written', 'Give this user write permission on the file and its folder.']
        : isBusy(cause)
          ? ['a file that another process keeps locked', 'Wait for the other process to finish, then try again.']
          : [
              `a file that cannot be opened (${cause.message})`,
              'Check that the folder exists and that this user may read and write the file and its folder.',
            ];
  return new MusterError('GRAPH_OPEN', `Expected the graph at ${file}; got ${got}. ${cure}`, { cause });
}

/** A failure of a commit: GRAPH_COMMIT, DISK_FULL, or GRAPH_OPEN when the file itself went bad. */
export function commitFailure(file: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  if (cause instanceof MusterError) return cause;
  const code = systemCode(cause);
  if (code === undefined) return bug(file, cause);
  if (code === 'SQLITE_FULL') return diskFull(file, cause);
  if (/^SQLITE_(NOTADB|CORRUPT|READONLY|CANTOPEN)/.test(code)) return openFailure(file, cause);
  if (isBusy(cause)) {
    return new MusterError(
      'GRAPH_COMMIT',
      `Expected to write to the graph at ${file}; got a lock that another process holds. Wait for it to finish.`,
      { cause, retryable: true },
    );
  }
  return new MusterError('GRAPH_COMMIT', `Nothing of the batch was written to the graph at ${file}: ${cause.message}`, {
    cause,
    retryable: code.startsWith('SQLITE_IOERR'),
  });
}

/** A failure of a read: the file can no longer be used, or the question itself was wrong. */
export function readFailure(file: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  return systemCode(cause) === undefined ? bug(file, cause) : openFailure(file, cause);
}

/** No code of the database: the statement or its values were ours. */
function bug(file: string, cause: Error): MusterError {
  return new MusterError('BUG', `The graph at ${file} was asked in a wrong way: ${cause.message}`, { cause });
}

function diskFull(file: string, cause: Error): MusterError {
  return new MusterError(
    'DISK_FULL',
    `No space left to write the graph at ${file}; nothing of the batch was written. Free space on that disk, then resume the run.`,
    { cause },
  );
}
