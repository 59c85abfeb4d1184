import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAILURE_CLASSES, type FailureClass } from '../../schemas/failure.ts';
import { DEFAULT_LIMITS, DEFAULT_RETRY, type RetrySettings } from '../../schemas/manifest.ts';
import { type AttemptHistory, answerTo, backoffMs, jitteredMs, spreadOf } from '../../src/policy/answer.ts';
import { type AttemptFailure, limitFailure } from '../../src/policy/classify.ts';

const failure = (of: FailureClass, more: Partial<AttemptFailure> & { code?: string } = {}): AttemptFailure => {
  const { code = of, ...rest } = more;
  return { class: of, cause: { code, message: 'm', class: of }, retryable: true, ...rest };
};
const FRESH: AttemptHistory = {
  attempt: 1,
  repairs: 0,
  canRepair: false,
  canContinue: false,
  waits: 0,
  waitedMs: 0,
  splits: 0,
  models: ['a/one'],
};
const ask = (
  of: AttemptFailure,
  history: Partial<AttemptHistory> = {},
  retry: Partial<RetrySettings> = {},
  random = 0.5,
) => answerTo(of, { ...FRESH, ...history }, { limits: DEFAULT_LIMITS, retry: { ...DEFAULT_RETRY, ...retry } }, random);

describe('work that is not good enough', () => {
  it('is repaired in the same session, then begun anew, then given up', () => {
    expect(ask(failure('incomplete'), { canRepair: true }).kind).toBe('repair');
    expect(ask(failure('incomplete'), { canRepair: true, repairs: 3 })).toMatchObject({
      kind: 'fresh-session',
      waitMs: 1_000,
    });
    expect(ask(failure('incomplete'), { canRepair: true, repairs: 3, attempt: 2 }).kind).toBe('give-up');
  });
});

describe('a session whose turn somebody else broke off', () => {
  it('goes on, which counts no attempt, until patience ends; then another one follows', () => {
    const broken = failure('session-lost', { code: 'aborted' });
    const last = { canContinue: true, attempt: 2 };
    expect(ask(broken, last)).toMatchObject({ kind: 'back-off', reason: expect.stringContaining('the same session') });
    expect(ask(broken, { ...last, attempt: 1, waitedMs: DEFAULT_RETRY.patienceMs }).kind).toBe('fresh-session');
    expect(ask(broken, { ...last, waitedMs: DEFAULT_RETRY.patienceMs }).kind).toBe('give-up');
  });

  it('is given up at once for a new one when it is gone', () => {
    expect(ask(failure('session-lost'))).toMatchObject({ kind: 'fresh-session', waitMs: 1_000 });
    expect(ask(failure('session-lost'), { attempt: 2 }).kind).toBe('give-up');
  });
});

describe('a limit of an attempt', () => {
  const spent: AttemptFailure = limitFailure('step-limit', '60 model calls');

  it('is not tried again: that would spend as much once more', () => {
    expect(ask(spent).kind).toBe('give-up');
  });

  it('says nothing of a session that spent while nobody watched: another one follows, as long as attempts last', () => {
    expect(ask(spent, { isTakenUp: true }).kind).toBe('fresh-session');
    expect(ask(spent, { isTakenUp: true, attempt: 2 }).kind).toBe('give-up');
  });
});

