import type { z } from 'zod';
import type { EntityDefinition } from '../define.ts';
import { choice, judged, optional, term } from './kinds/attribute.ts';
import { areaCode, controlLine, lbsCode } from './kinds/codes.ts';
import { expected } from './kinds/expected.ts';
import { chainage, endBeforeStart, number, whole } from './kinds/number.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { text } from './kinds/text.ts';

/** A point in decimal degrees: latitude, longitude. */
function position(description: string): z.ZodString {
  const what = 'decimal degrees "latitude,longitude" such as "-32.15,150.62"';
  return judged(term(what), (value) => {
    const parts = /^(-?\d{1,2}(?:\.\d+)?),\s?(-?\d{1,3}(?:\.\d+)?)$/.exec(value);
    const onEarth = parts && Math.abs(Number(parts[1])) <= 90 && Math.abs(Number(parts[2])) <= 180;
    return onEarth ? undefined : expected(what)({ input: value });
  }).describe(`${description}, decimal degrees "latitude,longitude", datum GDA2020`);
}

const attributes = attributesOf('LBSNode', {
  code: lbsCode('Code of the place in hyphenated parts; it begins with the code of its parent'),
  name: text('The place in words', { max: 200 }),
  locationType: choice('Kind of place; "site" is the root', [
    'site',
    'zone',
    'section',
    'structure',
    'element',
    'intersection',
    'compound',
    'off-site',
  ]),
  level: whole('Depth in the tree; 0 for the site', 'levels', { min: 0 }),
  parentCode: optional(lbsCode('code of the parent; required for every node but the root')),
  controlLine: optional(controlLine('Code of the control line; required when a chainage is given')),
  chainageStart: optional(chainage('Where the place begins; both chainages or none; within the range of the parent')),
  chainageEnd: optional(chainage('Where the place ends, at least chainageStart')),
  offsetFrom: optional(number('Offset from the control line, metres, left negative', 'metres')),
  offsetTo: optional(number('Offset from the control line, metres, left negative', 'metres')),
  structureNo: optional(text('Number of the structure, for a structure or element only', { max: 60 })),
  areaCode: optional(areaCode('AreaCode.code; every place without places below it needs one')),
  geoStart: optional(position('Where the place begins')),
  geoEnd: optional(position('Where the place ends')),
});

const refined = withRules(attributes, (node, refuse) => {
  const { code, locationType, level, parentCode, chainageStart, chainageEnd } = node;
  if (level === 0 && parentCode !== undefined) refuse('parentCode', `expected none at level 0; got "${parentCode}"`);
  if (level !== undefined && level > 0 && parentCode === undefined) {
    refuse('parentCode', `missing; expected the code of the parent, because level is ${level}`);
  }
  if (level !== undefined && level > 0 && locationType === 'site') {
    refuse('level', `expected 0 for the site; got ${level}`);
  }
  if (code !== undefined && parentCode !== undefined && !code.startsWith(`${parentCode}-`)) {
    refuse('parentCode', `"${parentCode}" is not the parent of "${code}"; expected a code that "${code}" begins with`);
  }
  if (chainageStart === undefined && chainageEnd !== undefined) {
    refuse('chainageStart', 'missing; expected both chainages or none');
  }
  if (chainageEnd === undefined && chainageStart !== undefined) {
    refuse('chainageEnd', 'missing; expected both chainages or none');
  }
  const reversed = endBeforeStart(chainageStart, chainageEnd, true);
  if (reversed !== undefined) refuse('chainageEnd', reversed);
  if ((chainageStart !== undefined || chainageEnd !== undefined) && node.controlLine === undefined) {
    refuse('controlLine', 'missing; a chainage needs the code of its control line');
  }
  if (
    node.structureNo !== undefined &&
    locationType !== undefined &&
    !['structure', 'element'].includes(locationType)
  ) {
    refuse('structureNo', `expected none for a ${locationType}; only a structure or element has one`);
  }
});

const valid = {
  code: 'BRU2-B-P1',
  name: 'Pier 1',
  level: 2,
  parentCode: 'BRU2-B',
  locationType: 'element',
  controlLine: 'MC10',
  chainageStart: 2339,
  chainageEnd: 2341,
  areaCode: 'BR01',
};

export const lbsNode: EntityDefinition = {
  name: 'LBSNode',
  description: 'A node of the location breakdown structure: where the work is, as a tree of places.',
  key: ['projectId', 'code'],
  attributes,
  refined,
  producers: [{ task: 'lbs-extraction' }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, parentCode: 'BRU2-A' },
      at: 'parentCode',
      why: 'The code of a place begins with the code of its parent.',
    },
  },
};
