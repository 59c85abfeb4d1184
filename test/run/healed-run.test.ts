import { describe, expect, it } from 'vitest';
import { MusterError } from '../../src/errors.ts';
import { healed } from '../../src/run/healed-run.ts';
import type { Run, RunEnd } from '../../src/run/run.ts';
import { SimulatedClock } from '../opencode/simulated-clock.ts';

const END = { outcome: 'completed', view: { runId: 'r' } } as unknown as RunEnd;
const LOST = { ...END, outcome: 'failed', healsAfterMs: 4_000 } as RunEnd;

/** Beginnings of one run, each of which the test ends. */
function bench() {
  const clock = new SimulatedClock();
  const ends: ((end: RunEnd) => void)[] = [];
  const interrupts: string[] = [];
  const begin = (): Run => {
    const number = ends.length + 1;
    const ended = new Promise<RunEnd>((resolve) => ends.push(resolve));
    const interrupt = (reason: string) => void interrupts.push(`${number}: ${reason}`);
    return { runId: 'r', folder: {} as Run['folder'], interrupt, ended };
  };
  const end = async (as: RunEnd) => {
    ends.at(-1)!(as);
    await clock.advance(0);
  };
  return { clock, begin, end, interrupts, begun: () => ends.length };
}

describe('a run that heals', () => {
  it('is the one run when its server is never lost', async () => {
    const { clock, begin, end, begun } = bench();
    const run = healed(begin(), async () => begin(), clock);
    await end(END);
    expect(await run.ended).toBe(END);
    expect(begun()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('begins again after the wait and not before, as often as it is lost', async () => {
    const { clock, begin, end, begun } = bench();
    const run = healed(begin(), async () => begin(), clock);
    for (const beginnings of [1, 2, 3]) {
      await end(LOST);
      await clock.advance(3_999);
      expect(begun()).toBe(beginnings);
      await clock.advance(1);
      expect(begun()).toBe(beginnings + 1);
    }
    await end(END);
    expect(await run.ended).toBe(END);
  });

  it('passes an interrupt to the beginning that is at work', async () => {
    const { clock, begin, end, interrupts } = bench();
    const run = healed(begin(), async () => begin(), clock);
    run.interrupt('a');
    await end(LOST);
    await clock.advance(4_000);
    run.interrupt('b');
    run.interrupt('c');
    expect(interrupts).toEqual(['1: a', '2: b', '2: c']);
  });

  it('ends without another beginning, and without the rest of the wait, when it is interrupted in between', async () => {
    const { clock, begin, end, begun } = bench();
    const run = healed(begin(), async () => begin(), clock);
    await end(LOST);
    run.interrupt('Ctrl-C');
    expect(await run.ended).toEqual({ outcome: 'cancelled', view: LOST.view });
    expect(begun()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('interrupts a beginning that was being prepared when the interrupt came', async () => {
    const { clock, begin, end, interrupts } = bench();
    let isReady: (run: Run) => void = () => {};
    const run = healed(begin(), () => new Promise((resolve) => (isReady = resolve)), clock);
    await end(LOST);
    await clock.advance(4_000);
    run.interrupt('Ctrl-C');
    isReady(begin());
    await clock.advance(0);
    expect(interrupts).toEqual(['2: Ctrl-C']);
  });

  it('ends with the error when it cannot begin again, so that it can be resumed later', async () => {
    const { clock, begin, end } = bench();
    const error = new MusterError('GRAPH_UNREACHABLE', 'gone too');
    const run = healed(begin(), () => Promise.reject(error), clock);
    await end(LOST);
    await clock.advance(4_000);
    expect(await run.ended).toEqual({ outcome: 'failed', view: LOST.view, error });
  });
});
