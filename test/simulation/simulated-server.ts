/**
 * The OpenCode server of the world: sessions, prompts, turns and events in the wire format that was recorded of 1.18.33
 * (test/opencode/traces), with agents in place of a model.
 *
 * Owns what the server knows. Does not own the connections (event-feed.ts, network.ts), what an agent does
 * (simulated-agent.ts), or what goes wrong (faults.ts). Sessions and messages survive a crash; turns, asks and
 * connections do not.
 */

import { EventFeed } from './event-feed.ts';
import type { Faults } from './faults.ts';
import type { Answered, Host, SentRequest, Subscriber } from './network.ts';
import type { SeededRandom } from './random.ts';
import type { PendingAsk, PromptTruth, RunningTurn, ServerSession, StoredMessage } from './server-session.ts';
import type { AgentCall, AgentResult, AgentStep, SimulatedAgents } from './simulated-agent.ts';
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

const DISMISSED = 'The user dismissed this question';
const ABORTED = { name: 'MessageAbortedError', data: { message: 'Aborted' } };

export class SimulatedServer implements Host {
  isUp = false;
  /** Absolute path of the workspace; known with the first request. */
  directory = '';
  readonly sessions = new Map<string, ServerSession>();
  readonly #ports: ServerPorts;
  readonly #asks = new Map<string, PendingAsk>();
  #feed: EventFeed;
  #ids = 0;
  /** The workspace's instance answers no prompt any more, until it is made anew. */
  #isPoisoned = false;

  constructor(ports: ServerPorts) {
    this.#ports = ports;
    this.#feed = this.#newFeed();
  }

  start(): void {
    this.isUp = true;
    this.#feed = this.#newFeed();
  }

  /** The process is gone: with it turns, asks and connections. */
  crash(): void {
    if (!this.isUp) return;
    this.isUp = false;
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
    this.#feed.breakAll();
  }

  /** Somebody disposes of the workspace's instance, and aborts a prompt of his own while it is made anew. */
  poison(): void {
    this.#dispose();
    this.#isPoisoned = true;
  }

