import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findQuote, findQuotes, nearestPassage } from '../../src/output/find-quote.ts';
import { foldText } from '../../src/output/fold-text.ts';

const SPEC = `2.4 Selected material zone. The selected material zone is 300 mm thick, has a soaked CBR of at least 30 % to
AS 1289.6.1.1 and a characteristic relative compaction of at least 100 % (standard). Test at least 1 per 250 m2 and at
least 4 tests per lot. Do not place asphalt when the surface temperature is below 10 degC. The finished level must be
within +0 mm and −20 mm of the “design level”, or ≤ 5 mm by survey. The well-known sub-
contractor keeps the ﬁle in 10-
20 days.

| Item | Description | Quantity |
|---|---|---|
| 3.03 | **Subsoil drains** | 2150 |
`;
const words = (match: { from: number; to: number } | undefined) => match && SPEC.slice(match.from, match.to);

describe('a quote is found', () => {
  it.each([
    ['word for word', 'The selected material zone is 300 mm thick', 'exact'],
    ['over a line end', 'a soaked CBR of at least 30 % to AS 1289.6.1.1 and', 'normalised'],
    ['with a hyphen at a line end', 'The well-known subcontractor keeps', 'normalised'],
    ['with a number broken at a line end', 'in 10-20 days', 'normalised'],
    ['with other marks and dashes', 'within +0 mm and -20 mm of the "design level"', 'normalised'],
    ['with a ligature', 'keeps the file', 'normalised'],
    ['as a row without its bars and emphasis', '3.03 Subsoil drains 2150', 'normalised'],
    [
      'as rows over the rule of the table',
      '| Item | Description | Quantity | | 3.03 | Subsoil drains | 2150 |',
      'normalised',
    ],
    ['with the noise of a scan', 'The selectod material zone is 300 mm thick, has a soakcd CBR of', 'approximate'],
  ])('%s', (_, quote, kind) => {
    expect(findQuote(SPEC, quote)).toMatchObject({ kind });
  });

  it('at each of its places, with offsets of the text as it was given', () => {
    expect(findQuotes(SPEC, 'selected material zone').map(words)).toEqual(['selected material zone']);
    expect(findQuotes(SPEC, 'at least').map(words)).toEqual(['at least', 'at least', 'at least', 'at\nleast']);
    expect(words(findQuote(SPEC, '3.03 Subsoil drains 2150'))).toBe('3.03 | **Subsoil drains** | 2150');
  });
});

describe('a quote is refused', () => {
  it.each([
    ['a digit', 'The selected material zone is 800 mm thick, has a soaked CBR of at least 30 %'],
    ['a digit left out', 'The selected material zone is 30 mm thick, has a soaked CBR of at least 30 %'],
    ['a unit', 'The selected material zone is 300 cm thick, has a soaked CBR of at least 30 %'],
    ['a percent sign', 'The selected material zone is 300 mm thick, has a soaked CBR of at least 30 to'],
    ['a negation', 'Do now place asphalt when the surface temperature is below 10 degC.'],
    ['a negation left out', 'Do place asphalt when the surface temperature is below 10 degC. The finished level'],
    ['a comparison', '10 degC. The finished level must be within +0 mm and -20 mm of the "design level", or ≥ 5 mm'],
    ['a sign', 'The finished level must be within +0 mm and +20 mm of the "design level", or ≤ 5 mm by'],
    ['the turn of a requirement', 'has a soaked CBR of at most 30 % to AS 1289.6.1.1 and a characteristic relative'],
    ['a side of a limit', 'place asphalt when the surface temperature is above 10 degC. The finished level must be'],
    ['a code', 'has a soaked CBR of at least 30 % to AS 1289.6.1.7 and a characteristic relative compaction'],
    ['a number cut in two', '00 mm thick, has a soaked CBR'],
    ['a sign cut off its number', '20 mm of the "design level"'],
    ['a unit cut in two', 'The selected material zone is 300 m'],
    ['a comparison cut off its number', '5 mm by survey'],
    ['one letter, in a short quote', 'material zoue'],
    ['a letter’s case, in a short quote', 'Subsoil Drains'],
    ['everything', 'Bananas are delivered to the site office on each second Tuesday of the month'],
  ])('that differs in %s', (_, quote) => expect(findQuote(SPEC, quote)).toBeUndefined());

  it.each(['', ' ', '**', '|', '\u200b'])('that says nothing: %j', (quote) =>
    expect(findQuote(SPEC, quote)).toBeUndefined(),
  );

  it('with the passage that is most like it', () => {
    const near = nearestPassage(foldText(SPEC), 'The selected material zone is 800 mm thick and hard');
    expect(words(near)).toMatch(/selected material zone is 300 mm thick/);
    expect(nearestPassage(foldText(SPEC), 'Bzzqq wxxk jjvv')).toBeUndefined();
  });
});

