/** How the messages of attributes are worded: what was expected, then what came. */

const LONGEST_SHOWN = 80;

/** A value as it stands in a message: JSON, cut after 80 characters. */
export function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}…` : shown;
}

/** The `error` option of a Zod type or check: names `what` was expected and shows what came. */
export function expected(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? `missing; expected ${what}` : `expected ${what}; got ${show(input)}`);
}

/** The message for a value that is right but for its form; the engine never rewrites a key by itself. */
export function wrongForm(value: string, normal: string): string {
  return `${show(value)} is not in its normal form; expected ${show(normal)}`;
}
