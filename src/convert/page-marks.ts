/** Pages of a text file: form feeds, or lines such as `Page 2 of 4` that a converter left in it. */
import type { Section } from '../output/source-text.ts';

const MARK = /^[ \t*_>-]*Page (\d{1,5}) of (\d{1,5})\b.*$/gim;

/** The pages in order, from the text's beginning to its end; none when the text shows no pages. */
export function pagesOf(text: string): readonly Section[] {
  const feeds = [...text.matchAll(/\f/g)].map(({ index }) => index + 1);
  if (feeds.length > 0) return sections(text, [0, ...feeds.filter((at) => text.slice(at).trim() !== '')]);
  const marks = [...text.matchAll(MARK)];
  const total = Number(marks[0]?.[2]);
  const isWhole = marks.length === total && marks.every(([, n, of], i) => Number(n) === i + 1 && Number(of) === total);
  if (!isWhole) return [];
  const [first, last] = [marks[0]!, marks.at(-1)!];
  // A mark heads its page unless more stands above the first one than below the last: then it ends its page.
  const isHead = first.index <= text.length - (last.index + last[0].length);
  const starts = isHead
    ? marks.slice(1).map(({ index }) => index)
    : marks.slice(0, -1).map((mark) => mark.index + mark[0].length);
  return sections(text, [0, ...starts]);
}

function sections(text: string, starts: readonly number[]): Section[] {
  return starts.map((from, i) => ({
    kind: 'page',
    locator: `p. ${i + 1}`,
    path: [],
    from,
    to: starts[i + 1] ?? text.length,
  }));
}
