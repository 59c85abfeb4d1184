import { describe, expect, it } from 'vitest';
import type { RunFact } from '../../schemas/run-event.ts';
import { RequestError } from '../../src/opencode/request-error.ts';
import type { Ask } from '../../src/opencode/router.ts';
import { answerAsk } from '../../src/run/asks.ts';
import { SimulatedClock } from '../opencode/simulated-clock.ts';

const ask = (kind: Ask['kind']): Ask => ({
  sessionId: 'ses_1',
  apiSessionId: 'ses_child',
  kind,
  id: 'ask_1',
  directory: '/w',
  subject: 'bash: npm install',
});
const lost = () => new Error('connection lost');
const unknown = () => new RequestError('no such ask', { status: 404, retryable: false });

/** A server whose next answers are these; undefined is a yes, and so is everything after them. */
function world(...outcomes: (Error | undefined)[]) {
  const clock = new SimulatedClock();
  const facts: RunFact[] = [];
  const faults: Error[] = [];
  const sent: { readonly how: string; readonly atMs: number }[] = [];
  let instance: string | undefined = 'plan';
  const take = async (how: string) => {
    sent.push({ how, atMs: clock.now() });
    const outcome = outcomes.shift();
    if (outcome) throw outcome;
    return true;
  };
  const ports = {
    client: () => ({
      replyPermission: (id: string, reply: string, message?: string) =>
        take(`${reply} ${id}${message ? ' with a reason' : ''}`),
      rejectQuestion: (id: string) => take(`question ${id}`),
    }),
    clock,
    journal: { append: (fact: RunFact) => void facts.push(fact) },
    instanceOf: () => instance,
    onFault: (error: Error) => void faults.push(error),
  };
  return {
    ...{ clock, facts, faults, sent },
    giveUpSession: () => {
      instance = undefined;
    },
    answer: (kind: Ask['kind'] = 'permission') => answerAsk(ask(kind), ports),
  };
}

const ANSWERED = { type: 'ask.answered', instance: 'plan', subject: 'bash: npm install', reply: 'rejected' };

describe('an ask that nobody is there for', () => {
  it('is rejected at once with a reason, so that the agent goes on, and recorded', async () => {
    const { answer, facts, sent } = world();
    await answer();
    expect(sent).toEqual([{ how: 'reject ask_1 with a reason', atMs: 0 }]);
    expect(facts).toEqual([{ ...ANSWERED, kind: 'permission' }]);
  });

  it('may be a question', async () => {
    const { answer, facts, sent } = world();
    await answer('question');
    expect(sent).toEqual([{ how: 'question ask_1', atMs: 0 }]);
    expect(facts).toEqual([{ ...ANSWERED, kind: 'question' }]);
  });

  it('is answered again when the answer got lost, and recorded once', async () => {
    const { answer, clock, facts, faults, sent } = world(lost(), lost());
    const done = answer();
    await clock.advance(10_000);
    await done;
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 1_000, 3_000]);
    expect(facts).toHaveLength(1);
    expect(faults).toEqual([]);
  });

  it('counts as answered when only the word of the answer was lost', async () => {
    const { answer, clock, facts } = world(lost(), unknown());
    const done = answer();
    await clock.advance(1_000);
    await done;
    expect(facts).toEqual([{ ...ANSWERED, kind: 'permission' }]);
  });

  it('is left alone when its session was given up meanwhile', async () => {
    const { answer, clock, facts, giveUpSession, sent } = world(lost(), lost());
    const done = answer();
    await clock.advance(500);
    giveUpSession();
    await clock.advance(60_000);
    await done;
    expect(sent).toHaveLength(2);
    expect(facts).toEqual([]);
  });

  it('is told as a fault when no answer arrives in half a minute, and is not recorded', async () => {
    const { answer, clock, facts, faults, sent } = world(...Array.from({ length: 6 }, lost));
    const done = answer();
    await clock.advance(31_000);
    await done;
    expect(sent).toHaveLength(6);
    expect(faults).toHaveLength(1);
    expect(facts).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('that the server does not know any more is neither recorded nor sent again: nobody waits', async () => {
    const { answer, clock, facts, faults, sent } = world(unknown());
    await answer();
    expect(sent).toHaveLength(1);
    expect([...facts, ...faults]).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
