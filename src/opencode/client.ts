/**
 * The HTTP side of one OpenCode server, for one directory.
 *
 * Owns the connections. Does not own what the answers mean. Invariants:
 *
 * - Every request names the directory, because without it the server answers plausibly for the wrong one.
 * - Every request ends: with the answer, a {@link RequestError} (OPENCODE_REQUEST), or OPENCODE_LOST. Only the event
 *   stream has no limit; its reader watches for silence.
 * - Credentials travel in a header only: no error and no URL holds them.
 */
import { Pool } from 'undici';
import { ensureError, type MusterError, systemCode } from '../errors.ts';
import type { PermissionRule } from '../ports.ts';
import { answeredError, connectionLost, timedOut } from './request-error.ts';
import type * as Wire from './wire.ts';

export interface ClientOptions {
  /** Without credentials, `http://127.0.0.1:4096`. */
  readonly url: string;
  /** Absolute path of the directory of all sessions. */
  readonly directory: string;
  /** Absent for a server without a password. */
  readonly password?: string;
  /** Default `opencode`. */
  readonly username?: string;
  /** Limit of a request without its own; default 60,000: a burst of prompts kept requests waiting for 10 s. */
  readonly timeoutMs?: number;
}

interface RequestOptions {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly timeoutMs?: number;
  /** True when the request may be sent again after a broken connection. */
  readonly isRepeatable?: boolean;
}

const TIMEOUT_MS = 60_000;
/** Connections beside the event stream; further requests wait in line. */
const CONNECTIONS = 32;
/** Codes of a kept connection that the server closed at the moment of the request. */
const CLOSED_MEANWHILE = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

export class OpenCodeClient {
  readonly directory: string;
  readonly #pool: Pool;
  readonly #timeoutMs: number;
  readonly #headers: Record<string, string>;

  constructor(options: ClientOptions) {
    this.directory = options.directory;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#pool = new Pool(new URL(options.url).origin, {
      connections: CONNECTIONS,
      pipelining: 1,
      // Ours are the limits: the pool's own are coarse and give other errors.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const login = `${options.username ?? 'opencode'}:${options.password}`;
    this.#headers =
      options.password === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  }

  health(timeoutMs?: number): Promise<Wire.Health> {
    return this.#get('/global/health', timeoutMs === undefined ? {} : { timeoutMs });
  }

  /** Where the server thinks it works; makes the instance. */
  path(): Promise<Wire.PathInfo> {
    return this.#get('/path');
  }

  providers(timeoutMs = this.#timeoutMs): Promise<Wire.Providers> {
    return this.#get('/config/providers', { timeoutMs });
  }

  agents(): Promise<readonly Wire.AgentInfo[]> {
    return this.#get('/agent');
  }

  /** Built-in and custom tools; the first call waits until the tool files are loaded. */
  toolIds(timeoutMs = this.#timeoutMs): Promise<readonly string[]> {
    return this.#get('/experimental/tool/ids', { timeoutMs });
  }

  /**
   * Every call makes a session, and it is sent again all the same when its answer is lost: the session that nobody
   * heard of is never prompted, so it does nothing and costs nothing. Failing here costs one of few attempts.
   */
  createSession(request: {
    readonly title: string;
    readonly permission: readonly PermissionRule[];
    readonly model: Wire.ModelName;
    readonly agent: string;
  }): Promise<Wire.SessionInfo> {
    const { title, permission, model, agent } = request;
    // A session's model has `id`, a message's model `modelID`.
    const body = { title, permission, agent, model: { providerID: model.providerId, id: model.modelId } };
    return this.#send('POST', '/session', { body, isRepeatable: true });
  }

  session(sessionId: string): Promise<Wire.SessionInfo> {
    return this.#get(`/session/${encodeURIComponent(sessionId)}`);
  }

  /** Resolves when the server took the prompt, which promises nothing. The same ids sent again are harmless. */
  async promptAsync(
    sessionId: string,
    prompt: {
      readonly messageId: string;
      readonly partId: string;
      readonly text: string;
      readonly model: Wire.ModelName;
      readonly agent: string;
    },
  ): Promise<void> {
    const { messageId, partId, text, model, agent } = prompt;
    const body = {
      messageID: messageId,
      agent,
      model: { providerID: model.providerId, modelID: model.modelId },
      parts: [{ id: partId, type: 'text', text }],
    };
    const path = `/session/${encodeURIComponent(sessionId)}/prompt_async`;
    await this.#send('POST', path, { body, isRepeatable: true });
  }

  /** Also true for an idle or unknown session. */
  abort(sessionId: string): Promise<boolean> {
    return this.#send('POST', `/session/${encodeURIComponent(sessionId)}/abort`, { isRepeatable: true });
  }

