import type { EntityDefinition } from '../define.ts';
import { choice, optional } from './kinds/attribute.ts';
import { code } from './kinds/business-key.ts';
import { roleName } from './kinds/role.ts';
import { attributesOf } from './kinds/rules.ts';
import { text } from './kinds/text.ts';
import { RISKS } from './vocabulary.ts';

const attributes = attributesOf('EnvironmentalAspect', {
  aspectNo: code('Number of the aspect, EA-nn', /^EA-\d{2,3}$/, 'a number such as "EA-01"'),
  aspect: text('What the work does to the environment, such as "Sediment-laden runoff"', { max: 300 }),
  control: text('At least one measure', {
    refuse: ['manage', 'managed', 'control', 'controls', 'monitor', 'mitigate', 'minimise', 'none'],
    instead: 'a measure that can be carried out',
  }),
  residualRisk: choice('Risk that remains with the control in place', RISKS),
  monitoring: optional(text('What is monitored, and how often')),
  legalRef: optional(text('Act, licence or condition as cited, of the jurisdiction of the project', { max: 300 })),
  responsibleRole: roleName('Role that is responsible, not a person'),
});

const valid = {
  aspectNo: 'EA-01',
  aspect: 'Sediment-laden runoff to Yarrumbi Creek',
  control:
    'Controls in place before disturbance; discharge not more than 50 mg/L total suspended solids, pH 6.5 to 8.5',
  residualRisk: 'low',
  responsibleRole: 'environmental-officer',
};

export const environmentalAspect: EntityDefinition = {
  name: 'EnvironmentalAspect',
  description: 'An aspect of the work with its impact and control: a line of the register of the EMP.',
  key: ['projectId', 'aspectNo'],
  attributes,
  producers: [{ task: 'emp-generation' }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, control: 'manage' },
      at: 'control',
      why: 'A control is a measure that can be carried out.',
    },
  },
};
