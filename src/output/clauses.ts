/** Clauses of a text that are numbered paragraphs, not headings: `2.10 Submit the survey report…`. */
import type { Range, SourceText } from './source-text.ts';

interface Mark {
  readonly number: string;
  readonly at: number;
}

/** A number of at least two parts at the beginning of a line; a bare "2" begins too many lines that are no clause. */
const CLAUSE_LINE = /^[ \t>#*]*(\d{1,3}(?:\.\d{1,3})+)\.?[ \t]+\S/gm;

const known = new WeakMap<SourceText, readonly Mark[]>();

/** Each paragraph with this number, down to the clause that follows it. */
export function clauseRanges(source: SourceText, number: string): readonly Range[] {
  const marks = marksOf(source);
  return marks.flatMap((mark, i) => {
    if (mark.number !== number) return [];
    const next = marks.slice(i + 1).find((other) => follows(number, other.number));
    return [{ from: mark.at, to: next?.at ?? source.text.length }];
  });
}

function marksOf(source: SourceText): readonly Mark[] {
  const found = known.get(source);
  if (found) return found;
  const marks = [...source.text.matchAll(CLAUSE_LINE)].map(({ 1: number, index }) => ({ number: number!, at: index }));
  known.set(source, marks);
  return marks;
}

/**
 * Whether `other` can end the clause `number`: the next one at any depth, or the first below that. A line that happens to
 * begin with a measure ("3.5 m lanes") ends nothing, unless it is exactly that number; then a clause seems shorter.
 */
function follows(number: string, other: string): boolean {
  const [own, next] = [number, other].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const differs = own.findIndex((part, i) => part !== next[i]);
  // A clause of its own: it belongs to this one.
  if (differs < 0) return false;
  return next[differs] === own[differs]! + 1 && next.slice(differs + 1).every((part) => part === 1 || part === 0);
}
