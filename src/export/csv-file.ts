/** CSV as spreadsheets read it: UTF-8 with byte order mark, comma, CRLF, RFC 4180 quotes, no formulas from data. */
import { writeCsv } from 'hucre/csv';
import { csvText } from './safe-text.ts';

/** What stands in a cell: numbers stay numbers, null is empty. */
export type CellValue = string | number | boolean | null;

/** One header line, then the rows; each line ends with CRLF. */
export function csvFile(header: readonly string[], rows: readonly (readonly CellValue[])[]): string {
  const lines = [header, ...rows].map((row) =>
    row.map((value) => (typeof value === 'string' ? csvText(value) : value)),
  );
  return `${writeCsv(lines, { bom: true })}\r\n`;
}
