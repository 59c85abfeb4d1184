import { describe, expect, it } from 'vitest';
import { createPlan, type TaskSource } from '../../src/plan/plan.ts';
import { orchestration } from './orchestration.ts';

const task = (id: string, waitsFor: string[] = [], wave = 1 + waitsFor.length): TaskSource => ({
  id,
  wave,
  waitsFor: waitsFor.map((of) => ({ task: of, why: 'test' })),
});
const fanOut = (id: string, producer: string, over: string, waitsFor: string[], maxItems = 10): TaskSource => ({
  ...task(id, waitsFor, 3),
  fanOut: { over, maxItems, producer },
});
const road = [task('wbs'), task('pqp'), task('lbs', ['wbs'], 2), fanOut('itp', 'pqp', 'Requirement', ['pqp', 'wbs'])];

describe('the orchestrator', () => {
  it('starts an instance the moment its own dependencies have committed, not when a wave ends', async () => {
    const run = await orchestration(createPlan(road, 'ready'));
    expect(run.open()).toEqual(['pqp', 'wbs']);
    await run.finish('wbs', 'complete');
    expect(run.open()).toEqual(['lbs', 'pqp']);
  });

  it('holds a whole wave back when the manifest asks for the barrier', async () => {
    const run = await orchestration(createPlan(road, 'wave'));
    await run.finish('wbs', 'complete');
    expect(run.open()).toEqual(['pqp']);
    await run.finish('pqp', 'complete', { Requirement: ['A'] });
    expect(run.open()).toEqual(['lbs']);
    await run.finish('lbs', 'complete');
    expect(run.open()).toEqual(['itp[A]']);
  });

  it('fans out over the items that the producer committed in this very run', async () => {
    const run = await orchestration(createPlan(road, 'ready'));
    await run.finish('wbs', 'complete');
    await run.finish('pqp', 'complete', { Requirement: ['ITP-01', 'ITP-02'] });
    expect(run.open()).toEqual(['itp[ITP-01]', 'itp[ITP-02]', 'lbs']);
    for (const id of ['itp[ITP-01]', 'itp[ITP-02]', 'lbs']) await run.finish(id, 'complete');
    expect(run.outcome()).toBe('completed');
  });

  it('never runs more instances at once than admission allows', async () => {
    const run = await orchestration(createPlan([task('a'), task('b'), task('c')], 'ready'), { concurrency: 2 });
    expect(run.open()).toEqual(['a', 'b']);
    await run.finish('b', 'complete');
    expect(run.open()).toEqual(['a', 'c']);
  });

  it('skips everything that waits for a failure, lets siblings go on, and ends as failed', async () => {
    const run = await orchestration(createPlan(road, 'ready'));
    await run.finish('wbs', 'fail');
    expect(run.open()).toEqual(['pqp']);
    await run.finish('pqp', 'complete', { Requirement: ['ITP-01'] });
    expect(run.outcome()).toBe('failed');
    const ended = run.facts.flatMap((fact) =>
      fact.type === 'task.settled' ? [`${fact.task} ${fact.outcome.kind}`] : [],
    );
    expect(ended).toEqual(['wbs failed', 'lbs skipped', 'itp skipped', 'pqp completed']);
    expect(run.facts.find((fact) => fact.type === 'instance.settled' && fact.instance === 'lbs')).toMatchObject({
      outcome: { cause: { of: 'wbs' } },
    });
  });

  it('a fan-out over more items than its bound fails before any of them is spawned', async () => {
    const run = await orchestration(createPlan([task('pqp'), fanOut('itp', 'pqp', 'R', ['pqp'], 2)], 'ready'));
    await run.finish('pqp', 'complete', { R: ['1', '2', '3'] });
    expect(run.outcome()).toBe('failed');
    expect([...run.sessions.keys()]).toEqual(['pqp']);
    expect(run.plan().tasks['itp']?.outcome).toMatchObject({ cause: { code: 'fan-out-limit' } });
  });

  it('an empty fan-out list is a failure, not an empty success', async () => {
    const run = await orchestration(createPlan([task('pqp'), fanOut('itp', 'pqp', 'R', ['pqp'])], 'ready'));
    await run.finish('pqp', 'complete', {});
    expect(run.plan().tasks['itp']?.outcome).toMatchObject({ kind: 'failed', cause: { code: 'fan-out-empty' } });
  });

  it('records that an instance settled before it starts what waits for it (J1)', async () => {
    const run = await orchestration(createPlan([task('a'), task('b', ['a'])], 'ready'));
    await run.finish('a', 'complete');
    const order = run.facts.map((fact) => ('instance' in fact ? `${fact.type} ${fact.instance}` : fact.type));
    expect(order.indexOf('commit.ended a')).toBeLessThan(order.indexOf('instance.settled a'));
    expect(order.indexOf('instance.settled a')).toBeLessThan(order.indexOf('instance.started b'));
    expect(order.indexOf('instance.started b')).toBeLessThan(order.indexOf('attempt.started b'));
  });

  it('the first interrupt starts nothing new and lets running work finish; the run ends as cancelled', async () => {
    const run = await orchestration(createPlan(road, 'ready'));
    await run.drain();
    expect(run.open()).toEqual(['pqp', 'wbs']);
    await run.finish('wbs', 'complete');
    expect(run.open()).toEqual(['pqp']);
    await run.finish('pqp', 'complete', { Requirement: ['A'] });
    expect(run.outcome()).toBe('cancelled');
    expect([...run.sessions.keys()].sort()).toEqual(['pqp', 'wbs']);
  });

  it('the second interrupt aborts what runs', async () => {
    const run = await orchestration(createPlan(road, 'ready'));
    await run.drain();
    await run.drain();
    expect(run.outcome()).toBe('cancelled');
    expect(run.open()).toEqual([]);
  });

  it('a drain that outlasts its grace aborts by itself', async () => {
    const run = await orchestration(createPlan(road, 'ready'));
    await run.drain();
    await run.advance(30_000);
    expect(run.outcome()).toBe('cancelled');
  });

  it('the loss of the server ends every instance and the run, with the cause', async () => {
    const run = await orchestration(createPlan(road, 'ready'));
    await run.loseServer();
    expect(run.outcome()).toBe('failed');
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.ended', cause: { code: 'OPENCODE_LOST' } });
    expect(run.open()).toEqual([]);
  });
});
