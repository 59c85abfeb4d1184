/**
 * The turns of the simulated server: the calls of the model, the tools of its agents, and how a turn ends.
 *
 * Owns which turn of a session runs. Does not own what an agent does (simulated-agent.ts) or what goes wrong (faults.ts).
 */
import type { Faults } from './faults.ts';
import type { SeededRandom } from './random.ts';
import { DISMISSED, type ServerAsks } from './server-asks.ts';
import type { ServerEvents } from './server-events.ts';
import type { PromptTruth, RunningTurn, ServerSession, StoredMessage } from './server-session.ts';
import type { AgentCall, AgentResult, AgentStep, SimulatedAgents } from './simulated-agent.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface TurnPorts {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly agents: SimulatedAgents;
  readonly asks: ServerAsks;
  readonly events: ServerEvents;
  readonly sessions: ReadonlyMap<string, ServerSession>;
}

const ABORTED = { name: 'MessageAbortedError', data: { message: 'Aborted' } };

export class ServerTurns {
  readonly #ports: TurnPorts;
  readonly #events: ServerEvents;

  constructor(ports: TurnPorts) {
    this.#ports = ports;
    this.#events = ports.events;
  }

  begin(session: ServerSession, prompt: PromptTruth, text: string): void {
    const turn: RunningTurn = { prompt, reply: undefined, isOver: false, isStalled: false };
    prompt.state = 'running';
    session.turn = turn;
    void this.#run(session, turn, text);
  }

  async #run(session: ServerSession, turn: RunningTurn, text: string): Promise<void> {
    const { random, faults, agents } = this.#ports;
    const { instance } = session;
    await this.#pause(turn, random.between(5, 60));
    this.#events.busy(session);
    const agent = agents.begin({ session, text, directory: this.#events.directory });
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
      if (faults.strikes('turn-breaks', instance)) return this.#breakOff(session, turn);
      if (faults.strikes('turn-aborted', instance)) return this.#endAborted(session, turn);
      await this.#pause(turn, random.between(200, 3_000));
      this.#events.delta(session, reply);
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
      id: this.#events.id('msg'),
      role: 'assistant',
      parentID: prompt.messageId,
      sessionID: session.id,
      mode: 'build',
      cost: 0,
      tokens: { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } },
      time: { created: this.#events.now() },
    };
    const reply: StoredMessage = { info, parts: [] };
    session.messages.push(reply);
    if (session.turn) session.turn.reply = reply;
    this.#events.tell(session, 'message.updated', { info });
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
        session.status = { type: 'retry', attempt, message, next: this.#events.now() + waitMs };
        this.#events.tellNow(session, 'session.status', { status: session.status });
        await this.#pause(turn, waitMs);
      }
      this.#events.busy(session);
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
        id: this.#events.id('prt'),
        type: 'tool',
        tool: call.tool,
        callID: this.#events.id('call'),
        messageID: reply.info.id,
      };
      const show = (state: object) => {
        const whole = { ...part, sessionID: session.id, state };
        const at = reply.parts.findIndex(({ id }) => id === part.id);
        if (at < 0) reply.parts.push(whole);
        else reply.parts[at] = whole;
        this.#events.tell(session, 'message.part.updated', { part: whole });
      };
      const refusal = await this.#ports.asks.maybe(session, turn);
      if (refusal !== undefined) {
        show({ status: 'running', input: call.arguments, time: { start: this.#events.now() } });
        show({
          status: 'error',
          input: call.arguments,
          error: refusal,
          time: { start: this.#events.now(), end: this.#events.now() },
        });
      }
      // A question that nobody answers ends the turn; of another tool the agent hears why, and goes on without it.
      isStopped ||= refusal === DISMISSED;
      const result = await agents.call(session, call, this.#events.directory, () => turn.isOver);
      if (turn.isOver) return new Promise(() => {});
      if (faults.strikes('stray-idle', session.instance)) this.#events.tellNow(session, 'session.idle', {});
      const time = { start: this.#events.now(), end: this.#events.now() };
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

  #complete(session: ServerSession, reply: StoredMessage, finish: string | undefined, error?: object): void {
    const tokens = { input: 100, output: 20, reasoning: 0, cache: { read: 0, write: 0 } };
    const created = (reply.info['time'] as { created: number }).created;
    reply.info = {
      ...reply.info,
      ...(error ? { error } : { tokens, cost: 0.001 }),
      time: { created, completed: this.#events.now() },
      ...(finish !== undefined && { finish }),
    };
    this.#events.tell(session, 'message.updated', { info: reply.info });
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
      this.#events.tellNow(session, 'session.status', { status: { type: 'idle' } });
      this.#events.tellNow(session, 'session.idle', {});
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
    this.#events.idle(session);
    if (faults.strikes('late-error', session.instance)) {
      this.#events.tellNow(session, 'session.error', {
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
    this.#events.tellNow(session, 'session.error', { error });
    this.#events.idle(session);
    this.#complete(session, reply, undefined, error);
    this.#events.idle(session);
    this.#next(session);
  }

  /** The server stops in the middle and says nothing but idle. */
  #breakOff(session: ServerSession, turn: RunningTurn): void {
    turn.isOver = true;
    turn.prompt.state = 'broken';
    session.turn = undefined;
    this.#events.idle(session);
    this.#next(session);
  }

  abort(session: ServerSession): void {
    const { faults } = this.#ports;
    const { turn } = session;
    for (const prompt of session.waiting) prompt.state = 'aborted';
    session.waiting.length = 0;
    this.#ports.asks.drop(session.id);
    if (!turn) return;
    if (!faults.strikes('abort-without-end', session.instance)) {
      this.#endAborted(session, turn);
      return;
    }
    turn.isOver = true;
    turn.prompt.state = 'aborted';
    session.turn = undefined;
    // The stream does not tell it; whoever looks sees it.
    session.status = undefined;
    if (turn.reply) turn.reply.info = { ...turn.reply.info, error: ABORTED };
  }

  /** By whomever: everybody hears of it. */
  #endAborted(session: ServerSession, turn: RunningTurn): void {
    const { time, random } = this.#ports;
    const wasRetry = session.status?.type === 'retry';
    turn.isOver = true;
    turn.prompt.state = 'aborted';
    session.turn = undefined;
    if (!wasRetry) this.#events.tellNow(session, 'session.error', { error: ABORTED });
    this.#events.idle(session);
    const { reply } = turn;
    if (!reply || (reply.info['time'] as { completed?: number }).completed !== undefined) return;
    time.after(random.between(20, 900), () => {
      if (!this.#events.isUp || !this.#ports.sessions.has(session.id) || session.turn) return;
      this.#complete(session, reply, undefined, wasRetry ? undefined : ABORTED);
      this.#events.idle(session);
    });
  }

  /** Words of a turn that is long over. */
  #late(session: ServerSession, reply: StoredMessage): void {
    const { time, random, faults } = this.#ports;
    if (!faults.strikes('late-frames', session.instance)) return;
    time.after(random.between(100, 20_000), () => {
      if (!this.#events.isUp || !this.#ports.sessions.has(session.id)) return;
      this.#events.tell(session, 'message.updated', { info: reply.info });
      // Only of a session that does nothing: the server tells the truth about one at work.
      if (!session.turn) this.#events.tellNow(session, 'session.idle', {});
    });
  }

  #next(session: ServerSession): void {
    const prompt = session.waiting.shift();
    if (!prompt) return;
    const text = session.messages.find(({ info }) => info.id === prompt.messageId)?.parts[0]?.['text'];
    this.begin(session, prompt, String(text));
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
