/** An ITP as a workbook: the sheet to print, and the sheets that show where everything comes from. */
import { type Cell, type CellStyle, type MergeRange, type WriteSheet, writeXlsx } from 'hucre/xlsx';
import {
  BAND,
  BODY,
  CENTRED,
  DEFAULT_FONT,
  HATCHED,
  HEAD,
  HEAD_TURNED,
  HOLD,
  LABEL,
  LEGEND_LINE,
  LINE_PT,
  LINK,
  POINT,
  WITNESS,
} from './cell-style.ts';
import type { ItpDocument } from './itp-document.ts';
import { ITP_WIDTHS, type ItpItem, itpHeaders } from './itp-item.ts';
import { headerFooter, type PageWords, pageSetup } from './page.ts';
import { type PrintedRow, pageBreaks } from './page-breaks.ts';
import type { Table } from './table.ts';
import { tableSheet, textCell } from './table-sheet.ts';
import { rowHeightPt } from './text-measure.ts';
import { LEGEND } from './words.ts';

/** Characters of 8 point type across the sheet; the page is scaled to its width. */
const SHEET_WIDTH = 175;
const COLUMNS = ITP_WIDTHS.length;
/** First and last column of the four parts of the title block. */
const PARTS = [
  [0, 1],
  [2, 3],
  [4, 5],
  [6, 10],
] as const;
/** Columns whose headers read upwards: they are too narrow for a word. */
const TURNED = new Set([6, 9, 10]);
const HEAD_PT = 76;
const BAND_PT = 14;
/** The most that a spreadsheet allows. */
const TALLEST_PT = 409;

/** @param exportedOn the day, `2025-11-03`; the only thing that differs between two exports of one graph. */
export async function itpXlsx(itp: ItpDocument, exportedOn: string): Promise<Uint8Array> {
  const words = itpPageWords(itp, exportedOn);
  const named = ({ name }: Table): PageWords => ({ ...words, right: `${words.right} - ${name}` });
  const day = new Date(`${exportedOn}T00:00:00Z`);
  return writeXlsx({
    sheets: [
      itpSheet(itp, words),
      tableSheet(itp.criteria, named(itp.criteria), criterionLinks(itp)),
      tableSheet(itp.evidence, named(itp.evidence)),
      tableSheet(itp.revisions, named(itp.revisions)),
    ],
    defaultFont: DEFAULT_FONT,
    properties: {
      title: `${itp.docNo} ${itp.title}`,
      subject: itp.project,
      creator: 'muster',
      created: day,
      modified: day,
    },
  });
}

/** What stands at the head and foot of each page. */
export function itpPageWords(itp: ItpDocument, exportedOn: string): PageWords {
  return {
    left: `${itp.projectId} ${itp.project}`,
    middle: `INSPECTION AND TEST PLAN - ${itp.status}`,
    right: `${itp.docNo} Rev ${itp.revision}`,
    exportedOn,
  };
}

function itpSheet(itp: ItpDocument, words: PageWords): WriteSheet {
  const sheet = new Grid();
  for (const fields of itp.titleBlock) {
    sheet.row(
      fields.flatMap(([label, value], side) => [
        { part: PARTS[side * 2]!, text: label, style: LABEL },
        { part: PARTS[side * 2 + 1]!, text: value, style: BODY },
      ]),
    );
  }
  sheet.row([{ part: [0, COLUMNS - 1], text: `${LEGEND}\n${itp.review}`, style: LEGEND_LINE }]);
  const head = sheet.height;
  const headers = itpHeaders(itp.supervisor);
  sheet.row(
    headers.map((text, at) => ({ part: [at, at], text, style: TURNED.has(at) ? HEAD_TURNED : HEAD })),
    HEAD_PT,
  );
  for (const { stage, items } of itp.bands) {
    sheet.row([{ part: [0, COLUMNS - 1], text: stage, style: BAND }], BAND_PT);
    for (const item of items) {
      sheet.row(item.cells.map((text, at) => ({ part: [at, at], text, style: styleOf(item, at) })));
      const row = evidenceRow(itp, item);
      if (row !== undefined) sheet.link(0, `Evidence!A${row}`);
    }
  }
  return {
    name: 'ITP',
    columns: WIDTHS.map((width) => ({ width })),
    ...sheet.parts(),
    freezePane: { rows: head + 1 },
    rowBreaks: pageBreaks(sheet.printed(), HEAD_PT),
    pageSetup: pageSetup(`$${head + 1}:$${head + 1}`),
    headerFooter: headerFooter(words),
  };
}

