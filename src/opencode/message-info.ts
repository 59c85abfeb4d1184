/** A message of a session, reduced to what decides how a turn ended and what it cost. */
import { ensureError } from '../errors.ts';
import { countOf, isRecord, type Properties, textOf } from './frames.ts';

/** An error as the server tells it, on a message or in `session.error`. */
export interface ServerError {
  readonly name: string;
  readonly message: string;
  /** Whether the same can succeed in a fresh session. */
  readonly retryable: boolean;
  /** HTTP status of the provider's answer. */
  readonly status?: number;
  /** The provider's own name of the error. */
  readonly providerCode?: string;
  readonly retryAfterMs?: number;
}

export interface UserInfo {
  readonly role: 'user';
  readonly id: string;
  /** True when the prompt asked for structured output. */
  readonly wantsStructure: boolean;
}

/** One model call. */
export interface ReplyInfo {
  readonly role: 'assistant';
  readonly id: string;
  readonly parentId: string;
  /** True for the summary that a compaction writes: it answers nobody. */
  readonly isSummary: boolean;
  readonly isCompleted: boolean;
  readonly finish: string | undefined;
  readonly error: ServerError | undefined;
  readonly hasStructure: boolean;
}

/** Reads `info` of `message.updated`; undefined when it is no message that we understand. */
export function messageInfo(info: unknown): UserInfo | ReplyInfo | undefined {
  if (!isRecord(info)) return undefined;
  const id = textOf(info['id']);
  if (id === undefined) return undefined;
  if (info['role'] === 'user') {
    const format = info['format'];
    return { role: 'user', id, wantsStructure: isRecord(format) && format['type'] === 'json_schema' };
  }
  if (info['role'] !== 'assistant') return undefined;
  const time = info['time'];
  return {
    role: 'assistant',
    id,
    parentId: textOf(info['parentID']) ?? '',
    isSummary: info['summary'] === true,
    isCompleted: isRecord(time) && typeof time['completed'] === 'number',
    finish: textOf(info['finish']),
    error: serverError(info['error']),
    hasStructure: info['structured'] !== undefined && info['structured'] !== null,
  };
}

/** Longest error text kept: some carry a stack or a whole response. */
const MAX_ERROR_TEXT = 500;
const MAX_BODY = 20_000;
const MAX_CODE = 100;
/** Errors that a fresh session with the same key, model and prompt meets again. */
const PERMANENT = new Set(['ProviderAuthError', 'ContentFilterError']);

export function serverError(error: unknown): ServerError | undefined {
  if (!isRecord(error)) return undefined;
  const name = textOf(error['name']) ?? 'UnknownError';
  const data: Properties = isRecord(error['data']) ? error['data'] : {};
  const status = countOf(data['statusCode']);
  const text = (textOf(data['message']) ?? name).slice(0, MAX_ERROR_TEXT);
  return {
    name,
    message: status > 0 ? `${text} (HTTP status ${status})` : text,
    retryable: name === 'APIError' ? data['isRetryable'] === true : !PERMANENT.has(name),
    ...(status > 0 && { status }),
    ...providerCode(data['responseBody']),
    ...retryAfter(data['responseHeaders']),
  };
}

/** `{"error":{"code":"invalid_api_key"}}`, as OpenAI and those who follow it answer; Anthropic puts it into `type`. */
function providerCode(body: unknown): { readonly providerCode?: string } {
  const text = textOf(body);
  if (text === undefined || text.length > MAX_BODY) return {};
  try {
    const value: unknown = JSON.parse(text);
    const error = isRecord(value) && isRecord(value['error']) ? value['error'] : {};
    const code = textOf(error['code']) ?? textOf(error['type']);
    return code === undefined ? {} : { providerCode: code.slice(0, MAX_CODE) };
  } catch (thrown) {
    // A gateway's page: the status tells enough.
    ensureError(thrown);
    return {};
  }
}

/** Seconds; the form with a date is not used by providers of models. */
function retryAfter(headers: unknown): { readonly retryAfterMs?: number } {
  const inMs = isRecord(headers) ? Number(textOf(headers['retry-after-ms'])) : Number.NaN;
  const inS = isRecord(headers) ? Number(textOf(headers['retry-after'])) : Number.NaN;
  const ms = Number.isFinite(inMs) ? inMs : inS * 1_000;
  return Number.isFinite(ms) && ms >= 0 ? { retryAfterMs: Math.round(ms) } : {};
}
