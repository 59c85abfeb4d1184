/** Sections of a text by its headings: each from its heading to the next of any level, with the headings above it. */
import type { Section } from '../output/source-text.ts';

export interface Heading {
  /** 1 is the outermost. */
  readonly level: number;
  readonly title: string;
  /** Offset of its line. */
  readonly at: number;
}

const NUMBERED = /^[A-Z]?\d/;

/** What stands before the first heading is no section; a text without headings has none. */
export function headingSections(headings: readonly Heading[], end: number): readonly Section[] {
  const open: Heading[] = [];
  return headings.map((heading, i) => {
    while (open.length > 0 && open.at(-1)!.level >= heading.level) open.pop();
    open.push(heading);
    return {
      kind: 'heading',
      // A heading without a number is named by its place in the order, which is stable and can be looked up.
      locator: NUMBERED.test(heading.title) ? heading.title : `#${i + 1} ${heading.title}`,
      path: open.map(({ title }) => title),
      from: i === 0 ? Math.min(heading.at, headings[0]!.at) : heading.at,
      to: headings[i + 1]?.at ?? end,
    };
  });
}
