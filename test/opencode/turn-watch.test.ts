import { describe, expect, it } from 'vitest';
import { readingFrame } from '../../src/opencode/frames.ts';
import { answer, busy, child, done, event, idle, SessionBench, user } from './session-bench.ts';

const S = 'ses_1';

function prompted(): SessionBench {
  const bench = new SessionBench();
  bench.register(S);
  bench.prompt(S, 'msg_1');
  return bench;
}

describe('evidence of start', () => {
  it('is demanded 15 s after the prompt was taken: sent again once with the same id, then not started', async () => {
    const bench = prompted();
    await bench.clock.advance(14_999);
    expect(bench.resent).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.resent).toEqual(['msg_1']);
    await bench.clock.advance(15_000);
    expect(bench.resent).toEqual(['msg_1']);
    expect(bench.heard(S)).toEqual(['ended:not-started']);
    expect(bench.clock.pending).toBe(0);
  });

  it('is found by reading when the stream lost it: nothing is sent again', async () => {
    const bench = prompted();
    bench.read = async () => [user(S, 'msg_1'), busy(S)];
    await bench.clock.advance(20_000);
    expect(bench.resent).toEqual([]);
    expect(bench.heard(S)).toEqual(['started']);
  });

  it('is not a stored message alone, and not a busy session alone', async () => {
    const bench = prompted();
    bench.feed(user(S, 'msg_1'));
    expect(bench.heard(S)).toEqual([]);
    bench.feed(busy(S));
    expect(bench.heard(S)).toEqual(['started']);
  });

  it('is waited for longer while the server has not answered the prompt', async () => {
    const bench = new SessionBench();
    bench.register(S);
    bench.router.expectTurn(S, { messageId: 'msg_1' });
    await bench.clock.advance(59_999);
    expect(bench.resent).toEqual([]);
    bench.router.notePromptTaken(S);
    await bench.clock.advance(14_999);
    expect(bench.resent).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.resent).toEqual(['msg_1']);
  });

  it('late error of the turn before does not end a turn whose prompt is still under way', async () => {
    const bench = new SessionBench();
    bench.register(S);
    bench.router.expectTurn(S, { messageId: 'msg_2' });
    bench.feed(event(S, 'session.error', { error: { name: 'UnknownError', data: { message: 'old' } } }), idle(S));
    await bench.clock.advance(30_000);
    expect(bench.heard(S)).toEqual([]);
    bench.router.notePromptTaken(S);
    bench.feed(user(S, 'msg_2'), busy(S), answer(S, 'msg_3', 'msg_2', done), idle(S));
    expect(bench.heard(S)).toEqual(['started', 'usage', 'ended:candidate']);
  });
});

