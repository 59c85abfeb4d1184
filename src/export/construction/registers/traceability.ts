/** What the contract asks for, and what answers it: topics, ITPs, hold and witness points, notices, limits. */
import type { GraphNode } from '../../../ports.ts';
import type { CellValue } from '../../csv-file.ts';
import { naturally } from '../../natural-order.ts';
import { listOf, numberOf, type Site, standingOf, textOf } from '../site.ts';
import { columns, type Table } from '../table.ts';
import { limitOf, noticeOf } from '../words.ts';

interface Trace {
  /** "BRU2-SP-004 cl 2.7". */
  readonly clauseRef: string;
  readonly asks: string;
  readonly kind: string;
  readonly answeredBy: string;
  readonly reference: string;
  readonly status: 'answered' | 'partly' | 'open';
  readonly review: string;
}

/** Sorted by document and clause. */
export function traceability(site: Site): Table {
  const traces = [...topics(site), ...itps(site), ...points(site), ...limits(site)];
  const rows = traces
    .map((trace) => ({ ...trace, ...partsOf(trace.clauseRef) }))
    .sort(
      (a, b) =>
        naturally(a.document, b.document) ||
        naturally(a.clause, b.clause) ||
        naturally(a.kind, b.kind) ||
        naturally(a.reference, b.reference),
    )
    .map(({ document, clause, asks, kind, answeredBy, reference, status, review }): CellValue[] => [
      document,
      clause,
      asks,
      kind,
      answeredBy,
      reference,
      status,
      review,
    ]);
  return {
    name: 'Traceability',
    title: 'What each clause asks for, and what answers it',
    columns: columns(
      ['Document', 20],
      ['Clause', 14],
      ['What it asks', 62],
      ['Kind', 14],
      ['Answered by', 40],
      ['Reference', 18],
      ['Status', 11],
      ['Review', 14],
    ),
    rows,
  };
}

/** "BRU2-SP-004 cl 2.7" → document and clause; without a word for a clause all of it is the document. */
function partsOf(clauseRef: string): { document: string; clause: string } {
  const parts =
    /^(.+?),?\s+((?:cl|clauses?|s|sec|section|table|tab|app|appendix|annex(?:ure)?|sch|schedule|fig|figure|item|p|page|part|drawing)\b.*)$/i.exec(
      clauseRef,
    );
  return { document: parts?.[1] ?? clauseRef, clause: parts?.[2] ?? '' };
}

/** The passage of the documents, else what the graph says in its own words. */
function asked(site: Site, node: GraphNode, otherwise: string): string {
  return site.passages(node)[0]?.quote || otherwise;
}

function topics(site: Site): Trace[] {
  return site.all('PlanSection').flatMap((section) => {
    const get = (name: string) => textOf(section.properties, name);
    return listOf(section.properties, 'requirementRefs').map((clauseRef) => ({
      clauseRef,
      asks: get('heading'),
      kind: 'topic',
      answeredBy: `${get('planType')} section ${get('sectionNo')} ${get('heading')}`,
      reference: `${get('planType')} ${get('sectionNo')}`,
      status: 'answered' as const,
      review: standingOf(section),
    }));
  });
}

function itps(site: Site): Trace[] {
  return site.all('ITPRequirement').map((requirement) => {
    const get = (name: string) => textOf(requirement.properties, name);
    const template = site.get('ITPTemplate', get('docNo'));
    const items = template ? site.to(template, 'HAS_POINT').length : 0;
    return {
      clauseRef: placeOf(site, requirement),
      asks: asked(site, requirement, `${get('docNo')} ${get('title')}`),
      kind: 'ITP',
      answeredBy: template ? `${get('docNo')} ${textOf(template.properties, 'title')}, ${items} items` : '',
      reference: get('docNo'),
      status: template === undefined ? ('open' as const) : items > 0 ? ('answered' as const) : ('partly' as const),
      review: standingOf(template ?? requirement),
    };
  });
}

/** Where the requirement stands: the document that the file of its passage holds, and the place in it. */
function placeOf(site: Site, node: GraphNode): string {
  const [passage] = site.passages(node);
  if (!passage) return textOf(node.properties, 'specRef');
  const file = site.get('SourceFile', passage.sourcePath);
  const [document] = file ? site.from(file, 'DESCRIBES') : [];
  const docNo = document ? textOf(document.properties, 'docNo') : passage.sourcePath;
  // A locator may name its document itself.
  if (passage.locator.startsWith(docNo)) return passage.locator;
  return `${docNo} ${passage.locator.replace(/^p\d+ (?=\w)/, '')}`;
}

function points(site: Site): Trace[] {
  return site.all('ControlPoint').flatMap((point) => {
    const { properties } = point;
    const get = (name: string) => textOf(properties, name);
    const items = site.from(point, 'IMPLEMENTS');
    const isProject = get('itpDocNo') === '' && items.length === 0;
    const trace = {
      clauseRef: get('specRef'),
      asks: asked(site, point, get('process')),
      answeredBy: isProject
        ? 'hold point register of the quality plan (project level)'
        : items.map(itemName).join('; '),
      reference: get('pointNo'),
      review: standingOf(point),
    };
    const kind = `${get('pointType').toLowerCase()} point`;
    const isSame = items.some((item) => item.properties['pointType'] === get('pointType'));
    const status = isProject || isSame ? 'answered' : items.length > 0 ? 'partly' : 'open';
    const notice = noticeOf(properties);
    if (notice === '') return [{ ...trace, kind, status } as const];
    const keeps = items.some(
      ({ properties: own }) =>
        own['noticeUnit'] === get('noticeUnit') &&
        (numberOf(own, 'noticeValue') ?? 0) >= (numberOf(properties, 'noticeValue') ?? 0),
    );
    const kept = isProject || keeps ? 'answered' : items.length > 0 ? 'partly' : 'open';
    return [
      { ...trace, kind, status } as const,
      { ...trace, kind: 'notice', asks: `Notice: ${notice}`, status: kept } as const,
    ];
  });
}

function itemName({ properties }: GraphNode): string {
  return `${textOf(properties, 'docNo')} item ${textOf(properties, 'itemNo')} ${textOf(properties, 'activity')}`;
}

function limits(site: Site): Trace[] {
  return site
    .all('AcceptanceCriterion')
    .filter(({ properties }) => properties['criterionType'] === 'quantitative')
    .map((criterion) => {
      const get = (name: string) => textOf(criterion.properties, name);
      const [item] = site.from(criterion, 'HAS_CRITERION');
      return {
        clauseRef: get('sourceClause'),
        asks: asked(site, criterion, get('text')),
        kind: 'limit',
        answeredBy: [item && itemName(item), `${get('parameter')} ${limitOf(criterion.properties)}`.trim()]
          .filter(Boolean)
          .join(': '),
        reference: `${get('docNo')} ${get('itemNo')}.${get('seq')}`,
        status: item ? ('answered' as const) : ('open' as const),
        review: standingOf(criterion),
      };
    });
}
