import type { EntityDefinition } from '../define.ts';
import { choice, flag, list, optional } from './kinds/attribute.ts';
import { wbsCode, workTypeCode } from './kinds/codes.ts';
import { number, whole } from './kinds/number.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { text } from './kinds/text.ts';

/** Code of the root: level 0, named after the project. */
const WBS_ROOT = '0';

/** The code that a WBS node's parent must have: its own without the last segment, the root at level 1. */
export function wbsParentCode(code: string): string | undefined {
  if (code === WBS_ROOT) return undefined;
  const cut = code.lastIndexOf('.');
  return cut < 0 ? WBS_ROOT : code.slice(0, cut);
}

/** Number of dot segments of a WBS code; 0 for the root. */
export function wbsLevel(code: string): number {
  return code === WBS_ROOT ? 0 : code.split('.').length;
}

const attributes = attributesOf('WBSNode', {
  code: wbsCode('Dotted number as printed, as text, without a dot at the end; the root is "0"'),
  name: text('The deliverable, as a noun phrase', { max: 200 }),
  level: whole('Number of dot segments of the code; 0 for the root', 'segments', { min: 0 }),
  parentCode: optional(
    wbsCode('The code without its last segment ("0" at level 1); required for every node but the root'),
  ),
  nodeType: choice('Place in the tree; "work-package" for the lowest level', [
    'project',
    'section',
    'deliverable',
    'work-package',
  ]),
  isConstruction: flag('False for preliminaries, design and handover'),
  workTypeCode: optional(workTypeCode('WorkType.code; every construction work package needs one')),
  scheduleItems: optional(
    list(
      'Numbers of the pay items that this work package covers; each item belongs to one work package',
      text('Pay item number as printed', { max: 30 }),
    ),
  ),
  quantity: optional(number('Quantity as a number without thousands separators, in unit', '', { min: 0 })),
  unit: optional(
    choice('Unit of quantity', ['item', 'm', 'm2', 'm3', 't', 'kg', 'each', 'ha', 'h', 'L', '%'], {
      sqm: 'm2',
      'sq.m': 'm2',
      'm²': 'm2',
      'cu.m': 'm3',
      cum: 'm3',
      'm³': 'm3',
      'lin.m': 'm',
      lm: 'm',
      tonne: 't',
      'No.': 'each',
      No: 'each',
      ea: 'each',
      LS: 'item',
      'lump sum': 'item',
      hr: 'h',
      hour: 'h',
    }),
  ),
});

const refined = withRules(attributes, (node, refuse) => {
  const { code, level, parentCode, quantity, unit } = node;
  if (quantity !== undefined && unit === undefined) {
    refuse('unit', `missing; the quantity ${quantity} needs its unit`);
  }
  if (code === undefined) return;
  if (level !== undefined && level !== wbsLevel(code)) {
    refuse('level', `expected ${wbsLevel(code)}, the number of segments of "${code}"; got ${level}`);
  }
  const parent = wbsParentCode(code);
  if (parent === parentCode) return;
  if (parent === undefined) {
    refuse('parentCode', `"${parentCode}" is not the parent of "${code}"; expected none, "${code}" is the root`);
  } else if (parentCode === undefined) {
    const root = parent === WBS_ROOT ? ' (where the source prints no root, add node "0" and mark it assumed)' : '';
    refuse('parentCode', `missing; expected "${parent}", the parent of "${code}"${root}`);
  } else {
    refuse('parentCode', `"${parentCode}" is not the parent of "${code}"; expected "${parent}"`);
  }
});

const valid = {
  code: '5.1',
  name: 'Bored cast-in-place piles',
  level: 2,
  parentCode: '5',
  nodeType: 'work-package',
  isConstruction: true,
  scheduleItems: ['5.01'],
  unit: 'm',
  quantity: 168,
  workTypeCode: 'PI',
};

export const wbsNode: EntityDefinition = {
  name: 'WBSNode',
  description: 'A node of the work breakdown structure: what is built, as a tree of deliverables.',
  key: ['projectId', 'code'],
  attributes,
  refined,
  // The root and something below it.
  producers: [{ task: 'wbs-extraction', min: 2 }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, code: '4.2.1', level: 3, parentCode: '3.2' },
      at: 'parentCode',
      why: 'The parent of 4.2.1 is 4.2.',
    },
  },
};
