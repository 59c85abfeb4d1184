import { describe, expect, it } from 'vitest';
import { type Bench, taskBench } from './task-bench.ts';

const complete = { complete: true, issues: [] };
const incomplete = { complete: false, issues: [{ path: 'Thing', message: 'expected at least 1, got 0' }] };
const usage = (steps: number) => ({
  inputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cost: 0,
  steps,
});

async function working(bench: Bench): Promise<void> {
  bench.send({ type: 'task.start' });
  await bench.answer('openSession', { sessionId: 's', apiSessionId: 'ses_1' });
  await bench.answer('prompt', undefined);
}
const ended = { type: 'session.turn-ended', messageId: 'm', judgement: { kind: 'candidate' } } as const;

describe('a task actor', () => {
  it('commits work that the review found complete', async () => {
    const bench = taskBench();
    await working(bench);
    bench.send(ended);
    await bench.answer('review', complete);
    await bench.answer('commit', bench.committed);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'completed' }, items: { Thing: ['T-1'] } });
    expect(bench.factTypes()).toEqual([
      'attempt.started',
      'session.opened',
      'turn.ended',
      'commit.started',
      'commit.ended',
      'attempt.measured',
    ]);
  });

  it('registers the session with the event stream before the first prompt is asked for (R1)', async () => {
    const bench = taskBench();
    bench.send({ type: 'task.start' });
    await bench.answer('openSession', { sessionId: 's', apiSessionId: 'ses_1' });
    expect(bench.calls).toEqual(['openSession', 'addRoute ses_1', 'prompt']);
  });

  it('asks for a repair in the same session, with the issues, before it opens a new one', async () => {
    const bench = taskBench();
    await working(bench);
    bench.send(ended);
    await bench.answer('review', incomplete);
    expect(bench.lastInput('prompt')).toMatchObject({ turn: 2, apiSessionId: 'ses_1', issues: incomplete.issues });
  });

  it('fails with the cause "incomplete" after all repairs and all attempts', async () => {
    const bench = taskBench({ repairs: 1, attempts: 2 });
    for (let attempt = 1; attempt <= 2; attempt++) {
      if (attempt === 1) bench.send({ type: 'task.start' });
      else await bench.advance(60_000);
      await bench.answer('openSession', { sessionId: 's', apiSessionId: `ses_${attempt}` });
      for (let turn = 1; turn <= 2; turn++) {
        await bench.answer('prompt', undefined);
        bench.send(ended);
        await bench.answer('review', incomplete);
      }
      await bench.answer('abort', undefined);
    }
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { code: 'incomplete' } } });
    expect(bench.count('prompt')).toBe(4);
    expect(bench.count('openSession')).toBe(2);
    expect(bench.count('commit')).toBe(0);
  });

  it('commits complete work even when the turn itself ended with an error', async () => {
    const bench = taskBench();
    await working(bench);
    bench.send({
      type: 'session.turn-ended',
      messageId: 'm',
      judgement: { kind: 'failed', error: 'APIError', message: 'boom', retryable: true },
    });
    await bench.answer('review', complete);
    await bench.answer('commit', bench.committed);
    expect(bench.output()?.outcome.kind).toBe('completed');
  });

  it('does not try again after an error that a new session cannot cure', async () => {
    const bench = taskBench({ attempts: 3 });
    await working(bench);
    bench.send({
      type: 'session.turn-ended',
      messageId: 'm',
      judgement: { kind: 'failed', error: 'ProviderAuthError', message: 'no key', retryable: false },
    });
    await bench.answer('review', incomplete);
    await bench.answer('abort', undefined);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { code: 'ProviderAuthError' } } });
    expect(bench.count('openSession')).toBe(1);
  });

  it('aborts a session that is silent for the stall time, and opens a fresh one', async () => {
    const bench = taskBench({ stallMs: 1_000, attempts: 2 });
    await working(bench);
    await bench.advance(999);
    expect(bench.count('abort')).toBe(0);
    await bench.advance(1);
    expect(bench.count('abort')).toBe(1);
    await bench.answer('abort', undefined);
    expect(bench.fact('attempt.failed')).toMatchObject({ cause: { code: 'stall' }, retryInMs: 1_000 });
    await bench.advance(1_000);
    expect(bench.count('openSession')).toBe(2);
  });

  it('counts activity as life, and a retry wait that the server announced as well', async () => {
    const bench = taskBench({ stallMs: 1_000 });
    await working(bench);
    for (let second = 0; second < 5; second++) {
      await bench.advance(900);
      bench.send({ type: 'session.activity' });
    }
    bench.send({ type: 'session.retrying', attempt: 1, message: 'rate limit', waitMs: 40_000 });
    await bench.advance(40_000);
    await bench.advance(999);
    expect(bench.count('abort')).toBe(0);
    await bench.advance(1);
    expect(bench.count('abort')).toBe(1);
  });

  it('stops an attempt at its limit of model calls and does not spend as much again', async () => {
    const bench = taskBench({ steps: 3, attempts: 2 });
    await working(bench);
    bench.send({ type: 'session.usage', usage: usage(2) });
    expect(bench.count('abort')).toBe(0);
    bench.send({ type: 'session.usage', usage: usage(3) });
    await bench.answer('abort', undefined);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { code: 'step-limit' } } });
  });

  it('ends although the server never answers the abort', async () => {
    const bench = taskBench({ attempts: 1, stallMs: 1_000 });
    await working(bench);
    await bench.advance(1_000);
    await bench.advance(10_000);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { code: 'stall' } } });
  });

  it('keeps the wall-time limit over any amount of activity', async () => {
    const bench = taskBench({ attemptMs: 5_000, stallMs: 1_000, attempts: 1 });
    await working(bench);
    for (let i = 0; i < 9; i++) {
      bench.send({ type: 'session.activity' });
      await bench.advance(500);
    }
    bench.send({ type: 'session.activity' });
    await bench.advance(500);
    await bench.answer('abort', undefined);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { code: 'time-limit' } } });
  });

  it('is cancelled at any place with the cause it was given, and the session is aborted', async () => {
    const cause = { code: 'interrupted', message: 'Ctrl-C' };
    const waiting = taskBench();
    waiting.send({ type: 'task.cancel', cause });
    expect(waiting.output()).toMatchObject({ outcome: { kind: 'cancelled', cause } });

    const atWork = taskBench();
    await working(atWork);
    atWork.send({ type: 'task.cancel', cause });
    await atWork.answer('abort', undefined);
    expect(atWork.output()).toMatchObject({ outcome: { kind: 'cancelled', cause } });
    expect(atWork.calls.filter((call) => call.startsWith('releaseSession'))).toEqual(['releaseSession cancelled']);
  });

  it('does not cancel a commit that has begun', async () => {
    const bench = taskBench();
    await working(bench);
    bench.send(ended);
    await bench.answer('review', complete);
    bench.send({ type: 'task.cancel', cause: { code: 'interrupted', message: 'Ctrl-C' } });
    await bench.answer('commit', bench.committed);
    expect(bench.output()?.outcome.kind).toBe('completed');
  });

  it('tells the next session why the one before failed', async () => {
    const bench = taskBench({ attempts: 2, stallMs: 1_000 });
    await working(bench);
    await bench.advance(1_000);
    await bench.answer('abort', undefined);
    await bench.advance(1_000);
    expect(bench.lastInput('openSession')).toMatchObject({ attempt: 2, previous: { code: 'stall' } });
  });

  it('takes a turn that ended before the prompt request was answered', async () => {
    const bench = taskBench();
    bench.send({ type: 'task.start' });
    await bench.answer('openSession', { sessionId: 's', apiSessionId: 'ses_1' });
    bench.send(ended);
    await bench.answer('review', complete);
    await bench.answer('commit', bench.committed);
    expect(bench.output()?.outcome.kind).toBe('completed');
  });
});
