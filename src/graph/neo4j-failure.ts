/** What a failure of the Neo4j server or its driver means to the person who runs muster. */
import { ensureError, MusterError, systemCode } from '../errors.ts';

/** Driver codes for a server that is not there, or is not there any more. */
const LOST = new Set(['ServiceUnavailable', 'SessionExpired', 'N/A', 'ProtocolError']);

/** A failure while the database was opened: GRAPH_CREDENTIALS, GRAPH_UNREACHABLE, GRAPH_OPEN or GRAPH_CLASH. */
export function openingFailure(shown: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  if (cause instanceof MusterError) return cause;
  const code = systemCode(cause) ?? '';
  const expected = `Expected to open the graph database at ${shown}`;
  if (code.startsWith('Neo.ClientError.Security.')) {
    return new MusterError('GRAPH_CREDENTIALS', `${expected}; ${credentialFault(code, cause)}`, {
      cause,
      retryable: code.endsWith('RateLimit'),
    });
  }
  if (code.startsWith('Neo.ClientError.Database.')) {
    return new MusterError(
      'GRAPH_OPEN',
      `${expected}; got: ${cause.message} Name an existing database with NEO4J_DATABASE, or leave it unset for the home database.`,
      { cause },
    );
  }
  if (code.startsWith('Neo.ClientError.Schema.')) {
    return new MusterError(
      'GRAPH_CLASH',
      `${expected} and to have a constraint on each business key; got: ${cause.message} Nothing was changed. Remove what is in the way, or name another database with NEO4J_DATABASE.`,
      { cause },
    );
  }
  if (!isLost(code)) return new MusterError('GRAPH_OPEN', `${expected}; got: ${cause.message}`, { cause });
  return new MusterError('GRAPH_UNREACHABLE', unreachable(shown, cause.message), { cause, retryable: true });
}

/** For a server that takes the connection and then says nothing. */
export function silent(shown: string, waitedMs: number): MusterError {
  const message = unreachable(shown, `no answer within ${waitedMs / 1000} seconds`);
  return new MusterError('GRAPH_UNREACHABLE', message, { retryable: true });
}

/** A failure of a commit, after the driver's own retries: GRAPH_COMMIT. */
export function commitFailure(shown: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  if (cause instanceof MusterError) return cause;
  const code = systemCode(cause) ?? '';
  const lost = isLost(code)
    ? ' It is not known whether the batch was written; commit it again, which is harmless.'
    : '';
  return new MusterError('GRAPH_COMMIT', `The batch could not be written to ${shown}: ${cause.message}${lost}`, {
    cause,
    retryable: isLost(code) || code.startsWith('Neo.TransientError.'),
  });
}

/** A failure of a read: the server is gone or forbids it, or the question itself was wrong. */
export function readFailure(shown: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  if (cause instanceof MusterError) return cause;
  const code = systemCode(cause) ?? '';
  if (isLost(code) || code.startsWith('Neo.TransientError.') || /\.(Security|Database)\./.test(code)) {
    return openingFailure(shown, cause);
  }
  return new MusterError('BUG', `The graph at ${shown} was asked in a wrong way: ${cause.message}`, { cause });
}

/** A failure of somebody's statement: one of the CYPHER_ codes. */
export function cypherFailure(shown: string, thrown: unknown, timeLimitMs: number): MusterError {
  const cause = ensureError(thrown);
  if (cause instanceof MusterError) return cause;
  const code = systemCode(cause) ?? '';
  if (code.includes('TransactionTimedOut')) return timedOut(timeLimitMs, cause);
  if (code === 'Neo.ClientError.Statement.AccessMode') {
    const message = `Expected a statement that only reads; Neo4j refused one that writes: ${cause.message}`;
    return new MusterError('CYPHER_REFUSED', message, { cause });
  }
  if (/^Neo\.(ClientError|DatabaseError)\.(?!Security|Database|Cluster)/.test(code)) {
    const message = `Expected a statement that Neo4j can run; it answered: ${cause.message}`;
    return new MusterError('CYPHER_INVALID', message, { cause });
  }
  return unavailable(shown, cause.message, cause);
}

/** The server does not answer, or lets nobody in. */
export function unavailable(shown: string, why: string, cause?: Error): MusterError {
  return new MusterError(
    'CYPHER_UNAVAILABLE',
    `Expected an answer of the graph database at ${shown}; got: ${why.trim()}. Check that the server runs, then ask again.`,
    { retryable: true, ...(cause !== undefined && { cause }) },
  );
}

export function timedOut(timeLimitMs: number, cause?: Error): MusterError {
  return new MusterError(
    'CYPHER_TIMEOUT',
    `Expected an answer within ${timeLimitMs} ms; the statement took longer and was stopped. Narrow it, or raise the time limit.`,
    { ...(cause !== undefined && { cause }) },
  );
}

function isLost(code: string): boolean {
  return code === '' || LOST.has(code) || /^Neo\.TransientError\.(General\.DatabaseUnavailable|Database)/.test(code);
}

function unreachable(shown: string, why: string): string {
  return `Expected a Neo4j server at ${shown}; got: ${why.trim()}. Start the server, or check host, port and scheme (neo4j+s for an encrypted one).`;
}

function credentialFault(code: string, cause: Error): string {
  const kind = code.slice('Neo.ClientError.Security.'.length);
  if (kind === 'CredentialsExpired') {
    return "got a password that must be changed first. Change it with ALTER CURRENT USER SET PASSWORD FROM '…' TO '…' on the database system, then set NEO4J_PASSWORD.";
  }
  if (kind === 'AuthenticationRateLimit') {
    return 'the server refuses every password for a few seconds after several wrong ones. Wait, check NEO4J_USERNAME and NEO4J_PASSWORD, then try again.';
  }
  if (kind === 'Unauthorized') {
    return 'the server does not know this user name with this password. Check NEO4J_USERNAME and NEO4J_PASSWORD.';
  }
  return `got: ${cause.message} Check NEO4J_USERNAME and NEO4J_PASSWORD, and what that user may do.`;
}
