/** The port {@link AgentServer} on top of the HTTP client. */
import { ensureError } from '../errors.ts';
import type { AgentServer, PromptRequest, SessionRequest } from '../ports.ts';
import type { OpenCodeClient } from './client.ts';
import { type MessageIds, partIdOf } from './message-id.ts';
import { RequestError } from './request-error.ts';
import { AGENT } from './server.ts';
import { modelName } from './wire.ts';

export interface AgentServerOptions {
  readonly client: OpenCodeClient;
  readonly ids: MessageIds;
  /** Aborts wait for this: one that comes too early poisons the server. */
  readonly abortSafe: Promise<void>;
}

export class OpenCodeAgentServer implements AgentServer {
  readonly #client: OpenCodeClient;
  readonly #ids: MessageIds;
  readonly #abortSafe: Promise<void>;
  /** Prompts that are not answered: session → the server's answer. */
  readonly #sending = new Map<string, Promise<void>>();

  constructor({ client, ids, abortSafe }: AgentServerOptions) {
    this.#client = client;
    this.#ids = ids;
    this.#abortSafe = abortSafe;
  }

  async createSession(request: SessionRequest): Promise<{ readonly apiSessionId: string }> {
    const { title, permissions, model } = request;
    // A title of our own saves the extra model call for one.
    const session = { title, permission: permissions, model: modelName(model), agent: AGENT };
    const { id } = await this.#client.createSession(session);
    return { apiSessionId: id };
  }

  newMessageId(): string {
    return this.#ids.message();
  }

  async prompt({ apiSessionId, messageId, text, model }: PromptRequest): Promise<void> {
    const sending = this.#client.promptAsync(apiSessionId, {
      messageId,
      // With another part id the same message sent again would hold its text twice.
      partId: partIdOf(messageId),
      text,
      // Both are sticky in the session: sent always.
      model: modelName(model),
      agent: AGENT,
    });
    this.#sending.set(apiSessionId, sending);
    try {
      await sending;
    } finally {
      this.#sending.delete(apiSessionId);
    }
  }

  async abort(apiSessionId: string): Promise<void> {
    await this.#abortSafe;
    const sending = this.#sending.get(apiSessionId);
    await this.#abort(apiSessionId);
    if (!sending) return;
    // It may have overtaken the prompt, on another connection, and stopped nothing.
    await sending.catch(() => {});
    await this.#abort(apiSessionId);
  }

  async #abort(apiSessionId: string): Promise<void> {
    try {
      await this.#client.abort(apiSessionId);
    } catch (thrown) {
      const error = ensureError(thrown);
      const isGone = error instanceof RequestError && error.status === 404;
      if (!isGone) throw error;
    }
  }
}
