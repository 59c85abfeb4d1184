/** What the task machine does with the policy's answers: waits, other models, holds, yields, the end of the run. */
import { describe, expect, it } from 'vitest';
import type { TaskPolicy } from '../../machines/task-answer.ts';
import { DEFAULT_RETRY } from '../../schemas/manifest.ts';
import { type Judgement, NO_USAGE } from '../../schemas/session-event.ts';
import { type Bench, taskBench } from './task-bench.ts';

const complete = { complete: true, issues: [] };
const incomplete = { complete: false, issues: [{ path: 'Thing', message: 'expected at least 1, got 0' }] };
const limited: Judgement = { kind: 'failed', error: 'APIError', message: 'Rate limit', status: 429, retryable: true };
const refusedKey: Judgement = {
  kind: 'failed',
  error: 'APIError',
  message: 'Invalid API key',
  status: 401,
  retryable: false,
};
const policy = (more: Partial<TaskPolicy> = {}): TaskPolicy => ({ model: 'a/one', retry: DEFAULT_RETRY, ...more });
const ended = (judgement: Judgement = { kind: 'candidate' }) =>
  ({ type: 'session.turn-ended', messageId: 'm', judgement }) as const;

async function working(more: Partial<TaskPolicy> = {}, limits = {}): Promise<Bench> {
  const bench = taskBench(limits, undefined, { policy: policy(more) });
  bench.send({ type: 'task.start' });
  await bench.answer('enterGate', undefined);
  await bench.answer('openSession', { sessionId: 's', apiSessionId: 'ses_1' });
  await bench.answer('prompt', undefined);
  return bench;
}
async function turnEnds(bench: Bench, judgement: Judgement, review: unknown = incomplete): Promise<void> {
  bench.send(ended(judgement));
  await bench.answer('review', review);
}

describe('a provider that refuses for a while', () => {
  it('is waited for without a place at the gate, and the same session goes on; no attempt is counted', async () => {
    const bench = await working({}, { attempts: 1 });
    await turnEnds(bench, limited);
    expect(bench.calls.at(-1)).toBe('leaveGate');
    expect(bench.count('abort')).toBe(0);
    expect(bench.fact('failure.answered')).toMatchObject({
      cause: { class: 'rate-limit' },
      answer: { kind: 'back-off' },
    });
    await bench.advance(1_000);
    await bench.answer('enterGate', undefined);
    expect(bench.lastInput('prompt')).toMatchObject({ attempt: 1, turn: 2, apiSessionId: 'ses_1', continues: true });
    expect(bench.count('openSession')).toBe(1);
    await bench.answer('prompt', undefined);
    bench.send(ended());
    await bench.answer('review', complete);
    await bench.answer('commit', bench.committed);
    expect(bench.output()?.outcome.kind).toBe('completed');
  });

  it('is given up when patience ends, and a call that succeeds renews the patience', async () => {
    const bench = await working({ retry: { ...DEFAULT_RETRY, patienceMs: 2_500 } });
    for (let wait = 0; wait < 6; wait++) {
      await turnEnds(bench, limited);
      const waitMs = (bench.fact('failure.answered') as { answer: { waitMs: number } }).answer.waitMs;
      expect(waitMs).toBeLessThanOrEqual(1_000);
      await bench.advance(waitMs);
      await bench.answer('enterGate', undefined);
      await bench.answer('prompt', undefined);
      bench.send({ type: 'session.usage', usage: { ...NO_USAGE, outputTokens: wait + 1, steps: wait + 1 } });
    }
    for (const kind of ['back-off', 'back-off', 'give-up']) {
      await turnEnds(bench, limited);
      expect(bench.fact('failure.answered')).toMatchObject({ answer: { kind } });
      if (kind === 'give-up') break;
      await bench.advance(2_500);
      await bench.answer('enterGate', undefined);
      await bench.answer('prompt', undefined);
    }
    await bench.answer('abort', undefined);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { class: 'rate-limit' } } });
    expect(bench.output()?.stop).toBeUndefined();
  });

  it('is left for another model, in the same session', async () => {
    const bench = await working({ retry: { ...DEFAULT_RETRY, fallbackModels: ['b/two'] } });
    await turnEnds(bench, refusedKey);
    expect(bench.fact('failure.answered')).toMatchObject({ answer: { kind: 'fallback-model', model: 'b/two' } });
    expect(bench.lastInput('enterGate')).toMatchObject({ model: 'b/two' });
    await bench.answer('enterGate', undefined);
    expect(bench.lastInput('prompt')).toMatchObject({ model: 'b/two', apiSessionId: 'ses_1', continues: true });
  });

  it('that asks for longer than anybody would wait pauses the run at once', async () => {
    const bench = await working();
    bench.send({ type: 'session.retrying', attempt: 1, message: 'quota', waitMs: DEFAULT_RETRY.patienceMs + 1 });
    await bench.answer('abort', undefined);
    expect(bench.output()).toMatchObject({
      outcome: { kind: 'cancelled', cause: { code: 'paused' } },
      stop: { how: 'pause-run' },
    });
  });
});

