import type { SessionEvent } from '../../schemas/session-event.ts';
import { type Frame, type Properties, readingFrame } from '../../src/opencode/frames.ts';
import { type Ask, Router, type RouterOptions } from '../../src/opencode/router.ts';
import type { TurnQuery } from '../../src/opencode/turn-watch.ts';
import { SimulatedClock } from './simulated-clock.ts';

let eventCount = 0;

/** A frame of the stream in short: `event('ses_1', 'session.idle')`. */
export function event(sessionId: string, type: string, properties: Properties = {}, seq?: number): Frame {
  eventCount += 1;
  const frame = readingFrame(type, sessionId, properties, '/workspace');
  return { ...frame, id: `evt_${eventCount}`, seq, isSyncCopy: seq !== undefined };
}

export const busy = (sessionId: string) => event(sessionId, 'session.status', { status: { type: 'busy' } });
export const idle = (sessionId: string) => event(sessionId, 'session.idle');
export const user = (sessionId: string, id: string) =>
  event(sessionId, 'message.updated', { info: { id, role: 'user', sessionID: sessionId } });
export const answer = (sessionId: string, id: string, parentID: string, more: Properties = {}) =>
  event(sessionId, 'message.updated', {
    info: { id, role: 'assistant', sessionID: sessionId, parentID, time: { created: 1 }, ...more },
  });
export const done = { time: { created: 1, completed: 2 }, finish: 'stop' };
export const child = (sessionId: string, parentID: string) =>
  event(sessionId, 'session.created', { info: { id: sessionId, parentID } });

/** A router with one owner for each session it is asked to register. */
export class SessionBench {
  readonly clock = new SimulatedClock(1_000_000);
  readonly asks: Ask[] = [];
  readonly gaps: string[] = [];
  readonly resent: string[] = [];
  readonly faults: string[] = [];
  readonly queries: TurnQuery[] = [];
  readonly events = new Map<string, SessionEvent[]>();
  readonly logged = new Map<string, Frame[]>();
  /** What a reading returns; default nothing. */
  read: (query: TurnQuery) => Promise<readonly Frame[]> = async () => [];
  readonly router: Router;

  constructor(options: RouterOptions = {}) {
    this.router = new Router(
      {
        clock: this.clock,
        readTurn: (query) => {
          this.queries.push(query);
          return this.read(query);
        },
        resend: async (_, messageId) => void this.resent.push(messageId),
        onFault: (error, sessionId) => this.faults.push(`${sessionId}: ${error.message}`),
        onAsk: (ask) => this.asks.push(ask),
        onGap: (sessionIds) => this.gaps.push(...sessionIds),
      },
      options,
    );
  }

  register(sessionId: string): void {
    const events: SessionEvent[] = [];
    const logged: Frame[] = [];
    this.events.set(sessionId, events);
    this.logged.set(sessionId, logged);
    this.router.register(
      sessionId,
      (one) => events.push(one),
      (frame) => logged.push(frame),
    );
  }

  prompt(sessionId: string, messageId: string): void {
    this.router.expectTurn(sessionId, { messageId });
    this.router.notePromptTaken(sessionId);
  }

  feed(...frames: readonly Frame[]): void {
    for (const frame of frames) this.router.feed(frame);
  }

  /** Types of what the owner heard, activity left out. */
  heard(sessionId: string): string[] {
    return this.events
      .get(sessionId)!
      .map((one) =>
        one.type === 'session.turn-ended' ? `ended:${one.judgement.kind}` : one.type.slice('session.'.length),
      )
      .filter((type) => type !== 'activity');
  }
}
