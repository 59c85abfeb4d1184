/** Why an instance runs again, in words: which part of what it is made from changed, and the lines that differ. */
import { changeText, compareFingerprints, type Fingerprint, type PartChange } from './compare.ts';
import type { Parts } from './parts.ts';

export interface Explanation extends PartChange {
  /** Lines with `-` before what went and `+` before what came; empty when a text is not on record. */
  readonly diff: readonly string[];
}

/** Lines of one diff; more are counted. */
const MAX_LINES = 40;
/** Longer texts are not compared line by line: the table of a diff grows with the product of their lengths. */
const MAX_COMPARED = 3_000;
/** Unchanged lines around a change. */
const CONTEXT = 1;

/** @param textOf the text with this hash, as far as it is on record. */
export function explainChanges(
  before: Fingerprint,
  after: Fingerprint,
  now: Parts,
  textOf: (hash: string) => string | undefined,
): readonly Explanation[] {
  return compareFingerprints(before, after).map((change) => {
    const old = before[change.part];
    const [from, to] = [old === undefined ? '' : textOf(old), now[change.part] ?? ''];
    return { ...change, diff: from === undefined ? [] : diffLines(from, to) };
  });
}

/** One explanation as lines of text. */
export function explanationLines({ diff, ...change }: Explanation): readonly string[] {
  return [changeText(change), ...diff.map((line) => `  ${line}`)];
}

/** A line diff by longest common subsequence, with one line around each change; bounded in length. */
export function diffLines(before: string, after: string): readonly string[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  if (a.length > MAX_COMPARED || b.length > MAX_COMPARED) {
    return [`(${a.length} lines before, ${b.length} lines now: too long to compare)`];
  }
  const marked = mark(a, b);
  const near = marked.map((_, i) =>
    marked.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some((line) => !line.startsWith(' ')),
  );
  const shown = marked.filter((_, i) => near[i]);
  const more = shown.length - MAX_LINES;
  return more > 0 ? [...shown.slice(0, MAX_LINES), `(and ${more} more lines)`] : shown;
}

function mark(a: readonly string[], b: readonly string[]): string[] {
  // What both begin and end with needs no table.
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const middle = subsequence(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [
    ...a.slice(0, start).map((line) => ` ${line}`),
    ...middle,
    ...a.slice(a.length - end).map((line) => ` ${line}`),
  ];
}

function subsequence(a: readonly string[], b: readonly string[]): string[] {
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(` ${a[i]}`);
      i++;
      j++;
    } else if (i < a.length && (j === b.length || longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)) {
      lines.push(`-${a[i++]}`);
    } else lines.push(`+${b[j++]}`);
  }
  return lines;
}
