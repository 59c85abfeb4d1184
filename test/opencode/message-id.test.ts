import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageIds, partIdOf } from '../../src/opencode/message-id.ts';

describe('message ids', () => {
  it('have the format of the server: 12 hex digits of time, 14 alphanumerics', () => {
    const ids = new MessageIds({ now: () => 1_795_409_851_140, random: () => 0.5 });
    const time = ((1_795_409_851_140n * 4096n + 1n) & 0xffffffffffffn).toString(16);
    expect(ids.message()).toBe(`msg_${time.padStart(12, '0')}${'V'.repeat(14)}`);
    expect(ids.message()).toMatch(/^msg_[0-9a-f]{12}[0-9A-Za-z]{14}$/);
  });

  it('ascend whatever the clock does', () => {
    const start = 1_795_409_851_140;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { minLength: 2, maxLength: 50 }), (offsets) => {
        const clock = offsets.values();
        const ids = new MessageIds({ now: () => start + (clock.next().value ?? 0), random: Math.random });
        const made = offsets.map(() => ids.message());
        expect([...made].sort()).toEqual(made);
        expect(new Set(made).size).toBe(made.length);
      }),
    );
  });

  it('give a message the same part id each time', () => {
    expect(partIdOf('msg_206c43304abc')).toBe('prt_206c43304abc');
  });
});
