import type { z } from 'zod';
import { judged, term } from './attribute.ts';
import { madeUp } from './business-key.ts';
import { expected, show } from './expected.ts';

/** A standard's code without its year, and the edition that was printed with it. */
interface StandardName {
  readonly code: string;
  readonly edition?: string;
}

/** An Act or Regulation keeps its year and jurisdiction: they are its name. */
const LEGISLATION = /\b(?:Act|Regulations?|Rules|Code of Practice|By-?law|Order)\b/;
const EDITION = /[\s,]+\(?((?:Ed(?:ition|n)?\.?\s*\d|Rev(?:ision)?\.?\s*[A-Z0-9]{1,3}\b).*?)\)?$/i;

type Family = readonly [pattern: RegExp, name: (parts: RegExpExecArray) => string];

const upper = (part: string | undefined): string => (part ?? '').toUpperCase().replace(/\s+/g, '');

/** Families of codes and how each is written. Old names come out under the new one. */
const FAMILIES: readonly Family[] = [
  [
    /^(AS(?:\s*\/\s*NZS)?|(?=ISO|IEC))\s*(ISO(?:\s*\/\s*IEC)?|IEC)?[\s-]*(\d+(?:\.\d+)*)\.?$/i,
    ([, national, international, digits]) =>
      [upper(national), upper(international), digits].filter((part) => part !== '').join(' '),
  ],
  [
    /^(?:TfNSW|RMS|RTA|Transport for NSW)[\s/-]*(?:QA\s+)?(?:D&C\s+)?(?:Spec(?:ification)?\.?\s+)?([A-Z]?)\s*(\d[\dA-Z.-]*)$/i,
    ([, letter, digits]) => `TfNSW ${upper(letter)}${upper(digits)}`,
  ],
  [/^([BDGLMNQRT])(\d{1,3})$/, ([, letter, digits]) => `TfNSW ${letter}${digits}`],
  [/^MRTS\s*(\d+)$/i, ([, digits]) => `MRTS${(digits ?? '').padStart(2, '0')}`],
  [/^MRS\s*11\.(\d+)$/i, ([, digits]) => `MRTS${digits}`],
  [
    /^(?:VicRoads\s+|DTP\s+)?(?:Standard\s+)?(?:Spec(?:ification)?\s+)?Section\s*(\d+)$/i,
    ([, digits]) => `VicRoads Section ${digits}`,
  ],
  [/^(ATS|MRWA|AUS-SPEC)[\s-]*(\d+)$/i, ([, publisher, digits]) => `${upper(publisher)} ${digits}`],
];

/**
 * The canonical name of a standard as it is printed: publisher, one space, number; the year or edition apart.
 * `undefined` for a text of no known family, which is then taken as it stands.
 */
export function canonicalStandard(printed: string): StandardName | undefined {
  const bare = printed.trim().replace(/\s+/g, ' ');
  if (LEGISLATION.test(bare)) return { code: bare };
  const cut = cutEdition(bare);
  for (const [pattern, name] of FAMILIES) {
    const parts = pattern.exec(cut.code);
    if (parts) return { ...cut, code: name(parts) };
  }
  return undefined;
}

function cutEdition(bare: string): StandardName {
  const year = /^(.*[\dA-Z])\s*[-:–]\s*((?:19|20)\d{2})$/i.exec(bare);
  if (year?.[1] !== undefined && year[2] !== undefined) return { code: year[1], edition: year[2] };
  const edition = EDITION.exec(bare);
  return edition?.[1] === undefined ? { code: bare } : { code: bare.slice(0, edition.index), edition: edition[1] };
}

const WHAT = 'the canonical code of a standard without its year, such as "AS 1289.5.4.1", "TfNSW R44" or "MRTS04"';

/** What is wrong with a standard's code, or undefined. `withEdition`: the message says where the year goes. */
function standardCodeFault(value: string, withEdition: boolean): string | undefined {
  const invented = madeUp(value);
  if (invented !== undefined) return invented;
  const bare = value.trim().replace(/\s+/g, ' ');
  if (!/[A-Za-z]/.test(bare) || !(/\d/.test(bare) || bare.length > 5)) return expected(WHAT)({ input: value });
  const { code, edition } = canonicalStandard(bare) ?? cutEdition(bare);
  if (code === value) return undefined;
  const where = withEdition && edition !== undefined ? ` with editionCited ${show(edition)}` : '';
  return `${show(value)} is not in its canonical form; expected ${show(code)}${where}`;
}

/** The key of a Standard. */
export function standardCode(description: string): z.ZodString {
  return judged(term(WHAT), (value) => standardCodeFault(value, true)).describe(description);
}

/** The code of a Standard, held by another node. */
export function standardReference(description: string): z.ZodString {
  return judged(term(WHAT), (value) => standardCodeFault(value, false)).describe(description);
}
