/** What a manifest says about a run beside its plan: pools, hold points, the budget; and what stops everybody. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY } from '../../schemas/manifest.ts';
import { NO_USAGE } from '../../schemas/session-event.ts';
import { createPlan, type TaskSource } from '../../src/plan/plan.ts';
import { orchestration } from './orchestration.ts';

const task = (id: string, waitsFor: string[] = [], wave = 1 + waitsFor.length): TaskSource => ({
  id,
  wave,
  waitsFor: waitsFor.map((of) => ({ task: of, why: 'test' })),
});
const pqp = task('pqp');
const itp: TaskSource = { ...task('itp', ['pqp'], 2), fanOut: { over: 'R', maxItems: 10, producer: 'pqp' } };
const released = { kind: 'released', by: 'Ada' } as const;
const rejected = { kind: 'rejected', by: 'Bob', reason: 'not now' } as const;
const policy = { model: 'a/one', retry: DEFAULT_RETRY };

describe('a pool', () => {
  it('bounds its own tasks only', async () => {
    const rules = { pools: { large: 1 }, poolOf: { a: 'large', b: 'large' } };
    const run = await orchestration(createPlan([task('a'), task('b'), task('c')], 'ready'), { rules });
    expect(run.open()).toEqual(['a', 'c']);
    await run.finish('a', 'complete');
    expect(run.open()).toEqual(['b', 'c']);
    run.stop();
  });
});

describe('a hold before a task', () => {
  const rules = { holdBefore: { itp: { reason: 'price it first', timeoutMs: 60_000 } } };
  async function held() {
    const run = await orchestration(createPlan([pqp, itp, task('tail', ['itp'], 3)], 'ready'), { rules });
    await run.finish('pqp', 'complete', { R: ['1', '2'] });
    return run;
  }

  it('opens once, when the task would start, for all its instances together', async () => {
    const run = await held();
    expect(run.facts.filter(({ type }) => type === 'hold.opened')).toEqual([
      expect.objectContaining({ point: 'before:itp', when: 'before', of: 'itp', reason: 'price it first' }),
    ]);
    expect(run.open()).toEqual([]);
    await run.decide('before:itp', released);
    expect(run.open()).toEqual(['itp[1]', 'itp[2]']);
    for (const id of ['itp[1]', 'itp[2]', 'tail']) await run.finish(id, 'complete');
    expect(run.outcome()).toBe('completed');
  });

  it('a rejection fails the task with the reason, and skips what waits for it', async () => {
    const run = await held();
    await run.decide('before:itp', rejected);
    expect(run.outcome()).toBe('failed');
    expect(run.plan().tasks['itp']?.outcome).toMatchObject({
      kind: 'failed',
      cause: { code: 'hold-rejected', message: expect.stringMatching(/Bob.*not now/) },
    });
    expect(run.plan().tasks['tail']?.outcome?.kind).toBe('skipped');
    expect([...run.sessions.keys()]).toEqual(['pqp']);
  });

  it('silence denies', async () => {
    const run = await held();
    await run.advance(60_000);
    expect(run.plan().tasks['itp']?.outcome).toMatchObject({ cause: { code: 'hold-expired' } });
    expect(run.facts.some(({ type }) => type === 'hold.expired')).toBe(true);
  });

  it('a decision of an earlier process is taken over', async () => {
    const run = await orchestration(createPlan([pqp, itp], 'ready'), {
      rules: { ...rules, knownHolds: { 'before:itp': { decision: released } } },
    });
    await run.finish('pqp', 'complete', { R: ['1'] });
    expect(run.open()).toEqual(['itp[1]']);
    expect(run.facts.some(({ type }) => type === 'hold.opened')).toBe(false);
    run.stop();
  });

  it('a decision for nobody, or a second one, changes nothing', async () => {
    const run = await held();
    for (const point of ['before:none', 'after:pqp', 'before:', 'nonsense', 'after:itp[1]'])
      await run.decide(point, released);
    expect(run.open()).toEqual([]);
    await run.decide('before:itp', released);
    await run.decide('before:itp', rejected);
    expect(run.open()).toEqual(['itp[1]', 'itp[2]']);
    run.stop();
  });

  it('an interrupt ends a run that only waits for a person', async () => {
    const run = await held();
    await run.drain();
    expect(run.outcome()).toBe('cancelled');
  });
});

describe('a hold after a task', () => {
  const rules = { policies: { a: { ...policy, hold: { reason: 'read it' } } } };

  it('keeps dependants waiting, takes nobody a place, and lets them start with the release', async () => {
    const run = await orchestration(createPlan([task('a'), task('b'), task('c', ['a'])], 'ready'), {
      concurrency: 1,
      rules,
    });
    await run.finish('a', 'complete');
    expect(run.facts.some(({ type }) => type === 'hold.opened')).toBe(true);
    expect(run.open()).toEqual(['a', 'b']);
    await run.decide('after:a', released);
    await run.finish('b', 'complete');
    await run.finish('c', 'complete');
    expect(run.outcome()).toBe('completed');
  });
});

describe('the budget of the run', () => {
  const two = [task('a'), task('b'), task('c', ['a'])];

  it('pauses when it is spent by all together: nothing fails, nothing new starts', async () => {
    const run = await orchestration(createPlan(two, 'ready'), { rules: { budget: { cost: 10 } } });
    await run.spend('a', { cost: 6 });
    await run.spend('a', { cost: 7 });
    expect(run.outcome()).toBeUndefined();
    await run.spend('b', { cost: 3 });
    expect(run.outcome()).toBe('paused');
    expect(run.facts.find(({ type }) => type === 'run.paused')).toMatchObject({
      cause: { code: 'paused', message: expect.stringMatching(/10\.00 of 10/) },
      spent: { cost: 10 },
    });
    const ends = Object.values(run.plan().instances).map(({ outcome }) => outcome?.kind);
    expect(ends).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'paused', cause: { code: 'paused' } });
    expect(run.open()).toEqual([]);
  });

  it('counts what earlier processes spent: a resume with the same budget starts nobody', async () => {
    const run = await orchestration(createPlan(two, 'ready'), {
      rules: { budget: { steps: 5 }, spent: { 'a#1': { ...NO_USAGE, steps: 5 } } },
    });
    expect(run.outcome()).toBe('paused');
    expect(run.sessions.size).toBe(0);
  });

  it('an attempt that goes on is not counted twice', async () => {
    const run = await orchestration(createPlan(two, 'ready'), {
      rules: { budget: { steps: 8 }, spent: { 'a#1': { ...NO_USAGE, steps: 5 } } },
    });
    await run.spend('a', { steps: 7 });
    expect(run.outcome()).toBeUndefined();
    run.stop();
  });

  it('pauses when its time is over, less what earlier processes were at work', async () => {
    const run = await orchestration(createPlan(two, 'ready'), {
      rules: { budget: { timeMs: 60_000 }, workedMs: 20_000 },
    });
    await run.advance(39_999);
    expect(run.outcome()).toBeUndefined();
    await run.advance(1);
    expect(run.outcome()).toBe('paused');
  });

  it('a run that completes with its last call is completed, not paused', async () => {
    const run = await orchestration(createPlan([task('a')], 'ready'), { rules: { budget: { cost: 10 } } });
    await run.spend('a', { cost: 9 });
    await run.finish('a', 'complete');
    expect(run.outcome()).toBe('completed');
  });
});

describe('a provider that refuses everybody', () => {
  const rules = { policies: { a: policy, b: policy, c: policy } };
  const all = [task('a'), task('b'), task('c')];

  it('a refused key stops the run once, with one cause, and cancels the others', async () => {
    const run = await orchestration(createPlan(all, 'ready'), { rules });
    await run.endTurn('b', {
      kind: 'failed',
      error: 'APIError',
      message: 'Invalid API key',
      status: 401,
      retryable: false,
    });
    expect(run.outcome()).toBe('failed');
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.ended', cause: { code: 'PROVIDER_AUTH' } });
    const answered = run.facts.filter(({ type }) => type === 'failure.answered');
    expect(answered).toHaveLength(1);
    const ends = Object.values(run.plan().instances).map(({ id, outcome }) => `${id} ${outcome?.kind}`);
    expect(ends).toEqual(['a cancelled', 'b failed', 'c cancelled']);
  });

  it('a spent quota pauses the run', async () => {
    const run = await orchestration(createPlan(all, 'ready'), { rules });
    await run.endTurn('b', {
      kind: 'failed',
      error: 'APIError',
      message: 'insufficient_quota',
      status: 429,
      retryable: true,
    });
    expect(run.outcome()).toBe('paused');
    expect(run.facts.filter(({ type }) => type === 'run.paused')).toHaveLength(1);
    expect(Object.values(run.plan().instances).every(({ outcome }) => outcome?.kind === 'cancelled')).toBe(true);
  });
});
