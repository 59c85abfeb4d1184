/** The order of codes in lists that people read: runs of digits count as numbers, so 1.9 stands before 1.10. */

/** Compares two codes part by part; codes that differ only in leading zeros are told apart by their text. */
export function naturally(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const order = compareParts(left[at]!, right[at]!);
    if (order !== 0) return order;
  }
  return left.length - right.length || byText(a, b);
}

/** Compares two business keys, whose parts are texts and numbers. */
export function byKey(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const [left, right] = [a[at]!, b[at]!];
    const order =
      typeof left === 'number' && typeof right === 'number' ? left - right : naturally(String(left), String(right));
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** By code points, not by a locale: the same order on every machine. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function partsOf(text: string): string[] {
  return text.match(/\d+|\D+/g) ?? [];
}

function compareParts(a: string, b: string): number {
  if (!/^\d/.test(a) || !/^\d/.test(b)) return byText(a, b);
  const [left, right] = [a.replace(/^0+(?=\d)/, ''), b.replace(/^0+(?=\d)/, '')];
  // Digits of equal length compare as text, however many there are.
  return left.length - right.length || byText(left, right);
}
