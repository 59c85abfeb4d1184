import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/opencode/frames.ts';
import { Router } from '../../src/opencode/router.ts';
import { answer, busy, child, done, event, idle, SessionBench, user } from './session-bench.ts';

const numbered = (sessionId: string, seq: number) => event(sessionId, 'session.updated', {}, seq);

describe('routing', () => {
  it('keeps the order of each session and loses nothing, whenever within the bound it is registered', () => {
    const plan = fc.record({
      /** Session of each frame, in arrival order. */
      arrivals: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 200 }),
      /** Frame before which each session is registered. */
      registered: fc.array(fc.nat(200), { minLength: 5, maxLength: 5 }),
    });
    fc.assert(
      fc.property(plan, ({ arrivals, registered }) => {
        const bench = new SessionBench({ earlyLimit: 200 });
        const sent = new Map<string, Frame[]>(registered.map((_, session) => [`ses_${session}`, []]));
        const register = (at: number) => {
          registered.forEach((when, session) => {
            if (when === at) bench.register(`ses_${session}`);
          });
        };
        arrivals.forEach((session, at) => {
          register(at);
          const frame = event(`ses_${session}`, at % 3 === 0 ? 'message.part.delta' : 'todo.updated', { at });
          sent.get(`ses_${session}`)!.push(frame);
          bench.feed(frame);
        });
        for (let at = arrivals.length; at <= 200; at += 1) register(at);
        for (const [sessionId, frames] of sent) expect(bench.logged.get(sessionId)).toEqual(frames);
        expect(bench.router.counters.unrouted).toBe(0);
      }),
    );
  });

  it('gives up whole sessions beyond the bound, the one that waits longest first, and counts their frames', () => {
    const bench = new SessionBench({ earlyLimit: 3 });
    bench.feed(event('old', 'a'), event('new', 'a'), event('old', 'b'), event('new', 'b'));
    expect(bench.router.counters.unrouted).toBe(2);
    bench.register('old');
    bench.register('new');
    expect(bench.logged.get('old')).toEqual([]);
    expect(bench.logged.get('new')!.map((frame) => frame.type)).toEqual(['a', 'b']);
  });

  it('leads children and their children to the parent, in order, also when all of them came early', () => {
    const frames = [
      event('p', 'todo.updated'),
      child('c', 'p'),
      event('c', 'todo.updated'),
      child('g', 'c'),
      event('g', 'todo.updated'),
      event('p', 'todo.updated'),
    ];
    for (let at = 0; at <= frames.length; at += 1) {
      const bench = new SessionBench();
      bench.feed(...frames.slice(0, at));
      bench.register('p');
      bench.feed(...frames.slice(at));
      expect(bench.logged.get('p')).toEqual(frames);
    }
  });

  it('takes in what a child told before it named its parent', () => {
    const bench = new SessionBench();
    bench.register('p');
    const frames = [event('c', 'todo.updated'), child('c', 'p'), event('c', 'todo.updated')];
    bench.feed(...frames);
    expect(bench.logged.get('p')).toEqual(frames);
  });

  it('delivers an event once, as itself or as its copy', () => {
    const bench = new SessionBench();
    bench.register('s');
    const original = event('s', 'session.created');
    bench.feed(original, { ...original, seq: 0, isSyncCopy: true }, original);
    expect(bench.logged.get('s')).toEqual([original]);
    expect(bench.router.counters).toMatchObject({ frames: 3, duplicates: 2 });
  });

  it('forgets a dropped session and its children, and counts what comes late', () => {
    const bench = new SessionBench();
    bench.register('p');
    bench.prompt('p', 'msg_1');
    bench.feed(child('c', 'p'));
    bench.router.drop('p');
    bench.feed(event('p', 'a'), event('c', 'a'));
    expect(bench.logged.get('p')).toHaveLength(1);
    expect(bench.router.counters).toMatchObject({ late: 2, unrouted: 0 });
    expect(bench.clock.pending).toBe(0);
    expect(bench.router.openTurns()).toEqual([]);
  });

  it('goes on for the others when an owner, a log or a port throws', () => {
    const bench = new SessionBench();
    const broken = (): never => {
      throw new Error('broken');
    };
    bench.router.register('bad', broken, broken);
    bench.register('good');
    bench.prompt('good', 'msg_1');
    bench.feed(
      event('bad', 'a'),
      user('good', 'msg_1'),
      busy('good'),
      answer('good', 'msg_2', 'msg_1', done),
      idle('good'),
    );
    expect(bench.heard('good')).toEqual(['started', 'usage', 'ended:candidate']);
    expect(bench.faults).toEqual(['bad: broken', 'bad: broken']);
  });

  it('counts frames of the server itself and noise', () => {
    const bench = new SessionBench();
    bench.feed({ ...event('x', 'server.heartbeat'), sessionId: undefined, directory: undefined });
    expect(bench.router.counters).toMatchObject({ frames: 1, unscoped: 1 });
  });

  it('tells everybody when the server is lost, and ends no turn by it', async () => {
    const bench = new SessionBench();
    for (const id of ['a', 'b']) {
      bench.register(id);
      bench.prompt(id, 'msg_1');
    }
    bench.feed(child('c', 'a'));
    bench.router.lost('gone');
    await bench.clock.advance(60_000);
    for (const id of ['a', 'b']) expect(bench.heard(id)).toEqual(['lost']);
  });
});

