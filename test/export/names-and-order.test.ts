import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf, widthOf } from '../../src/export/construction/text-measure.ts';
import { letterOf } from '../../src/export/construction/words.ts';
import { FileNames, fileNameOf } from '../../src/export/file-name.ts';
import { indexPage } from '../../src/export/index-page.ts';
import { byKey, naturally } from '../../src/export/natural-order.ts';
import { withoutZipDates } from '../../src/export/zip-dates.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 300 });

describe('file names', () => {
  it('hold nothing that any file system minds, whatever the key is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const name = fileNameOf(text);
        expect(name).toMatch(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/);
        expect(name.length).toBeLessThanOrEqual(102);
        expect(name).not.toMatch(/\.\.|^(?:con|prn|aux|nul|com\d|lpt\d)(?:$|\.)/i);
      }),
    );
    expect(['../../etc/passwd', 'con.xlsx', 'LPT1', '', '...', 'é ü'].map(fileNameOf)).toEqual([
      'etc-passwd',
      'x-con.xlsx',
      'x-LPT1',
      'x',
      'x',
      'e-u',
    ]);
  });

  it('are different for different keys, also where letters of two cases are one', () => {
    const names = new FileNames();
    expect(['ITP-07', 'itp-07', 'ITP/07', 'ITP-07-2'].map((key) => names.take(fileNameOf(key)))).toEqual([
      'ITP-07',
      'itp-07-2',
      'ITP-07-3',
      'ITP-07-2-2',
    ]);
  });
});

describe('the order of codes', () => {
  it('counts numbers as numbers', () => {
    const sorted = ['1.10', '10', '1.9', '2', 'ITP-10', 'ITP-9', '1', '1.9.1'].sort(naturally);
    expect(sorted).toEqual(['1', '1.9', '1.9.1', '1.10', '2', '10', 'ITP-9', 'ITP-10']);
    expect([['P', 10], ['P', 9], ['P']].sort(byKey)).toEqual([['P'], ['P', 9], ['P', 10]]);
  });

  it('is an order: of two different codes one comes first, and three never go round', () => {
    const code = fc.string({ unit: fc.constantFrom('0', '1', '9', '.', 'a', 'B'), maxLength: 6 });
    fc.assert(
      fc.property(code, code, code, (a, b, c) => {
        expect(Math.sign(naturally(a, b))).toBe(-Math.sign(naturally(b, a)) + 0);
        expect(naturally(a, b) === 0).toBe(a === b);
        if (naturally(a, b) < 0 && naturally(b, c) < 0) expect(naturally(a, c)).toBeLessThan(0);
      }),
    );
  });
});

describe('the room that a text takes', () => {
  it('is never less than its letters need', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 3, max: 60 }), (text, width) => {
        const lines = linesOf(text, width);
        expect(lines).toBeGreaterThanOrEqual(text.split('\n').length);
        const longest = Math.max(...text.split('\n').map((line) => widthOf(line.trim())));
        expect(lines * width).toBeGreaterThanOrEqual(Math.floor(longest * 0.9) - width);
      }),
    );
    expect(linesOf('aaaa bbbb cccc', 9.7)).toBe(2);
    expect(linesOf('aaaaaaaaaaaaaaaaaaaa', 5)).toBe(4);
    expect(linesOf('', 5)).toBe(1);
  });
});

it('criteria are lettered beyond z', () => {
  expect([0, 25, 26, 27, 52].map(letterOf)).toEqual(['a', 'z', 'aa', 'ab', 'ba']);
});

it('the index shows texts of the graph, never as markup', () => {
  const files = [{ path: 'a.csv', content: '', what: 'x | <b> [y](z) `c`\n# d' }];
  const page = indexPage(files, { source: 'run 1', exportedOn: '2025-11-03' }).content as string;
  expect(page).toContain('| [a.csv](a.csv) | x \\| \\<b\\> \\[y\\](z) \\`c\\` \\# d |');
});

it('what is no archive is refused', () => {
  expect(() => withoutZipDates(new Uint8Array(100))).toThrow(RangeError);
});
