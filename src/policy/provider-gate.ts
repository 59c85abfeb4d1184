/**
 * One gate for each provider, shared by all sessions: how many may be at work with it, and from when on. Pure: time and
 * chance are arguments.
 *
 * A refusal halves the number, and lets nobody in before a cool-down is over; what the provider asked for (`retry-after`) is
 * the least. Those inside go on calling, as their server retries by itself: who is refused when the time of the last halving
 * has passed halves it again, so that the calls fall to few within seconds. Success and quiet time raise the number again,
 * one by one, so the gate always opens: by time alone too, when nobody is left inside to succeed. While it recovers, entries
 * are spread over time.
 *
 * Invariants: the limit is from 1 to `max`; nobody enters while as many are inside as the limit says, or before
 * `notBeforeMs`, but who is at work already; whoever asks enters in order of asking; asking and leaving twice changes nothing.
 */
import { jitteredMs } from './answer.ts';

export interface Gate {
  readonly max: number;
  readonly limit: number;
  readonly inside: readonly string[];
  readonly queue: readonly string[];
  /** End of the cool-down. */
  readonly notBeforeMs: number;
  /** From then on a refusal halves the limit again, although others keep the cool-down from ending. */
  readonly halvesFromMs: number;
  /** The next entry while the gate recovers; a refusal before it is news all the same. */
  readonly nextEntryMs: number;
  /** Cool-downs in a row without a success between them. */
  readonly refusals: number;
  /** Successes since the limit last changed. */
  readonly credits: number;
  /** When the limit last changed, or a refusal came. */
  readonly changedMs: number;
}

export type GateEvent =
  | { readonly type: 'ask'; readonly id: string }
  /** `id` is at work already: it takes a place without asking, be it one too many. */
  | { readonly type: 'occupy'; readonly id: string }
  | { readonly type: 'leave'; readonly id: string }
  /** A call of `id` was refused by the provider. */
  | { readonly type: 'refused'; readonly id: string; readonly retryAfterMs?: number }
  /** A call of `id` succeeded. */
  | { readonly type: 'succeeded'; readonly id: string }
  /** Nothing but time has passed. */
  | { readonly type: 'tick' };

export interface GateStep {
  readonly gate: Gate;
  /** May start now, in this order. */
  readonly entered: readonly string[];
  /** The refused session is one too many: it has left, and should break off and ask again. */
  readonly yields: boolean;
  /** Call again with `tick` at this time; absent when nobody waits for time to pass. */
  readonly wakeMs?: number;
  readonly notice?:
    | { readonly kind: 'slowed'; readonly limit: number; readonly waitMs: number }
    | { readonly kind: 'recovered' };
}

/** First cool-down when the provider does not say how long; doubled with each further one. */
const FIRST_COOL_DOWN_MS = 2_000;
const LONGEST_COOL_DOWN_MS = 60_000;
/** Also of a provider that says "at once": refusing and calling at once would go round for ever. */
const SHORTEST_COOL_DOWN_MS = 250;
/** Refusals of calls that were under way when the limit was halved have come by then. */
const SHORTEST_HALVING_MS = 1_000;
/** Quiet time after which one more may be inside. */
export const RECOVER_MS = 5_000;
/** Entries while the gate recovers come this far apart, at most. */
const SPACING_MS = 500;

export function openGate(max: number): Gate {
  return {
    max,
    limit: max,
    inside: [],
    queue: [],
    notBeforeMs: Number.NEGATIVE_INFINITY,
    halvesFromMs: Number.NEGATIVE_INFINITY,
    nextEntryMs: Number.NEGATIVE_INFINITY,
    refusals: 0,
    credits: 0,
    changedMs: Number.NEGATIVE_INFINITY,
  };
}

/** The gate after one event at `nowMs`; `random` is from 0 up to 1. */
export function passGate(before: Gate, event: GateEvent, nowMs: number, random: number): GateStep {
  const { gate: told, yields, slowed } = hear(recovered(before, nowMs), event, nowMs, random);
  const { gate, entered } = enter(told, nowMs, random);
  const isRecovered = before.limit < before.max && gate.limit === gate.max;
  return {
    gate,
    entered,
    yields,
    ...wake(gate, nowMs),
    ...(slowed !== undefined
      ? { notice: { kind: 'slowed', limit: gate.limit, waitMs: slowed } }
      : isRecovered
        ? { notice: { kind: 'recovered' } }
        : {}),
  };
}

/** What quiet time gives back. */
function recovered(gate: Gate, nowMs: number): Gate {
  if (gate.limit >= gate.max) return gate;
  const since = Math.max(gate.changedMs, gate.notBeforeMs);
  const more = Math.floor((nowMs - since) / RECOVER_MS);
  if (more < 1) return gate;
  return { ...gate, limit: Math.min(gate.max, gate.limit + more), changedMs: since + more * RECOVER_MS };
}

