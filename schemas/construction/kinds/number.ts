import { z } from 'zod';
import { expected, show } from './expected.ts';

interface NumberBounds {
  readonly min?: number;
  readonly max?: number;
  /** The number must be greater than this. */
  readonly above?: number;
}

/** `unit` is what the number counts, for messages: "metres", "months". */
function message(
  kind: string,
  unit: string,
  { min, max, above }: NumberBounds,
): (issue: { input?: unknown }) => string {
  const range =
    above !== undefined
      ? ` greater than ${above}`
      : min !== undefined && max !== undefined
        ? ` from ${min} to ${max}`
        : min !== undefined
          ? ` of at least ${min}`
          : '';
  const what = `${kind}${range}${unit === '' ? '' : `, in ${unit}`}`;
  return ({ input }) => {
    const plain = typeof input === 'string' ? numberIn(input) : undefined;
    return expected(what)({ input }) + (plain === undefined ? '' : `; write ${plain}`);
  };
}

/** The number that a text such as "41 500", "12 months", "Ch 1+200" or "1.20 km" holds, or undefined. */
function numberIn(printed: string): number | undefined {
  const bare = printed.trim();
  const chainage = /^(?:ch(?:ainage)?\.?\s*)?(\d+)\+(\d{3}(?:\.\d+)?)$/i.exec(bare);
  if (chainage) return Number(chainage[1]) * 1000 + Number(chainage[2]);
  const kilometres = /^(?:ch(?:ainage)?\.?\s*)?(\d+(?:\.\d+)?)\s*km$/i.exec(bare);
  if (kilometres) return Math.round(Number(kilometres[1]) * 1e6) / 1e3;
  const separated =
    /^(?:ch(?:ainage)?\.?\s*)?(-?\d{1,3}(?:[ ,]\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?)(?:\s*[a-z%][a-z0-9%]*)?$/i.exec(bare);
  return separated?.[1] === undefined ? undefined : Number(separated[1].replace(/[ ,]/g, ''));
}

function bound(schema: z.ZodNumber, bounds: NumberBounds, error: (issue: { input?: unknown }) => string): z.ZodNumber {
  let bounded = schema;
  if (bounds.min !== undefined) bounded = bounded.min(bounds.min, { error });
  if (bounds.max !== undefined) bounded = bounded.max(bounds.max, { error });
  if (bounds.above !== undefined) bounded = bounded.gt(bounds.above, { error });
  return bounded;
}

/** A number in `unit` ('' = none), never text. */
export function number(description: string, unit: string, bounds: NumberBounds = {}): z.ZodNumber {
  const error = message('a number', unit, bounds);
  return bound(z.number({ error }), bounds, error).describe(description);
}

/** A whole number in `unit` ('' = none), never text. */
export function whole(description: string, unit: string, bounds: NumberBounds = {}): z.ZodNumber {
  const error = message('a whole number', unit, bounds);
  return bound(z.int({ error }), bounds, error).describe(description);
}

/** Distance along a control line in metres: "Ch 1+200" and "1.20 km" are both 1200. */
export function chainage(description: string): z.ZodNumber {
  return number(`${description}, metres along the control line`, 'metres', { min: 0 });
}

/** The pair of chainages runs forwards; answers what is wrong with the end, or undefined. */
export function endBeforeStart(
  start: number | undefined,
  end: number | undefined,
  mayTouch: boolean,
): string | undefined {
  if (start === undefined || end === undefined) return undefined;
  if (end > start || (mayTouch && end === start)) return undefined;
  return `expected ${mayTouch ? 'at least' : 'more than'} chainageStart (${show(start)}); got ${show(end)}`;
}
