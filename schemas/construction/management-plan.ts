import type { EntityDefinition } from '../define.ts';
import { choice, list, optional } from './kinds/attribute.ts';
import { revision } from './kinds/codes.ts';
import { docNo } from './kinds/document-number.ts';
import { draftOnly } from './kinds/draft.ts';
import { attributesOf } from './kinds/rules.ts';
import { standardReference } from './kinds/standard-code.ts';
import { text } from './kinds/text.ts';
import { PLAN_TASKS, PLAN_TYPES } from './vocabulary.ts';

const attributes = attributesOf('ManagementPlan', {
  planType: choice('Which of the four plans', PLAN_TYPES),
  docNo: docNo('Document number, {projectId}-PLN-{planType}-001 unless the contract prescribes one'),
  title: text('Title of the plan', { max: 200 }),
  revision: revision('Issue mark; first issue "A" or "0"'),
  status: draftOnly('Always "draft": people review and accept'),
  template: choice('Governing text whose layout the plan follows, of the jurisdiction of the project', [
    'TfNSW-Q6',
    'TMR-MRTS50',
    'VicRoads-160',
    'DIT-PC-QA2',
    'MRWA-201',
    'ATS-1120',
    'G36',
    'G22',
    'WHS-Reg-309',
    'ISO-9001',
    'ISO-14001',
    'ISO-45001',
    'integrated',
    'other',
  ]),
  submissionDueText: optional(text('When the plan is due, as in the contract', { max: 300 })),
  standardCodes: optional(
    list('Standard.code of each standard that the plan rests on', standardReference('Standard.code')),
  ),
});

const valid = {
  planType: 'PQP',
  docNo: 'BRU2-PLN-PQP-001',
  title: 'Project Quality Plan',
  revision: 'A',
  status: 'draft',
  template: 'TfNSW-Q6',
  submissionDueText: '15 working days before work on site starts',
};

export const managementPlan: EntityDefinition = {
  name: 'ManagementPlan',
  description:
    'A plan of the project for quality (PQP), environment (EMP), safety (OHSMP) or the integrated system (QSE).',
  key: ['projectId', 'planType'],
  attributes,
  producers: PLAN_TYPES.map((planType) => ({ task: PLAN_TASKS[planType], where: { planType } })),
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, status: 'accepted' },
      at: 'status',
      why: 'Agents write drafts; they never approve, accept or release.',
    },
  },
};
