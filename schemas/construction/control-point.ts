import type { EntityDefinition } from '../define.ts';
import { choice, optional } from './kinds/attribute.ts';
import { pointNo } from './kinds/codes.ts';
import { itpDocNo } from './kinds/document-number.ts';
import { noticeRule, noticeUnit, noticeValue } from './kinds/notice.ts';
import { clauseRef } from './kinds/reference.ts';
import { PRINCIPAL_SIDE, releasingRole } from './kinds/role.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { text } from './kinds/text.ts';

const attributes = attributesOf('ControlPoint', {
  pointNo: pointNo('Number of the point: HP-nn, WP-nn, MS-nn, or as printed'),
  pointType: choice('One type for each point', ['HOLD', 'WITNESS', 'MILESTONE'], {
    H: 'HOLD',
    W: 'WITNESS',
    M: 'MILESTONE',
  }),
  pointClass: choice('"principal" when the contract specifies the point, "contractor" when the quality plan adds it', [
    'principal',
    'contractor',
  ]),
  process: text('What is held or witnessed', {
    max: 500,
    refuse: [
      'inspection',
      'inspect',
      'test',
      'testing',
      'work',
      'works',
      'hold point',
      'witness point',
      'hold',
      'witness',
    ],
    instead: 'the process that is held or witnessed',
  }),
  submissionDetails: optional(text('What must be submitted; required for HOLD')),
  releaseDetails: optional(text('What the releasing party does; never on a WITNESS point')),
  releasingRole: optional(
    releasingRole('Who releases; required for HOLD, on the side of the principal when pointClass is "principal"'),
  ),
  noticeValue: optional(noticeValue()),
  noticeUnit: optional(noticeUnit()),
  specRef: clauseRef('Document and clause that prescribe the point'),
  itpDocNo: optional(
    itpDocNo('ITPRequirement.docNo of the ITP it belongs to; absent for a point of the whole project'),
  ),
});

const refined = withRules(attributes, (node, refuse) => {
  const { pointType, pointClass, submissionDetails, releaseDetails, releasingRole: releaser } = node;
  noticeRule(node, refuse);
  if (pointType === 'HOLD') {
    if (submissionDetails === undefined) {
      refuse('submissionDetails', 'missing; a HOLD point needs what must be submitted for its release');
    }
    if (releaser === undefined) refuse('releasingRole', 'missing; a HOLD point needs who releases it');
    if (pointClass === 'principal' && releaser === 'contractor-nominee') {
      refuse(
        'releasingRole',
        `expected one of ${PRINCIPAL_SIDE.join(' | ')}: the contractor never releases a hold point of class "principal"`,
      );
    }
  }
  if (pointType === 'WITNESS') {
    if (releaseDetails !== undefined)
      refuse('releaseDetails', 'expected none: a WITNESS point has notice and no release');
    if (releaser !== undefined) refuse('releasingRole', 'expected none: nobody releases a WITNESS point');
  }
});

const valid = {
  pointNo: 'HP-09',
  pointType: 'HOLD',
  pointClass: 'principal',
  process: 'Placing cage and concrete in each pile',
  submissionDetails: "Geotechnical engineer's founding certificate, drilling log",
  releasingRole: 'superintendent',
  noticeValue: 4,
  noticeUnit: 'hour',
  specRef: 'BRU2-SP-004 cl 2.7',
  itpDocNo: 'ITP-07',
};

export const controlPoint: EntityDefinition = {
  name: 'ControlPoint',
  description: 'A hold point, witness point or milestone: a line of the hold point register of the PQP.',
  key: ['projectId', 'pointNo'],
  attributes,
  refined,
  // A contract may prescribe none.
  producers: [{ task: 'pqp-generation', min: 0 }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, releasingRole: 'contractor-nominee' },
      at: 'releasingRole',
      why: 'A hold point that the contract specifies is released by the side of the principal.',
    },
  },
};