  /** Sessions at work; absent means idle, or never started. */
  sessionStatus(): Promise<Readonly<Record<string, Wire.SessionStatus>>> {
    return this.#get('/session/status');
  }

  message(sessionId: string, messageId: string): Promise<Wire.MessageRecord> {
    return this.#get(`/session/${encodeURIComponent(sessionId)}/message/${encodeURIComponent(messageId)}`);
  }

  /** The newest messages, oldest first; `limit` default 30. Refused with 400 when one asks for structured output. */
  messages(sessionId: string, limit = 30): Promise<readonly Wire.MessageRecord[]> {
    return this.#get(`/session/${encodeURIComponent(sessionId)}/message`, { query: { limit } });
  }

  /** Every durable event with a sequence number above the one named; sessions not named return everything. */
  history(seqs: Readonly<Record<string, number>>): Promise<readonly Wire.HistoryRecord[]> {
    return this.#send('POST', '/sync/history', { body: seqs, isRepeatable: true });
  }

  pendingPermissions(): Promise<readonly Wire.PermissionAsk[]> {
    return this.#get('/permission');
  }

  pendingQuestions(): Promise<readonly Wire.QuestionAsk[]> {
    return this.#get('/question');
  }

  /** `reject` without a message stops the turn; with one the model reads it and goes on. */
  replyPermission(id: string, reply: 'once' | 'always' | 'reject', message?: string): Promise<boolean> {
    const body = message === undefined ? { reply } : { reply, message };
    return this.#send('POST', `/permission/${encodeURIComponent(id)}/reply`, { body });
  }

  rejectQuestion(id: string): Promise<boolean> {
    return this.#send('POST', `/question/${encodeURIComponent(id)}/reject`);
  }

  /** Forgets the directory's instance and aborts its turns; heals an instance that an early abort poisoned. */
  disposeInstance(): Promise<boolean> {
    return this.#send('POST', '/instance/dispose', { isRepeatable: true });
  }

  /** The events of all directories, as bytes. No limit on silence; ends when `signal` aborts. */
  async openEventStream(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const operation = 'GET /global/event';
    const opening = AbortSignal.timeout(this.#timeoutMs);
    const controller = new AbortController();
    const cancel = () => controller.abort();
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    opening.addEventListener('abort', cancel, { once: true });
    try {
      const response = await this.#pool.request({
        method: 'GET',
        path: '/global/event',
        headers: { ...this.#headers, accept: 'text/event-stream' },
        signal: controller.signal,
        blocking: true,
      });
      if (response.statusCode !== 200) {
        throw answeredError(operation, response.statusCode, await response.body.text());
      }
      return response.body;
    } catch (thrown) {
      signal.removeEventListener('abort', cancel);
      throw opening.aborted ? timedOut(operation, this.#timeoutMs) : this.#failure(operation, thrown);
    } finally {
      opening.removeEventListener('abort', cancel);
    }
  }

  /** Breaks off what is in flight and closes all connections. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #get<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.#send('GET', path, { ...options, isRepeatable: true });
  }

  async #send<Answer>(method: 'GET' | 'POST', path: string, options: RequestOptions = {}): Promise<Answer> {
    try {
      return await this.#attempt<Answer>(method, path, options);
    } catch (thrown) {
      const error = ensureError(thrown);
      const code = systemCode(error.cause);
      // Once: a second break is a lost server.
      if (options.isRepeatable && code !== undefined && CLOSED_MEANWHILE.has(code)) {
        return this.#attempt<Answer>(method, path, options);
      }
      throw error;
    }
  }

  async #attempt<Answer>(method: 'GET' | 'POST', path: string, options: RequestOptions): Promise<Answer> {
    const operation = `${method} ${path}`;
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await this.#pool.request({
        method,
        path,
        query: { ...options.query, directory: this.directory },
        headers: { ...this.#headers, 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: JSON.stringify(options.body ?? {}) }),
        signal,
      });
      const text = await response.body.text();
      if (response.statusCode >= 300) throw answeredError(operation, response.statusCode, text);
      return (text === '' ? undefined : JSON.parse(text)) as Answer;
    } catch (thrown) {
      throw signal.aborted ? timedOut(operation, timeoutMs) : this.#failure(operation, thrown);
    }
  }

  #failure(operation: string, thrown: unknown): MusterError {
    const error = ensureError(thrown);
    if ('code' in error && error.code === 'OPENCODE_REQUEST') return error as MusterError;
    // Another program on this port, or a later version: it answers these routes with a page.
    if (error instanceof SyntaxError)
      return answeredError(operation, 200, 'the answer is not JSON; is this OpenCode 1.18?');
    return connectionLost(operation, error);
  }
}
