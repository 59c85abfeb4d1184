/** A profile as the CSV files that a product imports. */
import type { GraphNode } from '../../../ports.ts';
import { type CellValue, csvFile } from '../../csv-file.ts';
import type { ExportFile } from '../../file.ts';
import { FileNames, fileNameOf } from '../../file-name.ts';
import { type Site, textOf } from '../site.ts';
import { DERIVED } from './derived.ts';
import type { Profile, ProfileSource, ProfileTable } from './profile.ts';

/**
 * `profiles/{name}/{file}.csv` for each table, and `profiles/{name}/profile.json`, which a user edits and hands in again.
 * @param profile a built-in one, or one that readProfile let pass.
 */
export function profileFiles(site: Site, profile: Profile): ExportFile[] {
  const folder = `profiles/${fileNameOf(profile.name)}`;
  const names = new FileNames();
  const tables = profile.files.map((table): ExportFile => {
    const rows = rowsOf(site, table);
    return {
      path: `${folder}/${names.take(fileNameOf(table.file.replace(/\.csv$/i, '')))}.csv`,
      content: csvFile(
        table.columns.map(([header]) => header),
        rows,
      ),
      what: `for ${profile.name}: ${rows.length} rows of ${table.rows}`,
    };
  });
  const mapping: ExportFile = {
    path: `${folder}/profile.json`,
    content: `${JSON.stringify(profile, null, 2)}\n`,
    what: `the mapping of ${profile.name}, to be edited where your version has other headers`,
  };
  return [...tables, mapping];
}

function rowsOf(site: Site, { rows, where, columns }: ProfileTable): CellValue[][] {
  return site
    .all(rows)
    .filter(({ properties }) => Object.entries(where ?? {}).every(([name, value]) => properties[name] === value))
    .map((node) => columns.map(([, source]) => cellOf(site, node, source)));
}

function cellOf(site: Site, node: GraphNode, source: ProfileSource): CellValue {
  if (source === null) return null;
  if (typeof source !== 'string') return source.text;
  const derive = source.startsWith('@') ? DERIVED[node.entity]?.[source] : undefined;
  if (derive) return derive(site, node);
  const value = node.properties[source];
  return typeof value === 'number' || typeof value === 'boolean' ? value : textOf(node.properties, source);
}
