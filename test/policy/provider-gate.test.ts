import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Gate, type GateEvent, openGate, passGate, RECOVER_MS } from '../../src/policy/provider-gate.ts';

/** Feeds events at their times and returns the last gate with everybody who entered. */
function feed(gate: Gate, events: readonly (GateEvent & { at: number })[], random = 0.5) {
  const entered: string[] = [];
  const notices: string[] = [];
  let last: ReturnType<typeof passGate> | undefined;
  let now = gate;
  for (const event of events) {
    last = passGate(now, event, event.at, random);
    now = last.gate;
    entered.push(...last.entered);
    if (last.notice) notices.push(last.notice.kind);
  }
  return { gate: now, entered, notices, last };
}
const asks = (n: number, at = 0) => Array.from({ length: n }, (_, i) => ({ type: 'ask' as const, id: `i${i}`, at }));

describe('the gate of a provider', () => {
  it('lets everybody in at once, up to its bound, while nothing was refused', () => {
    const { entered, gate } = feed(openGate(3), asks(5));
    expect(entered).toEqual(['i0', 'i1', 'i2']);
    expect(gate.queue).toEqual(['i3', 'i4']);
  });

  it('halves the number at the first refusal and lets nobody in before retry-after is over', () => {
    const { gate, last } = feed(openGate(8), [
      ...asks(9),
      { type: 'refused', id: 'i0', retryAfterMs: 10_000, at: 100 },
    ]);
    expect(gate.limit).toBe(4);
    expect(last?.yields).toBe(false);
    expect(last?.notice).toMatchObject({ kind: 'slowed', limit: 4 });
    expect(gate.notBeforeMs).toBeGreaterThanOrEqual(10_100);
    expect(feed(gate, [{ type: 'tick', at: 10_099 }]).entered).toEqual([]);
  });

  it('counts the refusals of one cool-down as one', () => {
    const { gate } = feed(openGate(8), [
      ...asks(8),
      { type: 'refused', id: 'i0', at: 100 },
      { type: 'refused', id: 'i1', at: 101 },
      { type: 'refused', id: 'i2', at: 102 },
    ]);
    expect(gate.limit).toBe(4);
  });

  it('halves it again and again while those inside are refused, although each of them keeps the cool-down from ending', () => {
    let gate = feed(openGate(40), asks(40)).gate;
    const limits: number[] = [];
    for (let atMs = 0; atMs < 12_000; atMs += 2_000) {
      // Their server calls again after what the provider asked for.
      for (const [n, id] of [...gate.inside].entries()) {
        gate = passGate(gate, { type: 'refused', id, retryAfterMs: 2_000 }, atMs + n, 0.9).gate;
      }
      limits.push(gate.inside.length);
    }
    expect(limits).toEqual([20, 10, 5, 2, 1, 1]);
  });

  it('sends away who is refused while it cools down, as far as there are too many', () => {
    let gate = feed(openGate(6), asks(6)).gate;
    const yields = [0, 1, 2, 3, 4, 5].map((n) => {
      const step = passGate(gate, { type: 'refused', id: `i${n}` }, 10 + n, 0.5);
      gate = step.gate;
      return step.yields;
    });
    expect(yields).toEqual([false, true, true, true, false, false]);
    expect(gate.inside).toEqual(['i0', 'i4', 'i5']);
  });

  it('doubles the cool-down with each refusal in a row, and a success ends the row', () => {
    let gate = feed(openGate(8), asks(8)).gate;
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      const at = Math.max(0, gate.notBeforeMs);
      const step = passGate(gate, { type: 'refused', id: 'i7' }, at, 1);
      gate = step.gate;
      waits.push(gate.notBeforeMs - at);
    }
    expect(waits).toEqual([2_000, 4_000, 8_000]);
    gate = passGate(gate, { type: 'succeeded', id: 'i7' }, gate.notBeforeMs + 1, 1).gate;
    expect(gate.refusals).toBe(0);
  });

  it('takes a refusal as news although entries are being spread', () => {
    const slow = feed(openGate(16), [...asks(16), { type: 'refused', id: 'i0', at: 0 }]).gate;
    const left = asks(9).map(({ id }) => ({ type: 'leave' as const, id, at: slow.notBeforeMs }));
    const recovering = feed(slow, [...left, { type: 'ask', id: 'x', at: slow.notBeforeMs }]);
    expect(recovering.entered).toEqual(['x']);
    const again = passGate(recovering.gate, { type: 'refused', id: 'x' }, slow.notBeforeMs + 1, 0.5);
    expect(again.gate.limit).toBe(4);
    expect(again.notice?.kind).toBe('slowed');
  });

  it('counts whom it found at work, be it one too many, and lets the next one in when there is room', () => {
    const { gate } = feed(openGate(1), [
      { type: 'occupy', id: 'left', at: 0 },
      { type: 'occupy', id: 'behind', at: 0 },
      ...asks(1),
    ]);
    expect([gate.inside, gate.queue]).toEqual([['left', 'behind'], ['i0']]);
    const one = passGate(gate, { type: 'leave', id: 'left' }, 1, 0.5);
    expect(one.entered).toEqual([]);
    expect(passGate(one.gate, { type: 'leave', id: 'behind' }, 2, 0.5).entered).toEqual(['i0']);
  });

  it('opens by time alone, although nobody inside succeeds', () => {
    const shut = feed(openGate(4), [...asks(4), { type: 'refused', id: 'i0', at: 0 }]).gate;
    const { gate, notices } = feed(shut, [{ type: 'tick', at: shut.notBeforeMs + 4 * RECOVER_MS }]);
    expect(gate.limit).toBe(4);
    expect(notices).toEqual(['recovered']);
  });

  it('keeps its invariants whatever happens, and everybody who asks gets in', () => {
    const event = fc.oneof(
      fc.record({ type: fc.constantFrom('ask', 'occupy', 'leave', 'succeeded'), n: fc.nat(12) }),
      fc.record({ type: fc.constant('refused'), n: fc.nat(12), retryAfterMs: fc.option(fc.nat(60_000)) }),
      fc.record({ type: fc.constant('tick'), n: fc.constant(0) }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.array(fc.tuple(event, fc.nat(5_000), fc.double({ min: 0, max: 0.999, noNaN: true })), { maxLength: 80 }),
        (max, script) => {
          let gate = openGate(max);
          let nowMs = 0;
          const inside = new Set<string>();
          for (const [{ n, ...rest }, deltaMs, random] of script) {
            nowMs += deltaMs;
            const id = `i${n}`;
            const told = { ...rest, id } as GateEvent & { retryAfterMs?: number | null };
            if (told.type === 'refused' && told.retryAfterMs == null) delete told.retryAfterMs;
            const before = gate;
            const step = passGate(before, told, nowMs, random);
            gate = step.gate;
            if (told.type === 'leave' || step.yields) inside.delete(id);
            if (told.type === 'occupy') inside.add(id);
            expect(step.entered.length === 0 || nowMs >= before.notBeforeMs).toBe(true);
            if (told.type === 'refused' && nowMs >= before.notBeforeMs && before.limit > 1) {
              expect(gate.notBeforeMs).toBeGreaterThan(nowMs);
            }
            for (const one of step.entered) {
              expect(inside.has(one)).toBe(false);
              inside.add(one);
            }
            expect(gate.limit).toBeGreaterThanOrEqual(1);
            expect(gate.limit).toBeLessThanOrEqual(max);
            expect(step.entered.length === 0 || gate.inside.length <= gate.limit).toBe(true);
            expect([...gate.inside].sort()).toEqual([...inside].sort());
            // Who waits is woken by time, or by somebody who leaves a gate that is full and recovered.
            const isFull = gate.inside.length >= max;
            expect(gate.queue.length === 0 || step.wakeMs !== undefined || isFull).toBe(true);
          }
          // It never shuts for good: with time and people leaving, the queue empties.
          for (let turn = 0; turn < 500 && gate.queue.length > 0; turn++) {
            const [first] = gate.inside;
            const { wakeMs } = passGate(gate, { type: 'tick' }, nowMs, 0.5);
            nowMs = Math.max(nowMs + 1, wakeMs ?? nowMs + 1);
            gate = passGate(
              gate,
              first === undefined ? { type: 'tick' } : { type: 'leave', id: first },
              nowMs,
              0.5,
            ).gate;
          }
          expect(gate.queue).toEqual([]);
        },
      ),
    );
  });
});
