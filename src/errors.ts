/**
 * The one family of errors that muster throws on purpose.
 *
 * Every error carries a literal `code` (its paragraph stands in docs/errors.md), a message that says what was expected,
 * what came, where, and the cure, the original `cause`, and whether trying again can help. Invalid agent output is not
 * an error: it is protocol, answered with issues (see src/output).
 */

/** Exit code by kind of error: 2 for the caller's input, 3 for the environment, 1 for everything else. */
export type ErrorKind = 'usage' | 'environment' | 'failure';

const CODES = {
  USAGE: 'usage',
  MANIFEST_NOT_FOUND: 'usage',
  MANIFEST_NOT_JSON: 'usage',
  MANIFEST_INVALID: 'usage',
  SCHEMA_NOT_FOUND: 'usage',
  SCHEMA_INVALID: 'usage',
  PLAN_CYCLE: 'usage',
  DOCUMENTS_MISSING: 'usage',
  DOCUMENTS_EMPTY: 'usage',
  DOCUMENT_OUTSIDE: 'usage',
  DOCUMENT_BROKEN: 'usage',
  DOCUMENT_ENCRYPTED: 'usage',
  DOCUMENT_TOO_LARGE: 'usage',
  DOCUMENT_NAME: 'usage',
  PROJECT_ID_INVALID: 'usage',
  REHEARSAL_INVALID: 'usage',
  RUN_NOT_FOUND: 'usage',
  TRUTH_INVALID: 'usage',
  RULE_INVALID: 'usage',
  RULES_BROKEN: 'failure',
  EXPORT_EXISTS: 'usage',
  RUN_ENDED: 'usage',
  INPUTS_CHANGED: 'usage',
  GRAPH_OVERWRITTEN: 'usage',
  MODEL_UNKNOWN: 'usage',
  OPENCODE_CONFIG_INVALID: 'usage',
  SOURCE_UNAVAILABLE: 'environment',
  OPENCODE_NOT_FOUND: 'environment',
  OPENCODE_VERSION: 'environment',
  OPENCODE_START: 'environment',
  OPENCODE_LOST: 'environment',
  OPENCODE_REQUEST: 'failure',
  PROVIDER_AUTH: 'environment',
  HOLD_UNKNOWN: 'usage',
  PORT_TAKEN: 'environment',
  STREAM_LOST: 'environment',
  RUN_LOCKED: 'environment',
  FOLDER_NOT_WRITABLE: 'environment',
  DISK_FULL: 'environment',
  JOURNAL_CORRUPT: 'environment',
  JOURNAL_VERSION: 'environment',
  JOURNAL_READ: 'environment',
  JOURNAL_WRITE: 'environment',
  GRAPH_OPEN: 'environment',
  GRAPH_COMMIT: 'failure',
  GRAPH_TARGET: 'usage',
  GRAPH_CREDENTIALS: 'environment',
  GRAPH_UNREACHABLE: 'environment',
  GRAPH_CLASH: 'environment',
  CYPHER_REFUSED: 'usage',
  CYPHER_INVALID: 'usage',
  CYPHER_TIMEOUT: 'failure',
  CYPHER_UNAVAILABLE: 'environment',
  AGENT_TOOLS: 'failure',
  BUG: 'failure',
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof CODES;

/** All codes, for docs and for the test that each has its paragraph. */
export const ERROR_CODES = Object.keys(CODES) as ErrorCode[];

/** Options of a {@link MusterError}. */
export interface ErrorDetail {
  /** The error underneath, kept as it came. */
  cause?: unknown;
  /** Whether the same call can succeed later without a change by a person; default false. */
  retryable?: boolean;
}

/** Base of all errors that muster throws on purpose; `code` is literal and documented. */
export class MusterError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'MusterError';
    this.code = code;
    this.retryable = detail.retryable ?? false;
  }

  get kind(): ErrorKind {
    return CODES[this.code];
  }

  /** 2 for usage and manifest, 3 for the environment, 1 for a failure. */
  get exitCode(): 1 | 2 | 3 {
    return this.kind === 'usage' ? 2 : this.kind === 'environment' ? 3 : 1;
  }
}

/** Turns anything thrown into an `Error`; first line of every catch. */
export function ensureError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The `code` of a Node system error (`ENOENT`, `ENOSPC`…), or undefined. */
export function systemCode(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
