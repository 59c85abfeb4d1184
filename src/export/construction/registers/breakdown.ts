/** What is built and where: the two trees. */
import type { GraphNode } from '../../../ports.ts';
import type { CellValue } from '../../csv-file.ts';
import { numberOf, type Site, standingOf, textOf } from '../site.ts';
import { columns, type Table } from '../table.ts';

/** Spaces in front of a name, for each level. */
const INDENT = '   ';

/** Nodes of a tree, each before those below it; what hangs on no known parent comes where its code stands. */
export function treeOrder(nodes: readonly GraphNode[]): GraphNode[] {
  const codes = new Set(nodes.map(({ properties }) => properties['code']));
  const below = new Map<unknown, GraphNode[]>();
  for (const node of nodes) {
    const { parentCode } = node.properties;
    const parent = codes.has(parentCode) && parentCode !== node.properties['code'] ? parentCode : undefined;
    below.set(parent, [...(below.get(parent) ?? []), node]);
  }
  const ordered: GraphNode[] = [];
  const waiting = [...(below.get(undefined) ?? [])].reverse();
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    ordered.push(node);
    waiting.push(...[...(below.get(node.properties['code']) ?? [])].reverse());
  }
  // Parents that go round in a circle hang on nothing: they come last rather than not at all.
  const met = new Set(ordered);
  return [...ordered, ...nodes.filter((node) => !met.has(node))];
}

export function wbsRegister(site: Site): Table {
  const rows = treeOrder(site.all('WBSNode')).map((node): CellValue[] => {
    const { properties } = node;
    const get = (name: string) => textOf(properties, name);
    return [
      get('code'),
      indented(node),
      numberOf(properties, 'level'),
      get('parentCode'),
      get('nodeType'),
      properties['isConstruction'] === true ? 'yes' : 'no',
      get('workTypeCode'),
      get('scheduleItems'),
      numberOf(properties, 'quantity'),
      get('unit'),
      keysOf(site.from(node, 'COVERS_WBS')),
      keysOf(site.from(node, 'MAPPED_TO')),
      standingOf(node),
    ];
  });
  return {
    name: 'WBS',
    title: 'Work breakdown structure: what is built',
    columns: columns(
      ['Code', 9],
      ['Name', 48],
      ['Level', 7],
      ['Parent', 9],
      ['Type', 14],
      ['Construction', 13],
      ['Work type', 8],
      ['Schedule items', 20],
      ['Quantity', 11],
      ['Unit', 7],
      ['ITPs', 16],
      ['Locations', 44],
      ['Review', 14],
    ),
    rows,
  };
}

export function lbsRegister(site: Site): Table {
  const rows = treeOrder(site.all('LBSNode')).map((node): CellValue[] => {
    const { properties } = node;
    const get = (name: string) => textOf(properties, name);
    const number = (name: string) => numberOf(properties, name);
    return [
      get('code'),
      indented(node),
      number('level'),
      get('parentCode'),
      get('locationType'),
      get('controlLine'),
      number('chainageStart'),
      number('chainageEnd'),
      number('offsetFrom'),
      number('offsetTo'),
      get('structureNo'),
      get('areaCode'),
      keysOf(site.to(node, 'MAPPED_TO')),
      standingOf(node),
    ];
  });
  return {
    name: 'LBS',
    title: 'Location breakdown structure: where the work is',
    columns: columns(
      ['Code', 18],
      ['Name', 40],
      ['Level', 7],
      ['Parent', 14],
      ['Type', 13],
      ['Control line', 12],
      ['From (m)', 10],
      ['To (m)', 10],
      ['Offset from (m)', 10],
      ['Offset to (m)', 10],
      ['Structure', 12],
      ['Area code', 10],
      ['Work packages', 40],
      ['Review', 14],
    ).map((column) => (/^(?:From|To) /.test(column.header) ? { ...column, isChainage: true } : column)),
    rows,
  };
}

function indented({ properties }: GraphNode): string {
  return `${INDENT.repeat(Math.min(12, Math.max(0, numberOf(properties, 'level') ?? 0)))}${textOf(properties, 'name')}`;
}

/** The second part of each key: the code or number. */
function keysOf(nodes: readonly GraphNode[]): string {
  return nodes.map(({ key }) => String(key[1])).join('; ');
}