describe('gaps', () => {
  it('a hole in the numbers of a session is told once, and again only after it was closed', () => {
    const bench = new SessionBench();
    bench.register('s');
    bench.feed(numbered('s', 0), numbered('s', 1));
    expect(bench.gaps).toEqual([]);
    bench.feed(numbered('s', 3), numbered('s', 5));
    expect(bench.gaps).toEqual(['s']);
    expect(bench.router.seqs()).toEqual({ s: 1 });
    bench.feed(numbered('s', 2), numbered('s', 3), numbered('s', 4), numbered('s', 5));
    expect(bench.router.seqs()).toEqual({ s: 5 });
    bench.feed(numbered('s', 7));
    expect(bench.gaps).toEqual(['s', 's']);
  });

  it('are found wherever a numbered frame is lost, for own sessions and children only', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(39), (count, at) => {
        const lost = at % count;
        const bench = new SessionBench();
        bench.register('s');
        for (let seq = 0; seq <= count; seq += 1) {
          if (seq === lost) continue;
          bench.feed(numbered('s', seq), numbered('stranger', seq));
        }
        expect(bench.gaps).toEqual(['s']);
        expect(bench.router.seqs()['s']).toBe(lost === 0 ? undefined : lost - 1);
        expect(bench.router.seqs()['stranger']).toBe(count);
      }),
    );
  });

  it('a frame lost before the session was registered is told when it is registered', () => {
    const bench = new SessionBench();
    bench.feed(numbered('s', 1));
    expect(bench.gaps).toEqual([]);
    bench.register('s');
    expect(bench.gaps).toEqual(['s']);
  });

  it('that the history did not fill are given up', () => {
    const bench = new SessionBench();
    bench.register('s');
    bench.feed(numbered('s', 4));
    bench.router.noteReconciled();
    expect(bench.router.seqs()).toEqual({ s: 4 });
    bench.feed(numbered('s', 5));
    expect(bench.gaps).toEqual(['s']);
  });
});

describe('asks', () => {
  it('are told once, under the registered session, also when they came before it was', () => {
    const bench = new SessionBench();
    const question = { id: 'que_1', questions: [{ question: 'Which?' }, { question: 'Why?' }] };
    const ask = event('s', 'question.asked', question);
    bench.feed(ask);
    bench.register('s');
    bench.feed(ask, event('s', 'question.asked', question));
    expect(bench.asks).toEqual([
      {
        sessionId: 's',
        apiSessionId: 's',
        kind: 'question',
        id: 'que_1',
        directory: '/workspace',
        subject: 'Which? · Why?',
      },
    ]);
  });
});

describe('Router', () => {
  it('ignores commands for sessions it does not know', () => {
    const { router } = new SessionBench();
    router.expectTurn('x', { messageId: 'msg_1' });
    router.notePromptTaken('x');
    router.noteAbort('x');
    router.drop('x');
    expect(router).toBeInstanceOf(Router);
    expect(router.openTurns()).toEqual([]);
  });
});
