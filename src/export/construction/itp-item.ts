/** One item of an ITP as the row that is printed. */
import type { GraphNode } from '../../ports.ts';
import { listOf, marksOf, type Site, textOf } from './site.ts';
import { letterOf, limitOf, noticeOf, POINT_LETTERS, words } from './words.ts';

export interface ItpItem {
  readonly itemNo: string;
  /** One text for each of the eleven columns; the two for signatures are empty. */
  readonly cells: readonly string[];
  /** H, W, R, S, I or T. */
  readonly point: string;
  /** A hold or witness point: somebody of the principal's side signs. */
  readonly isAnnounced: boolean;
}

/** Widths of the columns, in percent of the table. */
export const ITP_WIDTHS = [4, 15, 9, 22, 12, 8, 4, 8, 9, 5, 4] as const;

/** @param supervisor the contract's word for who signs for the principal. */
export function itpHeaders(supervisor: string): readonly string[] {
  return [
    'Item',
    'Activity',
    'Specification / clause',
    'Acceptance criteria',
    'Method and frequency',
    'Inspected by',
    'Point',
    'Notice / release',
    'Record',
    'Contractor\nsign-off / date',
    `${supervisor}\nsign-off / date`,
  ];
}

export function itpItem(site: Site, item: GraphNode): ItpItem {
  const { properties } = item;
  const get = (name: string) => textOf(properties, name);
  const point = POINT_LETTERS[get('pointType')] ?? get('pointType');
  const clause = get('clauseRef');
  const standards = listOf(properties, 'standardCodes').join(', ');
  const method = words(get('method'));
  const code = get('testMethodCode');
  const releaser = get('releasedByRole');
  const verifier = get('verifiedByRole');
  const itemNo = get('itemNo');
  return {
    itemNo,
    point,
    isAnnounced: point === 'H' || point === 'W',
    cells: [
      `${itemNo}${marksOf(item)}`,
      get('activity'),
      [clause, standards].filter(Boolean).join('\n'),
      criteriaText(site.to(item, 'HAS_CRITERION'), clause),
      [code !== '' && !method.includes(code) ? `${method}, ${code}` : method, get('frequencyText')]
        .filter(Boolean)
        .join('; '),
      [site.role(get('performedByRole')), verifier && `verified: ${site.role(verifier)}`].filter(Boolean).join('\n'),
      point,
      [noticeOf(properties), releaser && `released by ${site.role(releaser)}`, get('controlPointNo')]
        .filter(Boolean)
        .join('; '),
      get('recordName'),
      '',
      '',
    ],
  };
}

/** Lettered when there are several; where a criterion comes from is said when it is not the item's clause. */
function criteriaText(criteria: readonly GraphNode[], clause: string): string {
  if (criteria.length === 0) return 'No acceptance criterion given';
  return criteria
    .map((criterion, at) => {
      const source = textOf(criterion.properties, 'sourceClause');
      const elsewhere = source !== '' && source !== clause ? ` [${source}]` : '';
      const letter = criteria.length > 1 ? `(${letterOf(at)}) ` : '';
      return `${letter}${criterionText(criterion)}${elsewhere}${marksOf(criterion)}`;
    })
    .join('\n');
}

/** The text, and the limit in print where the text does not say it. */
function criterionText({ properties }: GraphNode): string {
  const text = textOf(properties, 'text');
  const limit = limitOf(properties);
  const figures = limit.match(/\d+(?:\.\d+)?/g) ?? [];
  const says = new Set(text.match(/\d+(?:\.\d+)?/g)?.map(Number));
  if (figures.every((figure) => says.has(Number(figure)))) return text;
  const parameter = textOf(properties, 'parameter');
  return `${text}: ${[parameter, limit].filter(Boolean).join(' ')}`;
}
