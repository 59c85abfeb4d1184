/**
 * What the simulated server tells: durable events, each followed by its sync copy, and those that are told once.
 *
 * Owns the feed and the ids. Does not own when something is told (server-turns.ts).
 */
import { EventFeed } from './event-feed.ts';
import type { Faults } from './faults.ts';
import type { Subscriber } from './network.ts';
import type { SeededRandom } from './random.ts';
import type { ServerSession, StoredMessage } from './server-session.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface EventPorts {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly faults: Faults;
}

export class ServerEvents {
  isUp = false;
  /** Absolute path of the workspace; known with the first request. */
  directory = '';
  readonly #ports: EventPorts;
  #feed: EventFeed;
  #ids = 0;

  constructor(ports: EventPorts) {
    this.#ports = ports;
    this.#feed = this.#newFeed();
  }

  start(): void {
    this.isUp = true;
    this.#feed = this.#newFeed();
  }

  crash(): void {
    this.isUp = false;
    this.#feed.breakAll();
  }

  subscribe(): Subscriber {
    return this.#feed.subscribe();
  }

  id(kind: string): string {
    this.#ids += 1;
    const moment = BigInt(Math.floor(this.#ports.time.nowMs)) * 4096n + BigInt(this.#ids % 4096);
    return `${kind}_${BigInt.asUintN(48, moment).toString(16).padStart(12, '0')}${String(this.#ids).padStart(14, '0')}`;
  }

  /** Of the clock, in whole milliseconds. */
  now(): number {
    return Math.floor(this.#ports.time.nowMs);
  }

  busy(session: ServerSession): void {
    session.status = { type: 'busy' };
    this.tellNow(session, 'session.status', { status: { type: 'busy' } });
  }

  idle(session: ServerSession): void {
    session.status = undefined;
    const times = this.#ports.faults.strikes('double-idle', session.instance) ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      this.tellNow(session, 'session.status', { status: { type: 'idle' } });
      this.tellNow(session, 'session.idle', {});
    }
  }

  delta(session: ServerSession, reply: StoredMessage): void {
    this.tellNow(session, 'message.part.delta', {
      messageID: reply.info.id,
      partID: 'prt_0',
      field: 'text',
      delta: 'a few words ',
    });
  }

  /** An event that is kept: told as itself and as its sync copy. */
  tell(session: ServerSession, type: string, properties: object): void {
    const seq = session.events.length;
    // Nothing in it is changed afterwards: what changes is replaced.
    const data = { sessionID: session.id, ...properties };
    const event = { id: this.id('evt'), aggregate_id: session.id, seq, type: `${type}.1`, data };
    session.events.push(event);
    if (!this.isUp) return;
    const text = JSON.stringify(data);
    this.#send(session, type, `{"id":"${event.id}","type":"${type}","properties":${text}}`, false);
    const { id, aggregate_id } = event;
    const sync = `{"id":"${id}","type":"${event.type}","seq":${seq},"aggregateID":"${aggregate_id}","data":${text}}`;
    this.#send(session, type, `{"id":"${id}","type":"sync","syncEvent":${sync}}`, true);
  }

  /** An event that is told once. */
  tellNow(session: ServerSession, type: string, properties: object): boolean {
    if (!this.isUp) return false;
    const payload = { id: this.id('evt'), type, properties: { sessionID: session.id, ...properties } };
    return this.#send(session, type, JSON.stringify(payload), false);
  }

  /** Of each session what came behind the number that is named for it. */
  history(sessions: Iterable<ServerSession>, known: Readonly<Record<string, number>>): readonly object[] {
    return [...sessions].flatMap(({ id, events }) => events.slice((known[id] ?? -1) + 1));
  }

  #send(session: ServerSession, type: string, payload: string, isCopy: boolean): boolean {
    const text = `{"directory":${JSON.stringify(this.directory)},"project":"global","payload":${payload}}`;
    // An ask that nobody hears of is an agent that waits for ever.
    const costs = type.endsWith('.asked') ? session.instance : undefined;
    return this.#feed.send({ text, type, isCopy, ...(costs !== undefined && { costs }) });
  }

  #newFeed(): EventFeed {
    const { time, random, faults } = this.#ports;
    return new EventFeed(time, random.branch('feed'), faults);
  }
}
