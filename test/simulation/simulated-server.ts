/**
 * The OpenCode server of the world: sessions, prompts, turns and events in the wire format that was recorded of 1.18.33
 * (test/opencode/traces), with agents in place of a model.
 *
 * Owns the routes and the sessions. Does not own the turns (server-turns.ts), the events (server-events.ts), the connections
 * (event-feed.ts, network.ts), or what goes wrong (faults.ts). Sessions and messages survive a crash; turns, asks and
 * connections do not.
 */

import type { Faults } from './faults.ts';
import type { Answered, Host, SentRequest, Subscriber } from './network.ts';
import type { SeededRandom } from './random.ts';
import { ServerAsks } from './server-asks.ts';
import { ServerEvents } from './server-events.ts';
import type { PendingAsk, PromptTruth, ServerSession } from './server-session.ts';
import { ServerTurns } from './server-turns.ts';
import type { SimulatedAgents } from './simulated-agent.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What the observer of the world hears of the server. */
export interface ServerWatch {
  onSession(session: ServerSession): void;
  onPrompt(prompt: PromptTruth): void;
}

export interface ServerPorts {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly agents: SimulatedAgents;
  readonly models: readonly string[];
  readonly watch: ServerWatch;
}

export class SimulatedServer implements Host {
  readonly sessions = new Map<string, ServerSession>();
  readonly #ports: ServerPorts;
  readonly #events: ServerEvents;
  readonly #asks: ServerAsks;
  readonly #turns: ServerTurns;
  /** The workspace's instance answers no prompt any more, until it is made anew. */
  #isPoisoned = false;

  constructor(ports: ServerPorts) {
    const { sessions } = this;
    this.#ports = ports;
    this.#events = new ServerEvents(ports);
    this.#asks = new ServerAsks({ ...ports, events: this.#events, sessions });
    this.#turns = new ServerTurns({ ...ports, events: this.#events, asks: this.#asks, sessions });
  }

  get isUp(): boolean {
    return this.#events.isUp;
  }

  start(): void {
    this.#events.start();
  }

  /** The process is gone: with it turns, asks and connections. */
  crash(): void {
    if (!this.isUp) return;
    this.#isPoisoned = false;
    for (const session of this.sessions.values()) {
      if (session.turn) {
        session.turn.isOver = true;
        session.turn.prompt.state = 'crashed';
      }
      for (const prompt of session.waiting) prompt.state = 'crashed';
      session.turn = undefined;
      session.waiting.length = 0;
      session.status = undefined;
      session.asks = 0;
    }
    this.#asks.clear();
    this.#events.crash();
  }

  /** Somebody disposes of the workspace's instance, and aborts a prompt of his own while it is made anew. */
  poison(): void {
    this.#dispose();
    this.#isPoisoned = true;
  }

