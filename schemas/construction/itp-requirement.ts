import type { EntityDefinition } from '../define.ts';
import { choice, flag, list, optional } from './kinds/attribute.ts';
import { wbsCode, workTypeCode } from './kinds/codes.ts';
import { itpDocNo } from './kinds/document-number.ts';
import { whole } from './kinds/number.ts';
import { specificationRef } from './kinds/reference.ts';
import { attributesOf } from './kinds/rules.ts';
import { text } from './kinds/text.ts';

const attributes = attributesOf('ITPRequirement', {
  docNo: itpDocNo('Document number of the ITP as the contract prints it, such as "ITP-07"'),
  title: text('Title of the ITP', { max: 200 }),
  workTypeCode: workTypeCode('WorkType.code of the work'),
  mandatory: flag('True when the contract demands the ITP'),
  specRef: optional(specificationRef('Number of the specification that governs the work, such as "TfNSW B59"')),
  basis: choice('Why the ITP is on the list', ['listed-in-contract', 'listed-in-plan', 'inferred']),
  wbsHints: optional(list('WBS codes printed beside the ITP in the source', wbsCode('WBSNode.code'))),
  sequence: optional(whole('Place in the list', '', { min: 1 })),
});

const valid = {
  docNo: 'ITP-07',
  title: 'Bored cast-in-place piles',
  workTypeCode: 'PI',
  specRef: 'TfNSW B59',
  mandatory: true,
  basis: 'listed-in-contract',
  wbsHints: ['5.1'],
  sequence: 7,
};

export const itpRequirement: EntityDefinition = {
  name: 'ITPRequirement',
  description: 'An ITP that the project must have: a line of the ITP register of the PQP.',
  key: ['projectId', 'docNo'],
  attributes,
  producers: [{ task: 'pqp-generation' }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, wbsHints: ['Bored piles'] },
      at: 'wbsHints',
      why: 'Codes of the WBS, not names.',
    },
  },
};
