/** A document as text with places: what agents read, and what their quotes are compared with. */

/** `rows` are blocks of sheet rows, `row` is one of them; `lines` are blocks of lines of a text without headings. */
export type SectionKind = 'page' | 'heading' | 'sheet' | 'rows' | 'row' | 'lines';

/** One place of a document. Sections of different kinds overlap; those of one kind stand in order and do not. */
export interface Section extends Range {
  readonly kind: SectionKind;
  /** As a person would name it: `p. 12`, `4.2 Drainage`, `Rates!A2:F2`, `L51-L100`. */
  readonly locator: string;
  /** Headings above it and its own, outermost first; the sheet for rows; empty for pages and lines. */
  readonly path: readonly string[];
}

/** A part of a text: offsets of its first character, and after its last. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface SourceText {
  /** NFC, lines ended by `\n`; without the marks that a text form shows. */
  readonly text: string;
  readonly sections: readonly Section[];
  /** Path of the text form that agents read in place of the document; absent when they read the document itself. */
  readonly readAs?: string;
  /** Whether the line numbers that an agent sees are those of `text`. */
  readonly hasLines: boolean;
}

/**
 * The sections by which a document is counted as read: its headings, or its pages if there are more of them; else blocks
 * of rows, else blocks of lines.
 */
export function unitsOf({ sections }: SourceText): readonly Section[] {
  const [headings, pages, rows, lines] = (['heading', 'page', 'rows', 'lines'] as const).map((kind) =>
    sections.filter((section) => section.kind === kind),
  ) as [Section[], Section[], Section[], Section[]];
  const finer = pages.length > headings.length ? pages : headings;
  return [finer, rows, lines].find((units) => units.length > 0) ?? [];
}

export function overlaps(section: Range, from: number, to: number): boolean {
  return section.from < to && from < section.to;
}

/** Offset of the first character of line `number`, counted from 1; past the end when there is no such line. */
export function lineStart(text: string, number: number): number {
  let at = 0;
  for (let line = 1; line < number; line++) {
    const end = text.indexOf('\n', at);
    if (end < 0) return text.length + 1;
    at = end + 1;
  }
  return at;
}

/** Where a range stands, as a reader would look it up: `p. 2, 3 Work types (L33-L34)`. */
export function placeOf(source: SourceText, from: number, to: number): string {
  const at = (kind: SectionKind) =>
    source.sections.find((section) => section.kind === kind && overlaps(section, from, Math.max(to, from + 1)));
  const row = at('row');
  if (row) return row.locator;
  const names = [at('page'), at('heading')].flatMap((section) => (section ? [section.locator] : []));
  if (!source.hasLines) return names.join(', ') || 'its beginning';
  const first = countLines(source.text, from);
  const last = first + countLines(source.text.slice(from, to), Number.POSITIVE_INFINITY) - 1;
  const lines = last > first ? `L${first}-L${last}` : `L${first}`;
  return names.length > 0 ? `${names.join(', ')} (${lines})` : lines;
}

/** Line on which the character at `offset` stands, counted from 1. */
function countLines(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
