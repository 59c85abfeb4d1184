/** What an engineer takes to the superintendent: contradictions, and what is listed but was never supplied. */
import type { RunCheck } from '../../../../schemas/run-event.ts';
import type { GraphNode } from '../../../ports.ts';
import type { CellValue } from '../../csv-file.ts';
import { type Site, textOf } from '../site.ts';
import { columns, type Table } from '../table.ts';
import { limitOf, noticeOf } from '../words.ts';

/** Worst first; the state of each is a person's to change. What could not be judged or named has a row that says so. */
export function findingsRegister({ findings, counts, unjudged }: RunCheck): Table {
  const rows = findings.map(({ rule, severity, message, hint }): CellValue[] => [
    rule,
    severity,
    message,
    hint,
    'open',
  ]);
  const unnamed = counts.blocker + counts.error + counts.warning - findings.length;
  return {
    name: 'Findings',
    title: 'What the rules found wrong',
    columns: columns(['Rule', 9], ['Severity', 10], ['Message', 90], ['Fix hint', 70], ['State', 11]),
    rows: [
      ...rows,
      ...(unnamed > 0 ? [['', '', `${unnamed} more findings, not listed here`, '', 'open']] : []),
      ...(unjudged ? [['', '', `${unjudged.statements} rules were not judged: ${unjudged.reason}`, '', 'open']] : []),
    ],
  };
}

/** What the graph itself shows; which statement prevails is for a person to say, so that column is empty. */
export function gapsRegister(site: Site): Table {
  const supervisor = site.role('superintendent');
  return {
    name: 'Contradictions and gaps',
    title: 'Questions to the superintendent: statements that differ, and documents that were listed but not supplied',
    columns: columns(
      ['Topic', 34],
      ['Statement A', 46],
      ['Statement B', 46],
      ['Which prevails and why', 30],
      ['Missing appendices and drawings', 40],
      ['Who should answer', 24],
    ),
    rows: [...limits(site, supervisor), ...notices(site, supervisor), ...missing(site, supervisor)],
  };
}

/** Two limits for one parameter that rest on one clause. */
function limits(site: Site, supervisor: string): CellValue[][] {
  const groups = new Map<string, GraphNode[]>();
  for (const node of site.all('AcceptanceCriterion')) {
    const { sourceClause, parameter, comparator } = node.properties;
    if (typeof parameter !== 'string' || typeof comparator !== 'string') continue;
    const topic = JSON.stringify([sourceClause, parameter.toLowerCase(), comparator]);
    groups.set(topic, [...(groups.get(topic) ?? []), node]);
  }
  const said = (node: GraphNode) => {
    const get = (name: string) => textOf(node.properties, name);
    return `${get('text')} (${limitOf(node.properties)}; ${get('docNo')} item ${get('itemNo')}, ${get('sourceClause')})`;
  };
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    const other = group.find((node) => limitOf(node.properties) !== limitOf(first!.properties));
    if (!first || !other) return [];
    return [[`Limit: ${textOf(first.properties, 'parameter')}`, said(first), said(other), '', '', supervisor]];
  });
}

/** A notice in an ITP that is not the contract's. */
function notices(site: Site, supervisor: string): CellValue[][] {
  return site.all('ControlPoint').flatMap((point) =>
    site
      .from(point, 'IMPLEMENTS')
      .filter((item) => noticeOf(point.properties) !== '' && noticeOf(item.properties) !== noticeOf(point.properties))
      .map(({ properties }) => [
        `Notice: ${textOf(point.properties, 'pointNo')} ${textOf(point.properties, 'process')}`,
        `${noticeOf(point.properties)} (${textOf(point.properties, 'specRef')})`,
        `${noticeOf(properties) || 'none'} (${textOf(properties, 'docNo')} item ${textOf(properties, 'itemNo')}, ${textOf(properties, 'clauseRef')})`,
        '',
        '',
        supervisor,
      ]),
  );
}

function missing(site: Site, supervisor: string): CellValue[][] {
  return site
    .all('Document')
    .filter((document) => document.properties['origin'] === 'source' && site.to(document, 'DESCRIBES').length === 0)
    .map((document) => {
      const get = (name: string) => textOf(document.properties, name);
      const [passage] = site.passages(document);
      const place = passage ? ` (${passage.sourcePath}, ${passage.locator})` : '';
      return [
        `Not supplied: ${get('docNo')}`,
        `Listed as ${get('docNo')} revision ${get('currentRevision')}${place}`,
        '',
        '',
        `${get('docNo')} ${get('title')}`,
        supervisor,
      ];
    });
}
