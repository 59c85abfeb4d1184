import { describe, expect, it } from 'vitest';
import type { ResumedStart } from '../../machines/task-ports.ts';
import { NO_USAGE } from '../../schemas/session-event.ts';
import { type Bench, taskBench } from './task-bench.ts';

const session = { sessionId: 's', apiSessionId: 'ses_1' };
const complete = { complete: true, issues: [] };
const incomplete = { complete: false, issues: [{ path: 'Thing', message: 'expected at least 1, got 0' }] };
const usage = { ...NO_USAGE, steps: 7 };
const ended = { type: 'session.turn-ended', messageId: 'm', judgement: { kind: 'candidate' } } as const;
const place = { attempt: 2, turn: 3, repair: 1, session, usage };

async function resumed(start: ResumedStart, limits = {}): Promise<Bench> {
  const bench = taskBench(limits, { attempt: 2 });
  bench.send({ type: 'task.start' });
  await bench.answer('resume', start);
  return bench;
}

describe('a task actor that is taken up', () => {
  it('commits again without a session, a prompt or a review', async () => {
    const bench = await resumed({ step: 'commit-again', attempt: 2, usage });
    await bench.answer('commit', bench.committed);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'completed' }, items: { Thing: ['T-1'] } });
    expect(bench.calls.filter((call) => !call.startsWith('release'))).toEqual(['resume', 'commit']);
    expect(bench.fact('commit.ended')).toMatchObject({ attempt: 2 });
    expect(bench.fact('attempt.measured')).toMatchObject({ attempt: 2, usage });
  });

  it('reviews a turn that had ended, and repairs in the same session', async () => {
    const bench = await resumed({ step: 'take', ...place, judgement: { kind: 'candidate' } });
    // It is at work already: its place at the gate is counted before anything else happens.
    expect(bench.calls).toEqual(['resume', 'occupyGate', 'addRoute ses_1', 'review']);
    await bench.answer('review', incomplete);
    expect(bench.lastInput('prompt')).toMatchObject({
      attempt: 2,
      turn: 4,
      apiSessionId: 'ses_1',
      issues: incomplete.issues,
    });
    expect(bench.lastInput('prompt')).not.toHaveProperty('continues');
    expect(bench.fact('repair.requested')).toMatchObject({ attempt: 2, repair: 2 });
  });

  it('waits for a turn that still runs', async () => {
    const bench = await resumed({ step: 'join', ...place });
    expect(bench.calls).toEqual(['resume', 'occupyGate', 'addRoute ses_1']);
    bench.send(ended);
    await bench.answer('review', complete);
    await bench.answer('commit', bench.committed);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'completed' } });
    expect(bench.fact('turn.ended')).toMatchObject({ attempt: 2, turn: 3 });
  });

  it('begins anew when its session spent more than an attempt may while nobody watched', async () => {
    const bench = await resumed({ step: 'join', ...place }, { steps: 60, attempts: 3 });
    bench.send({ type: 'session.usage', usage: { ...usage, steps: 147 } });
    await bench.answer('abort', undefined);
    expect(bench.fact('failure.answered')).toMatchObject({
      cause: { code: 'step-limit' },
      answer: { kind: 'fresh-session' },
    });
    await bench.advance(60_000);
    expect(bench.fact('attempt.started')).toMatchObject({ attempt: 3 });
    // The new one is watched from its beginning.
    await bench.answer('openSession', session);
    bench.send({ type: 'session.usage', usage: { ...usage, steps: 60 } });
    await bench.answer('abort', undefined);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { code: 'step-limit' } } });
  });

  it('goes on in its session with a prompt that says so, once', async () => {
    const bench = await resumed({ step: 'continue', ...place });
    expect(bench.lastInput('prompt')).toMatchObject({ turn: 4, continues: true });
    await bench.answer('prompt', undefined);
    bench.send(ended);
    await bench.answer('review', incomplete);
    expect(bench.lastInput('prompt')).toMatchObject({ turn: 5 });
    expect(bench.lastInput('prompt')).not.toHaveProperty('continues');
  });

  it('sends the work prompt when none had arrived', async () => {
    const bench = await resumed({ step: 'continue', ...place, turn: 0, repair: 0 });
    expect(bench.lastInput('prompt')).toMatchObject({ turn: 1 });
    expect(bench.lastInput('prompt')).not.toHaveProperty('continues');
  });

  it('counts a new attempt on, and tells it why', async () => {
    const previous = { code: 'stall', message: 'silence' };
    const bench = await resumed({ step: 'new-attempt', attempt: 2, previous }, { attempts: 4 });
    expect(bench.lastInput('openSession')).toMatchObject({ attempt: 3, previous });
    expect(bench.factTypes()).toEqual(['instance.resumed', 'attempt.started']);
    expect(bench.facts[0]).toMatchObject({ step: 'new-attempt', cause: previous });
  });

  it('says how it was taken up before anything else', async () => {
    for (const start of [
      { step: 'commit-again', attempt: 2, usage },
      { step: 'join', ...place },
      { step: 'continue', ...place },
    ] as const) {
      const bench = await resumed(start);
      expect(bench.facts[0]).toEqual({ type: 'instance.resumed', instance: 'thing', attempt: 2, step: start.step });
    }
  });

  it('fails by name when it cannot be found out how it stands and trying again cannot help', async () => {
    const bench = taskBench({ attempts: 4 }, { attempt: 2 });
    bench.send({ type: 'task.start' });
    await bench.reject('resume', new Error('no answer'));
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { code: 'BUG' } } });
    expect(bench.fact('attempt.failed')).toMatchObject({ attempt: 2 });
  });

  it('ends cancelled when it is cancelled meanwhile', async () => {
    const bench = taskBench({}, { attempt: 2 });
    bench.send({ type: 'task.start' });
    bench.send({ type: 'task.cancel', cause: { code: 'interrupted', message: 'Ctrl-C' } });
    expect(bench.output()).toMatchObject({ outcome: { kind: 'cancelled', cause: { code: 'interrupted' } } });
  });
});