describe('a turn that looks over', () => {
  it('is read only after 250 ms of silence', async () => {
    const bench = prompted();
    bench.feed(user(S, 'msg_1'), busy(S), answer(S, 'msg_2', 'msg_1'), idle(S));
    await bench.clock.advance(200);
    bench.feed(event(S, 'session.updated'));
    await bench.clock.advance(249);
    expect(bench.queries).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.queries).toMatchObject([{ messageId: 'msg_1', replyIds: ['msg_2'] }]);
  });

  it('is interrupted when five readings find no final message', async () => {
    const bench = prompted();
    bench.feed(user(S, 'msg_1'), busy(S), answer(S, 'msg_2', 'msg_1'), idle(S));
    await bench.clock.advance(1_249);
    expect(bench.heard(S)).toEqual(['started']);
    await bench.clock.advance(1);
    expect(bench.queries).toHaveLength(5);
    expect(bench.heard(S)).toEqual(['started', 'ended:interrupted']);
  });

  it('is judged by what is known when the readings fail', async () => {
    const bench = prompted();
    bench.read = () => Promise.reject(new Error('no answer'));
    const rejected = { time: done.time, finish: 'tool-calls' };
    bench.feed(user(S, 'msg_1'), busy(S), answer(S, 'msg_2', 'msg_1', rejected), idle(S));
    await bench.clock.advance(2_000);
    expect(bench.heard(S)).toEqual(['started', 'usage', 'ended:interrupted']);
    expect(bench.faults).toEqual(Array.from({ length: 5 }, () => `${S}: no answer`));
  });

  it('is not rejected when the reading finds a further answer that the stream lost', async () => {
    const bench = prompted();
    bench.read = async () => [
      answer(S, 'msg_3', 'msg_1', done),
      readingFrame('session.status', S, { status: { type: 'idle' } }),
      readingFrame('session.idle', S, {}),
    ];
    const calling = { time: done.time, finish: 'tool-calls' };
    bench.feed(user(S, 'msg_1'), busy(S), answer(S, 'msg_2', 'msg_1', calling), idle(S));
    await bench.clock.advance(250);
    expect(bench.heard(S)).toEqual(['started', 'usage', 'usage', 'ended:candidate']);
  });

  it('goes on when the session is at work again, and a stale reading of idle cannot end it', async () => {
    const bench = prompted();
    let answerReading = (_frames: ReturnType<typeof idle>[]): void => {};
    bench.read = () => new Promise((resolve) => (answerReading = resolve));
    const calling = { time: done.time, finish: 'tool-calls' };
    bench.feed(user(S, 'msg_1'), busy(S), answer(S, 'msg_2', 'msg_1', calling), idle(S));
    await bench.clock.advance(250);
    bench.feed(busy(S));
    answerReading([
      readingFrame('session.status', S, { status: { type: 'idle' } }),
      readingFrame('session.idle', S, {}),
    ]);
    await bench.clock.advance(2_000);
    expect(bench.heard(S)).toEqual(['started', 'usage']);
    bench.feed(answer(S, 'msg_3', 'msg_1', done), idle(S));
    expect(bench.heard(S)).toEqual(['started', 'usage', 'usage', 'ended:candidate']);
  });

  it('does not end on an idle out of nothing', async () => {
    const bench = prompted();
    bench.feed(idle(S), idle(S));
    await bench.clock.advance(10_000);
    expect(bench.heard(S)).toEqual([]);
  });

  it('stays open while an ask is pending, also one of a child, and ends when it is answered', async () => {
    const bench = prompted();
    const ask = { id: 'per_1', permission: 'bash', patterns: ['ls'] };
    bench.feed(user(S, 'msg_1'), busy(S), child('ses_2', S), event('ses_2', 'permission.asked', ask));
    bench.feed(answer(S, 'msg_2', 'msg_1', done), idle(S));
    expect(bench.heard(S)).toEqual(['started', 'usage']);
    bench.feed(event('ses_2', 'permission.replied', { requestID: 'per_1', reply: 'once' }));
    expect(bench.heard(S)).toEqual(['started', 'usage', 'ended:candidate']);
  });
});

describe('a lost idle', () => {
  it('is found after 5 s between two model calls, after 30 s during one', async () => {
    for (const [more, afterMs] of [
      [done, 5_000],
      [{}, 30_000],
    ] as const) {
      const bench = prompted();
      bench.feed(user(S, 'msg_1'), busy(S), answer(S, 'msg_2', 'msg_1', more));
      bench.read = async () => [answer(S, 'msg_2', 'msg_1', done), readingFrame('session.idle', S, {})];
      await bench.clock.advance(afterMs - 1);
      expect(bench.heard(S)).not.toContain('ended:candidate');
      await bench.clock.advance(1);
      expect(bench.heard(S)).toContain('ended:candidate');
    }
  });
});

