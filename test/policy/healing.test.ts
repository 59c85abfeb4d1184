import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../schemas/run-event.ts';
import { healingOf, healingWaitMs, LOSSES_MAX } from '../../src/policy/healing.ts';

const fact = (type: 'run.healing' | 'commit.ended' | 'run.resumed' | 'server.lost') => ({ type }) as RunEvent;

describe('how often a run goes on after a lost server', () => {
  it('counts the losses since the last commit, whatever else stands between them', () => {
    expect(healingOf()).toEqual({ losses: 0, lossesMax: LOSSES_MAX });
    const lost = [fact('server.lost'), fact('run.healing'), fact('run.resumed')];
    expect(healingOf([...lost, ...lost]).losses).toBe(2);
    expect(healingOf([...lost, fact('commit.ended')]).losses).toBe(0);
    expect(healingOf([...lost, fact('commit.ended'), ...lost]).losses).toBe(1);
  });

  it('does not count a loss that ended the run: whoever resumes it gives it all its losses again', () => {
    expect(healingOf([fact('server.lost')]).losses).toBe(0);
  });

  it('waits 1, 2, 4, 8 and 16 s', () => {
    expect([1, 2, 3, 4, 5].map(healingWaitMs)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  });
});
