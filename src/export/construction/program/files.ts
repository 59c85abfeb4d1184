/** The breakdown structure for schedulers: P6, MS Project, and a CSV for any other. */
import { type CellValue, csvFile } from '../../csv-file.ts';
import type { ExportFile } from '../../file.ts';
import { fileNameOf } from '../../file-name.ts';
import { numberOf, type Site, textOf } from '../site.ts';
import { mspdiFile } from './mspdi.ts';
import { workTree } from './work-tree.ts';
import { xerFile } from './xer.ts';

/** Empty when the graph has no work breakdown structure. @param exportedOn the day, `2025-11-03`. */
export function programFiles(site: Site, exportedOn: string): ExportFile[] {
  if (site.all('WBSNode').length === 0) return [];
  return [xerFile(site, exportedOn), mspdiFile(site), schedulerCsv(site)];
}

function schedulerCsv(site: Site): ExportFile {
  const rows = workTree(site, 'WBSNode').map(({ code, name, depth, node }): CellValue[] => [
    code,
    name,
    depth,
    textOf(node.properties, 'parentCode'),
    textOf(node.properties, 'workTypeCode'),
    numberOf(node.properties, 'quantity'),
    textOf(node.properties, 'unit'),
    site
      .from(node, 'MAPPED_TO')
      .map(({ key }) => String(key[1]))
      .join('; '),
  ]);
  return {
    path: `program/${fileNameOf(`${site.projectId}-wbs`)}.csv`,
    content: csvFile(['WBS code', 'Name', 'Level', 'Parent', 'Work type', 'Quantity', 'Unit', 'Locations'], rows),
    what: `for any scheduler: ${rows.length} WBS nodes`,
  };
}
