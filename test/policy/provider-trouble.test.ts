/**
 * Fifty instances and a provider that refuses most calls for a while, in virtual time, with the real gate and the real
 * answers. The stand-in of OpenCode does what was measured: five retries of its own for each call, then the turn fails.
 */
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, DEFAULT_RETRY } from '../../schemas/manifest.ts';
import { answerTo } from '../../src/policy/answer.ts';
import { turnFailure } from '../../src/policy/classify.ts';
import { type GateEvent, openGate, passGate } from '../../src/policy/provider-gate.ts';

const INSTANCES = 50;
const CALLS_EACH = 20;
const CALL_MS = 1_000;
const TROUBLE_FROM_MS = 5_000;
const TROUBLE_TO_MS = 65_000;
const RETRY_AFTER_MS = 3_000;
const SERVER_RETRIES = 5;

interface World {
  readonly calls: number[];
  readonly finishedMs: Map<string, number>;
  readonly failed: string[];
  readonly endedMs: number;
}

/** Plays the scene; `gated: false` is what happens without a gate. */
function play({ gated, seed }: { gated: boolean; seed: number }): World {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  let nowMs = 0;
  let order = 0;
  const events: { at: number; order: number; run: () => void }[] = [];
  const later = (delayMs: number, run: () => void) => events.push({ at: nowMs + delayMs, order: order++, run });
  const calls: number[] = [];
  const finishedMs = new Map<string, number>();
  const failed: string[] = [];
  let gate = openGate(INSTANCES);
  let wake = 0;
  const enterers = new Map<string, () => void>();
  const tell = (event: GateEvent) => {
    const step = passGate(gate, event, nowMs, random());
    gate = step.gate;
    for (const id of step.entered) {
      const enter = enterers.get(id)!;
      enterers.delete(id);
      later(0, enter);
    }
    const mine = ++wake;
    if (step.wakeMs !== undefined) later(step.wakeMs - nowMs, () => mine === wake && tell({ type: 'tick' }));
    return step.yields;
  };
  const ask = (id: string, enter: () => void) => {
    if (gated) enterers.set(id, enter);
    if (gated) tell({ type: 'ask', id });
    else later(0, enter);
  };
  const refuses = () => nowMs >= TROUBLE_FROM_MS && nowMs < TROUBLE_TO_MS && random() < 0.9;

  const instance = (id: string) => {
    let left = CALLS_EACH;
    const waits = { waits: 0, waitedMs: 0 };
    const call = (serverTry: number): void => {
      calls.push(nowMs);
      if (!refuses()) {
        later(CALL_MS * (0.8 + 0.4 * random()), () => {
          waits.waits = 0;
          waits.waitedMs = 0;
          if (gated) tell({ type: 'succeeded', id });
          left -= 1;
          if (left > 0) {
            call(0);
            return;
          }
          finishedMs.set(id, nowMs);
          if (gated) tell({ type: 'leave', id });
        });
        return;
      }
      const mustYield = gated && tell({ type: 'refused', id, retryAfterMs: RETRY_AFTER_MS });
      if (mustYield) ask(id, () => call(0));
      else if (serverTry < SERVER_RETRIES) later(RETRY_AFTER_MS, () => call(serverTry + 1));
      else giveBack();
    };
    const giveBack = () => {
      if (gated) tell({ type: 'leave', id });
      const failure = turnFailure({
        judgement: {
          kind: 'failed',
          error: 'APIError',
          message: 'slow down',
          status: 429,
          retryable: true,
          retryAfterMs: RETRY_AFTER_MS,
        },
      });
      const history = {
        attempt: 1,
        repairs: 0,
        canRepair: false,
        canContinue: true,
        splits: 0,
        models: ['p/m'],
        ...waits,
      };
      const answer = answerTo(failure, history, { limits: DEFAULT_LIMITS, retry: DEFAULT_RETRY }, random());
      if (answer.kind !== 'back-off') {
        failed.push(id);
        return;
      }
      waits.waits += 1;
      waits.waitedMs += answer.waitMs;
      later(answer.waitMs, () => ask(id, () => call(0)));
    };
    ask(id, () => call(0));
  };
  for (let i = 0; i < INSTANCES; i++) instance(`i${i}`);
  while (events.length > 0) {
    events.sort((a, b) => a.at - b.at || a.order - b.order);
    const next = events.shift()!;
    nowMs = next.at;
    next.run();
    if (nowMs > 3_600_000) throw new Error('an hour has passed');
  }
  return { calls, finishedMs, failed, endedMs: nowMs };
}

const perSecond = ({ calls }: World, fromMs: number, toMs: number) =>
  (calls.filter((at) => at >= fromMs && at < toMs).length * 1_000) / (toMs - fromMs);

describe('fifty instances and a provider that refuses nine of ten calls for a minute', () => {
  it.each([1, 7, 42, 1234, 99_999])('calls fall at once, rise again, and nobody fails (seed %i)', (seed) => {
    const world = play({ gated: true, seed });
    const before = perSecond(world, 1_000, TROUBLE_FROM_MS);
    const during = perSecond(world, TROUBLE_FROM_MS + 2_000, TROUBLE_TO_MS);
    const after = Math.max(
      ...[10_000, 20_000, 30_000, 40_000, 60_000].map((ms) =>
        perSecond(world, TROUBLE_TO_MS + ms, TROUBLE_TO_MS + ms + 10_000),
      ),
    );
    expect(before).toBeGreaterThan(40);
    expect(during).toBeLessThan(before / 20);
    expect(after).toBeGreaterThan(5 * during);
    expect(world.failed).toEqual([]);
    expect(world.finishedMs.size).toBe(INSTANCES);
    expect(world.endedMs).toBeLessThan(10 * 60_000);
  });

  it('the trouble is real: without the gate the provider is called many times as often', () => {
    const without = perSecond(play({ gated: false, seed: 7 }), TROUBLE_FROM_MS + 2_000, TROUBLE_TO_MS);
    const withGate = perSecond(play({ gated: true, seed: 7 }), TROUBLE_FROM_MS + 2_000, TROUBLE_TO_MS);
    expect(without).toBeGreaterThan(4 * withGate);
  });
});