describe('a provider that refuses for a while', () => {
  it('is waited for in the same session, and that counts no attempt', () => {
    const answer = ask(failure('rate-limit'), { canContinue: true, attempt: 2 });
    expect(answer.kind).toBe('back-off');
    expect(answer.waitMs).toBeGreaterThan(0);
  });

  it('is never called before the time it asked for', () => {
    for (const random of [0, 0.5, 0.999]) {
      const { waitMs } = ask(failure('rate-limit', { retryAfterMs: 12_000 }), { canContinue: true }, {}, random);
      expect(waitMs).toBeGreaterThanOrEqual(12_000);
    }
  });

  it('is waited for longer each time, up to the longest wait', () => {
    const waits = [0, 1, 2, 10].map((n) => ask(failure('overload'), { canContinue: true, waits: n }, {}, 1).waitMs);
    expect(waits).toEqual([1_000, 2_000, 4_000, 30_000]);
  });

  it('is given up when patience ends, and another model takes over before that', () => {
    const waited = { canContinue: true, waits: 9, waitedMs: DEFAULT_RETRY.patienceMs };
    expect(ask(failure('provider-down'), waited).kind).toBe('give-up');
    expect(ask(failure('provider-down'), waited, { fallbackModels: ['b/two'] })).toMatchObject({
      kind: 'fallback-model',
      model: 'b/two',
    });
    expect(ask(failure('provider-down'), { canContinue: true, waits: 2 }, { fallbackModels: ['b/two'] }).kind).toBe(
      'fallback-model',
    );
    expect(ask(failure('provider-down'), { canContinue: true, waits: 1 }, { fallbackModels: ['b/two'] }).kind).toBe(
      'back-off',
    );
  });

  it('pauses the run when it asks for more than anybody would wait', () => {
    const quota = failure('rate-limit', { retryAfterMs: DEFAULT_RETRY.patienceMs + 1 });
    expect(ask(quota, { canContinue: true }).kind).toBe('pause-run');
    expect(ask(quota, { canContinue: true }, { fallbackModels: ['b/two'] }).kind).toBe('fallback-model');
  });

  it('no model is used twice', () => {
    const models = ['a/one', 'b/two'];
    const answer = ask(
      failure('overload'),
      { canContinue: true, waits: 5, models },
      { fallbackModels: ['b/two', 'c/three'] },
    );
    expect(answer.model).toBe('c/three');
  });
});

describe('what nobody can wait for', () => {
  it('a refused key stops the run, unless another provider can take over', () => {
    expect(ask(failure('auth', { retryable: false }), { canContinue: true }).kind).toBe('stop-run');
    expect(ask(failure('auth'), { canContinue: true }, { fallbackModels: ['a/other'] }).kind).toBe('stop-run');
    expect(ask(failure('auth'), { canContinue: true }, { fallbackModels: ['a/other', 'b/two'] })).toMatchObject({
      model: 'b/two',
    });
  });

  it('a spent quota pauses the run; a limit of one attempt only ends the instance', () => {
    expect(ask(failure('budget', { code: 'APIError' }), { canContinue: true }).kind).toBe('pause-run');
    for (const code of ['step-limit', 'token-limit', 'cost-limit']) {
      expect(ask(failure('budget', { code }), { canContinue: true }, { fallbackModels: ['b/two'] }).kind).toBe(
        'give-up',
      );
    }
  });

  it('a session that grew too large is split once', () => {
    expect(ask(failure('context-overflow')).kind).toBe('split');
    expect(ask(failure('context-overflow'), { splits: 1 }).kind).toBe('give-up');
    expect(
      ask(failure('context-overflow'), { splits: 1, canContinue: true }, { fallbackModels: ['a/large'] }).kind,
    ).toBe('fallback-model');
  });

  it('a bug is tried again only when it says that this can help', () => {
    expect(ask(failure('bug', { retryable: false })).kind).toBe('give-up');
    expect(ask(failure('bug')).kind).toBe('fresh-session');
  });

  it('what was told to end is left alone', () => {
    expect(ask(failure('cancelled')).kind).toBe('give-up');
  });
});

it('the manifest can give up on a class', () => {
  expect(ask(failure('stall')).kind).toBe('fresh-session');
  expect(ask(failure('stall'), {}, { giveUpOn: ['stall'] })).toMatchObject({
    kind: 'give-up',
    reason: expect.stringMatching(/retry\.giveUpOn/),
  });
});

