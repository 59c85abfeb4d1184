import { z } from 'zod';
import { expected, show } from './expected.ts';

const LONGEST_TERM = 200;

/**
 * A short text of a fixed form: a code, a number, a reference; `longest` characters at most, default 200. Nothing else
 * is checked in a longer one: patterns that search for the form to write take time that grows with its square.
 */
export function term(what: string, longest: number = LONGEST_TERM): z.ZodString {
  return z
    .string({ error: expected(what) })
    .max(longest, { error: ({ input }) => `expected ${what}; got ${String(input).length} characters`, abort: true });
}

/** Adds a judgement to a text that is right so far: `judge` answers what is wrong with it, or undefined. */
export function judged(schema: z.ZodString, judge: (value: string) => string | undefined): z.ZodString {
  return schema.superRefine((value, context) => {
    // One message for each attribute: the first names the cure.
    if (context.issues.length > 0) return;
    const fault = judge(value);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });
}

/** The same attribute, which may be absent; keeps the description. */
export function optional<Schema extends z.ZodType>(schema: Schema): z.ZodOptional<Schema> {
  return schema.optional().describe(schema.description ?? '');
}

/** A list without repetitions; `min` elements or more, default 0. */
export function list<Element extends z.ZodType>(
  description: string,
  element: Element,
  { min = 0 }: { readonly min?: number } = {},
): z.ZodArray<Element> {
  const what = min > 0 ? `a list of at least ${min}` : 'a list';
  return z
    .array(element, {
      error: expected(what),
    })
    .min(min, { error: ({ input }) => `expected at least ${min} in the list; got ${show(input)}` })
    .superRefine((values, context) => {
      const met = new Set<unknown>();
      values.forEach((value, index) => {
        if (met.has(value)) {
          context.addIssue({ code: 'custom', path: [index], message: `${show(value)} is listed twice` });
        }
        met.add(value);
      });
    })
    .describe(description);
}

/** True or false; null, "yes" and an absent value are refused. */
export function flag(description: string): z.ZodBoolean {
  return z.boolean({ error: expected('true or false') }).describe(description);
}

/** One of a closed list. `aliases` names words that are met in documents and what is written for them. */
export function choice<const Values extends readonly [string, ...string[]]>(
  description: string,
  values: Values,
  aliases: Readonly<Record<string, Values[number]>> = {},
) {
  const listed = values.join(' | ');
  const written = new Map(Object.entries(aliases).map(([met, value]) => [met.toLowerCase(), value]));
  for (const value of values) written.set(value.toLowerCase(), value);
  return z
    .enum(values, {
      error: ({ input }) => {
        if (input === undefined) return `missing; expected one of ${listed}`;
        const known = typeof input === 'string' ? written.get(input.trim().toLowerCase()) : undefined;
        if (known !== undefined) return `${show(input)} is written "${known}" here`;
        return `expected one of ${listed}; got ${show(input)}`;
      },
    })
    .describe(description);
}