describe('an abort of ours', () => {
  it('is found by reading when the stream tells nothing of it', async () => {
    const bench = prompted();
    bench.feed(user(S, 'msg_1'), busy(S), answer(S, 'msg_2', 'msg_1'));
    bench.read = async () => [answer(S, 'msg_2', 'msg_1', { time: done.time }), readingFrame('session.idle', S, {})];
    bench.router.noteAbort(S);
    await bench.clock.advance(1_000);
    expect(bench.heard(S)).toEqual(['started', 'usage', 'ended:aborted']);
  });

  it('waits for the final message, so that the next prompt meets an idle session', async () => {
    const bench = prompted();
    bench.feed(user(S, 'msg_1'), busy(S), answer(S, 'msg_2', 'msg_1'));
    bench.router.noteAbort(S);
    bench.feed(idle(S));
    await bench.clock.advance(700);
    expect(bench.heard(S)).toEqual(['started']);
  });

  it('of a prompt that never started ends it too', async () => {
    const bench = prompted();
    bench.read = async () => [readingFrame('session.idle', S, {})];
    bench.router.noteAbort(S);
    await bench.clock.advance(5_000);
    expect(bench.heard(S)).toEqual(['ended:aborted']);
    expect(bench.resent).toEqual([]);
  });
});

describe('turns of one session', () => {
  it('are judged apart: what comes late of the first does not touch the second', async () => {
    const bench = prompted();
    bench.feed(user(S, 'msg_1'), busy(S), answer(S, 'msg_2', 'msg_1', done), idle(S));
    bench.prompt(S, 'msg_3');
    bench.feed(idle(S), answer(S, 'msg_2', 'msg_1', done), user(S, 'msg_1'));
    await bench.clock.advance(5_000);
    expect(bench.heard(S)).toEqual(['started', 'usage', 'ended:candidate']);
    bench.feed(user(S, 'msg_3'), busy(S), answer(S, 'msg_4', 'msg_3', { time: done.time, finish: 'length' }), idle(S));
    bench.read = async () => [readingFrame('session.idle', S, {})];
    await bench.clock.advance(1_000);
    expect(bench.heard(S).slice(3)).toEqual(['started', 'usage', 'ended:truncated']);
  });

  it('ignore a compaction of an earlier turn that a reading shows again', async () => {
    const bench = new SessionBench();
    bench.register(S);
    bench.prompt(S, 'msg_5');
    const part = { id: 'prt_1', messageID: 'msg_2', type: 'compaction' };
    bench.feed(event(S, 'message.part.updated', { part }), answer(S, 'msg_3', 'msg_2', done), idle(S));
    expect(bench.heard(S)).toEqual(['usage']);
  });
});

describe('the owner', () => {
  it('hears of activity at most once a second', async () => {
    const bench = prompted();
    for (let ms = 0; ms < 3_000; ms += 10) {
      bench.feed(event(S, 'message.part.delta', { delta: 'x' }));
      await bench.clock.advance(10);
    }
    expect(bench.events.get(S)).toEqual([0, 1, 2].map(() => ({ type: 'session.activity' })));
    expect(bench.logged.get(S)).toHaveLength(300);
  });

  it('hears of usage once for each model call, however often its message comes', () => {
    const bench = prompted();
    const tokens = { input: 10, output: 2, reasoning: 1, cache: { read: 3, write: 4 } };
    const final = { ...done, tokens, cost: 0.5 };
    bench.feed(answer(S, 'msg_2', 'msg_1', { tokens: { input: 0 } }), answer(S, 'msg_2', 'msg_1', final));
    bench.feed(answer(S, 'msg_2', 'msg_1', final), answer(S, 'msg_2', 'msg_1', {}), answer(S, 'msg_3', 'msg_1', final));
    const usage = bench.events
      .get(S)!
      .filter((one) => one.type === 'session.usage')
      .map((one) => one.usage);
    expect(usage).toEqual([
      {
        inputTokens: 10,
        outputTokens: 2,
        reasoningTokens: 1,
        cacheReadTokens: 3,
        cacheWriteTokens: 4,
        cost: 0.5,
        steps: 1,
      },
      {
        inputTokens: 20,
        outputTokens: 4,
        reasoningTokens: 2,
        cacheReadTokens: 6,
        cacheWriteTokens: 8,
        cost: 1,
        steps: 2,
      },
    ]);
  });
});