describe('for any failure and any history', () => {
  const history = fc.record({
    attempt: fc.integer({ min: 1, max: 12 }),
    repairs: fc.nat(6),
    canRepair: fc.boolean(),
    canContinue: fc.boolean(),
    waits: fc.nat(40),
    waitedMs: fc.nat(4_000_000),
    splits: fc.nat(3),
    models: fc.subarray(['a/one', 'b/two', 'c/three'], { minLength: 1 }),
  });
  const failures = fc.record({
    class: fc.constantFrom(...FAILURE_CLASSES),
    retryable: fc.boolean(),
    retryAfterMs: fc.option(fc.nat(10_000_000), { nil: undefined }),
  });
  const settings = fc.record({
    fallbackModels: fc.subarray(['a/other', 'b/two', 'c/three', 'd/four']),
    firstWaitMs: fc.nat(10_000),
    longestWaitMs: fc.nat(100_000),
    patienceMs: fc.nat(4_000_000),
    giveUpOn: fc.subarray([...FAILURE_CLASSES]),
  });

  it('the answer keeps within attempts, repairs, patience and models', () => {
    fc.assert(
      fc.property(
        failures,
        history,
        settings,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (of, past, retry, random) => {
          const { retryAfterMs, ...rest } = of;
          const told = failure(of.class, { ...rest, ...(retryAfterMs !== undefined && { retryAfterMs }) });
          const answer = answerTo(told, past, { limits: DEFAULT_LIMITS, retry }, random);
          expect(answer.reason).not.toBe('');
          expect(Number.isFinite(answer.waitMs) && answer.waitMs >= 0).toBe(true);
          if (answer.kind === 'repair') expect(past.canRepair && past.repairs < DEFAULT_LIMITS.repairs).toBe(true);
          if (answer.kind === 'fresh-session' || answer.kind === 'split') {
            expect(past.attempt).toBeLessThan(DEFAULT_LIMITS.attempts);
          }
          if (answer.kind === 'back-off') {
            expect(past.canContinue).toBe(true);
            expect(past.waitedMs + answer.waitMs).toBeLessThanOrEqual(retry.patienceMs);
            expect(answer.waitMs).toBeGreaterThanOrEqual(retryAfterMs ?? 0);
          }
          if (answer.kind === 'fallback-model') expect(past.models).not.toContain(answer.model);
          if (retry.giveUpOn.includes(of.class)) expect(answer.kind).toBe('give-up');
        },
      ),
    );
  });

  it('a row of the same failures ends', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FAILURE_CLASSES), settings, fc.boolean(), (of, retry, canContinue) => {
        let past: AttemptHistory = { ...FRESH, canContinue, canRepair: !canContinue };
        for (let turn = 0; turn < 10_000; turn++) {
          const answer = answerTo(
            failure(of),
            past,
            { limits: DEFAULT_LIMITS, retry: { ...retry, firstWaitMs: 500, longestWaitMs: 30_000 } },
            0.5,
          );
          if (answer.kind === 'give-up' || answer.kind === 'stop-run' || answer.kind === 'pause-run') return;
          past = {
            ...past,
            attempt: past.attempt + (answer.kind === 'fresh-session' || answer.kind === 'split' ? 1 : 0),
            repairs: answer.kind === 'repair' ? past.repairs + 1 : past.repairs,
            splits: past.splits + (answer.kind === 'split' ? 1 : 0),
            waits: past.waits + 1,
            waitedMs: past.waitedMs + answer.waitMs,
            models: answer.model === undefined ? past.models : [...past.models, answer.model],
          };
        }
        throw new Error(`${of} never ends`);
      }),
    );
  });
});

describe('waits', () => {
  it('double from the first to the longest', () => {
    expect([1, 2, 3, 6, 60].map((n) => backoffMs(n))).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
  });

  it('are spread, and never shorter than the provider asked for', () => {
    expect(jitteredMs(1_000, undefined, 0)).toBe(500);
    expect(jitteredMs(1_000, undefined, 0.999)).toBe(1_000);
    expect(jitteredMs(1_000, 5_000, 0)).toBe(5_000);
  });

  it('fifty instances do not come back in step', () => {
    const spread = Array.from({ length: 50 }, (_, n) => spreadOf(`itp-generation[ITP-${n}] 1 0`));
    expect(spread.every((value) => value >= 0 && value < 1)).toBe(true);
    const buckets = new Set(spread.map((value) => Math.floor(value * 10)));
    expect(buckets.size).toBeGreaterThanOrEqual(8);
  });
});
