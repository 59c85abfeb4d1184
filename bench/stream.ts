/**
 * What listening costs: frames per second through parse and route, against JSON.parse of the same text alone. 200
 * sessions, 95 of 100 frames are text deltas, durable events come with their sync copies. Prints one JSON object.
 */
import { parseFrame } from '../src/opencode/frames.ts';
import { Router } from '../src/opencode/router.ts';

const SESSIONS = 200;
const FRAMES = 200_000;

let events = 0;
function frameText(payload: object): string {
  return JSON.stringify({ directory: '/workspace/run', project: 'global', payload });
}

const texts: string[] = [];
const seqs = new Map<string, number>();
while (texts.length < FRAMES) {
  events += 1;
  const id = `evt_206c43${events.toString(16).padStart(10, '0')}`;
  const sessionID = `ses_${events % SESSIONS}`;
  if (events % 40 !== 0) {
    const properties = { sessionID, messageID: 'msg_2', partID: 'prt_2', field: 'text', delta: 'a few words ' };
    texts.push(frameText({ id, type: 'message.part.delta', properties }));
    continue;
  }
  const seq = (seqs.get(sessionID) ?? -1) + 1;
  seqs.set(sessionID, seq);
  const tokens = { input: 8065, output: 20 + seq, reasoning: 0, cache: { read: 0, write: 0 } };
  const info = { id: `msg_2${seq}`, role: 'assistant', sessionID, parentID: 'msg_1', tokens, time: { created: 1 } };
  const properties = { sessionID, info };
  texts.push(frameText({ id, type: 'message.updated', properties }));
  const syncEvent = { id, type: 'message.updated.1', seq, aggregateID: sessionID, data: properties };
  texts.push(frameText({ id, type: 'sync', syncEvent }));
}

function listen(): number {
  const never = (): void => {};
  let lines = 0;
  const router = new Router({
    clock: { now: Date.now, after: () => never },
    readTurn: async () => [],
    resend: async () => {},
    onAsk: never,
    onGap: never,
    onFault: (error) => {
      throw error;
    },
  });
  for (let at = 0; at < SESSIONS; at += 1) {
    router.register(`ses_${at}`, never, () => {
      lines += 1;
    });
    router.expectTurn(`ses_${at}`, { messageId: 'msg_1' });
  }
  const startMs = performance.now();
  for (const text of texts) {
    const frame = parseFrame(text);
    if (frame !== undefined) router.feed(frame);
  }
  const tookMs = performance.now() - startMs;
  if (lines + router.counters.duplicates !== texts.length) throw new Error(`${lines} of ${texts.length} frames`);
  return tookMs;
}

function parseOnly(): number {
  let kinds = 0;
  const startMs = performance.now();
  for (const text of texts) kinds += typeof JSON.parse(text) === 'object' ? 1 : 0;
  const tookMs = performance.now() - startMs;
  if (kinds !== texts.length) throw new Error('JSON.parse failed');
  return tookMs;
}

const best = (run: () => number) => Math.min(...Array.from({ length: 5 }, run));
const listenMs = best(listen);
const parseMs = best(parseOnly);
console.log(
  JSON.stringify({
    frames: texts.length,
    sessions: SESSIONS,
    framesPerSecond: Math.round((texts.length / listenMs) * 1000),
    jsonParsePerSecond: Math.round((texts.length / parseMs) * 1000),
    ratio: Number((listenMs / parseMs).toFixed(2)),
  }),
);
