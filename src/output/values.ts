/** Small questions about values of unknown shape. */
import type { Issue } from '../../schemas/run-event.ts';
import { nearest } from '../schema/nearest.ts';

const LONGEST_SHOWN = 80;
/** Characters of an unknown name that its path repeats. */
export const NAME_SHOWN = 60;
/** Characters of one text and elements of one list: more is a copied document, not an attribute. */
const MAX_TEXT = 100_000;
const MAX_ELEMENTS = 1_000;
/** Elements and depth that {@link show} looks at: a value of any size or depth costs the same. */
const SHOWN_ELEMENTS = 8;
const SHOWN_DEPTH = 3;
/** Longest name that is compared with the known ones; comparing takes time by the product of the lengths. */
const LONGEST_NAME = 200;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The arguments of a call as a record; what is not one, and each unknown name, is an issue. */
export function readArguments(value: unknown, names: readonly string[], issues: Issue[]): Record<string, unknown> {
  if (!isRecord(value)) {
    issues.push({ path: 'arguments', message: `expected {${names.join(', ')}}; got ${show(value)}` });
    return {};
  }
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    const message = `unknown field; expected ${names.join(', ')}${didYouMean(name, names)}`;
    issues.push({ path: cut(name, NAME_SHOWN) || 'arguments', message });
  }
  return value;
}

/** A value for a message: as JSON, cut after 80 characters. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return cut(preview(value, 0), LONGEST_SHOWN);
}

/** `text` with at most `length` characters. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** ` Did you mean name?` for a name that is close to a known one, else nothing. */
export function didYouMean(name: unknown, known: readonly string[]): string {
  const close = closest(name, known);
  return close === undefined ? '' : `. Did you mean ${close}?`;
}

/** The known name that is meant by a value of unknown shape, or undefined. */
export function closest(name: unknown, known: readonly string[]): string | undefined {
  return typeof name === 'string' && name.length <= LONGEST_NAME ? nearest(name, known) : undefined;
}

/** Why a value cannot be a property, whatever the schema says: too large, or a structure. */
export function sizeProblem(value: unknown): string | undefined {
  if (typeof value === 'string') {
    return value.length > MAX_TEXT ? `expected at most ${MAX_TEXT} characters; got ${value.length}` : undefined;
  }
  if (typeof value !== 'object') return undefined;
  if (!Array.isArray(value)) return `expected a value or a flat list of values; got ${show(value)}`;
  if (value.length > MAX_ELEMENTS) return `expected at most ${MAX_ELEMENTS} elements; got ${value.length}`;
  for (const element of value as unknown[]) {
    if (typeof element === 'object') return `expected a flat list of values; got ${show(element)} in it`;
    const problem = sizeProblem(element);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function preview(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, LONGEST_SHOWN + 1));
  if (typeof value !== 'object' || value === null) return String(value);
  const isList = Array.isArray(value);
  if (depth === SHOWN_DEPTH) return isList ? '[…]' : '{…}';
  const names = isList ? [] : Object.keys(value);
  const count = isList ? value.length : names.length;
  const parts = Array.from({ length: Math.min(count, SHOWN_ELEMENTS) }, (_, i) =>
    isList
      ? preview(value[i], depth + 1)
      : `${preview(names[i], depth + 1)}:${preview((value as Record<string, unknown>)[names[i]!], depth + 1)}`,
  );
  if (count > SHOWN_ELEMENTS) parts.push('…');
  return isList ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
}
