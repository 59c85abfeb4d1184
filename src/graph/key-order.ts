/**
 * The order in which nodes of one entity are listed: numbers inside codes count as numbers, so 1.9 stands before 1.10.
 * The order is kept as a text beside the key, because only then can the database itself page through it.
 */

/** Stands between key parts; smaller than anything that occurs in a code, so that a shorter part comes first. */
const PART_END = '\u0001';
const NUMBER_PART = '\u0002';
const TEXT_PART = '\u0003';

/** A text whose order by code points is the key order; equal texts are told apart by the key itself. */
export function keyOrder(key: readonly (string | number)[]): string {
  return key
    .map((part) => (typeof part === 'number' ? NUMBER_PART + orderOfNumber(part) : TEXT_PART + orderOfText(part)))
    .join(PART_END);
}

/** Each run of digits is led by its length in four digits: 9 → `00019`, 10 → `000210`. */
function orderOfText(text: string): string {
  return (
    text
      .replace(/\d+/g, (run) => {
        const digits = run.replace(/^0+(?=\d)/, '');
        return `${String(Math.min(digits.length, 9999)).padStart(4, '0')}${digits}`;
      })
      // The driver ends a bound text at NUL; only the order is concerned, the key itself is kept as JSON.
      .replaceAll('\u0000', '')
  );
}

/** The bits of the double, turned so that they sort as the number does: negative ones inverted, others with the sign set. */
function orderOfNumber(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value === 0 ? 0 : value);
  const bits = view.getBigUint64(0);
  const sign = 1n << 63n;
  return ((bits & sign) === 0n ? bits | sign : ~bits & 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0');
}