describe('a turn that somebody else breaks off', () => {
  it.each<Judgement>([{ kind: 'aborted', byUs: false }, { kind: 'interrupted' }])(
    'goes on in the same session after a moment, and costs no attempt: $kind',
    async (judgement) => {
      const bench = await working({}, { attempts: 1, repairs: 0 });
      for (const turn of [2, 3]) {
        await turnEnds(bench, judgement);
        expect(bench.calls.at(-1)).toBe('leaveGate');
        await bench.advance(2_000);
        await bench.answer('enterGate', undefined);
        expect(bench.lastInput('prompt')).toMatchObject({ attempt: 1, turn, apiSessionId: 'ses_1', continues: true });
        await bench.answer('prompt', undefined);
      }
      await turnEnds(bench, { kind: 'candidate' }, complete);
      await bench.answer('commit', bench.committed);
      expect(bench.output()?.outcome.kind).toBe('completed');
      expect([bench.count('abort'), bench.count('openSession')]).toEqual([0, 1]);
    },
  );

  it('is waited for longer each time nothing came of it, and given up when patience ends', async () => {
    const bench = await working({ retry: { ...DEFAULT_RETRY, patienceMs: 3_000 } }, { attempts: 1 });
    const waitsMs: number[] = [];
    for (;;) {
      await turnEnds(bench, { kind: 'aborted', byUs: false });
      const { answer } = bench.fact('failure.answered') as unknown as { answer: { kind: string; waitMs: number } };
      if (answer.kind === 'give-up') break;
      waitsMs.push(answer.waitMs);
      await bench.advance(answer.waitMs);
      await bench.answer('enterGate', undefined);
      await bench.answer('prompt', undefined);
    }
    await bench.answer('abort', undefined);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { class: 'session-lost' } } });
    expect(waitsMs).toHaveLength(2);
    expect(waitsMs[1]).toBeGreaterThan(waitsMs[0]!);
  });
});

describe('a refused key', () => {
  it('is told once: the instance fails and the run is to stop', async () => {
    const bench = await working({}, { attempts: 3 });
    await turnEnds(bench, refusedKey);
    await bench.answer('abort', undefined);
    expect(bench.output()).toMatchObject({
      outcome: { kind: 'failed', cause: { class: 'auth' } },
      stop: { how: 'stop-run', cause: { message: 'Invalid API key' } },
    });
    expect(bench.count('openSession')).toBe(1);
  });
});

