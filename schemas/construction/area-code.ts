import type { EntityDefinition } from '../define.ts';
import { optional } from './kinds/attribute.ts';
import { areaCode as areaCodeOf, controlLine } from './kinds/codes.ts';
import { chainage, endBeforeStart } from './kinds/number.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { text } from './kinds/text.ts';

const attributes = attributesOf('AreaCode', {
  code: areaCodeOf('Code of the area as printed, capital letters and digits, 4 characters by default'),
  description: text('The area in words', { max: 200 }),
  controlLine: optional(controlLine('Code of the control line, one of Project.controlLines')),
  chainageStart: optional(chainage('Where the area begins')),
  chainageEnd: optional(chainage('Where the area ends, more than chainageStart')),
});

const refined = withRules(attributes, (node, refuse) => {
  const fault = endBeforeStart(node.chainageStart, node.chainageEnd, false);
  if (fault !== undefined) refuse('chainageEnd', fault);
});

const valid = {
  code: 'ML01',
  description: 'Main line south 1',
  controlLine: 'MC10',
  chainageStart: 1200,
  chainageEnd: 1700,
};

export const areaCode: EntityDefinition = {
  name: 'AreaCode',
  description: 'A short code for a part of the site; second element of lot numbers.',
  key: ['projectId', 'code'],
  attributes,
  refined,
  // Not every contract divides its site into coded areas.
  producers: [{ task: 'project-details', min: 0 }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, chainageStart: 'Ch 1+200' },
      at: 'chainageStart',
      why: 'A chainage is a number of metres: 1200.',
    },
  },
};
