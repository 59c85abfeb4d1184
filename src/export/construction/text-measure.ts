/** How much room a text takes in print: nothing here is exact, everything errs on the side of a line too many. */

/** Width in digits of a sans-serif type; letters that are not named count as one. */
const WIDTHS: readonly (readonly [characters: RegExp, width: number])[] = [
  [/[ijl.,;:|!'()[\]/\\]/, 0.55],
  [/[ ftr"-]/, 0.62],
  [/[mMW@%…—]/, 1.6],
  [/[A-Z&ÄÖÜ]/, 1.28],
  [/[w]/, 1.35],
  // Chinese, Japanese, Korean and pictures are as wide as they are high.
  [/[\u2E80-\u9FFF\uAC00-\uD7AF\uFF00-\uFF60]|\p{Extended_Pictographic}/u, 2],
];

/** Width of the text on one line, in digits. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += WIDTHS.find(([characters]) => characters.test(character))?.[1] ?? 1;
  return width;
}

/** Lines that the text takes when words are wrapped at `width` digits; a word that is longer than a line is broken. */
export function linesOf(text: string, width: number): number {
  const room = Math.max(1, width);
  return text.split('\n').reduce((total, paragraph) => total + linesOfParagraph(paragraph, room), 0);
}

function linesOfParagraph(paragraph: string, room: number): number {
  const space = widthOf(' ');
  let lines = 1;
  let used = 0;
  // A line may also end behind a hyphen.
  for (const piece of paragraph.split(/(?<=[ -])/)) {
    const needs = widthOf(piece.trimEnd());
    const trailing = piece.endsWith(' ') ? space : 0;
    if (used + needs > room && used > 0) {
      lines += 1;
      used = 0;
    }
    const broken = Math.max(0, Math.ceil(needs / room) - 1);
    lines += broken;
    used += needs - broken * room + trailing;
  }
  return lines;
}

/** Height in points of a row whose cells are `[text, width in digits]`, at `linePt` for a line. */
export function rowHeightPt(cells: readonly (readonly [text: string, width: number])[], linePt: number): number {
  // A cell keeps some room free at both sides.
  const lines = cells.map(([text, width]) => linesOf(text, width - SIDES));
  return Math.max(1, ...lines) * linePt + ABOVE_AND_BELOW_PT;
}

const SIDES = 0.8;
const ABOVE_AND_BELOW_PT = 3;
