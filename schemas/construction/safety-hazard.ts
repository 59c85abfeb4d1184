import type { EntityDefinition } from '../define.ts';
import { choice, flag, optional } from './kinds/attribute.ts';
import { code } from './kinds/business-key.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { text } from './kinds/text.ts';
import { RISKS } from './vocabulary.ts';

const attributes = attributesOf('SafetyHazard', {
  hazardNo: code('Number of the hazard, SH-nn', /^SH-\d{2,3}$/, 'a number such as "SH-01"'),
  activity: text('The work', { max: 300 }),
  hazard: text('What can happen', { max: 300 }),
  highRiskConstructionWork: flag('True for high risk construction work, which needs a SWMS'),
  swmsRef: optional(text('Safe work method statement; required when highRiskConstructionWork', { max: 100 })),
  controlHierarchy: choice('Highest control in the hierarchy that is used', [
    'eliminate',
    'substitute',
    'isolate',
    'engineering',
    'administrative',
    'ppe',
  ]),
  controls: text('The measures'),
  residualRisk: choice('Risk that remains with the controls in place', RISKS),
});

/** Metres above which a fall is high risk construction work. */
const FALL_HEIGHT_M = 2;

function isHighFall(activity: string, hazard: string): boolean {
  if (!/\bfall(?:s|ing)?\b/i.test(hazard)) return false;
  if (/\bfrom (?:a )?height\b/i.test(hazard)) return true;
  const heights = [...`${activity} ${hazard}`.matchAll(/(\d+(?:\.\d+)?)\s*m(?:etres?)?\b/gi)];
  return heights.some(([, metres]) => Number(metres) >= FALL_HEIGHT_M);
}

const refined = withRules(attributes, (node, refuse) => {
  const { activity = '', hazard = '', highRiskConstructionWork, swmsRef, controlHierarchy } = node;
  if (highRiskConstructionWork && swmsRef === undefined) {
    refuse('swmsRef', 'missing; high risk construction work needs the reference of its safe work method statement');
  }
  if (controlHierarchy === 'ppe' && isHighFall(activity, hazard)) {
    refuse(
      'controlHierarchy',
      'expected a control above "ppe": protective equipment alone does not control a fall of more than 2 m',
    );
  }
});

const valid = {
  hazardNo: 'SH-01',
  activity: 'Work beside live traffic',
  hazard: 'Struck by vehicle',
  highRiskConstructionWork: true,
  swmsRef: 'SWMS-01',
  controlHierarchy: 'engineering',
  controls: 'Safety barrier between the traffic lane and the work area; speed reduced to 40 km/h',
  residualRisk: 'medium',
};

export const safetyHazard: EntityDefinition = {
  name: 'SafetyHazard',
  description: 'A hazard of the work with its controls: a line of the register of the OHSMP.',
  key: ['projectId', 'hazardNo'],
  attributes,
  refined,
  producers: [{ task: 'ohsmp-generation' }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, swmsRef: undefined },
      at: 'swmsRef',
      why: 'High risk construction work needs a safe work method statement.',
    },
  },
};