describe('the gate', () => {
  it('is passed before a session is opened, and left with the attempt', async () => {
    const bench = taskBench({}, undefined, { policy: policy() });
    bench.send({ type: 'task.start' });
    expect(bench.calls).toEqual(['enterGate']);
    await bench.answer('enterGate', undefined);
    expect(bench.calls).toEqual(['enterGate', 'openSession']);
    await bench.answer('openSession', { sessionId: 's', apiSessionId: 'ses_1' });
    await bench.answer('prompt', undefined);
    await turnEnds(bench, { kind: 'candidate' }, complete);
    expect(bench.calls).toContain('leaveGate');
  });

  it('waiting at it is no time of the attempt, and can be cancelled', async () => {
    const bench = taskBench({ attemptMs: 1_000 }, undefined, { policy: policy() });
    bench.send({ type: 'task.start' });
    await bench.advance(3_600_000);
    expect(bench.factTypes()).toEqual([]);
    bench.send({ type: 'task.cancel', cause: { code: 'interrupted', message: 'Ctrl-C' } });
    expect(bench.output()?.outcome.kind).toBe('cancelled');
    expect(bench.factTypes()).toEqual([]);
  });

  it('a turn that yields is broken off, and goes on in the same session when there is a place', async () => {
    const bench = await working();
    bench.send({ type: 'session.retrying', attempt: 1, message: 'Rate limit', waitMs: 3_000 });
    bench.send({ type: 'task.yield' });
    expect(bench.fact('turn.yielded')).toMatchObject({ turn: 1 });
    expect(bench.calls.slice(-2)).toEqual(['leaveGate', 'abort']);
    await bench.answer('abort', undefined);
    expect(bench.count('enterGate')).toBe(1);
    bench.send(ended({ kind: 'aborted', byUs: true }));
    await bench.answer('enterGate', undefined);
    expect(bench.lastInput('prompt')).toMatchObject({ attempt: 1, turn: 2, continues: true });
  });

  it('a turn that ended by itself before it could be broken off is reviewed', async () => {
    const bench = await working();
    bench.send({ type: 'task.yield' });
    bench.send(ended());
    await bench.answer('review', complete);
    await bench.answer('commit', bench.committed);
    expect(bench.output()?.outcome.kind).toBe('completed');
  });

  it('a server that does not end the turn costs an attempt, not the run', async () => {
    const bench = await working();
    bench.send({ type: 'task.yield' });
    await bench.answer('abort', undefined);
    await bench.advance(10_000);
    expect(bench.fact('attempt.failed')).toMatchObject({ cause: { class: 'session-lost' }, retryInMs: 1_000 });
  });
});

