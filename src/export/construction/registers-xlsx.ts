/** The registers as one workbook: an index, and a sheet for each. */
import { writeXlsx } from 'hucre/xlsx';
import { DEFAULT_FONT } from './cell-style.ts';
import { isReviewed } from './itp-status.ts';
import type { PageWords } from './page.ts';
import { type Site, textOf } from './site.ts';
import { columns, type Table } from './table.ts';
import { tableSheet } from './table-sheet.ts';

/** @param exportedOn the day, `2025-11-03`; the only thing that differs between two exports of one graph. */
export async function registersXlsx(site: Site, tables: readonly Table[], exportedOn: string): Promise<Uint8Array> {
  const status = registersStatus(site);
  const words = ({ name }: Table): PageWords => ({
    left: `${site.projectId} ${textOf(site.project, 'name')}`.trim(),
    middle: `${name.toUpperCase()} - ${status}`,
    right: textOf(site.project, 'contractNo'),
    exportedOn,
  });
  const index = indexOf(tables);
  const links = new Map(tables.map(({ name }, row) => [`${row},0`, `'${name}'!A1`]));
  const day = new Date(`${exportedOn}T00:00:00Z`);
  return writeXlsx({
    sheets: [tableSheet(index, words(index), links), ...tables.map((table) => tableSheet(table, words(table)))],
    defaultFont: DEFAULT_FONT,
    properties: {
      title: `Registers of ${site.projectId}`,
      subject: textOf(site.project, 'name'),
      creator: 'muster',
      created: day,
      modified: day,
    },
  });
}

/** "DRAFT" until a person has reviewed everything that the registers show. */
function registersStatus(site: Site): string {
  const shown = SHOWN.flatMap((entity) => site.all(entity));
  return shown.length > 0 && shown.every(isReviewed) ? 'REVIEWED, NOT ISSUED' : 'DRAFT';
}

const SHOWN = [
  'ITPRequirement',
  'ControlPoint',
  'ITPTemplate',
  'InspectionPoint',
  'AcceptanceCriterion',
  'Document',
  'Standard',
  'WBSNode',
  'LBSNode',
  'PlanSection',
  'EnvironmentalAspect',
  'SafetyHazard',
];

function indexOf(tables: readonly Table[]): Table {
  return {
    name: 'Index',
    title: 'What this workbook holds',
    columns: columns(['Sheet', 28], ['What it shows', 90], ['Rows', 8]),
    rows: tables.map(({ name, title, rows }) => [name, title, rows.length]),
  };
}
