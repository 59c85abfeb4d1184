import type { EntityDefinition } from '../define.ts';
import { choice, optional } from './kinds/attribute.ts';
import { workTypeCode } from './kinds/codes.ts';
import { specificationRef } from './kinds/reference.ts';
import { attributesOf } from './kinds/rules.ts';
import { text } from './kinds/text.ts';

const attributes = attributesOf('WorkType', {
  code: workTypeCode('Code of the work type as printed, capital letters, two by default'),
  description: text('The kind of work in words; differs from that of every other code', { max: 200 }),
  discipline: optional(
    choice('Discipline', [
      'general',
      'earthworks',
      'drainage',
      'pavement',
      'surfacing',
      'structures',
      'road-furniture',
      'landscaping',
      'utilities',
      'temporary-works',
    ]),
  ),
  specificationRef: optional(
    specificationRef('Number of the specification that governs the work, such as "TfNSW R44"'),
  ),
});

const valid = { code: 'EW', description: 'Earthworks', discipline: 'earthworks', specificationRef: 'TfNSW R44' };

export const workType: EntityDefinition = {
  name: 'WorkType',
  description: 'A kind of work that classifies lots and ITPs; first element of lot numbers.',
  key: ['projectId', 'code'],
  attributes,
  producers: [{ task: 'project-details' }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, code: 'Earthworks' },
      at: 'code',
      why: 'The code is the short one of the lot numbers, in capital letters: EW.',
    },
  },
};
