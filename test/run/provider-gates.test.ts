import { describe, expect, it } from 'vitest';
import type { RunFact } from '../../schemas/run-event.ts';
import { NO_USAGE } from '../../schemas/session-event.ts';
import { ProviderGates } from '../../src/run/provider-gates.ts';
import { SimulatedClock } from '../opencode/simulated-clock.ts';

function bench(max = 4) {
  const clock = new SimulatedClock();
  const facts: RunFact[] = [];
  const gates = new ProviderGates({ clock, random: () => 0.5, max, record: (fact) => facts.push(fact) });
  const inside: string[] = [];
  const enter = (id: string, model = 'a/one', signal = new AbortController().signal) =>
    void gates.enter(id, model, signal).then(() => inside.push(id));
  return { clock, facts, gates, inside, enter };
}
const retrying = { type: 'session.retrying', attempt: 1, message: 'Rate limit reached', waitMs: 3_000 } as const;
const usage = (outputTokens: number) =>
  ({ type: 'session.usage', usage: { ...NO_USAGE, outputTokens, steps: 1 } }) as const;

describe('the gates of a run', () => {
  it('one provider that refuses does not hold up another', async () => {
    const { clock, gates, inside, enter, facts } = bench();
    for (const id of ['a1', 'a2', 'a3', 'a4']) enter(id);
    await clock.advance(0);
    gates.hear('a1', retrying);
    enter('a5');
    enter('b1', 'b/one');
    await clock.advance(0);
    expect(inside).toEqual(['a1', 'a2', 'a3', 'a4', 'b1']);
    expect(facts).toMatchObject([{ type: 'provider.slowed', provider: 'a', limit: 2 }]);
  });

  it('lets the next one in when the time is over and somebody has left, without another event', async () => {
    const { clock, gates, inside, enter } = bench();
    for (const id of ['a1', 'a2', 'a3', 'a4', 'a5']) enter(id);
    await clock.advance(0);
    gates.hear('a1', retrying);
    for (const id of ['a2', 'a3', 'a4']) gates.leave(id);
    await clock.advance(2_999);
    expect(inside).not.toContain('a5');
    await clock.advance(5_000);
    expect(inside).toContain('a5');
  });

  it('sends a session away that is refused while it cools down, and lets it in again later', async () => {
    const { clock, gates, inside, enter } = bench();
    for (const id of ['a1', 'a2', 'a3', 'a4']) enter(id);
    await clock.advance(0);
    expect(gates.hear('a1', retrying)).toBe(false);
    expect(gates.hear('a2', retrying)).toBe(true);
    gates.leave('a2');
    enter('a2');
    for (const id of ['a3', 'a4']) gates.leave(id);
    await clock.advance(60_000);
    expect(inside.filter((id) => id === 'a2')).toHaveLength(2);
  });

  it('a retry for another reason, and a call that gave nothing, tell the gate nothing', async () => {
    const { clock, gates, enter, facts } = bench();
    enter('a1');
    await clock.advance(0);
    expect(gates.hear('a1', { ...retrying, message: 'connection reset' })).toBe(false);
    expect(facts).toEqual([]);
    gates.hear('a1', retrying);
    await clock.advance(4_000);
    for (let i = 0; i < 20; i++) gates.hear('a1', usage(0));
    expect(facts.map(({ type }) => type)).toEqual(['provider.slowed']);
    for (let i = 1; i < 20; i++) gates.hear('a1', usage(i));
    expect(facts.map(({ type }) => type)).toEqual(['provider.slowed', 'provider.recovered']);
  });

  it('says when a provider has recovered', async () => {
    const { clock, gates, enter, facts } = bench(2);
    enter('a1');
    enter('a2');
    await clock.advance(0);
    gates.hear('a1', retrying);
    await clock.advance(10_000);
    gates.hear('a1', usage(10));
    gates.hear('a1', usage(20));
    expect(facts.map(({ type }) => type)).toEqual(['provider.slowed', 'provider.recovered']);
  });

  it('whoever stops waiting gives his place in the queue back', async () => {
    const { clock, gates, inside, enter } = bench(1);
    enter('a1');
    const stopped = new AbortController();
    enter('a2', 'a/one', stopped.signal);
    enter('a3');
    stopped.abort();
    gates.leave('a1');
    await clock.advance(0);
    expect(inside).toEqual(['a1', 'a3']);
  });

  it('leaves no timer behind', async () => {
    const { clock, gates, enter } = bench(2);
    for (const id of ['a1', 'a2', 'a3']) enter(id);
    await clock.advance(0);
    gates.hear('a1', retrying);
    expect(clock.pending).toBe(1);
    gates.close();
    expect(clock.pending).toBe(0);
  });
});
