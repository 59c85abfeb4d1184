/** A table as a sheet: head frozen, filter on, codes as text, ready to print. */
import { type Cell, type CellStyle, colToLetter, type WriteSheet } from 'hucre/xlsx';
import type { CellValue } from '../csv-file.ts';
import { cellText } from '../safe-text.ts';
import { BODY, CENTRED, HEAD, HEAD_TURNED, LINE_PT, NUMBER } from './cell-style.ts';
import { headerFooter, type PageWords, pageSetup } from './page.ts';
import type { Table, TableColumn } from './table.ts';
import { rowHeightPt } from './text-measure.ts';

/** Where a cell leads: a place in the same workbook. */
export type Links = ReadonlyMap<string, string>;

/** Points; a turned header takes the room of its text. */
const TURNED_HEAD_PT = 90;
/** The most that a spreadsheet allows. */
const TALLEST_PT = 409;

/** @param links from `row,column` (both from 0, the head not counted) to a place such as `Evidence!A5`. */
export function tableSheet(table: Table, words: PageWords, links: Links = new Map()): WriteSheet {
  const { name, columns, rows } = table;
  const headers = columns.map(({ header, isTurned }) => (isTurned ? '' : header));
  const hasTurned = columns.some(({ isTurned }) => isTurned);
  // A spreadsheet does not fit the rows of a file that it only prints.
  const heightOf = (row: readonly CellValue[], at: number) => {
    const fitted = rowHeightPt(
      row.map((value, column) => [String(value ?? ''), columns[column]?.width ?? 1]),
      LINE_PT,
    );
    return Math.min(TALLEST_PT, at === 0 && hasTurned ? Math.max(TURNED_HEAD_PT, fitted) : fitted);
  };
  const cells = new Map<string, Partial<Cell>>();
  for (const [at, { header, isTurned }] of columns.entries()) {
    cells.set(`0,${at}`, textCell(header, isTurned ? HEAD_TURNED : HEAD));
  }
  for (const [row, values] of rows.entries()) {
    for (const [at, value] of values.entries()) {
      const link = links.get(`${row},${at}`);
      cells.set(`${row + 1},${at}`, {
        ...valueCell(value, columns[at]),
        ...(link !== undefined && { hyperlink: { target: '', location: link } }),
      });
    }
  }
  const last = colToLetter(Math.max(0, columns.length - 1));
  return {
    name,
    columns: columns.map(({ width }) => ({ width })),
    // The rows give the sheet its size; what stands in them is said by the cells.
    rows: [headers, ...rows].map((row) => row.map(() => null)),
    cells,
    freezePane: { rows: 1 },
    autoFilter: { range: `A1:${last}${rows.length + 1}` },
    pageSetup: pageSetup(
      '$1:$1',
      columns.reduce((sum, { width }) => sum + width, 0),
    ),
    headerFooter: headerFooter(words),
    rowDefs: new Map([headers, ...rows].map((row, at) => [at, { height: heightOf(row, at) }])),
  };
}

/** A cell of text, never a formula. */
export function textCell(text: string, style: CellStyle): Partial<Cell> {
  return text === '' ? { value: null, type: 'empty', style } : { value: cellText(text), type: 'string', style };
}

function valueCell(value: CellValue, column: TableColumn | undefined): Partial<Cell> {
  const style = column?.isTurned ? CENTRED : BODY;
  if (value === null) return { value: null, type: 'empty', style };
  if (typeof value !== 'number') return textCell(typeof value === 'boolean' ? (value ? 'yes' : 'no') : value, style);
  if (column?.isTurned) return { value, type: 'number', style: { ...CENTRED, numFmt: 'General' } };
  if (!column?.isChainage) return { value, type: 'number', style: NUMBER };
  return { value, type: 'number', style: { ...NUMBER, numFmt: Number.isInteger(value) ? '0\\+000' : '0\\+000.0##' } };
}
