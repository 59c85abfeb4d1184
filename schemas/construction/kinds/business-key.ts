import type { z } from 'zod';
import { judged, term } from './attribute.ts';
import { expected, show, wrongForm } from './expected.ts';

const UUID = /^\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$/i;

/** What is wrong with a key that a machine made up, or undefined. */
export function madeUp(value: string): string | undefined {
  return UUID.test(value.trim())
    ? `${show(value)} is a UUID; expected the code, number or name that the documents print`
    : undefined;
}

/**
 * A code of a fixed shape. A value that has the shape once `normalise` is applied (default: trimmed, upper case) is
 * refused with the form to write, never rewritten.
 */
export function code(
  description: string,
  pattern: RegExp,
  shape: string,
  normalise: (printed: string) => string = (printed) => printed.trim().toUpperCase(),
): z.ZodString {
  const shaped = term(shape).regex(pattern, {
    error: ({ input }) => {
      if (typeof input !== 'string') return expected(shape)({ input });
      const invented = madeUp(input);
      if (invented !== undefined) return invented;
      const normal = normalise(input);
      return normal !== input && pattern.test(normal) ? wrongForm(input, normal) : expected(shape)({ input });
    },
  });
  return judged(shaped, madeUp).describe(description);
}