function hear(
  gate: Gate,
  event: GateEvent,
  nowMs: number,
  random: number,
): { readonly gate: Gate; readonly yields: boolean; readonly slowed?: number } {
  switch (event.type) {
    case 'ask': {
      const isKnown = gate.queue.includes(event.id) || gate.inside.includes(event.id);
      return { gate: isKnown ? gate : { ...gate, queue: [...gate.queue, event.id] }, yields: false };
    }
    case 'occupy': {
      const others = without(gate, event.id);
      return { gate: { ...others, inside: [...others.inside, event.id] }, yields: false };
    }
    case 'leave':
      return { gate: without(gate, event.id), yields: false };
    case 'succeeded':
      return { gate: credited(gate, nowMs), yields: false };
    case 'refused':
      return refused(gate, event, nowMs, random);
    case 'tick':
      return { gate, yields: false };
  }
}

function credited(gate: Gate, nowMs: number): Gate {
  const calm = { ...gate, refusals: 0 };
  if (gate.limit >= gate.max || nowMs < gate.notBeforeMs) return calm;
  const credits = gate.credits + 1;
  return credits < gate.limit ? { ...calm, credits } : { ...calm, limit: gate.limit + 1, credits: 0, changedMs: nowMs };
}

function refused(
  gate: Gate,
  { id, retryAfterMs }: Extract<GateEvent, { type: 'refused' }>,
  nowMs: number,
  random: number,
): { readonly gate: Gate; readonly yields: boolean; readonly slowed?: number } {
  const isNew = nowMs >= Math.min(gate.halvesFromMs, gate.notBeforeMs);
  const refusals = isNew ? gate.refusals + 1 : gate.refusals;
  const coolDownMs = Math.min(LONGEST_COOL_DOWN_MS, FIRST_COOL_DOWN_MS * 2 ** Math.max(0, refusals - 1));
  const askedMs = retryAfterMs === undefined ? undefined : Math.max(SHORTEST_COOL_DOWN_MS, retryAfterMs);
  const waitMs = jitteredMs(askedMs ?? coolDownMs, askedMs, random);
  const limit = isNew ? Math.max(1, Math.floor(Math.min(gate.limit, gate.inside.length) / 2)) : gate.limit;
  const notBeforeMs =
    isNew || retryAfterMs !== undefined ? Math.max(gate.notBeforeMs, nowMs + waitMs) : gate.notBeforeMs;
  // Without the spread of the wait: the servers of those inside call again after just what the provider asked for.
  const halvesFromMs = isNew ? nowMs + Math.max(SHORTEST_HALVING_MS, askedMs ?? coolDownMs) : gate.halvesFromMs;
  const slow = { ...gate, limit, refusals, notBeforeMs, halvesFromMs, credits: 0, changedMs: nowMs };
  // The first to be refused waits in its session, as its server does anyway: it may have been one bad moment.
  const yields = !isNew && gate.inside.includes(id) && gate.inside.length > limit;
  return { gate: yields ? without(slow, id) : slow, yields, ...(isNew && { slowed: waitMs }) };
}

function enter(
  gate: Gate,
  nowMs: number,
  random: number,
): { readonly gate: Gate; readonly entered: readonly string[] } {
  if (nowMs < Math.max(gate.notBeforeMs, gate.nextEntryMs) || gate.queue.length === 0) return { gate, entered: [] };
  const room = gate.limit - gate.inside.length;
  if (room < 1) return { gate, entered: [] };
  const isFree = gate.limit >= gate.max;
  const entered = gate.queue.slice(0, isFree ? room : 1);
  const next = { ...gate, inside: [...gate.inside, ...entered], queue: gate.queue.slice(entered.length) };
  // One at a time while it recovers: a provider that just refused must not meet all of them in one moment.
  return {
    gate: isFree ? next : { ...next, nextEntryMs: nowMs + Math.round((0.5 + random / 2) * SPACING_MS) },
    entered,
  };
}

function wake(
  { queue, inside, limit, max, notBeforeMs, nextEntryMs, changedMs }: Gate,
  nowMs: number,
): { readonly wakeMs?: number } {
  if (queue.length === 0) return {};
  // Full and with nothing to recover: whoever leaves lets the next one in, time does not.
  if (inside.length >= limit && limit >= max) return {};
  const atMs =
    inside.length < limit ? Math.max(notBeforeMs, nextEntryMs) : Math.max(changedMs, notBeforeMs) + RECOVER_MS;
  return { wakeMs: Math.max(nowMs + 1, atMs) };
}

function without(gate: Gate, id: string): Gate {
  return { ...gate, inside: gate.inside.filter((one) => one !== id), queue: gate.queue.filter((one) => one !== id) };
}
