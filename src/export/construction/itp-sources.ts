/** The sheets behind an ITP: every criterion with its limits and clause, every passage with its place. */
import type { GraphNode } from '../../ports.ts';
import type { CellValue } from '../csv-file.ts';
import { numberOf, reviewOf, type Site, textOf } from './site.ts';
import { columns, type Table } from './table.ts';
import { letterOf } from './words.ts';

/** One row for each criterion. */
export function itpCriteria(site: Site, items: readonly GraphNode[]): Table {
  const rows = items.flatMap((item) =>
    site.to(item, 'HAS_CRITERION').map(({ properties, ...node }): CellValue[] => {
      const get = (name: string) => textOf(properties, name);
      const number = (name: string) => numberOf(properties, name);
      return [
        get('itemNo'),
        number('seq'),
        get('text'),
        get('criterionType'),
        get('parameter'),
        get('comparator'),
        number('value'),
        number('minValue'),
        number('maxValue'),
        get('unit'),
        get('sourceClause'),
        properties['assumed'] === true ? 'assumed' : '',
        reviewOf({ ...node, properties }),
      ];
    }),
  );
  return {
    name: 'Criteria',
    title: 'Every criterion with its limits and the clause that it comes from',
    columns: columns(
      ['Item', 7],
      ['Seq', 5],
      ['Criterion', 55],
      ['Type', 12],
      ['Parameter', 24],
      ['Comparator', 12],
      ['Value', 9],
      ['Min', 9],
      ['Max', 9],
      ['Unit', 8],
      ['Source clause', 26],
      ['Assumed', 10],
      ['Review', 12],
    ),
    rows,
  };
}

/** One row for each passage; a node without one has a row that says so. */
export function itpEvidence(site: Site, template: GraphNode, items: readonly GraphNode[]): Table {
  const rows = [
    ...evidenceRows(site, template, '', 'ITP'),
    ...items.flatMap((item) => {
      const itemNo = textOf(item.properties, 'itemNo');
      const criteria = site.to(item, 'HAS_CRITERION');
      return [
        ...evidenceRows(site, item, itemNo, 'item'),
        ...criteria.flatMap((criterion, at) =>
          evidenceRows(site, criterion, itemNo, criteria.length > 1 ? `criterion (${letterOf(at)})` : 'criterion'),
        ),
      ];
    }),
  ];
  return {
    name: 'Evidence',
    title: 'The passage that supports each item and criterion',
    columns: columns(
      ['Item', 7],
      ['Supports', 15],
      ['Source file', 44],
      ['Locator', 20],
      ['Quote', 70],
      ['Confidence', 12],
      ['Assumed', 10],
      ['Review', 12],
    ),
    rows,
  };
}

function evidenceRows(site: Site, node: GraphNode, itemNo: string, supports: string): CellValue[][] {
  const passages = site.passages(node);
  const { properties } = node;
  const rest = [numberOf(properties, 'confidence'), properties['assumed'] === true ? 'assumed' : '', reviewOf(node)];
  if (passages.length === 0) return [[itemNo, supports, '', '', '', ...rest]];
  return passages.map(({ sourcePath, locator, quote }) => [itemNo, supports, sourcePath, locator, quote, ...rest]);
}

/** The first line of the revision history; its date is a person's to write. */
export function itpRevisions(revision: string): Table {
  return {
    name: 'Revisions',
    title: 'Revision history',
    columns: columns(['Revision', 10], ['Date', 14], ['Description', 60]),
    rows: [[revision, '', 'First draft, made by machine from the documents of the contract; for review']],
  };
}
