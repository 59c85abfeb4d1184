/** The registers that show that nothing of the contract is missing: ITPs, hold and witness points. */
import type { RunCheck } from '../../../../schemas/run-event.ts';
import type { GraphNode } from '../../../ports.ts';
import type { CellValue } from '../../csv-file.ts';
import { naturally } from '../../natural-order.ts';
import { itpStatus } from '../itp-status.ts';
import { numberOf, type Site, standingOf, textOf } from '../site.ts';
import { columns, type Table } from '../table.ts';

/** One row for each ITP and for each that the contract asks for and nobody wrote. */
export function itpRegister(site: Site, check: RunCheck | undefined): Table {
  const written = site.all('ITPTemplate');
  const numbers = new Set([...site.all('ITPRequirement'), ...written].map(({ key }) => String(key[1])));
  const rows = [...numbers].sort(naturally).map((docNo): CellValue[] => {
    const template = site.get('ITPTemplate', docNo);
    const requirement = site.get('ITPRequirement', docNo);
    const node = template ?? requirement!;
    const get = (name: string) => (template && textOf(template.properties, name)) || textOf(node.properties, name);
    const asked = (name: string) => (requirement ? textOf(requirement.properties, name) : '');
    const items = template ? site.to(template, 'HAS_POINT') : [];
    const count = (type: string) => items.filter(({ properties }) => properties['pointType'] === type).length;
    const passage = requirement && site.passages(requirement)[0];
    return [
      docNo,
      get('title'),
      template ? get('revision') : '',
      template ? itpStatus(site, template) : 'missing',
      get('workTypeCode'),
      asked('specRef') || (template ? textOf(template.properties, 'specificationRefs') : ''),
      requirement ? (requirement.properties['mandatory'] === true ? 'yes' : 'no') : '',
      asked('basis'),
      template ? codesOf(site.to(template, 'COVERS_WBS')) : asked('wbsHints'),
      template ? codesOf(site.to(template, 'APPLIES_AT')) : '',
      items.length,
      count('HOLD'),
      count('WITNESS'),
      count('TEST'),
      check === undefined ? '' : tally(check, docNo),
      passage?.sourcePath ?? '',
      passage?.locator ?? '',
      standingOf(node),
    ];
  });
  return {
    name: 'ITP register',
    title: 'Every ITP that the contract asks for, and what stands in it',
    columns: columns(
      ['ITP No.', 9],
      ['Title', 30],
      ['Revision', 9],
      ['Status', 12],
      ['Work type', 8],
      ['Specification', 15],
      ['Mandatory', 10],
      ['Basis', 15],
      ['WBS codes', 16],
      ['Locations', 26],
      ['Items', 7],
      ['Hold points', 7],
      ['Witness points', 8],
      ['Tests', 7],
      ['Findings (blocker / error / warning)', 14],
      ['Source file', 30],
      ['Locator', 13],
      ['Review', 12],
    ),
    rows,
  };
}

function codesOf(nodes: readonly GraphNode[]): string {
  return nodes.map(({ properties }) => textOf(properties, 'code')).join('; ');
}

/** Findings that name the ITP: "0 / 2 / 1" blockers, errors, warnings. */
function tally({ findings }: RunCheck, docNo: string): string {
  // ITP-1 is not named by ITP-10.
  const isNamed = (message: string) =>
    message.split(docNo).some((before, at, parts) => {
      const after = parts[at + 1];
      return after !== undefined && !/[\w.-]$/.test(before) && !/^(?:\w|[.-]\w)/.test(after);
    });
  const own = findings.filter(({ message }) => isNamed(message));
  return (['blocker', 'error', 'warning'] as const)
    .map((severity) => own.filter((finding) => finding.severity === severity).length)
    .join(' / ');
}

/** One row for each point of the contract and of the quality plan; who released it, and when, is a person's to write. */
export function pointRegister(site: Site): Table {
  const rows = site.all('ControlPoint').map((point): CellValue[] => {
    const { properties } = point;
    const get = (name: string) => textOf(properties, name);
    const items = site.from(point, 'IMPLEMENTS');
    const releaser = get('releasingRole');
    const [passage] = site.passages(point);
    const ofItems = (name: string) => [...new Set(items.map((item) => textOf(item.properties, name)))].join('; ');
    return [
      get('pointNo'),
      get('pointType'),
      get('pointClass'),
      get('process'),
      get('submissionDetails'),
      get('releaseDetails'),
      releaser === '' ? '' : site.role(releaser),
      numberOf(properties, 'noticeValue'),
      get('noticeUnit'),
      get('specRef'),
      ofItems('docNo') || get('itpDocNo'),
      ofItems('itemNo'),
      items.length > 0 ? 'yes' : get('itpDocNo') === '' ? 'project level' : 'no',
      passage?.sourcePath ?? '',
      passage?.locator ?? '',
      '',
      '',
      standingOf(point),
    ];
  });
  return {
    name: 'Hold and witness points',
    title: 'Every hold and witness point of the contract, and the ITP item that carries it out',
    columns: columns(
      ['No.', 8],
      ['Type', 10],
      ['Class', 10],
      ['Process', 30],
      ['Submission details', 30],
      ['Release details', 18],
      ['Released by', 15],
      ['Notice', 8],
      ['Unit', 12],
      ['Contract clause', 19],
      ['ITP No.', 9],
      ['ITP item', 8],
      ['Implemented', 13],
      ['Source file', 30],
      ['Locator', 13],
      ['Released on', 12],
      ['Release reference', 14],
      ['Review', 14],
    ),
    rows,
  };
}
