/** Values of a profile that no single attribute holds. */
import type { GraphNode } from '../../../ports.ts';
import { itpItem } from '../itp-item.ts';
import { listOf, type Site, textOf } from '../site.ts';
import { STAGES, words } from '../words.ts';

type Derive = (site: Site, node: GraphNode) => string;

/** Of an item, what the printed ITP says in the column. */
const printed =
  (column: number): Derive =>
  (site, item) =>
    itpItem(site, item).cells[column] ?? '';

/** Tiers of places that products know. */
const TIERS = 3;

/** Names from the root down; the last tier takes all that is deeper. */
const tier =
  (nth: number): Derive =>
  (site, place) => {
    const names = pathOf(site, place);
    return nth < TIERS ? (names[nth - 1] ?? '') : names.slice(TIERS - 1).join(' - ');
  };

/** By entity: name, which begins with `@`, to its value. */
export const DERIVED: Readonly<Record<string, Readonly<Record<string, Derive>>>> = {
  InspectionPoint: {
    '@stage': (_, { properties }) => STAGES[textOf(properties, 'stage')] ?? words(textOf(properties, 'stage')),
    '@clause': printed(2),
    '@criteria': printed(3),
    '@method': printed(4),
    '@responsibility': printed(5),
    '@point': printed(6),
    '@notice': printed(7),
    // As in the table of the templates, which the product joins by it.
    '@templateName': (site, { properties }) => {
      const itp = site.get('ITPTemplate', textOf(properties, 'docNo'));
      return itp ? templateName(itp) : textOf(properties, 'docNo');
    },
    '@itpTitle': (site, { properties }) => {
      const itp = site.get('ITPTemplate', textOf(properties, 'docNo'));
      return itp ? textOf(itp.properties, 'title') : '';
    },
  },
  ITPTemplate: {
    '@workType': (site, { properties }) => {
      const workType = site.get('WorkType', textOf(properties, 'workTypeCode'));
      return workType ? textOf(workType.properties, 'description') : '';
    },
    '@specification': (_, { properties }) => listOf(properties, 'specificationRefs')[0] ?? '',
    '@templateName': (_, itp) => templateName(itp),
  },
  LBSNode: { '@tier1': tier(1), '@tier2': tier(2), '@tier3': tier(3) },
  Document: {
    '@files': (site, document) =>
      site
        .to(document, 'DESCRIBES')
        .map(({ properties }) => textOf(properties, 'path'))
        .join('; '),
  },
};

function templateName({ properties }: GraphNode): string {
  return `${textOf(properties, 'docNo')} ${textOf(properties, 'title')}`;
}

function pathOf(site: Site, place: GraphNode): string[] {
  const names: string[] = [];
  const met = new Set<GraphNode>();
  for (let node: GraphNode | undefined = place; node && !met.has(node); ) {
    met.add(node);
    names.unshift(textOf(node.properties, 'name'));
    node = site.get('LBSNode', textOf(node.properties, 'parentCode'));
  }
  return names;
}
