/** The short codes of the field; each is the key of one entity and stands in others that refer to it. */
import type { z } from 'zod';
import { code } from './business-key.ts';

export function partyCode(description: string): z.ZodString {
  return code(description, /^[A-Z]{2,8}$/, 'a code of 2-8 capital letters such as "HC"');
}

export function workTypeCode(description: string): z.ZodString {
  return code(description, /^[A-Z]{2,8}$/, 'a work type code of 2-8 capital letters such as "EW"');
}

export function areaCode(description: string): z.ZodString {
  return code(description, /^[A-Z0-9]{2,6}$/, 'an area code of 2-6 capital letters and digits such as "ML01"');
}

export function controlLine(description: string): z.ZodString {
  return code(description, /^[A-Z0-9][A-Z0-9_-]{0,15}$/, 'the code of a control line such as "MC10"', (printed) => {
    const bare = printed.trim();
    // "centreline" is a word, not a code in lower case.
    return /\d/.test(bare) ? bare.toUpperCase() : bare;
  });
}

export function wbsCode(description: string): z.ZodString {
  return code(
    description,
    /^[0-9]+(\.[0-9]+)*$/,
    'a WBS code in digits and dots such as "4.2.1", as text (3.1 and 3.10 are two codes)',
    (printed) => printed.trim().replace(/\.+$/, ''),
  );
}

export function lbsCode(description: string): z.ZodString {
  return code(
    description,
    /^[A-Z0-9]+(-[A-Z0-9]+)*$/,
    'a location code of capital letters and digits in hyphenated parts such as "BRU2-B-P1"',
  );
}

/** "1", "4.2": dotted numbers, without a dot at the end. */
export function dottedNumber(description: string, what: string): z.ZodString {
  return code(
    description,
    /^[0-9]+(\.[0-9]+)*$/,
    `${what} in digits and dots such as "4" or "4.2", as text`,
    (printed) => printed.trim().replace(/\.+$/, ''),
  );
}

/** The number of a line within an ITP: "7" or "7.1". */
export function itemNo(description: string): z.ZodString {
  return code(description, /^[0-9]+(\.[0-9]+)?$/, 'an item number such as "7" or "7.1", as text', (printed) =>
    printed.trim().replace(/\.+$/, ''),
  );
}

/** The number of a hold point, witness point or milestone: HP-09, WP-03, MS-01, or as the contract prints it. */
export function pointNo(description: string): z.ZodString {
  return code(
    description,
    /^(?=.*[A-Z])(?=.*[0-9])[A-Z0-9][A-Z0-9./-]*$/,
    'a point number such as "HP-09", "WP-03", "MS-01" or as the contract prints it',
    (printed) => printed.trim().toUpperCase().replace(/\s+/g, '-'),
  );
}

/** The issue mark of a document alone: A, B, C before issue, then 0, 1, 2. */
export function revision(description: string): z.ZodString {
  return code(
    description,
    /^(?:[0-9]{1,2}|[A-Z]{1,2}|[A-Z][0-9]{1,2})$/,
    'the issue mark alone, such as "A", "0", "2" or "P1"',
    (printed) =>
      printed
        .trim()
        .replace(/^(?:rev(?:ision)?|issue|ed(?:ition)?|v(?:ersion)?)[\s.:-]*(?=[A-Z0-9]{1,3}$)/i, '')
        .toUpperCase(),
  );
}
