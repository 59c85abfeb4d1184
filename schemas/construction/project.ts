import type { EntityDefinition } from '../define.ts';
import { choice, judged, list, optional } from './kinds/attribute.ts';
import { controlLine } from './kinds/codes.ts';
import { date } from './kinds/date.ts';
import { show } from './kinds/expected.ts';
import { whole } from './kinds/number.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { text } from './kinds/text.ts';
import { JURISDICTION_NAMES, JURISDICTIONS } from './vocabulary.ts';

const SPECIFICATION_SETS = [
  'TfNSW',
  'TMR',
  'DTP-VicRoads',
  'DIT-SA',
  'MRWA',
  'DSG-TAS',
  'DIPL-NT',
  'TCCS-ACT',
  'Austroads',
  'AUS-SPEC',
  'Other',
] as const;

const OLD_AUTHORITY_NAMES = {
  RMS: 'TfNSW',
  RTA: 'TfNSW',
  MRTS: 'TMR',
  VicRoads: 'DTP-VicRoads',
  DTP: 'DTP-VicRoads',
  DPTI: 'DIT-SA',
  DIT: 'DIT-SA',
  'Main Roads WA': 'MRWA',
  AUSSPEC: 'AUS-SPEC',
} as const;

/** What is wrong with a lot number format, or undefined. */
function lotNumberFormatFault(value: string): string | undefined {
  const rest = value.replaceAll('{workType}', '').replaceAll('{areaCode}', '');
  if (value.includes('{workType}') && /^[^{}]*\{seq:0+\}[^{}]*$/.test(rest)) return undefined;
  return `expected a template with {workType}, {seq:000} and at most {areaCode} beside them, such as "{workType}-{areaCode}-{seq:000}"; got ${show(value)}`;
}

const attributes = attributesOf('Project', {
  name: text('Name of the project as on the cover page', {
    min: 3,
    max: 200,
    refuse: ['project', 'the project', 'the works', 'contract'],
    instead: 'the name on the cover page',
  }),
  contractNo: text('Contract number as printed, trimmed', { max: 60, instead: 'the contract number as printed' }),
  jurisdiction: choice('State or territory whose law applies', JURISDICTIONS, JURISDICTION_NAMES),
  specificationSet: choice(
    'Whose standard specifications govern the works; old names under the new one (RMS is TfNSW)',
    SPECIFICATION_SETS,
    OLD_AUTHORITY_NAMES,
  ),
  roadAuthority: optional(
    judged(text('Name of the road agency, never a person', { max: 200 }), (value) =>
      /^(?:Mrs?|Ms|Miss|Dr)\b\.?\s/.test(value)
        ? `${show(value)} is a person; expected the name of an agency`
        : undefined,
    ).describe('Name of the road agency, never a person'),
  ),
  conditionsOfContract: optional(
    text('General conditions by their number, such as "AS 4000-1997", "AS 2124-1992", "GC21"', {
      max: 100,
      refuse: ['general conditions', 'general conditions of contract', 'conditions of contract'],
      instead: 'the number of the conditions, such as "AS 4000-1997"',
    }),
  ),
  deliveryModel: optional(
    choice(
      'How design and construction are shared out, not the price basis',
      ['construct-only', 'design-and-construct', 'alliance', 'ECI', 'maintenance', 'other'],
      { 'D&C': 'design-and-construct', 'construct only': 'construct-only', 'early contractor involvement': 'ECI' },
    ),
  ),
  description: optional(text('The project in one sentence', { max: 500 })),
  scopeSummary: text('What the works comprise, 20-2000 characters', { min: 20, max: 2000 }),
  localGovernmentArea: optional(text('Local government area', { max: 200 })),
  siteAddress: optional(text('Where the site is', { max: 500 })),
  contractDate: optional(date('Date of the contract')),
  possessionOfSiteDate: optional(date('Date of possession of site, not before contractDate')),
  practicalCompletionDate: optional(date('Date for practical completion, after possessionOfSiteDate')),
  defectsLiabilityMonths: optional(whole('Defects liability period, 0-120 months', 'months', { min: 0, max: 120 })),
  lotNumberFormat: optional(
    judged(
      text('Template of lot numbers over {workType}, {areaCode} and {seq:000}', { max: 100 }),
      lotNumberFormatFault,
    ).describe(
      'Template of lot numbers over {workType}, {areaCode} and {seq:000}, such as "{workType}-{areaCode}-{seq:000}"',
    ),
  ),
  controlLines: optional(
    list('Codes of the control lines that chainages refer to', controlLine('Control line'), { min: 1 }),
  ),
});

const refined = withRules(attributes, (node, refuse) => {
  const { contractDate, possessionOfSiteDate: possession, practicalCompletionDate: completion } = node;
  if (contractDate !== undefined && possession !== undefined && possession < contractDate) {
    refuse('possessionOfSiteDate', `expected ${contractDate} (contractDate) or later; got "${possession}"`);
  }
  const before = possession ?? contractDate;
  if (before !== undefined && completion !== undefined && completion <= before) {
    const name = possession === undefined ? 'contractDate' : 'possessionOfSiteDate';
    refuse('practicalCompletionDate', `expected a date after ${before} (${name}); got "${completion}"`);
  }
});

const valid = {
  name: 'Burrindal Road Upgrade Stage 2',
  contractNo: 'MSC-2025-041',
  jurisdiction: 'NSW',
  specificationSet: 'TfNSW',
  conditionsOfContract: 'AS 4000-1997',
  deliveryModel: 'construct-only',
  localGovernmentArea: 'Marradoon Shire',
  contractDate: '2025-03-14',
  possessionOfSiteDate: '2025-04-07',
  practicalCompletionDate: '2026-05-29',
  defectsLiabilityMonths: 12,
  lotNumberFormat: '{workType}-{areaCode}-{seq:000}',
  controlLines: ['MC10', 'WL10'],
  scopeSummary:
    'Widening and reconstruction of 2.48 km of Burrindal Road and replacement of the timber bridge over Yarrumbi Creek by the two-span concrete bridge BR01',
  siteAddress: 'Burrindal Road between Ch 1200 and Ch 3680 on control line MC10, Marradoon NSW',
};

export const project: EntityDefinition = {
  name: 'Project',
  description: 'One construction contract; root of the graph. Exactly one node.',
  key: ['projectId'],
  attributes,
  refined,
  producers: [{ task: 'project-details' }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, jurisdiction: 'New South Wales' },
      at: 'jurisdiction',
      why: 'States and territories are written by their abbreviation: NSW.',
    },
  },
};
