import { readdirSync, readFileSync } from 'node:fs';
import type { Judgement, SessionEvent } from '../../schemas/session-event.ts';
import { type Frame, isRecord, parentOf, parseFrame } from '../../src/opencode/frames.ts';
import { closeGap, turnReader } from '../../src/opencode/reconcile.ts';
import { type Ask, Router } from '../../src/opencode/router.ts';
import { RecordedServer } from './recorded-server.ts';
import { SimulatedClock } from './simulated-clock.ts';

const FOLDER = new URL('./traces/', import.meta.url);
const DIRECTORY = '/workspace';

export interface TraceLine {
  /** From 1. */
  readonly line: number;
  readonly t: number;
  readonly raw: string;
  readonly frame: Frame;
}

export function traceNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => name.slice(0, -'.jsonl'.length));
}

export function loadTrace(name: string): TraceLine[] {
  return readFileSync(new URL(`${name}.jsonl`, FOLDER), 'utf8')
    .trim()
    .split('\n')
    .map((text, index) => {
      const { t, data } = JSON.parse(text) as { t: number; data: unknown };
      const raw = JSON.stringify(data);
      return { line: index + 1, t, raw, frame: parseFrame(raw)! };
    });
}

export interface OwnSession {
  readonly id: string;
  /** Message id of each prompt, in order; a made-up one where the recording has none. */
  readonly prompts: readonly string[];
  /** Line before which the first prompt is sent. */
  readonly promptedAt: number;
}

/** The sessions that the recording is about: no children, and no strangers of which only a late update is seen. */
export function ownSessions(trace: readonly TraceLine[]): OwnSession[] {
  const children = new Set(trace.filter(({ frame }) => parentOf(frame) !== undefined).map((l) => l.frame.sessionId));
  const atWork = trace.filter(({ frame }) => frame.type === 'session.status' || frame.type === 'session.error');
  const ids = new Set(atWork.map(({ frame }) => frame.sessionId!).filter((id) => !children.has(id)));
  return [...ids].map((id) => {
    const prompts = trace.filter(({ frame }) => frame.sessionId === id && userMessage(frame) !== undefined);
    const first = prompts[0] ?? trace.find(({ frame }) => frame.sessionId === id && frame.type === 'session.error');
    const messageIds = [...new Set(prompts.map(({ frame }) => userMessage(frame)!))];
    return { id, prompts: messageIds.length > 0 ? messageIds : ['msg_000'], promptedAt: first!.line };
  });
}

function userMessage(frame: Frame): string | undefined {
  const info = frame.properties['info'];
  if (frame.type !== 'message.updated' || !isRecord(info) || info['role'] !== 'user') return undefined;
  return info['id'] as string;
}

export interface Ended {
  readonly judgement: Judgement;
  /** Lines fed when it was told. */
  readonly afterLine: number;
}

export interface ReplayOptions {
  /** Line before which we ask for the abort. */
  readonly abortBefore?: number;
  /** Which prompt of the session is the one we follow; default 0, the first. */
  readonly prompt?: number;
  /** Frames that reach the router instead of the one sent; default just that one. */
  readonly deliver?: (line: TraceLine) => readonly Frame[];
  /** Wait after the last line; default 60 s. */
  readonly afterMs?: number;
  /** What happens after the last line. */
  readonly atEnd?: (world: Replay) => Promise<void>;
}

export interface Replay {
  readonly clock: SimulatedClock;
  readonly server: RecordedServer;
  readonly router: Router;
  readonly sessions: readonly OwnSession[];
  readonly events: Map<string, SessionEvent[]>;
  readonly logged: Map<string, Frame[]>;
  readonly ended: Map<string, Ended[]>;
  readonly asks: Ask[];
  readonly gaps: string[];
  readonly resent: string[];
  readonly faults: Error[];
  closeGap(): Promise<number>;
}

/** Feeds a recording line by line on a simulated clock, as a run would have met it. */
export async function replay(trace: readonly TraceLine[], options: ReplayOptions = {}): Promise<Replay> {
  const clock = new SimulatedClock(1_795_409_000_000);
  const server = new RecordedServer();
  let fed = 0;
  const router = new Router({
    clock,
    readTurn: turnReader(server, DIRECTORY),
    resend: async (_, messageId) => void world.resent.push(messageId),
    onFault: (error) => world.faults.push(error),
    onAsk: (ask) => world.asks.push(ask),
    onGap: (ids) => world.gaps.push(...ids),
  });
  const world: Replay = {
    clock,
    server,
    router,
    sessions: ownSessions(trace),
    events: new Map(),
    logged: new Map(),
    ended: new Map(),
    asks: [],
    gaps: [],
    resent: [],
    faults: [],
    closeGap: () => closeGap({ client: server, router, directory: DIRECTORY }),
  };
  for (const { id } of world.sessions) {
    const events: SessionEvent[] = [];
    const ended: Ended[] = [];
    const logged: Frame[] = [];
    world.events.set(id, events);
    world.ended.set(id, ended);
    world.logged.set(id, logged);
    router.register(
      id,
      (event) => {
        events.push(event);
        if (event.type === 'session.turn-ended') ended.push({ judgement: event.judgement, afterLine: fed });
      },
      (frame) => logged.push(frame),
    );
  }
  let t = 0;
  for (const line of trace) {
    await clock.advance(line.t - t);
    t = line.t;
    for (const session of world.sessions) {
      const promptedAt = options.prompt === undefined ? session.promptedAt : promptLine(trace, session, options.prompt);
      if (promptedAt !== line.line) continue;
      router.expectTurn(session.id, { messageId: session.prompts[options.prompt ?? 0]! });
      router.notePromptTaken(session.id);
    }
    if (options.abortBefore === line.line) for (const { id } of world.sessions) router.noteAbort(id);
    server.send(line.raw);
    fed = line.line;
    for (const frame of options.deliver?.(line) ?? [line.frame]) router.feed(frame);
  }
  await options.atEnd?.(world);
  await clock.advance(options.afterMs ?? 60_000);
  return world;
}

function promptLine(trace: readonly TraceLine[], session: OwnSession, prompt: number): number {
  return trace.find(({ frame }) => userMessage(frame) === session.prompts[prompt])!.line;
}
