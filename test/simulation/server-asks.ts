/** The permissions and questions that the simulated server asks for, until somebody answers or their turn ends. */
import type { Faults } from './faults.ts';
import type { Answered } from './network.ts';
import type { ServerEvents } from './server-events.ts';
import type { PendingAsk, RunningTurn, ServerSession } from './server-session.ts';

export interface AskPorts {
  readonly faults: Faults;
  readonly events: ServerEvents;
  readonly sessions: ReadonlyMap<string, ServerSession>;
}

/** A question that nobody answers ends the turn with these words. */
export const DISMISSED = 'The user dismissed this question';
const DONE: Answered = { status: 200, body: true };
const GONE: Answered = { status: 404, body: { name: 'NotFoundError', data: { message: 'no such ask' } } };

export class ServerAsks {
  readonly #ports: AskPorts;
  readonly #asks = new Map<string, PendingAsk>();

  constructor(ports: AskPorts) {
    this.#ports = ports;
  }

  get all(): readonly PendingAsk[] {
    return [...this.#asks.values()];
  }

  clear(): void {
    this.#asks.clear();
  }

  drop(sessionId: string): void {
    for (const [id, ask] of this.#asks) if (ask.sessionID === sessionId) this.#asks.delete(id);
  }

  /** The tool's refusal when there was an ask, else undefined. */
  async maybe(session: ServerSession, turn: RunningTurn): Promise<string | undefined> {
    const { faults, events } = this.#ports;
    const kind = faults.strikes('permission-ask', session.instance)
      ? 'permission'
      : faults.strikes('question-ask', session.instance)
        ? 'question'
        : undefined;
    if (!kind) return undefined;
    const id = events.id(kind === 'permission' ? 'per' : 'que');
    const message = await new Promise<string | undefined>((answer) => {
      const ask: PendingAsk = { id, kind, sessionID: session.id, askedMs: events.now(), wasHeard: false, answer };
      this.#asks.set(id, ask);
      const more =
        kind === 'permission' ? { permission: 'bash', patterns: ['ls'] } : { questions: [{ question: 'Which?' }] };
      ask.wasHeard = events.tellNow(session, `${kind}.asked`, { id, ...more });
    });
    if (turn.isOver) return new Promise(() => {});
    return kind === 'permission'
      ? `The user rejected permission to use this specific tool call with the following feedback: ${message}`
      : DISMISSED;
  }

  reply(id: string, message: string | undefined): Answered {
    const ask = this.#asks.get(id);
    if (!ask) return GONE;
    this.#asks.delete(id);
    const { events, sessions } = this.#ports;
    const session = sessions.get(ask.sessionID);
    if (session) {
      const type = ask.kind === 'permission' ? 'permission.replied' : 'question.rejected';
      events.tellNow(session, type, { requestID: id });
    }
    ask.answer(message);
    return DONE;
  }

  pending(kind: PendingAsk['kind']): readonly object[] {
    return this.all
      .filter((ask) => ask.kind === kind)
      .map(({ id, sessionID }) => ({ id, sessionID, permission: 'bash', patterns: ['ls'] }));
  }
}