describe('a hold after the work', () => {
  const hold = { reason: 'read the plan', timeoutMs: 60_000 };
  async function held(more: Partial<TaskPolicy> = { hold }): Promise<Bench> {
    const bench = await working(more);
    await turnEnds(bench, { kind: 'candidate' }, complete);
    return bench;
  }

  it('keeps complete work back until a person releases it', async () => {
    const bench = await held();
    expect(bench.fact('hold.opened')).toMatchObject({ point: 'after:thing', of: 'thing', reason: 'read the plan' });
    expect(bench.count('commit')).toBe(0);
    bench.send({ type: 'hold.decide', decision: { kind: 'released', by: 'Ada' } });
    await bench.answer('commit', bench.committed);
    expect(bench.factTypes().filter((type) => type.startsWith('hold.') || type.startsWith('commit.'))).toEqual([
      'hold.opened',
      'hold.released',
      'commit.started',
      'commit.ended',
    ]);
  });

  it('on rejection the reason goes to the agent as a repair in its session, and the work is looked at again', async () => {
    const bench = await held();
    bench.send({ type: 'hold.decide', decision: { kind: 'rejected', by: 'Bob', reason: 'section 4 is missing' } });
    await bench.answer('enterGate', undefined);
    const issues = [{ path: 'hold point', message: expect.stringMatching(/Bob.*section 4 is missing/) }];
    expect(bench.lastInput('prompt')).toMatchObject({ apiSessionId: 'ses_1', turn: 2, issues });
    expect(bench.fact('repair.requested')).toMatchObject({ issues });
    await bench.answer('prompt', undefined);
    await turnEnds(bench, { kind: 'candidate' }, complete);
    expect(bench.facts.filter(({ type }) => type === 'hold.opened')).toHaveLength(2);
  });

  it('a person may reject more often than the limits allow repairs', async () => {
    const bench = await working({ hold }, { repairs: 1 });
    for (let i = 0; i < 3; i++) {
      await turnEnds(bench, { kind: 'candidate' }, complete);
      bench.send({ type: 'hold.decide', decision: { kind: 'rejected', by: 'Bob', reason: 'no' } });
      await bench.answer('enterGate', undefined);
      await bench.answer('prompt', undefined);
    }
    await turnEnds(bench, { kind: 'candidate' });
    expect(bench.fact('failure.answered')).toMatchObject({
      answer: { kind: 'repair', reason: 'repair 1 of 1 in the same session' },
    });
  });

  it('silence denies: the instance fails, and that is no refusal of a person', async () => {
    const bench = await held();
    await bench.advance(59_999);
    expect(bench.output()).toBeUndefined();
    await bench.advance(1);
    await bench.answer('abort', undefined);
    expect(bench.fact('hold.expired')).toMatchObject({ point: 'after:thing' });
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { code: 'hold-expired' } } });
    expect(bench.count('openSession')).toBe(1);
  });

  it('without a time it waits for ever', async () => {
    const bench = await held({ hold: { reason: 'look' } });
    await bench.advance(10 * 365 * 86_400_000);
    expect(bench.output()).toBeUndefined();
  });

  it('a decision of an earlier process is taken over, and is good for one time only', async () => {
    const decision = { kind: 'released', by: 'Ada' } as const;
    const bench = taskBench({}, undefined, { policy: policy({ hold }), knownHold: { decision } });
    bench.send({ type: 'task.start' });
    await bench.answer('enterGate', undefined);
    await bench.answer('openSession', { sessionId: 's', apiSessionId: 'ses_1' });
    await bench.answer('prompt', undefined);
    await turnEnds(bench, { kind: 'candidate' }, complete);
    await bench.answer('commit', bench.committed);
    expect(bench.output()?.outcome.kind).toBe('completed');
    expect(bench.factTypes().filter((type) => type.startsWith('hold.'))).toEqual([]);
  });

  it('what was left of its time counts, not the whole time again', async () => {
    const bench = taskBench({}, undefined, { policy: policy({ hold }), knownHold: { remainingMs: 5_000 } });
    bench.send({ type: 'task.start' });
    await bench.answer('enterGate', undefined);
    await bench.answer('openSession', { sessionId: 's', apiSessionId: 'ses_1' });
    await bench.answer('prompt', undefined);
    await turnEnds(bench, { kind: 'candidate' }, complete);
    expect(bench.fact('hold.opened')).toMatchObject({ again: true });
    await bench.advance(5_000);
    expect(bench.fact('hold.expired')).toBeDefined();
  });

  it('can be cancelled while it waits', async () => {
    const bench = await held();
    bench.send({ type: 'task.cancel', cause: { code: 'interrupted', message: 'Ctrl-C' } });
    await bench.answer('abort', undefined);
    expect(bench.output()?.outcome).toMatchObject({ kind: 'cancelled', cause: { code: 'interrupted' } });
  });
});

