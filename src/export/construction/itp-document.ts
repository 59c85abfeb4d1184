/** An ITP as it is printed: title block, bands of items, and the sheets that show where it comes from. */
import { MusterError } from '../../errors.ts';
import type { GraphNode } from '../../ports.ts';
import { byText } from '../natural-order.ts';
import { type ItpItem, itpItem } from './itp-item.ts';
import { itpCriteria, itpEvidence, itpRevisions } from './itp-sources.ts';
import { isReviewed, itpStatus } from './itp-status.ts';
import { listOf, type Site, textOf } from './site.ts';
import type { Table } from './table.ts';
import { STAGES, words } from './words.ts';

type Field = readonly [label: string, value: string];

export interface ItpDocument {
  readonly projectId: string;
  readonly project: string;
  readonly docNo: string;
  readonly title: string;
  readonly revision: string;
  /** "DRAFT" until a person has reviewed every part of it. */
  readonly status: string;
  /** The contract's word for who signs for the principal. */
  readonly supervisor: string;
  /** Nine rows of two fields. */
  readonly titleBlock: readonly (readonly [left: Field, right: Field])[];
  readonly bands: readonly { readonly stage: string; readonly items: readonly ItpItem[] }[];
  /** "0 of 16 items reviewed by a person; 2 assumed". */
  readonly review: string;
  readonly criteria: Table;
  readonly evidence: Table;
  readonly revisions: Table;
}

/** @throws MusterError USAGE when the project has no such ITP; the message names those it has. */
export function itpDocument(site: Site, docNo: string): ItpDocument {
  const template = site.get('ITPTemplate', docNo);
  if (!template) {
    const known = site.all('ITPTemplate').map(({ key }) => String(key[1]));
    throw new MusterError(
      'USAGE',
      `expected the number of an ITP in project ${site.projectId}, got "${docNo}". ${known.length > 0 ? `It has ${known.join(', ')}` : 'It has none'}`,
    );
  }
  const items = site.to(template, 'HAS_POINT');
  const { properties } = template;
  const revision = textOf(properties, 'revision');
  const status = itpStatus(site, template);
  const assumed = items.filter((item) => item.properties['assumed'] === true).length;
  const supervisor = site.role('superintendent');
  return {
    projectId: site.projectId,
    project: textOf(site.project, 'name') || site.projectId,
    docNo,
    title: textOf(properties, 'title'),
    revision,
    status,
    supervisor,
    titleBlock: titleBlock(site, template, supervisor, status),
    bands: bandsOf(items).map(({ stage, items: own }) => ({ stage, items: own.map((item) => itpItem(site, item)) })),
    review: `${items.filter(isReviewed).length} of ${items.length} items reviewed by a person${assumed > 0 ? `; ${assumed} assumed (†)` : ''}`,
    criteria: itpCriteria(site, items),
    evidence: itpEvidence(site, template, items),
    revisions: itpRevisions(revision),
  };
}

function titleBlock(site: Site, template: GraphNode, supervisor: string, status: string): ItpDocument['titleBlock'] {
  const { properties } = template;
  const get = (name: string) => textOf(properties, name);
  const named = (nodes: readonly GraphNode[]) =>
    nodes.map((node) => `${textOf(node.properties, 'code')} ${textOf(node.properties, 'name')}`).join('; ');
  const code = get('workTypeCode');
  const workType = site.get('WorkType', code);
  const roles = [get('preparedByRole'), get('approvedByRole')].map((role) => (role === '' ? '' : words(role)));
  return [
    [
      ['Project', textOf(site.project, 'name') || site.projectId],
      ['ITP No.', get('docNo')],
    ],
    [
      ['Contract No.', textOf(site.project, 'contractNo')],
      ['Title', get('title')],
    ],
    [
      ['Principal', site.parties('principal')],
      ['Revision / status', `${get('revision')} / ${status}`],
    ],
    [
      [supervisor, site.parties('superintendent', 'administrator', 'principals-authorised-person')],
      ['Work type', [code, workType && textOf(workType.properties, 'description')].filter(Boolean).join(', ')],
    ],
    [
      ['Contractor', site.parties('contractor')],
      ['Specifications', specifications(site, listOf(properties, 'specificationRefs'))],
    ],
    [
      ['Location', named(site.to(template, 'APPLIES_AT'))],
      ['Work packages', named(site.to(template, 'COVERS_WBS'))],
    ],
    [
      ['Lot definition', get('lotDefinition')],
      ['Testing authority', get('testingAuthority')],
    ],
    [
      ['Scope', get('scope')],
      ['Prepared by / approved by', roles.join(' / ').replace(/^ \/ $/, '')],
    ],
    [
      ['Lot No.', ''],
      ['Date', ''],
    ],
  ];
}

/** A reference names a standard or a document; its title is printed where the graph has it. */
function specifications(site: Site, codes: readonly string[]): string {
  return codes
    .map((code) => {
      const known = site.get('Standard', code) ?? site.get('Document', code);
      const title = known && textOf(known.properties, 'title');
      return title ? `${code} ${title}` : code;
    })
    .join('; ');
}

/** A band opens wherever the stage changes, in the order of the items. */
function bandsOf(items: readonly GraphNode[]): { stage: string; items: GraphNode[] }[] {
  const bands: { stage: string; items: GraphNode[] }[] = [];
  for (const item of items) {
    const code = textOf(item.properties, 'stage');
    const stage = STAGES[code] ?? words(code);
    const last = bands.at(-1);
    if (last && byText(last.stage, stage) === 0) last.items.push(item);
    else bands.push({ stage, items: [item] });
  }
  return bands;
}
