import type { EntityDefinition } from '../define.ts';
import { choice, optional } from './kinds/attribute.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { standardCode, standardReference } from './kinds/standard-code.ts';
import { text } from './kinds/text.ts';
import { JURISDICTION_NAMES, JURISDICTIONS } from './vocabulary.ts';

const attributes = attributesOf('Standard', {
  code: standardCode(
    'Canonical code: publisher, one space, number, no year, such as "AS 1289.5.4.1", "AS/NZS 4671", "TfNSW R44", "MRTS04", "VicRoads Section 204"; an Act or Regulation keeps its year and jurisdiction',
  ),
  title: text('Published title without the number', { max: 400 }),
  publisher: choice(
    'Who publishes it',
    [
      'Standards Australia',
      'Standards Australia/NZ',
      'ISO',
      'TfNSW',
      'TMR',
      'DTP-VicRoads',
      'DIT-SA',
      'MRWA',
      'Austroads',
      'NATSPEC',
      'Legislation',
      'ASTM',
      'BSI',
      'Other',
    ],
    {
      AS: 'Standards Australia',
      'AS/NZS': 'Standards Australia/NZ',
      RMS: 'TfNSW',
      RTA: 'TfNSW',
      VicRoads: 'DTP-VicRoads',
    },
  ),
  kind: choice('What it is; "test-method" only when the whole standard is a method of test', [
    'standard',
    'specification',
    'test-method',
    'guide',
    'code-of-practice',
    'legislation',
    'standard-drawing',
    'other',
  ]),
  editionCited: optional(
    text('Year or edition exactly as cited, such as "2007" or "Ed 6 Rev 0"; absent when none is cited', { max: 60 }),
  ),
  status: choice('Whether it is in force; "unknown" when the documents do not say', [
    'current',
    'superseded',
    'withdrawn',
    'unknown',
  ]),
  supersededByCode: optional(standardReference('Standard.code of the successor')),
  parentCode: optional(standardReference('Standard.code of the series, such as "AS 1289" for "AS 1289.5.4.1"')),
  jurisdiction: optional(
    choice('Where it applies', [...JURISDICTIONS, 'National'], {
      ...JURISDICTION_NAMES,
      'Australia-wide': 'National',
      Australia: 'National',
    }),
  ),
});

const refined = withRules(attributes, (node, refuse) => {
  const { code, title, kind, supersededByCode, parentCode } = node;
  if (code === undefined) return;
  if (supersededByCode === code) refuse('supersededByCode', `expected another standard than "${code}" itself`);
  if (parentCode === code) refuse('parentCode', `expected the series that "${code}" belongs to, not "${code}" itself`);
  // The name of an Act is its code.
  if (kind !== 'legislation' && title?.toLowerCase().includes(code.toLowerCase())) {
    refuse('title', `expected the published title without the number "${code}"; got "${title}"`);
  }
});

const valid = {
  code: 'AS 1379',
  title: 'Specification and supply of concrete',
  editionCited: '2007',
  publisher: 'Standards Australia',
  kind: 'standard',
  status: 'unknown',
};

export const standard: EntityDefinition = {
  name: 'Standard',
  description: 'A standard, authority specification, test method, guide or law that the project documents cite.',
  key: ['projectId', 'code'],
  attributes,
  refined,
  producers: [{ task: 'standards-extraction' }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, code: 'AS1379-2007' },
      at: 'code',
      why: 'The code has one space and no year: AS 1379; the year goes into editionCited.',
    },
  },
};
