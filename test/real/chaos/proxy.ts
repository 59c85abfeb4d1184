/**
 * A bad network between muster and its OpenCode server: an HTTP proxy on loopback that delays, drops and cuts.
 *
 * Owns its sockets and the count of what it did. Invariants:
 * - P1 what it passes on it passes on unchanged; a dropped frame is dropped whole.
 * - P2 after `close` no socket and no timer is left.
 */
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Chance } from './seeded.ts';

export const FAULTS = [
  'delayed request',
  'dropped request',
  'dropped answer',
  'cut stream',
  'stopped stream',
  'delayed frame',
  'dropped frame',
  'doubled frame',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Proxy {
  /** Of the server, through this network. */
  readonly url: string;
  /** How often each fault really happened. */
  readonly counts: Record<Fault, number>;
  /** From now on, faults; before that, the network is good. */
  turnBad(): void;
  close(): Promise<void>;
}

export interface ProxyOptions {
  readonly target: string;
  readonly chance: Chance;
  /** At most so many requests are lost: each may cost an instance one of its attempts. */
  readonly lostMax?: number;
}

/** Length of a delay at most. */
const DELAY_MS = 150;

const CREATES_SESSION = /^\/session(\?|$)/;

/** Requests of sessions of a second attempt: with one more of them lost, an instance has failed as its limit says. */
class LastAttempts {
  readonly #sessions = new Set<string>();

  of(url: string, body: Buffer): boolean {
    if (CREATES_SESSION.test(url)) return /attempt [2-9]/.test(body.toString());
    return [...this.#sessions].some((id) => url.includes(id));
  }

  learn(answer: IncomingMessage): void {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('end', () => {
      const id = /"id":"(ses_\w+)"/.exec(Buffer.concat(chunks).toString())?.[1];
      if (id !== undefined) this.#sessions.add(id);
    });
  }
}

export async function startProxy({ target, chance, lostMax = 6 }: ProxyOptions): Promise<Proxy> {
  const counts = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  const timers = new Set<NodeJS.Timeout>();
  const lastAttempts = new LastAttempts();
  let isBad = false;
  let lost = 0;

  const happens = (fault: Fault, percent: number): boolean => {
    const itDoes = isBad && chance.percent(percent);
    if (itDoes) counts[fault] += 1;
    return itDoes;
  };
  const loses = (fault: Fault, percent: number, isSpared: boolean): boolean => {
    if (isSpared || lost >= lostMax || !happens(fault, percent)) return false;
    lost += 1;
    return true;
  };
  const later = (delayMs: number, act: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, delayMs);
    timers.add(timer);
  };

  function pass(asked: IncomingMessage, answer: ServerResponse, body: Buffer): void {
    const isStream = asked.url?.startsWith('/global/event') === true;
    const isSpared = isStream || lastAttempts.of(asked.url ?? '', body);
    if (loses('dropped request', 0.7, isSpared)) {
      answer.destroy();
      return;
    }
    const forward = () => {
      const onward = send(
        new URL(asked.url ?? '/', target),
        { method: asked.method, headers: { ...asked.headers, host: new URL(target).host } },
        (answered) => {
          if (loses('dropped answer', 0.7, isSpared)) {
            answered.resume();
            answer.destroy();
            return;
          }
          answer.writeHead(answered.statusCode ?? 502, answered.headers);
          if (isSpared && CREATES_SESSION.test(asked.url ?? '')) lastAttempts.learn(answered);
          if (isStream) passFrames(answered, answer);
          else answered.pipe(answer);
        },
      );
      onward.on('error', () => answer.destroy());
      answer.on('close', () => onward.destroy());
      onward.end(body);
    };
    if (!isStream && happens('delayed request', 10)) later(chance.between(1, DELAY_MS), forward);
    else forward();
  }

  /** Frame by frame, in order: a delayed frame holds up those behind it. */
  function passFrames(from: IncomingMessage, to: ServerResponse): void {
    let rest = '';
    const waiting: string[] = [];
    let isHeld = false;
    const cutAfter = chance.between(150, 900);
    let passed = 0;

    const flush = (): void => {
      while (!isHeld && waiting.length > 0) {
        const frame = waiting.shift()!;
        passed += 1;
        if (isBad && passed > cutAfter) {
          counts['cut stream'] += 1;
          // In the middle of a frame, as networks do.
          to.write(frame.slice(0, frame.length / 2), () => to.destroy());
          from.destroy();
          return;
        }
        if (happens('dropped frame', 0.8)) continue;
        to.write(frame);
        if (happens('doubled frame', 2)) to.write(frame);
        const isStopped = happens('stopped stream', 0.1);
        if (isStopped || happens('delayed frame', 3)) {
          isHeld = true;
          later(isStopped ? 2_000 : chance.between(1, DELAY_MS), () => {
            isHeld = false;
            flush();
          });
        }
      }
    };
    from.setEncoding('utf8');
    from.on('data', (chunk: string) => {
      const frames = (rest + chunk).split('\n\n');
      rest = frames.pop() ?? '';
      waiting.push(...frames.map((frame) => `${frame}\n\n`));
      flush();
    });
    from.on('close', () => to.destroy());
  }

  const server = createServer((asked, answer) => {
    const chunks: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => chunks.push(chunk));
    asked.on('end', () => pass(asked, answer, Buffer.concat(chunks)));
    asked.on('error', () => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    turnBad: () => {
      isBad = true;
    },
    close: () => {
      for (const timer of timers) clearTimeout(timer);
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
