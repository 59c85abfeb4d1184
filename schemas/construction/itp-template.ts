import type { EntityDefinition } from '../define.ts';
import { list, optional } from './kinds/attribute.ts';
import { revision, workTypeCode } from './kinds/codes.ts';
import { itpDocNo } from './kinds/document-number.ts';
import { draftOnly } from './kinds/draft.ts';
import { standardOrDocument } from './kinds/reference.ts';
import { roleName } from './kinds/role.ts';
import { attributesOf } from './kinds/rules.ts';
import { text } from './kinds/text.ts';

const attributes = attributesOf('ITPTemplate', {
  docNo: itpDocNo('Document number of the ITP, the docNo of its ITPRequirement'),
  title: text('Title', { max: 200 }),
  revision: revision('Issue mark; "A" or "0" at first issue'),
  status: draftOnly('Always "draft": people approve'),
  scope: text('The work that the ITP controls'),
  workTypeCode: workTypeCode('WorkType.code, that of the ITPRequirement'),
  specificationRefs: list(
    'Codes of the governing specifications, at least one: Standard.code or Document.docNo',
    standardOrDocument('Standard.code or Document.docNo'),
    { min: 1 },
  ),
  lotDefinition: text('How a lot of this work is bounded: size, one layer, one shift, one pour, one pile', {
    instead: 'how a lot is bounded, such as "one layer, one day"',
  }),
  testingAuthority: optional(text('Who may test, such as "NATA accreditation (AS ISO/IEC 17025)"', { max: 300 })),
  preparedByRole: optional(roleName('Role that prepares the ITP, not a person')),
  approvedByRole: optional(roleName('Role that approves the ITP, not a person')),
});

const valid = {
  docNo: 'ITP-07',
  title: 'Bored cast-in-place piles',
  revision: 'A',
  status: 'draft',
  workTypeCode: 'PI',
  specificationRefs: ['TfNSW B59', 'BRU2-SP-004'],
  scope: 'Twelve bored piles of 1200 mm diameter of bridge BR01 at Abutment A, Pier 1 and Abutment B',
  lotDefinition: 'one pile (BRU2-SP-002 cl 2.1)',
};

export const itpTemplate: EntityDefinition = {
  name: 'ITPTemplate',
  description: 'An inspection and test plan for one kind of work; each lot uses a copy of it.',
  key: ['projectId', 'docNo'],
  attributes,
  producers: [{ task: 'itp-generation' }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, lotDefinition: 'as required' },
      at: 'lotDefinition',
      why: 'Say how a lot is bounded.',
    },
  },
};
