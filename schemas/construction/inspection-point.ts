import type { z } from 'zod';
import type { EntityDefinition } from '../define.ts';
import { choice, judged, list, optional, term } from './kinds/attribute.ts';
import { itemNo, pointNo } from './kinds/codes.ts';
import { itpDocNo } from './kinds/document-number.ts';
import { expected } from './kinds/expected.ts';
import { noticeRule, noticeUnit, noticeValue } from './kinds/notice.ts';
import { number } from './kinds/number.ts';
import { clauseRef } from './kinds/reference.ts';
import { performingRole, releasingRole, verifyingRole } from './kinds/role.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { standardReference } from './kinds/standard-code.ts';
import { text } from './kinds/text.ts';

const METHODS = ['visual', 'measurement', 'survey', 'test', 'document-review'];

function method(description: string): z.ZodString {
  const what = `one of ${METHODS.join(' | ')}, with free text after it if needed, such as "visual and measurement"`;
  return judged(term(what), (value) =>
    new RegExp(`^(?:${METHODS.join('|')})\\b`).test(value) ? undefined : expected(what)({ input: value }),
  ).describe(description);
}

/** Authority specifications say what is required; a method of test says how it is measured. */
const SPECIFICATION = /^(?:TfNSW (?:[A-SU-Z]\d|\d)|MRTS\d|VicRoads Section )/;

const attributes = attributesOf('InspectionPoint', {
  docNo: itpDocNo('docNo of the ITP'),
  itemNo: itemNo('Number of the item, as text, unique in the ITP, in the order of the work'),
  stage: choice('Stage of the work; stages do not run backwards in an ITP', [
    'preliminaries',
    'materials',
    'pre-construction',
    'construction',
    'post-construction',
    'conformance',
  ]),
  activity: text('What is inspected or tested', {
    max: 500,
    refuse: ['check', 'checks', 'inspect', 'inspection', 'test', 'testing', 'verify'],
    instead: 'what is inspected or tested',
  }),
  clauseRef: clauseRef('Document and clause, such as "BRU2-SP-001 cl 7.4.2" or "AS 1379 cl 5"'),
  standardCodes: optional(
    list('Standard.code of each standard that the item rests on', standardReference('Standard.code')),
  ),
  method: method('visual, measurement, survey, test or document-review, then free text'),
  testMethodCode: optional(
    standardReference(
      'Standard.code of the method of test, not of a specification; required when method starts with "test"',
    ),
  ),
  frequencyText: text('How often, as in the source', {
    max: 300,
    instead: 'the frequency of the source, such as "each pile"',
  }),
  frequencyCount: optional(number('How many times, for "1 per 500 m2" the 1', '', { above: 0 })),
  frequencyPer: optional(number('For how much, for "1 per 500 m2" the 500', '', { above: 0 })),
  frequencyUnit: optional(
    choice('Unit of frequencyPer, for "1 per 500 m2" the m2', [
      'lot',
      'pile',
      'pour',
      'truck',
      'layer',
      'm',
      'm2',
      'm3',
      't',
      'day',
      'item',
    ]),
  ),
  pointType: choice('One type for each item', ['HOLD', 'WITNESS', 'REVIEW', 'SURVEILLANCE', 'INSPECTION', 'TEST'], {
    H: 'HOLD',
    W: 'WITNESS',
    R: 'REVIEW',
    S: 'SURVEILLANCE',
    I: 'INSPECTION',
    T: 'TEST',
  }),
  performedByRole: performingRole('Who inspects or tests'),
  verifiedByRole: optional(verifyingRole('Who verifies; on a HOLD item another than performedByRole')),
  releasedByRole: optional(releasingRole('Who releases; required for HOLD, never on WITNESS')),
  noticeValue: optional(noticeValue()),
  noticeUnit: optional(noticeUnit()),
  recordName: text('The record that shows it: form, test report, docket, survey report, release form', {
    max: 300,
    refuse: ['file', 'record', 'records', 'document'],
    instead: 'the name of the form, report or docket',
  }),
  controlPointNo: optional(pointNo('ControlPoint.pointNo that this item implements')),
});

const refined = withRules(attributes, (node, refuse) => {
  const { pointType, testMethodCode } = node;
  if (node.method?.startsWith('test') && testMethodCode === undefined) {
    refuse('testMethodCode', `missing; the method "${node.method}" needs the code of its method of test`);
  }
  if (testMethodCode !== undefined && SPECIFICATION.test(testMethodCode)) {
    refuse('testMethodCode', `"${testMethodCode}" is a specification; expected a method of test such as "AS 1012.9"`);
  }
  const parts = ['frequencyCount', 'frequencyPer', 'frequencyUnit'] as const;
  const given = parts.filter((part) => node[part] !== undefined);
  for (const part of parts) {
    if (given.length > 0 && node[part] === undefined) refuse(part, `missing; ${given.join(' and ')} needs it`);
  }
  const announced = pointType === 'HOLD' || pointType === 'WITNESS';
  noticeRule(node, refuse, announced ? `a ${pointType} item needs notice` : undefined);
  if (pointType === 'HOLD') {
    if (node.releasedByRole === undefined) refuse('releasedByRole', 'missing; a HOLD item needs who releases it');
    if (node.verifiedByRole !== undefined && node.verifiedByRole === node.performedByRole) {
      refuse('verifiedByRole', `expected another role than performedByRole ("${node.performedByRole}") on a HOLD item`);
    }
  }
  if (pointType === 'WITNESS' && node.releasedByRole !== undefined) {
    refuse('releasedByRole', 'expected none: nobody releases a WITNESS item');
  }
});

const valid = {
  docNo: 'ITP-07',
  itemNo: '7',
  stage: 'construction',
  activity: 'Founding level, socket and base cleanliness before cage and concrete',
  clauseRef: 'BRU2-SP-004 cl 2.7',
  method: 'visual and measurement',
  frequencyText: 'each pile',
  frequencyCount: 1,
  frequencyPer: 1,
  frequencyUnit: 'pile',
  pointType: 'HOLD',
  performedByRole: 'geotechnical-engineer',
  releasedByRole: 'superintendent',
  noticeValue: 4,
  noticeUnit: 'hour',
  recordName: 'Founding certificate and hold point release form HP-09',
  standardCodes: ['TfNSW B59', 'AS 2159'],
  controlPointNo: 'HP-09',
};

export const inspectionPoint: EntityDefinition = {
  name: 'InspectionPoint',
  description: 'One item of an ITP.',
  key: ['projectId', 'docNo', 'itemNo'],
  attributes,
  refined,
  producers: [{ task: 'itp-generation', min: 3 }],
  ownedBy: 'ITPTemplate',
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, pointType: 'WITNESS' },
      at: 'releasedByRole',
      why: 'A witness point has notice and no release.',
    },
  },
};