  #dispose(): void {
    for (const session of this.sessions.values()) this.#turns.abort(session);
    this.#isPoisoned = false;
  }

  /** Its data is gone too. */
  forget(): void {
    this.sessions.clear();
  }

  get asks(): readonly PendingAsk[] {
    return this.#asks.all;
  }

  truthOf(messageId: string): PromptTruth | undefined {
    for (const { prompts } of this.sessions.values()) {
      const found = prompts.find((prompt) => prompt.messageId === messageId);
      if (found) return found;
    }
    return undefined;
  }

  subscribe(): Subscriber {
    return this.#events.subscribe();
  }

  instanceOf({ path, body }: SentRequest): string | undefined {
    if (path === '/session') return instanceIn(titleOf(body)).instance;
    return this.sessions.get(sessionIn(path) ?? '')?.instance;
  }

  answer(request: SentRequest): Answered {
    const { method, path, query } = request;
    if (typeof query['directory'] === 'string') this.#events.directory = query['directory'];
    const session = this.sessions.get(sessionIn(path) ?? '');
    switch (`${method} ${path.replace(/\/(ses|msg|per|que)_\w+/g, '/:$1')}`) {
      case 'GET /global/health':
        return ok({ healthy: true, version: '1.18.33' });
      case 'GET /path':
        return ok({ directory: this.#events.directory, worktree: '/' });
      case 'GET /config/providers':
        if (this.#isPoisoned) return { status: 503, body: undefined };
        return ok({ providers: providersOf(this.#ports.models) });
      case 'GET /agent':
        return ok([{ name: 'build' }]);
      case 'GET /experimental/tool/ids':
        return ok(['read', 'muster_submit', 'muster_withdraw', 'muster_read', 'muster_query', 'muster_complete']);
      case 'POST /session':
        return ok(this.#create(titleOf(request.body)));
      case 'POST /session/:ses/prompt_async':
        return session ? this.#prompt(session, request.body as PromptBody) : gone();
      case 'POST /session/:ses/abort':
        if (session) this.#turns.abort(session);
        return ok(true);
      case 'GET /session/:ses':
        return session ? ok(this.#info(session)) : gone();
      case 'GET /session/status':
        return ok(
          Object.fromEntries([...this.sessions.values()].flatMap(({ id, status }) => (status ? [[id, status]] : []))),
        );
      case 'GET /session/:ses/message':
        return session ? ok(session.messages.slice(-Number(query['limit'] ?? 30))) : gone();
      case 'GET /session/:ses/message/:msg': {
        const message = session?.messages.find(({ info }) => path.endsWith(info.id));
        return message ? ok(message) : gone();
      }
      case 'POST /sync/history':
        return ok(this.#events.history(this.sessions.values(), (request.body ?? {}) as Record<string, number>));
      case 'GET /permission':
        return ok(this.#asks.pending('permission'));
      case 'GET /question':
        return ok(this.#asks.pending('question'));
      case 'POST /permission/:per/reply':
        return this.#asks.reply(path.split('/')[2]!, (request.body as { message?: string }).message);
      case 'POST /question/:que/reject':
        return this.#asks.reply(path.split('/')[2]!, undefined);
      case 'POST /instance/dispose':
        this.#dispose();
        return ok(true);
      default:
        return { status: 404, body: { name: 'NoRoute', data: { message: path } } };
    }
  }

  #create(title: string): object {
    const { instance, attempt } = instanceIn(title);
    const session: ServerSession = {
      id: this.#events.id('ses'),
      instance,
      attempt,
      title,
      messages: [],
      events: [],
      prompts: [],
      waiting: [],
      turn: undefined,
      status: undefined,
      asks: 0,
    };
    this.sessions.set(session.id, session);
    this.#ports.watch.onSession(session);
    this.#events.tell(session, 'session.created', { info: this.#info(session) });
    return this.#info(session);
  }

  #info({ id, title }: ServerSession): object {
    return { id, title, directory: this.#events.directory, version: '1.18.33', cost: 0 };
  }

  #prompt(session: ServerSession, body: PromptBody): Answered {
    const { faults, watch } = this.#ports;
    const { instance, attempt } = session;
    const messageId = body.messageID;
    // The same ids sent again are harmless.
    if (session.messages.some(({ info }) => info.id === messageId)) return { status: 204, body: undefined };
    const known = session.prompts.find((prompt) => prompt.messageId === messageId);
    const prompt: PromptTruth = known ?? { messageId, sessionId: session.id, instance, attempt, state: 'stored' };
    if (!known) {
      session.prompts.push(prompt);
      watch.onPrompt(prompt);
    }
    if (faults.strikes('prompt-without-work', `${instance} ${messageId}`, instance)) {
      prompt.state = 'swallowed';
      return { status: 204, body: undefined };
    }
    prompt.state = 'stored';
    // The stream repeats every prompt; its beginning is enough here.
    const text = body.parts[0]!.text.slice(0, 80);
    const part = { id: body.parts[0]!.id, type: 'text', text, messageID: messageId, sessionID: session.id };
    const info = {
      id: messageId,
      role: 'user',
      sessionID: session.id,
      time: { created: this.#events.now() },
      agent: 'build',
    };
    session.messages.push({ info, parts: [part] });
    this.#events.tell(session, 'message.updated', { info });
    this.#events.tell(session, 'message.part.updated', { part });
    if (this.#isPoisoned) this.#failPoisoned(session, prompt);
    else if (session.turn) session.waiting.push(prompt);
    else this.#turns.begin(session, prompt, text);
    return { status: 204, body: undefined };
  }

  #failPoisoned(session: ServerSession, prompt: PromptTruth): void {
    prompt.state = 'broken';
    this.#events.busy(session);
    this.#events.idle(session);
    const data = { message: 'Error: All fibers interrupted without error' };
    this.#events.tellNow(session, 'session.error', { error: { name: 'UnknownError', data } });
  }
}

interface PromptBody {
  readonly messageID: string;
  readonly parts: readonly { readonly id: string; readonly text: string }[];
}

function ok(body: unknown): Answered {
  return { status: 200, body };
}

function gone(): Answered {
  return { status: 404, body: { name: 'NotFoundError', data: { message: 'Session not found' } } };
}

function titleOf(body: unknown): string {
  return String((body as { title?: unknown } | undefined)?.title ?? '');
}

/** `items[A] attempt 2`, as muster calls its sessions. */
function instanceIn(title: string): { readonly instance: string; readonly attempt: number } {
  const [, instance = title, attempt = '0'] = /^(.*) attempt (\d+)$/.exec(title) ?? [];
  return { instance, attempt: Number(attempt) };
}

function sessionIn(path: string): string | undefined {
  return /\/session\/(ses_\w+)/.exec(path)?.[1];
}

function providersOf(models: readonly string[]): readonly object[] {
  const providers = new Map<string, Record<string, object>>();
  for (const model of models) {
    const slash = model.indexOf('/');
    const id = model.slice(0, slash);
    providers.set(id, { ...providers.get(id), [model.slice(slash + 1)]: {} });
  }
  return [...providers].map(([id, known]) => ({ id, models: known }));
}