describe('a model that goes astray', () => {
  it('calling itself for ever is stopped before its work is looked at, also when that work is complete', async () => {
    const bench = await working();
    bench.send(ended({ kind: 'loop' }));
    expect(bench.calls.slice(-1)).toEqual(['abort']);
    expect(bench.count('review')).toBe(0);
    await bench.answer('abort', undefined);
    await bench.answer('review', complete);
    await bench.answer('commit', bench.committed);
    expect(bench.output()?.outcome.kind).toBe('completed');
  });

  it('is judged by how its turn ended, also when a limit is reached while its work is looked at', async () => {
    const bench = await working({}, { steps: 5 });
    bench.send(ended({ kind: 'loop' }));
    bench.send({ type: 'session.usage', usage: { ...NO_USAGE, steps: 9 } });
    // The server does not answer: nothing waits for it for ever.
    await bench.advance(10_000);
    await bench.answer('review', incomplete);
    await bench.answer('abort', undefined);
    expect(bench.fact('attempt.failed')).toMatchObject({ cause: { class: 'loop' } });
    expect(bench.fact('attempt.measured')).toMatchObject({ usage: { steps: 9 } });
  });

  it('repeating the same call ends at the limit, as a loop, and the next session is told', async () => {
    const bench = await working({}, { repeatedCalls: 5 });
    bench.send({ type: 'session.repeating', tool: 'read', times: 4 });
    expect(bench.count('abort')).toBe(0);
    bench.send({ type: 'session.repeating', tool: 'read', times: 5 });
    await bench.answer('abort', undefined);
    expect(bench.fact('attempt.failed')).toMatchObject({ cause: { code: 'repeated-calls', class: 'loop' } });
    await bench.advance(1_000);
    await bench.answer('enterGate', undefined);
    expect(bench.lastInput('openSession')).toMatchObject({ adjustment: expect.stringMatching(/again and again/) });
  });

  it('saying "done" without work gets a repair that says so, word for word on record', async () => {
    const bench = await working();
    bench.send(ended());
    await bench.answer('review', { ...incomplete, work: { accepted: 0, refused: 0 } });
    const { adjustment } = bench.lastInput('prompt') as { adjustment: string };
    expect(adjustment).toMatch(/^Nothing was handed in/);
    expect(bench.fact('failure.answered')).toMatchObject({
      cause: { class: 'incomplete' },
      answer: { kind: 'repair' },
      adjustment,
    });
  });

  it('stopping at a tool that failed is a tool error, with what the tool said', async () => {
    const bench = await working();
    const tools = { calls: 3, failed: 1, lastFailed: { tool: 'read', message: 'no such file' } };
    bench.send({ ...ended(), tools });
    await bench.answer('review', { ...incomplete, work: { accepted: 2, refused: 0 } });
    expect(bench.lastInput('prompt')).toMatchObject({ adjustment: expect.stringMatching(/"no such file"/) });
    expect(bench.fact('failure.answered')).toMatchObject({ cause: { class: 'tool-error' } });
  });

  it('outgrowing the context gets one new session that works in portions', async () => {
    const bench = await working({}, { attempts: 5 });
    const overflow: Judgement = {
      kind: 'failed',
      error: 'ContextOverflowError',
      message: 'too large to compact',
      retryable: true,
    };
    await turnEnds(bench, overflow);
    await bench.answer('abort', undefined);
    await bench.advance(60_000);
    await bench.answer('enterGate', undefined);
    expect(bench.lastInput('openSession')).toMatchObject({
      attempt: 2,
      adjustment: expect.stringMatching(/small portions/),
    });
    await bench.answer('openSession', { sessionId: 's', apiSessionId: 'ses_2' });
    await bench.answer('prompt', undefined);
    await turnEnds(bench, overflow);
    await bench.answer('abort', undefined);
    expect(bench.output()).toMatchObject({ outcome: { kind: 'failed', cause: { class: 'context-overflow' } } });
  });
});

it('every failure of an attempt is on record with exactly one class', async () => {
  const bench = await working({}, { attempts: 2, stallMs: 1_000, repairs: 0 });
  await bench.advance(1_000);
  await bench.answer('abort', undefined);
  await bench.advance(60_000);
  await bench.answer('enterGate', undefined);
  await bench.answer('openSession', { sessionId: 's', apiSessionId: 'ses_2' });
  await bench.answer('prompt', undefined);
  await turnEnds(bench, { kind: 'candidate' });
  await bench.answer('abort', undefined);
  const answered = bench.facts.filter((fact) => fact.type === 'failure.answered');
  expect(answered.map(({ cause, answer }) => `${cause.class} ${answer.kind}`)).toEqual([
    'stall fresh-session',
    'incomplete give-up',
  ]);
  const failed = bench.facts.filter((fact) => fact.type === 'attempt.failed');
  expect(failed.map(({ cause }) => cause.class)).toEqual(['stall', 'incomplete']);
});