  #dispose(): void {
    for (const session of this.sessions.values()) this.#abort(session);
    this.#isPoisoned = false;
  }

  /** Its data is gone too. */
  forget(): void {
    this.sessions.clear();
  }

  get asks(): readonly PendingAsk[] {
    return [...this.#asks.values()];
  }

  truthOf(messageId: string): PromptTruth | undefined {
    for (const { prompts } of this.sessions.values()) {
      const found = prompts.find((prompt) => prompt.messageId === messageId);
      if (found) return found;
    }
    return undefined;
  }

  subscribe(): Subscriber {
    return this.#feed.subscribe();
  }

  instanceOf({ path, body }: SentRequest): string | undefined {
    if (path === '/session') return instanceIn(titleOf(body)).instance;
    return this.sessions.get(sessionIn(path) ?? '')?.instance;
  }

  answer(request: SentRequest): Answered {
    const { method, path, query } = request;
    if (typeof query['directory'] === 'string') this.directory = query['directory'];
    const session = this.sessions.get(sessionIn(path) ?? '');
    switch (`${method} ${path.replace(/\/(ses|msg|per|que)_\w+/g, '/:$1')}`) {
      case 'GET /global/health':
        return ok({ healthy: true, version: '1.18.33' });
      case 'GET /path':
        return ok({ directory: this.directory, worktree: '/' });
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
        if (session) this.#abort(session);
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
        return ok(this.#history((request.body ?? {}) as Record<string, number>));
      case 'GET /permission':
        return ok(this.#pending('permission'));
      case 'GET /question':
        return ok(this.#pending('question'));
      case 'POST /permission/:per/reply':
        return this.#reply(path.split('/')[2]!, (request.body as { message?: string }).message);
      case 'POST /question/:que/reject':
        return this.#reply(path.split('/')[2]!, undefined);
      case 'POST /instance/dispose':
        this.#dispose();
        return ok(true);
      default:
        return { status: 404, body: { name: 'NoRoute', data: { message: path } } };
    }
  }

  #newFeed(): EventFeed {
    const { time, random, faults } = this.#ports;
    return new EventFeed(time, random.branch('feed'), faults);
  }

  #id(kind: string): string {
    this.#ids += 1;
    const moment = BigInt(Math.floor(this.#ports.time.nowMs)) * 4096n + BigInt(this.#ids % 4096);
    return `${kind}_${BigInt.asUintN(48, moment).toString(16).padStart(12, '0')}${String(this.#ids).padStart(14, '0')}`;
  }

  #create(title: string): object {
    const { instance, attempt } = instanceIn(title);
    const session: ServerSession = {
      id: this.#id('ses'),
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
    this.#tell(session, 'session.created', { info: this.#info(session) });
    return this.#info(session);
  }

  #info({ id, title }: ServerSession): object {
    return { id, title, directory: this.directory, version: '1.18.33', cost: 0 };
  }

  // -------------------------------------------------------------------------------------------------------- prompts

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
    const info = { id: messageId, role: 'user', sessionID: session.id, time: { created: this.#now() }, agent: 'build' };
    session.messages.push({ info, parts: [part] });
    this.#tell(session, 'message.updated', { info });
    this.#tell(session, 'message.part.updated', { part });
    if (this.#isPoisoned) this.#failPoisoned(session, prompt);
    else if (session.turn) session.waiting.push(prompt);
    else this.#begin(session, prompt, text);
    return { status: 204, body: undefined };
  }

  #failPoisoned(session: ServerSession, prompt: PromptTruth): void {
    prompt.state = 'broken';
    this.#busy(session);
    this.#idle(session);
    const data = { message: 'Error: All fibers interrupted without error' };
    this.#tellNow(session, 'session.error', { error: { name: 'UnknownError', data } });
  }

  #begin(session: ServerSession, prompt: PromptTruth, text: string): void {
    const turn: RunningTurn = { prompt, reply: undefined, isOver: false, isStalled: false };
    prompt.state = 'running';
    session.turn = turn;
    void this.#run(session, turn, text);
  }

  async #run(session: ServerSession, turn: RunningTurn, text: string): Promise<void> {
    const { random, faults, agents } = this.#ports;
    const { instance } = session;
    await this.#pause(turn, random.between(5, 60));
    this.#busy(session);
    const agent = agents.begin({ session, text, directory: this.directory });
    let results: readonly AgentResult[] = [];
    for (;;) {
      const { value } = agent.next(results);
      const call: AgentStep = value ?? { kind: 'stop' };
      const reply = this.#newReply(session, turn);
      if (await this.#provider(session, turn, reply)) return;
      if (faults.strikes('turn-stalls', instance, instance)) {
        turn.isStalled = true;
        return;
      }
      if (faults.strikes('turn-breaks', instance, instance)) return this.#breakOff(session, turn);
      await this.#pause(turn, random.between(200, 3_000));
      this.#delta(session, reply);
      if (call.kind === 'tools') {
        const done = await this.#tools(session, turn, reply, call.calls);
        results = done.results;
        this.#complete(session, reply, 'tool-calls');
        if (done.isStopped) return this.#end(session, turn, reply, 'tool-calls');
        // As measured: 2 to 70 ms until the next call of the model has a message. Who dies in between leaves a call that
        // looks like the end of a turn.
        await this.#pause(turn, random.between(2, 70));
        continue;
      }
      return this.#finish(session, turn, reply, call);
    }
  }

  #newReply(session: ServerSession, { prompt }: RunningTurn): StoredMessage {
    const info = {
      id: this.#id('msg'),
      role: 'assistant',
      parentID: prompt.messageId,
      sessionID: session.id,
      mode: 'build',
      cost: 0,
      tokens: { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } },
      time: { created: this.#now() },
    };
    const reply: StoredMessage = { info, parts: [] };
    session.messages.push(reply);
    if (session.turn) session.turn.reply = reply;
    this.#tell(session, 'message.updated', { info });
    return reply;
  }

  /** True when the provider ended the turn. */
  async #provider(session: ServerSession, turn: RunningTurn, reply: StoredMessage): Promise<boolean> {
    const { random, faults } = this.#ports;
    const { instance } = session;
    if (faults.strikes('provider-retry', instance)) {
      for (let attempt = 1; attempt <= random.between(1, 3); attempt += 1) {
        const waitMs = random.between(1_000, 9_000);
        const message = random.pick(['Rate limit reached', 'Overloaded', 'scripted 500']);
        session.status = { type: 'retry', attempt, message, next: this.#now() + waitMs };
        this.#tellNow(session, 'session.status', { status: session.status });
        await this.#pause(turn, waitMs);
      }
      this.#busy(session);
    }
    if (faults.strikes('provider-error', instance, instance)) {
      const name = random.pick(['APIError', 'UnknownError']);
      const status = random.pick([500, 502, 503]);
      this.#fail(session, turn, reply, {
        name,
        data: { message: 'the provider failed', statusCode: status, isRetryable: true },
      });
      return true;
    }
    if (faults.strikes('provider-rate-limit', instance)) {
      const data = {
        message: 'Rate limit reached',
        statusCode: 429,
        isRetryable: true,
        responseHeaders: { 'retry-after': '2' },
      };
      this.#fail(session, turn, reply, { name: 'APIError', data });
      return true;
    }
    return false;
  }

  async #tools(
    session: ServerSession,
    turn: RunningTurn,
    reply: StoredMessage,
    calls: readonly AgentCall[],
  ): Promise<{ readonly results: readonly AgentResult[]; readonly isStopped: boolean }> {
    const { random, faults, agents } = this.#ports;
    const results: AgentResult[] = [];
    let isStopped = false;
    for (const call of calls) {
      const part = {
        id: this.#id('prt'),
        type: 'tool',
        tool: call.tool,
        callID: this.#id('call'),
        messageID: reply.info.id,
      };
      const show = (state: object) => {
        const whole = { ...part, sessionID: session.id, state };
        const at = reply.parts.findIndex(({ id }) => id === part.id);
        if (at < 0) reply.parts.push(whole);
        else reply.parts[at] = whole;
        this.#tell(session, 'message.part.updated', { part: whole });
      };
      const refusal = await this.#maybeAsk(session, turn);
      if (refusal !== undefined) {
        show({ status: 'running', input: call.arguments, time: { start: this.#now() } });
        show({
          status: 'error',
          input: call.arguments,
          error: refusal,
          time: { start: this.#now(), end: this.#now() },
        });
      }
      // A question that nobody answers ends the turn; of another tool the agent hears why, and goes on without it.
      isStopped ||= refusal === DISMISSED;
      const result = await agents.call(session, call, this.directory, () => turn.isOver);
      if (turn.isOver) return new Promise(() => {});
      if (faults.strikes('stray-idle', session.instance)) this.#tellNow(session, 'session.idle', {});
      const time = { start: this.#now(), end: this.#now() };
      show(
        result.isError
          ? { status: 'error', input: call.arguments, error: result.text, time }
          : { status: 'completed', input: call.arguments, output: result.text, title: '', metadata: {}, time },
      );
      results.push(result);
      await this.#pause(turn, random.between(5, 200));
    }
    return { results, isStopped };
  }

  /** The tool's refusal when there was an ask, else undefined. */
  async #maybeAsk(session: ServerSession, turn: RunningTurn): Promise<string | undefined> {
    const { faults } = this.#ports;
    const kind = faults.strikes('permission-ask', session.instance)
      ? 'permission'
      : faults.strikes('question-ask', session.instance)
        ? 'question'
        : undefined;
    if (!kind) return undefined;
    const id = this.#id(kind === 'permission' ? 'per' : 'que');
    const message = await new Promise<string | undefined>((answer) => {
      const ask: PendingAsk = { id, kind, sessionID: session.id, askedMs: this.#now(), wasHeard: false, answer };
      this.#asks.set(id, ask);
      const more =
        kind === 'permission' ? { permission: 'bash', patterns: ['ls'] } : { questions: [{ question: 'Which?' }] };
      ask.wasHeard = this.#tellNow(session, `${kind}.asked`, { id, ...more });
    });
    if (turn.isOver) return new Promise(() => {});
    return kind === 'permission'
      ? `The user rejected permission to use this specific tool call with the following feedback: ${message}`
      : DISMISSED;
  }

  #reply(id: string, message: string | undefined): Answered {
    const ask = this.#asks.get(id);
    if (!ask) return gone();
    this.#asks.delete(id);
    const session = this.sessions.get(ask.sessionID);
    if (session) {
      const type = ask.kind === 'permission' ? 'permission.replied' : 'question.rejected';
      this.#tellNow(session, type, { requestID: id });
    }
    ask.answer(message);
    return ok(true);
  }

  #pending(kind: PendingAsk['kind']): readonly object[] {
    return this.asks
      .filter((ask) => ask.kind === kind)
      .map(({ id, sessionID }) => ({ id, sessionID, permission: 'bash', patterns: ['ls'] }));
  }

  // ----------------------------------------------------------------------------------------------------------- ends

  #complete(session: ServerSession, reply: StoredMessage, finish: string | undefined, error?: object): void {
    const tokens = { input: 100, output: 20, reasoning: 0, cache: { read: 0, write: 0 } };
    const created = (reply.info['time'] as { created: number }).created;
    reply.info = {
      ...reply.info,
      ...(error ? { error } : { tokens, cost: 0.001 }),
      time: { created, completed: this.#now() },
      ...(finish !== undefined && { finish }),
    };
    this.#tell(session, 'message.updated', { info: reply.info });
  }

  /** The agent said its last word. */
  async #finish(session: ServerSession, turn: RunningTurn, reply: StoredMessage, call: AgentStep): Promise<void> {
    const { faults, random } = this.#ports;
    const finish = call.kind === 'cut-off' ? 'length' : call.kind === 'no-finish' ? 'unknown' : 'stop';
    if (finish === 'unknown') {
      // The server calls the model again, for ever, until somebody stops it.
      this.#complete(session, reply, finish);
      for (;;) {
        await this.#pause(turn, random.between(200, 1_000));
        this.#complete(session, this.#newReply(session, turn), finish);
      }
    }
    if (faults.strikes('early-idle', session.instance)) {
      this.#tellNow(session, 'session.status', { status: { type: 'idle' } });
      this.#tellNow(session, 'session.idle', {});
      await this.#pause(turn, random.between(20, 790));
    }
    this.#complete(session, reply, finish);
    this.#end(session, turn, reply, finish);
  }

  #end(session: ServerSession, turn: RunningTurn, reply: StoredMessage, finish: string): void {
    const { faults } = this.#ports;
    turn.isOver = true;
    turn.prompt.state = 'finished';
    turn.prompt.finish = finish;
    session.turn = undefined;
    this.#idle(session);
    if (faults.strikes('late-error', session.instance)) {
      this.#tellNow(session, 'session.error', {
        error: { name: 'UnknownError', data: { message: 'a title could not be made' } },
      });
    }
    this.#late(session, reply);
    this.#next(session);
  }

  #fail(session: ServerSession, turn: RunningTurn, reply: StoredMessage, error: object): void {
    turn.isOver = true;
    turn.prompt.state = 'failed';
    session.turn = undefined;
    this.#tellNow(session, 'session.error', { error });
    this.#idle(session);
    this.#complete(session, reply, undefined, error);
    this.#idle(session);
    this.#next(session);
  }

  /** The server stops in the middle and says nothing but idle. */
  #breakOff(session: ServerSession, turn: RunningTurn): void {
    turn.isOver = true;
    turn.prompt.state = 'broken';
    session.turn = undefined;
    this.#idle(session);
    this.#next(session);
  }

  #abort(session: ServerSession): void {
    const { time, random, faults } = this.#ports;
    const { turn } = session;
    for (const prompt of session.waiting) prompt.state = 'aborted';
    session.waiting.length = 0;
    for (const [id, ask] of this.#asks) if (ask.sessionID === session.id) this.#asks.delete(id);
    if (!turn) return;
    const wasRetry = session.status?.type === 'retry';
    turn.isOver = true;
    turn.prompt.state = 'aborted';
    session.turn = undefined;
    if (faults.strikes('abort-without-end', session.instance)) {
      // The stream does not tell it; whoever looks sees it.
      session.status = undefined;
      if (turn.reply) turn.reply.info = { ...turn.reply.info, error: ABORTED };
      return;
    }
    if (!wasRetry) this.#tellNow(session, 'session.error', { error: ABORTED });
    this.#idle(session);
    const { reply } = turn;
    if (!reply || (reply.info['time'] as { completed?: number }).completed !== undefined) return;
    time.after(random.between(20, 900), () => {
      if (!this.isUp || !this.sessions.has(session.id) || session.turn) return;
      this.#complete(session, reply, undefined, wasRetry ? undefined : ABORTED);
      this.#idle(session);
    });
  }

  /** Words of a turn that is long over. */
  #late(session: ServerSession, reply: StoredMessage): void {
    const { time, random, faults } = this.#ports;
    if (!faults.strikes('late-frames', session.instance)) return;
    time.after(random.between(100, 20_000), () => {
      if (!this.isUp || !this.sessions.has(session.id)) return;
      this.#tell(session, 'message.updated', { info: reply.info });
      // Only of a session that does nothing: the server tells the truth about one at work.
      if (!session.turn) this.#tellNow(session, 'session.idle', {});
    });
  }

  #next(session: ServerSession): void {
    const prompt = session.waiting.shift();
    if (!prompt) return;
    const text = session.messages.find(({ info }) => info.id === prompt.messageId)?.parts[0]?.['text'];
    this.#begin(session, prompt, String(text));
  }

  #busy(session: ServerSession): void {
    session.status = { type: 'busy' };
    this.#tellNow(session, 'session.status', { status: { type: 'busy' } });
  }

  #idle(session: ServerSession): void {
    session.status = undefined;
    const times = this.#ports.faults.strikes('double-idle', session.instance) ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      this.#tellNow(session, 'session.status', { status: { type: 'idle' } });
      this.#tellNow(session, 'session.idle', {});
    }
  }

  // --------------------------------------------------------------------------------------------------------- events

  #delta(session: ServerSession, reply: StoredMessage): void {
    this.#tellNow(session, 'message.part.delta', {
      messageID: reply.info.id,
      partID: 'prt_0',
      field: 'text',
      delta: 'a few words ',
    });
  }

  /** An event that is kept: told as itself and as its sync copy. */
  #tell(session: ServerSession, type: string, properties: object): void {
    const seq = session.events.length;
    // Nothing in it is changed afterwards: what changes is replaced.
    const data = { sessionID: session.id, ...properties };
    const event = { id: this.#id('evt'), aggregate_id: session.id, seq, type: `${type}.1`, data };
    session.events.push(event);
    if (!this.isUp) return;
    const text = JSON.stringify(data);
    this.#send(session, type, `{"id":"${event.id}","type":"${type}","properties":${text}}`, false);
    const { id, aggregate_id } = event;
    const sync = `{"id":"${id}","type":"${event.type}","seq":${seq},"aggregateID":"${aggregate_id}","data":${text}}`;
    this.#send(session, type, `{"id":"${id}","type":"sync","syncEvent":${sync}}`, true);
  }

  /** An event that is told once. */
  #tellNow(session: ServerSession, type: string, properties: object): boolean {
    if (!this.isUp) return false;
    const payload = { id: this.#id('evt'), type, properties: { sessionID: session.id, ...properties } };
    return this.#send(session, type, JSON.stringify(payload), false);
  }

  #send(session: ServerSession, type: string, payload: string, isCopy: boolean): boolean {
    const text = `{"directory":${JSON.stringify(this.directory)},"project":"global","payload":${payload}}`;
    // An ask that nobody hears of is an agent that waits for ever.
    const costs = type.endsWith('.asked') ? session.instance : undefined;
    return this.#feed.send({ text, type, isCopy, ...(costs !== undefined && { costs }) });
  }

  #history(known: Readonly<Record<string, number>>): readonly object[] {
    return [...this.sessions.values()].flatMap(({ id, events }) => events.slice((known[id] ?? -1) + 1));
  }

  #now(): number {
    return Math.floor(this.#ports.time.nowMs);
  }

  /** Never resolves for a turn that is over. */
  #pause(turn: RunningTurn, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#ports.time.after(delayMs, () => {
        if (!turn.isOver) resolve();
      });
    });
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
