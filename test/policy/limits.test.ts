import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../schemas/manifest.ts';
import { NO_USAGE } from '../../schemas/session-event.ts';
import { begin, createPlan, type TaskSource } from '../../src/plan/plan.ts';
import { admit } from '../../src/policy/admission.ts';
import { attemptKey, budgetReached, spentOf } from '../../src/policy/budget.ts';
import { limitReached, loopReached } from '../../src/policy/limits.ts';

describe('the limits of one attempt', () => {
  it('are reached at the bound, not before', () => {
    const limits = { ...DEFAULT_LIMITS, steps: 3, tokens: 100, cost: 2 };
    expect(limitReached({ ...NO_USAGE, steps: 2, inputTokens: 99, cost: 1.99 }, limits)).toBeUndefined();
    expect(limitReached({ ...NO_USAGE, steps: 3 }, limits)?.cause.code).toBe('step-limit');
    expect(
      limitReached({ ...NO_USAGE, inputTokens: 50, outputTokens: 30, reasoningTokens: 20 }, limits)?.cause.code,
    ).toBe('token-limit');
    expect(limitReached({ ...NO_USAGE, cost: 2 }, limits)?.cause.code).toBe('cost-limit');
  });

  it('a repeated call is a loop at the limit, not before', () => {
    const limits = { ...DEFAULT_LIMITS, repeatedCalls: 5 };
    expect(loopReached({ tool: 'read', times: 4 }, limits)).toBeUndefined();
    expect(loopReached({ tool: 'read', times: 5 }, limits)).toMatchObject({
      class: 'loop',
      cause: { code: 'repeated-calls' },
    });
  });
});

describe('the budget of a run', () => {
  it('adds up all attempts, each counted once with its latest figures', () => {
    const spending = {
      [attemptKey('a', 1)]: { ...NO_USAGE, cost: 1, steps: 2 },
      [attemptKey('a', 2)]: { ...NO_USAGE, cost: 2, steps: 3 },
    };
    expect(spentOf({ ...spending, [attemptKey('a', 2)]: { ...NO_USAGE, cost: 2.5, steps: 4 } })).toMatchObject({
      cost: 3.5,
      steps: 6,
    });
  });

  it('is reached at the bound of any of its fields, and one without fields never is', () => {
    const spent = { ...NO_USAGE, cost: 5, steps: 10, inputTokens: 900, outputTokens: 100 };
    expect(budgetReached(spent, {})).toBeUndefined();
    expect(budgetReached(spent, { cost: 5.01, steps: 11, tokens: 1_001 })).toBeUndefined();
    for (const budget of [{ cost: 5 }, { steps: 10 }, { tokens: 1_000 }]) {
      expect(budgetReached(spent, budget)).toMatchObject({ code: 'paused', class: 'budget' });
    }
  });
});

describe('admission', () => {
  const task = (id: string): TaskSource => ({ id, wave: 1, waitsFor: [] });
  const plan = createPlan(['a', 'b', 'c', 'd'].map(task), 'ready');

  it('a full pool holds back its own, and those behind them start', () => {
    const rules = { pools: { large: 1 }, poolOf: { a: 'large', b: 'large' } };
    expect(admit(plan, 3, rules)).toEqual(['a', 'c', 'd']);
    expect(admit(begin(plan, ['a']), 3, rules)).toEqual(['c', 'd']);
  });

  it('a task that waits for a person is not started', () => {
    expect(admit(plan, 4, { closed: new Set(['b']) })).toEqual(['a', 'c', 'd']);
  });

  it('who waits for a person takes nobody his place, in the run and in the pool', () => {
    const rules = { pools: { large: 1 }, poolOf: { a: 'large', b: 'large' } };
    expect(admit(begin(plan, ['a']), 1, { ...rules, held: new Set(['a']) })).toEqual(['b']);
    expect(admit(begin(plan, ['a']), 1, rules)).toEqual([]);
  });
});
