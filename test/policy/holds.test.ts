import { describe, expect, it } from 'vitest';
import type { RunEvent, RunFact } from '../../schemas/run-event.ts';
import { holdsOf, openHolds, remainingMs } from '../../src/policy/holds.ts';

let seq = 0;
const at = (minute: number, fact: RunFact): RunEvent => ({
  seq: ++seq,
  time: `2025-11-03T10:${String(minute).padStart(2, '0')}:00.000Z`,
  ...fact,
});
const opened = (minute: number, more: { again?: true } = {}) =>
  at(minute, {
    type: 'hold.opened',
    point: 'after:x',
    when: 'after',
    of: 'x',
    reason: 'look',
    timeoutMs: 600_000,
    ...more,
  });

describe('the points of a run', () => {
  it('wait until somebody decides, and the first decision counts', () => {
    const waits = [opened(0)];
    expect(openHolds(holdsOf(waits)).map(({ point }) => point)).toEqual(['after:x']);
    const decided = [
      ...waits,
      at(1, { type: 'hold.released', point: 'after:x', by: 'Ada' }),
      at(2, { type: 'hold.rejected', point: 'after:x', by: 'Bob', reason: 'no' }),
    ];
    expect(openHolds(holdsOf(decided))).toEqual([]);
    expect(holdsOf(decided).get('after:x')?.decision).toEqual({ kind: 'released', by: 'Ada' });
  });

  it('keep their first time when a resume opens them again, so that a restart gives nobody more of it', () => {
    const hold = holdsOf([opened(0), opened(7, { again: true })]).get('after:x')!;
    expect(remainingMs(hold, Date.parse('2025-11-03T10:08:00.000Z'))).toBe(120_000);
    expect(remainingMs(hold, Date.parse('2025-11-03T11:00:00.000Z'))).toBe(0);
    expect(remainingMs(hold, Date.parse('2025-11-02T00:00:00.000Z'))).toBe(600_000);
    const { timeoutMs: _, ...forEver } = hold;
    expect(remainingMs(forEver, 0)).toBeUndefined();
  });

  it('are asked anew once the work is another', () => {
    const rejected = [opened(0), at(1, { type: 'hold.rejected', point: 'after:x', by: 'Bob', reason: 'no' })];
    expect(holdsOf(rejected).size).toBe(1);
    const next = at(2, { type: 'turn.started', instance: 'x', attempt: 1, turn: 2, kind: 'repair', messageId: 'm' });
    expect(holdsOf([...rejected, next]).size).toBe(0);
  });

  it('that were denied are asked anew when the instance is tried again, those that were released are not', () => {
    const resumed = at(5, {
      type: 'run.resumed',
      musterVersion: '1',
      resume: 1,
      reopened: { instances: ['x'], tasks: ['x'] },
      changes: [],
    } as RunFact);
    const expired = [opened(0), at(1, { type: 'hold.expired', point: 'after:x', timeoutMs: 1 }), resumed];
    expect(holdsOf(expired).size).toBe(0);
    const released = [opened(0), at(1, { type: 'hold.released', point: 'after:x', by: 'Ada' }), resumed];
    expect(holdsOf(released).get('after:x')?.decision?.kind).toBe('released');
  });
});