describe('scanning noise', () => {
  /** As docs/documents.md promises it. */
  const tolerance = 0.05;
  const vocabulary = [
    'concrete',
    'bedding',
    'culvert',
    'haunch',
    'overlay',
    'compaction',
    'laboratory',
    'pavement',
    'kerb',
    'of',
    'the',
  ];
  const word = fc.constantFrom(...vocabulary);
  const number = fc.integer({ min: 1, max: 99_999 });
  /** Sentences in which every fourth word or so is a number with a unit. */
  const passage = fc
    .array(fc.oneof({ weight: 5, arbitrary: word }, { weight: 1, arbitrary: number.map((n) => `${n} mm`) }), {
      minLength: 8,
      maxLength: 60,
    })
    .map((parts) => parts.join(' '))
    .filter((text) => text.length >= 20 && text.length <= 500);
  const around = fc.array(word, { minLength: 0, maxLength: 400 }).map((parts) => parts.join(' '));
  const damaged = 'qxzwv';
  /** Offsets of letters in words that are not numbers or units. */
  const letters = (text: string) =>
    [...text.matchAll(/[a-z]{4,}/g)].flatMap(({ index, 0: all }) => [...all].map((_, i) => index + i));

  it('of at most one character in twenty, outside of numbers, is accepted', () => {
    fc.assert(
      fc.property(passage, around, around, fc.infiniteStream(fc.nat()), (quote, before, after, stream) => {
        const places = letters(quote);
        const noise = Math.min(Math.floor(quote.length * tolerance), places.length);
        let text = quote;
        for (let n = 0; n < noise; n++) {
          const at = places[stream.next().value % places.length]!;
          text = `${text.slice(0, at)}${damaged[stream.next().value % damaged.length]}${text.slice(at + 1)}`;
        }
        const match = findQuote(`${before}. ${text}. ${after}`, quote);
        expect(match).toBeDefined();
        expect(match!.errors).toBeLessThanOrEqual(quote.length * tolerance);
      }),
      { numRuns: 500 },
    );
  });

  it('of one character more than that is refused', () => {
    fc.assert(
      fc.property(passage, fc.nat(), (quote, pick) => {
        const places = letters(quote);
        const noise = Math.floor(quote.length * tolerance) + 1;
        fc.pre(places.length >= noise);
        const damagedAt = new Set(
          Array.from(
            { length: noise },
            (_, n) => places[(pick + n * Math.floor(places.length / noise)) % places.length]!,
          ),
        );
        fc.pre(damagedAt.size === noise);
        // None of the quote's words has this letter, so each place costs a difference of its own.
        const text = [...quote].map((character, i) => (damagedAt.has(i) ? 'q' : character)).join('');
        expect(findQuote(`Before. ${text}. After`, quote)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('in a digit is never accepted', () => {
    fc.assert(
      fc.property(
        passage,
        around,
        around,
        fc.nat(),
        fc.integer({ min: 1, max: 9 }),
        (quote, before, after, pick, by) => {
          const digits = [...quote.matchAll(/\d/g)].map(({ index }) => index);
          fc.pre(digits.length > 0);
          const at = digits[pick % digits.length]!;
          const text = `${quote.slice(0, at)}${(Number(quote[at]) + by) % 10}${quote.slice(at + 1)}`;
          const source = `${before}. ${text}. ${after}`;
          fc.pre(!source.includes(quote));
          expect(findQuote(source, quote)).toBeUndefined();
        },
      ),
      { numRuns: 500 },
    );
  });

  it('does not make an unrelated text a source', () => {
    fc.assert(
      fc.property(
        passage,
        fc.array(fc.constantFrom('quality', 'shall', 'night', 'drawing', 'bridge'), { maxLength: 300 }),
        (quote, other) => {
          expect(findQuote(other.join(' '), quote)).toBeUndefined();
        },
      ),
    );
  });

  it('never throws, and points into the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.string({ unit: 'grapheme', maxLength: 80 }),
        (text, quote) => {
          for (const { from, to } of [...findQuotes(text, quote), ...findQuotes(text + quote + text, quote)]) {
            expect(from).toBeLessThan(to);
            expect(to).toBeLessThanOrEqual(text.length * 2 + quote.length);
          }
          nearestPassage(foldText(text), quote);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a text of a megabyte', () => {
  const text = Array.from(
    { length: 12_000 },
    (_, i) => `${i} The ${i % 97} test of lot ${i * 7} is done within ${i % 13} days of the pour, by ${i % 31}.`,
  ).join('\n');

  it('is searched for a thousand quotes, true and invented, in a few seconds', () => {
    expect(text.length).toBeGreaterThan(700_000);
    const started = performance.now();
    const folded = foldText(text);
    for (let i = 0; i < 500; i++) {
      const line = text.slice(i * 1_000, i * 1_000 + 900).split('\n')[1]!;
      expect(findQuote(folded, line)).toBeDefined();
      expect(findQuote(folded, `${line} and the superintendent has released the hold point ${i}`)).toBeUndefined();
    }
    // A bound for a slow machine; it takes a second or two.
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
