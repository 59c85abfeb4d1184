/**
 * Text as quotes are compared: what a reader would call the same words becomes the same characters.
 *
 * Folded away are white space and the bars and rules of tables, hyphens between letters (a word may be broken at a line
 * end), emphasis and heading marks of Markdown, and the many forms of quotation marks, dashes and ligatures. Case,
 * digits and signs stay as they are: they carry meaning.
 */

export interface FoldedText {
  readonly text: string;
  /** Offset in the unfolded text of each folded character; one more entry for the end. */
  readonly at: Uint32Array;
}

const SAME: Readonly<Record<string, string>> = {
  '‘': "'",
  '’': "'",
  '‚': "'",
  '‛': "'",
  '′': "'",
  '´': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '‟': '"',
  '″': '"',
  '«': '"',
  '»': '"',
  '‐': '-',
  '‑': '-',
  '‒': '-',
  '–': '-',
  '—': '-',
  '―': '-',
  '−': '-',
  ﬀ: 'ff',
  ﬁ: 'fi',
  ﬂ: 'fl',
  ﬃ: 'ffi',
  ﬄ: 'ffl',
  ﬅ: 'st',
  ﬆ: 'st',
  '…': '...',
  º: '°',
  μ: 'µ',
  '⩽': '≤',
  '⩾': '≥',
};
/** Marks without width or meaning, dropped wherever they stand. */
const NOTHING = /[\u200b-\u200d\u2060\ufeff`]/;
const LETTER = /\p{L}/u;
const BLANK = /[\s|]/;
/** What a line may begin with that is not its words: a table's rule as a whole line, or the marks of a heading. */
const LINE_MARKS = /[ \t]*\|?[ \t]*:?-{3,}[-:| \t]*(?=\n|\r|$)|[ \t]{0,3}#{1,6}[ \t]+/y;
const SOFT_HYPHEN = '\u00ad';
/** Characters that one folded character can take at most. */
const WIDEST = 3;

/** Folds `text`, which should be NFC; linear in its length. */
export function foldText(text: string): FoldedText {
  const out: string[] = [];
  const at = new Uint32Array(text.length * WIDEST + 1);
  let length = 0;
  const put = (characters: string, offset: number) => {
    for (const character of characters) {
      out.push(character);
      at[length++] = offset;
    }
  };
  /** Offset after blanks and line marks from `from` on, and whether a line ended among them. */
  const skipBlank = (from: number): { readonly next: number; readonly broken: boolean } => {
    let next = from;
    let broken = from === 0;
    for (;;) {
      if (broken && (next === 0 || text[next - 1] === '\n')) {
        LINE_MARKS.lastIndex = next;
        const marks = LINE_MARKS.exec(text);
        if (marks) next += marks[0].length;
      }
      const character = text[next];
      if (character === undefined || !BLANK.test(character)) return { next, broken };
      if (character === '\n' || character === '\r') broken = true;
      next++;
    }
  };
  const isLetter = (character: string | undefined) => character !== undefined && LETTER.test(character);
  let i = skipBlank(0).next;
  while (i < text.length) {
    const character = text[i]!;
    if (BLANK.test(character)) {
      const { next, broken } = skipBlank(i);
      const isHyphenated = broken && out.at(-1) === '-' && out.length > 1 && out.at(-2) !== ' ';
      if (isHyphenated && isLetter(out.at(-2)) && isLetter(text[next])) {
        out.pop();
        length--;
      } else if (!isHyphenated && next < text.length) put(' ', i);
      i = next;
      continue;
    }
    if (character === SOFT_HYPHEN) {
      const { next, broken } = skipBlank(i + 1);
      i = broken ? next : i + 1;
      continue;
    }
    if (NOTHING.test(character) || isEscape(text, i)) {
      i++;
      continue;
    }
    if (character === '*' || character === '_') {
      let end = i + 1;
      while (text[end] === character) end++;
      if (!isEmphasis(text, i, end)) put(text.slice(i, end), i);
      i = end;
      continue;
    }
    if ((character === '<' || character === '>') && text[i + 1] === '=') {
      put(character === '<' ? '≤' : '≥', i);
      i += 2;
      continue;
    }
    const same = Object.hasOwn(SAME, character) ? SAME[character]! : character;
    // "well-known" may be broken after its hyphen, and a word without one may be broken with one: neither counts.
    if (same !== '-' || !isLetter(out.at(-1)) || !isLetter(text[i + 1])) put(same, i);
    i++;
  }
  at[length] = text.length;
  return { text: out.join(''), at: at.slice(0, length + 1) };
}

function isEscape(text: string, i: number): boolean {
  return text[i] === '\\' && /[!-/:-@[-`{-~]/.test(text[i + 1] ?? '');
}

/** `**` anywhere, as the hash of a quote has it too; single marks only at the edge of a word: 3*4 and a_b are no emphasis. */
function isEmphasis(text: string, from: number, to: number): boolean {
  if (text[from] === '*' && to - from > 1) return true;
  const before = /[\p{L}\p{N}]/u.test(text[from - 1] ?? ' ');
  const after = /[\p{L}\p{N}]/u.test(text[to] ?? ' ');
  const isBetweenBlanks = /\s/.test(text[from - 1] ?? ' ') && /\s/.test(text[to] ?? ' ');
  return !(before && after) && !isBetweenBlanks;
}
