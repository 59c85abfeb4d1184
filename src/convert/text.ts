/** Markdown and plain text, read as they are: pages where the text shows them, headings, else blocks of lines. */
import type { Section } from '../output/source-text.ts';
import type { ConvertedText } from './converted.ts';
import { type Heading, headingSections } from './heading-sections.ts';
import { pagesOf } from './page-marks.ts';

/** Lines of one block, the unit in which a text without headings or pages is counted as read. */
const BLOCK_LINES = 50;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const ATX = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;

export function readMarkdown(text: string): ConvertedText {
  return plain(text, headingSections(markdownHeadings(text), text.length));
}

export function readPlainText(text: string): ConvertedText {
  return plain(text, []);
}

function plain(text: string, headings: readonly Section[]): ConvertedText {
  const pages = pagesOf(text);
  const isEmpty = text.trim() === '';
  return {
    text,
    sections: [...pages, ...headings, ...(pages.length + headings.length === 0 ? lineBlocks(text) : [])],
    textQuality: isEmpty ? 'no-text' : 'born-digital',
    ...(pages.length > 0 && { pageCount: pages.length }),
    warnings: isEmpty ? [{ message: 'is empty: nothing can be quoted from it' }] : [],
  };
}

function markdownHeadings(text: string): readonly Heading[] {
  const headings: Heading[] = [];
  let at = 0;
  let fence: string | undefined;
  let before = '';
  for (const line of text.split('\n')) {
    const mark = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence)) fence = undefined;
    } else if (mark) fence = mark;
    else {
      const [, hashes, title] = ATX.exec(line) ?? [];
      if (hashes !== undefined && title) headings.push({ level: hashes.length, title: bare(title), at });
      // The underline of a heading; a rule or the end of a table has no words above it, or bars in them.
      else if (/^ {0,3}(?:=+|-+)[ \t]*$/.test(line) && /^[^\s|>#*-]/.test(before) && !before.includes('|')) {
        headings.push({ level: line.includes('=') ? 1 : 2, title: bare(before), at: at - before.length - 1 });
      }
    }
    before = fence === undefined ? line : '';
    at += line.length + 1;
  }
  return headings;
}

function bare(title: string): string {
  return title.replaceAll(/[*`]+/g, '').trim();
}

function lineBlocks(text: string): readonly Section[] {
  const blocks: Section[] = [];
  const lines = text.trimEnd().split('\n');
  let from = 0;
  for (let first = 0; first < lines.length; first += BLOCK_LINES) {
    const block = lines.slice(first, first + BLOCK_LINES);
    const to = Math.min(text.length, from + block.join('\n').length + 1);
    if (block.some((line) => line.trim() !== '')) {
      blocks.push({ kind: 'lines', locator: `L${first + 1}-L${first + block.length}`, path: [], from, to });
    }
    from = to;
  }
  return blocks;
}
