import { type Frame, type HistoryRow, type Properties, parseFrame } from '../../src/opencode/frames.ts';
import type { AskReading, GapSource, MessageReading } from '../../src/opencode/reconcile.ts';

interface StoredMessage {
  info: Properties;
  parts: Map<string, Properties>;
}

/** What the server of a recording would answer over HTTP, after the frames that it has sent so far. */
export class RecordedServer implements GapSource {
  readonly rows: HistoryRow[] = [];
  readonly calls: string[] = [];
  readonly #messages = new Map<string, Map<string, StoredMessage>>();
  readonly #status = new Map<string, { type: string }>();
  readonly #asks = new Map<string, { kind: string; ask: AskReading }>();

  /** The server comes to the point where it sends `raw`. */
  send(raw: string): void {
    const frame = parseFrame(raw);
    if (frame?.sessionId === undefined) return;
    if (frame.isSyncCopy) this.#record(frame);
    else this.#happen(frame, frame.sessionId);
  }

  /** A new process on the same data: nothing runs, nothing is asked. */
  restart(): void {
    this.#status.clear();
    this.#asks.clear();
  }

  async history(seqs: Readonly<Record<string, number>>): Promise<readonly HistoryRow[]> {
    this.calls.push('history');
    return this.rows.filter((row) => row.seq > (seqs[row.aggregate_id] ?? -1));
  }

  async sessionStatus(): Promise<Record<string, { type: string }>> {
    this.calls.push('status');
    return Object.fromEntries(this.#status);
  }

  async pendingPermissions(): Promise<readonly AskReading[]> {
    return this.#pending('permission');
  }

  async pendingQuestions(): Promise<readonly AskReading[]> {
    return this.#pending('question');
  }

  async message(sessionId: string, messageId: string): Promise<MessageReading> {
    this.calls.push('message');
    const message = this.#messages.get(sessionId)?.get(messageId);
    if (message === undefined) throw new Error(`no message ${messageId}`);
    return { info: message.info, parts: [...message.parts.values()] };
  }

  async messages(sessionId: string): Promise<readonly MessageReading[]> {
    this.calls.push('messages');
    const messages = [...(this.#messages.get(sessionId)?.values() ?? [])];
    if (messages.some(({ info }) => info['role'] === 'user' && info['format'] !== undefined)) {
      throw new Error('400 Expected OutputFormatJsonSchema');
    }
    return messages.map(({ info, parts }) => ({ info, parts: [...parts.values()] }));
  }

  #pending(kind: string): AskReading[] {
    return [...this.#asks.values()].filter((one) => one.kind === kind).map((one) => one.ask);
  }

  #record(frame: Frame): void {
    this.rows.push({
      id: frame.id!,
      aggregate_id: frame.sessionId!,
      seq: frame.seq!,
      type: `${frame.type}.1`,
      data: frame.properties,
    });
  }

  #happen(frame: Frame, sessionId: string): void {
    const { properties } = frame;
    const [kind, verb] = frame.type.split('.');
    if (frame.type === 'message.updated') {
      const info = properties['info'] as Properties;
      this.#message(sessionId, info['id'] as string).info = info;
    } else if (frame.type === 'message.part.updated') {
      const part = properties['part'] as Properties;
      this.#message(sessionId, part['messageID'] as string).parts.set(part['id'] as string, part);
    } else if (frame.type === 'session.status') {
      const status = properties['status'] as { type: string };
      if (status.type === 'idle') this.#idle(sessionId);
      else this.#status.set(sessionId, status);
    } else if (frame.type === 'session.idle') {
      this.#idle(sessionId);
    } else if (verb === 'asked') {
      this.#asks.set(properties['id'] as string, { kind: kind!, ask: properties as unknown as AskReading });
    } else if (verb === 'replied' || verb === 'rejected') {
      this.#asks.delete(properties['requestID'] as string);
    }
  }

  #idle(sessionId: string): void {
    this.#status.delete(sessionId);
    for (const [id, { ask }] of this.#asks) if (ask.sessionID === sessionId) this.#asks.delete(id);
  }

  #message(sessionId: string, id: string): StoredMessage {
    const messages = this.#messages.get(sessionId) ?? new Map<string, StoredMessage>();
    this.#messages.set(sessionId, messages);
    const message = messages.get(id) ?? { info: { id }, parts: new Map() };
    messages.set(id, message);
    return message;
  }
}
