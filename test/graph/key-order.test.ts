import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keyOrder } from '../../src/graph/key-order.ts';

const less = (a: string, b: string) => a < b;

it('dotted codes order as their numbers do', () => {
  const code = fc.array(fc.nat(2000), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(code, code, (a, b) => {
      const at = a.findIndex((number, index) => number !== b[index]);
      const before = at === -1 ? a.length < b.length : b[at] !== undefined && a[at]! < b[at];
      expect(less(keyOrder(['P', a.join('.')]), keyOrder(['P', b.join('.')]))).toBe(before);
    }),
  );
});

it('runs of digits of any length order as their numbers do', () => {
  const run = fc.nat(24).chain((digits) => fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) }));
  fc.assert(
    fc.property(run, run, (a, b) => {
      expect(less(keyOrder([`D-${a}`]), keyOrder([`D-${b}`]))).toBe(a < b);
    }),
  );
});

it('numbers order as numbers, before texts', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(number, number, (a, b) => {
      expect(less(keyOrder([a]), keyOrder([b]))).toBe(a < b);
      expect(less(keyOrder([a]), keyOrder([`${b}`]))).toBe(true);
    }),
  );
});

it('an earlier part decides before a later one', () => {
  expect(less(keyOrder(['1', '9']), keyOrder(['1.1', '1']))).toBe(true);
  expect(less(keyOrder(['ITP-2', 'z']), keyOrder(['ITP-10', 'a']))).toBe(true);
});
