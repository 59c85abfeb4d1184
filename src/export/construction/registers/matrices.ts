/** What is done where, and what controls it: a cross where a relationship stands. An empty line is a gap. */
import type { GraphNode } from '../../../ports.ts';
import type { CellValue } from '../../csv-file.ts';
import { type Site, textOf } from '../site.ts';
import type { Table } from '../table.ts';
import { treeOrder } from './breakdown.ts';

const CROSS = 'x';

/** Rows are work packages, columns the places without places below them. */
export function wbsByLbs(site: Site): Table {
  const places = treeOrder(site.all('LBSNode')).filter(
    (node) => site.from(node, 'CHILD_OF').length === 0 || site.to(node, 'MAPPED_TO').length > 0,
  );
  return matrix({
    name: 'WBS x LBS',
    title: 'Work packages by place; a row without a cross has no place, a column without one has no work',
    site,
    columns: places,
    type: 'MAPPED_TO',
  });
}

/** Rows are work packages, columns the ITPs. */
export function wbsByItp(site: Site): Table {
  return matrix({
    name: 'ITP x WBS',
    title: 'Work packages by the ITPs that control them; a row without a cross has none',
    site,
    columns: site.all('ITPTemplate'),
    type: 'COVERS_WBS',
  });
}

interface Matrix {
  readonly name: string;
  readonly title: string;
  readonly site: Site;
  readonly columns: readonly GraphNode[];
  /** Relationship from a column to a work package. */
  readonly type: string;
}

function matrix({ name, title, site, columns, type }: Matrix): Table {
  // What is crossed although it is no work package is shown too: the sums are sums of everything.
  const packages = treeOrder(site.all('WBSNode')).filter(
    (node) => node.properties['nodeType'] === 'work-package' || site.from(node, type).length > 0,
  );
  const crossed = columns.map((column) => new Set(site.to(column, type)));
  const rows = packages.map((node): CellValue[] => [
    textOf(node.properties, 'code'),
    textOf(node.properties, 'name'),
    ...crossed.map((set) => (set.has(node) ? CROSS : null)),
    crossed.filter((set) => set.has(node)).length,
  ]);
  const sums = crossed.map((set) => packages.filter((node) => set.has(node)).length);
  return {
    name,
    title,
    columns: [
      { header: 'Code', width: 9 },
      { header: 'Work package', width: 44 },
      ...columns.map(({ key }) => ({ header: String(key[1]), width: 5, isTurned: true })),
      { header: 'Sum', width: 7 },
    ],
    rows: [...rows, ['', 'Sum', ...sums, sums.reduce((total, sum) => total + sum, 0)]],
  };
}