const WIDTHS = ITP_WIDTHS.map((percent) => (percent * SHEET_WIDTH) / 100);

function styleOf(item: ItpItem, at: number): CellStyle {
  if (at === 0) return LINK;
  if (at === 6) return item.point === 'H' ? HOLD : item.point === 'W' ? WITNESS : POINT;
  if (at === COLUMNS - 1) return item.isAnnounced ? CENTRED : HATCHED;
  return BODY;
}

/** Number of the first row of the sheet "Evidence" that speaks of the item. */
function evidenceRow(itp: ItpDocument, { itemNo }: ItpItem): number | undefined {
  const at = itp.evidence.rows.findIndex(([item]) => item === itemNo);
  return at < 0 ? undefined : at + 2;
}

/** From each criterion's clause to its passage. */
function criterionLinks({ criteria, evidence }: ItpDocument): Map<string, string> {
  const clause = criteria.columns.findIndex(({ header }) => header === 'Source clause');
  return new Map(
    criteria.rows.flatMap(([item], row) => {
      const at = evidence.rows.findIndex(([of, supports]) => of === item && String(supports).startsWith('criterion'));
      return at < 0 ? [] : [[`${row},${clause}`, `Evidence!A${at + 2}`] as const];
    }),
  );
}

interface Piece {
  /** First and last column. */
  readonly part: readonly [number, number];
  readonly text: string;
  readonly style: CellStyle;
}

/** A sheet that grows row by row, with heights that fit the text: merged cells are never fitted by a spreadsheet. */
class Grid {
  readonly #cells = new Map<string, Partial<Cell>>();
  readonly #merges: MergeRange[] = [];
  readonly #heights = new Map<number, { height: number }>();
  height = 0;

  row(pieces: readonly Piece[], heightPt = fitting(pieces)): void {
    const row = this.height;
    for (const { part, text, style } of pieces) {
      const [first, last] = part;
      this.#cells.set(`${row},${first}`, textCell(text, style));
      // The border of a merged cell is drawn by each of the cells under it.
      for (let at = first + 1; at <= last; at += 1) this.#cells.set(`${row},${at}`, textCell('', style));
      if (last > first) this.#merges.push({ startRow: row, startCol: first, endRow: row, endCol: last });
    }
    this.#heights.set(row, { height: Math.min(TALLEST_PT, heightPt) });
    this.height += 1;
  }

  /** Makes a cell of the last row lead to a place in the workbook. */
  link(column: number, location: string): void {
    const at = `${this.height - 1},${column}`;
    this.#cells.set(at, { ...this.#cells.get(at), hyperlink: { target: '', location } });
  }

  printed(): PrintedRow[] {
    return [...this.#heights.values()].map(({ height }, row) => ({
      heightPt: height,
      isBand: this.#cells.get(`${row},0`)?.style === BAND,
    }));
  }

  parts(): Pick<WriteSheet, 'rows' | 'cells' | 'merges' | 'rowDefs'> & object {
    return {
      rows: Array.from({ length: this.height }, () => Array.from({ length: COLUMNS }, () => null)),
      cells: this.#cells,
      merges: this.#merges,
      rowDefs: this.#heights,
    };
  }
}

/** Points that the tallest piece needs. */
function fitting(pieces: readonly Piece[]): number {
  return rowHeightPt(
    pieces.map(({ part: [first, last], text }) => [
      text,
      WIDTHS.slice(first, last + 1).reduce((sum, one) => sum + one, 0),
    ]),
    LINE_PT,
  );
}
