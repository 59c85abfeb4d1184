/** A run whose server is lost goes on by itself, unless somebody wanted its end, or it was lost too often. */
import { describe, expect, it } from 'vitest';
import type { RunFact } from '../../schemas/run-event.ts';
import { createPlan } from '../../src/plan/plan.ts';
import { orchestration } from './orchestration.ts';

const plan = () =>
  createPlan(
    [
      { id: 'wbs', wave: 1, waitsFor: [] },
      { id: 'pqp', wave: 1, waitsFor: [] },
      { id: 'lbs', wave: 2, waitsFor: [{ task: 'wbs', why: 'test' }] },
    ],
    'ready',
  );
const healing = (losses: number) => ({ rules: { healing: { losses, lossesMax: 5 } } });
const types = (facts: readonly RunFact[]) => facts.map(({ type }) => type);

describe('a run whose server is lost', () => {
  it('stops everything, and goes on after 1 s instead of ending', async () => {
    let judged = 0;
    const conclude = async () => {
      judged += 1;
      return {};
    };
    const run = await orchestration(plan(), { ...healing(0), conclude });
    await run.loseServer();
    expect(run.open()).toEqual([]);
    expect(run.healsAfterMs()).toBe(1_000);
    expect(run.facts.at(-1)).toEqual({
      type: 'run.healing',
      cause: { code: 'OPENCODE_LOST', message: 'the process ended' },
      loss: 1,
      lossesMax: 5,
      waitMs: 1_000,
    });
    expect(types(run.facts)).not.toContain('run.ended');
    // Only a graph that is as whole as it will be is judged.
    expect(judged).toBe(0);
  });

  it('goes on when the server was lost in the middle of the work, and keeps what had completed', async () => {
    const run = await orchestration(plan(), healing(0));
    await run.finish('wbs', 'complete');
    await run.loseServer();
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.healing', loss: 1 });
    expect(run.plan().instances['wbs']?.outcome?.kind).toBe('completed');
  });

  it('waits longer with each loss in a row', async () => {
    const run = await orchestration(plan(), healing(3));
    await run.loseServer();
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.healing', loss: 4, waitMs: 8_000 });
  });

  it('ends with the sixth loss in a row', async () => {
    const run = await orchestration(plan(), healing(5));
    await run.loseServer();
    expect(run.healsAfterMs()).toBeUndefined();
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'failed', cause: { code: 'OPENCODE_LOST' } });
  });

  it('counts from one again when an instance has completed in between', async () => {
    const run = await orchestration(plan(), healing(5));
    await run.finish('wbs', 'complete');
    await run.loseServer();
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.healing', loss: 1 });
  });

  it('does not count from one again for an instance that failed', async () => {
    const run = await orchestration(plan(), healing(5));
    await run.finish('wbs', 'fail');
    await run.loseServer();
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.ended' });
  });

  it('ends when it was told to drain before', async () => {
    const run = await orchestration(plan(), healing(0));
    await run.drain();
    await run.loseServer();
    expect(run.healsAfterMs()).toBeUndefined();
    expect(types(run.facts)).not.toContain('run.healing');
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.ended' });
  });

  it('ends when it was paused before', async () => {
    const run = await orchestration(plan(), { rules: { ...healing(0).rules, budget: { cost: 1 } } });
    await run.spend('wbs', { cost: 2, steps: 1 });
    await run.loseServer();
    expect(types(run.facts)).not.toContain('run.healing');
    expect(run.outcome()).toBe('paused');
  });

  it('tries again when no other server can be started', async () => {
    const startServer = () => Promise.reject(new Error('no memory'));
    const run = await orchestration(plan(), { ...healing(1), startServer });
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.healing', loss: 2 });
  });

  it('ends at once when its first server cannot be started: that is a mistake, not a loss', async () => {
    const startServer = () => Promise.reject(new Error('no such program'));
    const run = await orchestration(plan(), { ...healing(0), startServer });
    expect(run.healsAfterMs()).toBeUndefined();
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'failed' });
  });
});
