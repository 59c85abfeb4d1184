/** What the server's refusals and a lost connection become. */
import { ensureError, MusterError, systemCode } from '../errors.ts';
import { isJsonObject } from './json-object.ts';

/** The server answered a request with an error, or not in time. */
export class RequestError extends MusterError {
  /** HTTP status; undefined when there was no answer in time. */
  readonly status: number | undefined;
  /** The server's own name of the error, such as `NotFoundError`; undefined when it gave none. */
  readonly serverError: string | undefined;
  /** `data` of the server's error, for callers that know its shape. */
  readonly data: unknown;

  constructor(message: string, detail: { status?: number; name?: string; data?: unknown; retryable: boolean }) {
    super('OPENCODE_REQUEST', message, { retryable: detail.retryable });
    this.status = detail.status;
    this.serverError = detail.name;
    this.data = detail.data;
  }
}

/** Longest piece of a server's error text in a message. */
const MAX_TEXT = 500;

/** `operation` is method and route without query, so that no parameter reaches a log. */
export function answeredError(operation: string, status: number, body: string): RequestError {
  const { name, message, data } = envelope(body);
  const cure = status === 401 ? '; check the password (--password) of the server' : '';
  const told = [name, message].filter((text) => text !== undefined).join(': ') || 'no reason given';
  return new RequestError(`OpenCode answered ${operation} with status ${status}: ${told.slice(0, MAX_TEXT)}${cure}`, {
    status,
    ...(name === undefined ? {} : { name }),
    data,
    retryable: status >= 500 || status === 408 || status === 409 || status === 429,
  });
}

/** Two envelopes exist: `{name, data: {message}}` and `{_tag, message}`. */
function envelope(body: string): { name?: string; message?: string; data?: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (thrown) {
    // A poisoned instance answers 503 with an empty body.
    ensureError(thrown);
    return body.trim() === '' ? {} : { message: body.trim() };
  }
  if (!isJsonObject(value)) return {};
  const data = isJsonObject(value['data']) ? value['data'] : value;
  const name = value['name'] ?? value['_tag'];
  const message = data['message'];
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    data,
  };
}

export function timedOut(operation: string, timeoutMs: number): RequestError {
  return new RequestError(`OpenCode did not answer ${operation} within ${timeoutMs} ms; it may be overloaded`, {
    retryable: true,
  });
}

/** The connection could not be made or broke. Its own message may hold an address, never credentials. */
export function connectionLost(operation: string, thrown: unknown): MusterError {
  const cause = ensureError(thrown);
  const reason = systemCode(cause) ?? cause.message;
  const message = `expected an answer of OpenCode to ${operation}, the connection failed: ${reason}; see the server's log in the run folder`;
  return new MusterError('OPENCODE_LOST', message, { cause, retryable: true });
}
