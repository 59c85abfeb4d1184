/** Every passage with its place and what it supports, and how much of each file was cited at all. */
import type { CellValue } from '../../csv-file.ts';
import { byText, naturally } from '../../natural-order.ts';
import { numberOf, type Site, textOf } from '../site.ts';
import { columns, type Table } from '../table.ts';

export function evidenceIndex(site: Site): Table {
  const rows = site
    .all('Evidence')
    .map((passage) => {
      const get = (name: string) => textOf(passage.properties, name);
      const supported = site.from(passage, 'EVIDENCED_BY');
      const confidences = supported.map(({ properties }) => numberOf(properties, 'confidence') ?? 1);
      const attribute = get('attribute') && ` (${get('attribute')})`;
      return [
        get('sourcePath'),
        get('locator'),
        get('quote'),
        supported.map(({ entity, key }) => `${entity} ${key.slice(1).join(' ') || key[0]}${attribute}`).join('; '),
        // The least sure of what rests on it.
        confidences.length > 0 ? Math.min(...confidences) : null,
      ] as const;
    })
    .sort((a, b) => naturally(a[0], b[0]) || naturally(a[1], b[1]) || byText(a[2], b[2]))
    .map((row): CellValue[] => [...row]);
  return {
    name: 'Evidence',
    title: 'Every passage that something rests on',
    columns: columns(['File', 48], ['Locator', 20], ['Quote', 70], ['Supports', 60], ['Confidence', 12]),
    rows,
  };
}

/** Sections are the places that passages name; a file that nobody cited has a row with zero. */
export function evidenceCoverage(site: Site): Table {
  const counts = new Map<string, Map<string, number>>();
  for (const { properties } of site.all('SourceFile')) counts.set(textOf(properties, 'path'), new Map());
  for (const { properties } of site.all('Evidence')) {
    const path = textOf(properties, 'sourcePath');
    const locator = textOf(properties, 'locator');
    const sections = counts.get(path) ?? new Map<string, number>();
    sections.set(locator, (sections.get(locator) ?? 0) + 1);
    counts.set(path, sections);
  }
  const rows = [...counts]
    .sort(([a], [b]) => naturally(a, b))
    .flatMap(([path, sections]): CellValue[][] =>
      sections.size === 0
        ? [[path, '', 0]]
        : [...sections].sort(([a], [b]) => naturally(a, b)).map(([section, cited]) => [path, section, cited]),
    );
  return {
    name: 'Coverage',
    title: 'How many passages of each place were cited; 0 where nothing of a file was',
    columns: columns(['File', 60], ['Section', 30], ['Cited passages', 12]),
    rows,
  };
}
