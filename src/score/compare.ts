/** When two values count as equal; the only tolerance is case and white space of texts. */

/** Tag and value, so that the number 1200 and the text "1200" differ; null for what is absent. */
export type Comparable = string | null;

/** Numbers as numbers; else as text with single spaces, trimmed, in lower case; lists element by element. */
export function norm(value: unknown): Comparable {
  return tagged(value, (text) => text.replace(/\s+/gu, ' ').trim().toLowerCase());
}

/** Numbers as numbers; texts as they are written. */
export function exact(value: unknown): Comparable {
  return tagged(value, (text) => text);
}

function tagged(value: unknown, textOf: (text: string) => string): Comparable {
  if (value === null || value === undefined) return null;
  // Adding 0 makes -0 equal to 0.
  if (typeof value === 'number') return `n:${value + 0}`;
  if (Array.isArray(value)) return `l:${JSON.stringify(value.map((item) => tagged(item, textOf)))}`;
  return `t:${textOf(String(value))}`;
}
