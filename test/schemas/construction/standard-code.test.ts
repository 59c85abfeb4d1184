import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalDocNo } from '../../../schemas/construction/kinds/document-number.ts';
import { canonicalStandard, standardCode } from '../../../schemas/construction/kinds/standard-code.ts';

describe('codes of standards', () => {
  const printed: readonly (readonly [string, string, string | undefined])[] = [
    ['AS1379-2007', 'AS 1379', '2007'],
    ['as 1379-2007', 'AS 1379', '2007'],
    ['AS 1289.5.4.1-2007', 'AS 1289.5.4.1', '2007'],
    ['AS/NZS 4671:2019', 'AS/NZS 4671', '2019'],
    ['AS / NZS 4671', 'AS/NZS 4671', undefined],
    ['AS/NZS ISO 9001:2016', 'AS/NZS ISO 9001', '2016'],
    ['AS ISO/IEC 17025-2018', 'AS ISO/IEC 17025', '2018'],
    ['ISO9001:2015', 'ISO 9001', '2015'],
    ['RTA R44', 'TfNSW R44', undefined],
    ['RMS QA Specification R44', 'TfNSW R44', undefined],
    ['TfNSW R44 Ed 6 Rev 0', 'TfNSW R44', 'Ed 6 Rev 0'],
    ['MRS11.04', 'MRTS04', undefined],
    ['MRTS4', 'MRTS04', undefined],
    ['Section 204', 'VicRoads Section 204', undefined],
    ['ATS1120', 'ATS 1120', undefined],
    ['Work Health and Safety Regulation 2017 (NSW)', 'Work Health and Safety Regulation 2017 (NSW)', undefined],
  ];

  test.each(printed)('%s is %s', (text, code, edition) => {
    expect(canonicalStandard(text)).toEqual(edition === undefined ? { code } : { code, edition });
  });

  test.each([
    ...printed.map(([, code]) => code),
    'TfNSW 3051',
    'TfNSW G2-C2',
    'TfNSW TS 01572.1',
    'DIT-SA RD-EW-C1',
    'AUS-SPEC 0161',
    'MRWA 201',
    'ASTM D1557',
    'AGPT02-17',
  ])('%s is canonical and accepted', (code) => {
    expect(standardCode('').safeParse(code).error).toBeUndefined();
  });

  test('the canonical code of a canonical code is itself', () => {
    const prefix = fc.constantFrom('AS', 'AS/NZS', 'AS ISO', 'AS/NZS ISO', 'ISO/IEC', 'as', 'AS / NZS');
    const number = fc.array(fc.integer({ min: 1, max: 9999 }), { minLength: 1, maxLength: 4 });
    const year = fc.option(fc.integer({ min: 1950, max: 2049 }), { nil: undefined });
    fc.assert(
      fc.property(prefix, fc.constantFrom('', ' ', '  '), number, year, (publisher, gap, parts, edition) => {
        const text = `${publisher}${gap}${parts.join('.')}${edition === undefined ? '' : `-${edition}`}`;
        const first = canonicalStandard(text);
        expect(first?.edition).toBe(edition === undefined ? undefined : String(edition));
        expect(canonicalStandard(first?.code ?? '')).toEqual({ code: first?.code });
      }),
    );
  });
});

test('the normal form of a document number is upper case, has single hyphens, and is stable', () => {
  expect(normalDocNo('bru2_sp 001')).toBe('BRU2-SP-001');
  const printed = fc.array(fc.constantFrom('a', 'B', '7', ' ', '_', '/', '-', '.', '–'), { maxLength: 12 });
  fc.assert(
    fc.property(printed, (characters) => {
      const normal = normalDocNo(characters.join(''));
      expect(normal).not.toMatch(/[a-z\s_/]|--|^-|-$/);
      expect(normalDocNo(normal)).toBe(normal);
    }),
  );
});
