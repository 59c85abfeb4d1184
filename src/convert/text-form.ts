/** The file that an agent reads in place of a document: its text, with lines that name the places. */
import type { Section } from '../output/source-text.ts';
import type { ConvertedText } from './converted.ts';

/** Longest line: readers of files cut lines at 2,000 characters. */
const MAX_LINE = 1_500;

/** Text between marks such as `===== p. 12 =====`; rows of a sheet begin with their cells, `[Rates!A2:F2]`. */
export function textForm(path: string, { text, sections }: ConvertedText): string {
  const of = (kind: Section['kind']) => sections.filter((section) => section.kind === kind);
  const marks = [of('page'), of('heading'), of('sheet')].find((found) => found.length > 0) ?? [];
  const rows = new Map(of('row').map((row) => [row.from, row.locator]));
  const out = [`Text of ${path}. Lines between ===== name places; they are not words of the document.`, ''];
  const write = (from: number, to: number) => {
    let at = from;
    for (const line of text.slice(from, to).replace(/\n$/, '').split('\n')) {
      const cells = rows.get(at);
      at += line.length + 1;
      out.push(...wrap(cells === undefined ? line : `[${cells}] ${line}`));
    }
    out.push('');
  };
  if (text.trim() === '') out.push('(no text)');
  else {
    if (marks.length === 0 || marks[0]!.from > 0) write(0, marks[0]?.from ?? text.length);
    for (const { locator, from, to } of marks) {
      out.push(`===== ${locator.replaceAll(/\s+/g, ' ')} =====`);
      write(from, to);
    }
  }
  return `${out.join('\n').trimEnd()}\n`;
}

function wrap(line: string): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > MAX_LINE) {
    const blank = rest.lastIndexOf(' ', MAX_LINE);
    const end = blank > 0 ? blank : MAX_LINE;
    lines.push(rest.slice(0, end));
    rest = rest.slice(blank > 0 ? end + 1 : end);
  }
  return [...lines, rest];
}
