/** A table as a value: a sheet of a workbook, a CSV file. Rows are computed once and rendered by whoever needs them. */
import type { CellValue } from '../csv-file.ts';

export interface TableColumn {
  readonly header: string;
  /** Width on the sheet, characters. */
  readonly width: number;
  /** The header reads from bottom to top; default false. */
  readonly isTurned?: boolean;
  /** Numbers are metres along a control line: 1200 shows as 1+200; default false. */
  readonly isChainage?: boolean;
}

export interface Table {
  /** Name of the sheet, at most 31 characters. */
  readonly name: string;
  /** For people: what the table is for. */
  readonly title: string;
  readonly columns: readonly TableColumn[];
  /** One value for each column; codes are texts, quantities numbers. */
  readonly rows: readonly (readonly CellValue[])[];
}

/** `[header, width]` pairs as columns. */
export function columns(...pairs: readonly (readonly [header: string, width: number])[]): TableColumn[] {
  return pairs.map(([header, width]) => ({ header, width }));
}
