/** XLSX → the rows of its sheets, cells side by side. Of a formula the value that was saved last; nothing is computed. */
import { readXlsx } from 'hucre/xlsx';
import { ensureError } from '../errors.ts';
import type { Section } from '../output/source-text.ts';
import type { ConvertedText } from './converted.ts';
import { broken, MAX_TEXT_LENGTH, tooLarge } from './refusal.ts';
import { boundedParts } from './zip-bounds.ts';

const AN_XLSX = 'an XLSX workbook';
/** Rows of one block, the unit in which a sheet is counted as read. */
const BLOCK_ROWS = 50;

type Rows = Awaited<ReturnType<typeof readXlsx>>['sheets'][number]['rows'];

/** @throws MusterError DOCUMENT_BROKEN, DOCUMENT_TOO_LARGE above 20 million characters or 20 million cells in a sheet. */
export async function readWorkbook(path: string, bytes: Buffer): Promise<ConvertedText> {
  const parts = boundedParts(path, AN_XLSX, bytes);
  if (!parts.some((part) => part.startsWith('xl/'))) throw broken(path, AN_XLSX, 'it holds no sheets');
  const { sheets } = await readXlsx(new Uint8Array(bytes)).catch((thrown: unknown) => {
    const cause = ensureError(thrown);
    throw broken(path, AN_XLSX, `it cannot be read: ${cause.message}`, cause);
  });
  const sections: Section[] = [];
  let text = '';
  for (const { name: given, rows } of sheets) {
    const name = shown(given);
    const from = text.length;
    const blocks: Section[] = [];
    let first = Number.NEGATIVE_INFINITY;
    for (const [i, cells] of filledRows(rows)) {
      const at = text.length;
      text += `${cells.join(' | ')}\n`;
      if (text.length > MAX_TEXT_LENGTH) throw tooLarge(path, `at most ${MAX_TEXT_LENGTH} characters of text`, 'more');
      const locator = `${name}!A${i + 1}:${column(cells.length)}${i + 1}`;
      sections.push({ kind: 'row', locator, path: [name], from: at, to: text.length });
      const open = i - first < BLOCK_ROWS ? blocks.pop() : undefined;
      if (!open) first = i;
      const range = { from: open?.from ?? at, to: text.length };
      blocks.push({ kind: 'rows', locator: `${name}!${first + 1}:${i + 1}`, path: [name], ...range });
    }
    sections.push({ kind: 'sheet', locator: name, path: [name], from, to: text.length }, ...blocks);
  }
  const isEmpty = text.trim() === '';
  return {
    text,
    sections,
    textQuality: isEmpty ? 'no-text' : 'born-digital',
    warnings: isEmpty ? [{ message: 'has no filled cells: nothing can be quoted from it' }] : [],
  };
}

function* filledRows(rows: Rows): Generator<readonly [number, readonly string[]]> {
  for (const [i, row] of rows.entries()) {
    const cells = Array.from(row, shown);
    while (cells.at(-1) === '') cells.pop();
    if (cells.length > 0) yield [i, cells];
  }
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? '' : value.toISOString().replace(/T00:00:00\.000Z$/, '');
  return String(value).replaceAll(/\s+/g, ' ').trim().normalize('NFC');
}

/** 1 → A, 27 → AA. */
function column(number: number): string {
  let letters = '';
  for (let rest = number; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  }
  return letters;
}
