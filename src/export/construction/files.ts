/** The files of the trade: ITPs to issue, registers to read. */
import type { MasterSchema } from '../../../schemas/define.ts';
import type { RunCheck } from '../../../schemas/run-event.ts';
import { MusterError } from '../../errors.ts';
import { csvFile } from '../csv-file.ts';
import type { ExportFile } from '../file.ts';
import { FileNames, fileNameOf } from '../file-name.ts';
import { itpDocument } from './itp-document.ts';
import { itpDocx } from './itp-docx.ts';
import { itpXlsx } from './itp-xlsx.ts';
import { registersOf } from './registers.ts';
import { registersXlsx } from './registers-xlsx.ts';
import type { Site } from './site.ts';

/** Entities that an ITP is made of; a schema without them has no ITPs to print. */
const NEEDED = ['ITPTemplate', 'InspectionPoint', 'AcceptanceCriterion'];

/** Whether the schema describes ITPs. */
export function isConstruction(schema: MasterSchema): boolean {
  const known = new Set(schema.entities.map(({ name }) => name));
  return NEEDED.every((name) => known.has(name));
}

/** @throws MusterError USAGE when the schema is not one of construction quality. */
export function assertConstruction(schema: MasterSchema): void {
  if (isConstruction(schema)) return;
  throw new MusterError(
    'USAGE',
    `expected a schema with ${NEEDED.join(', ')} for ITPs and registers, got "${schema.name}". Its graph can be exported as json, csv, cypher and graphml`,
  );
}

export interface ItpFilesOptions {
  readonly format: 'xlsx' | 'docx';
  /** The day, `2025-11-03`. */
  readonly exportedOn: string;
  /** One ITP; default all. */
  readonly docNo?: string;
}

/** `itps/{projectId}-{docNo}-Rev{revision}.{format}` for each ITP. @throws MusterError USAGE when there is no such ITP. */
export async function itpFiles(site: Site, { format, exportedOn, docNo }: ItpFilesOptions): Promise<ExportFile[]> {
  const numbers = docNo === undefined ? site.all('ITPTemplate').map(({ key }) => String(key[1])) : [docNo];
  const names = new FileNames();
  const files: ExportFile[] = [];
  for (const number of numbers) {
    const itp = itpDocument(site, number);
    const items = itp.bands.reduce((sum, band) => sum + band.items.length, 0);
    const name = names.take(fileNameOf(`${site.projectId}-${itp.docNo}-Rev${itp.revision}`));
    files.push({
      path: `itps/${name}.${format}`,
      content: await (format === 'xlsx' ? itpXlsx : itpDocx)(itp, exportedOn),
      what: `${itp.docNo} ${itp.title}, ${items} items, ${itp.status}`,
    });
  }
  return files;
}

/** `{projectId}-registers.xlsx`, and each register as CSV. */
export async function registerFiles(site: Site, exportedOn: string, check?: RunCheck): Promise<ExportFile[]> {
  const tables = registersOf(site, check);
  const names = new FileNames();
  const prefix = fileNameOf(site.projectId);
  return [
    {
      path: `${prefix}-registers.xlsx`,
      content: await registersXlsx(site, tables, exportedOn),
      what: `${tables.length} registers and matrices in one workbook`,
    },
    ...tables.map(
      ({ name, title, columns, rows }): ExportFile => ({
        path: `registers/${names.take(fileNameOf(`${prefix}-${name.toLowerCase()}`))}.csv`,
        content: csvFile(
          columns.map(({ header }) => header),
          rows,
        ),
        what: `${title}: ${rows.length} rows`,
      }),
    ),
  ];
}
