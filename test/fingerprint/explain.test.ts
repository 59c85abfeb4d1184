import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffLines, explainChanges, explanationLines } from '../../src/fingerprint/explain.ts';
import { canonical } from '../../src/fingerprint/parts.ts';

describe('a diff', () => {
  it('shows what went, what came, and one line around', () => {
    expect(diffLines('a\nb\nc\nd\ne', 'a\nb\nX\nd\ne')).toEqual([' b', '-c', '+X', ' d']);
    expect(diffLines('same', 'same')).toEqual([]);
  });

  it('turns the one text into the other, for any two texts', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 });
    fc.assert(
      fc.property(text, text, (from, to) => {
        const diff = diffLines(from.join('\n'), to.join('\n'));
        const went = diff.filter((line) => line.startsWith('-')).length;
        const came = diff.filter((line) => line.startsWith('+')).length;
        // ''.split gives one empty line.
        expect(Math.max(1, to.length) - Math.max(1, from.length)).toBe(came - went);
        expect(diff.length === 0).toBe(from.join('\n') === to.join('\n'));
      }),
    );
  });

  it('is bounded', () => {
    const many = (sign: string) => Array.from({ length: 500 }, (_, i) => `${sign}${i}`).join('\n');
    expect(diffLines(many('a'), many('b'))).toHaveLength(41);
    expect(diffLines('x\n'.repeat(4000), 'y')).toEqual(['(4001 lines before, 1 lines now: too long to compare)']);
  });
});

describe('an explanation', () => {
  it('names each part that changed, with its lines where the former text is on record', () => {
    const texts = new Map([['h1', 'Find the work.\nBe exact.']]);
    const explained = explainChanges(
      { prompt: 'h1', model: 'm1', 'document a': 'd1' },
      { prompt: 'h2', model: 'm1', 'document b': 'd2' },
      { prompt: 'Find all work.\nBe exact.', model: 'm', 'document b': 'd2' },
      (hash) => texts.get(hash),
    );
    expect(explained.flatMap(explanationLines)).toEqual([
      'document a removed',
      'document b added',
      '  -',
      '  +d2',
      'prompt changed',
      '  -Find the work.',
      '  +Find all work.',
      '   Be exact.',
    ]);
  });
});

describe('canonical text', () => {
  it('is the same whatever the order of names', () => {
    const value = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(value, (of) => {
        const reversed = Object.fromEntries(Object.entries(of).reverse());
        expect(canonical(reversed)).toBe(canonical(of));
      }),
    );
  });
});
