import type { EntityDefinition } from '../define.ts';
import { choice, judged, optional } from './kinds/attribute.ts';
import { itemNo } from './kinds/codes.ts';
import { itpDocNo } from './kinds/document-number.ts';
import { show } from './kinds/expected.ts';
import { number, whole } from './kinds/number.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { text } from './kinds/text.ts';

const VAGUE =
  /\b(?:as|per|as per|in accordance with|(?:conform|comply|complies|conforms|conforming) (?:to|with)|to) (?:the )?(?:relevant |project |contract )?(?:spec(?:ification)?s?|drawings?|standards?|requirements?|contract)\b|\bto (?:the )?(?:\w+['’]?s?['’]? )?satisfaction(?: of the \w+)?|\bas required\b|\bgood (?:workmanship|condition|practice)\b|\bwhere applicable\b|\b(?:acceptable|satisfactory|approved)\b/gi;
/** Fewer letters and digits than this beside the vague words decide nothing. */
const FEWEST_CHARACTERS = 12;

const MEASURABLE = 'A requirement that can be passed or failed, complete in itself';

/** Criteria that only point elsewhere, or to somebody's taste. */
function vagueness(value: string): string | undefined {
  const rest = value.replace(VAGUE, '');
  if (rest === value || rest.replace(/[^\p{L}\p{N}]/gu, '').length >= FEWEST_CHARACTERS) return undefined;
  return `${show(value)} can be neither passed nor failed; expected the requirement itself, such as "Cover at least 75 mm"`;
}

const attributes = attributesOf('AcceptanceCriterion', {
  docNo: itpDocNo('docNo of the ITP'),
  itemNo: itemNo('itemNo of the item'),
  seq: whole('Number of the criterion within the item', '', { min: 1 }),
  text: judged(text(MEASURABLE, { instead: 'the requirement itself' }), vagueness).describe(
    `${MEASURABLE}, not "as per specification"`,
  ),
  criterionType: choice('"quantitative" when a number decides, "attribute" otherwise', ['quantitative', 'attribute']),
  parameter: optional(
    text('What is measured, such as "characteristic relative compaction"; required when quantitative', { max: 200 }),
  ),
  comparator: optional(
    choice(
      'How the measured value compares; required when quantitative; between and tolerance need minValue and maxValue, the others value',
      ['lt', 'le', 'eq', 'ge', 'gt', 'between', 'tolerance'],
      {
        '<': 'lt',
        '<=': 'le',
        '≤': 'le',
        '=': 'eq',
        '>=': 'ge',
        '≥': 'ge',
        '>': 'gt',
        '±': 'tolerance',
        '+/-': 'tolerance',
      },
    ),
  ),
  value: optional(number('The limit, in unit', '')),
  minValue: optional(number('The lower limit, in unit', '')),
  maxValue: optional(number('The upper limit, in unit, at least minValue', '')),
  unit: optional(
    choice(
      'Unit of the limits; required when quantitative',
      ['%', 'mm', 'm', 'MPa', 'kPa', 'kN', 'degC', 'h', 'day', 't/m3', 'ratio', 'count', 'mm/m'],
      {
        '°C': 'degC',
        hour: 'h',
        hours: 'h',
        days: 'day',
        'working-day': 'day',
        'working days': 'day',
        percent: '%',
        'No.': 'count',
      },
    ),
  ),
  sourceClause: text('Document and clause that the criterion comes from', { max: 200, instead: 'document and clause' }),
});

const refined = withRules(attributes, (node, refuse) => {
  const { comparator, minValue, maxValue } = node;
  if (minValue !== undefined && maxValue !== undefined && minValue > maxValue) {
    refuse('maxValue', `expected at least ${minValue} (minValue); got ${maxValue}`);
  }
  if (node.criterionType === 'quantitative') {
    for (const name of ['parameter', 'comparator', 'unit'] as const) {
      if (node[name] === undefined) refuse(name, `missing; a quantitative criterion needs its ${name}`);
    }
  }
  if (comparator === undefined) return;
  const range = comparator === 'between' || comparator === 'tolerance';
  for (const name of range ? (['minValue', 'maxValue'] as const) : (['value'] as const)) {
    if (node[name] === undefined) refuse(name, `missing; the comparator "${comparator}" needs ${name}`);
  }
});

const valid = {
  docNo: 'ITP-07',
  itemNo: '7',
  seq: 1,
  text: 'Socket at least 2.4 m into class III sandstone or better',
  criterionType: 'quantitative',
  sourceClause: 'BRU2-SP-004 cl 2.7',
  parameter: 'socket length',
  comparator: 'ge',
  unit: 'm',
  value: 2.4,
};

export const acceptanceCriterion: EntityDefinition = {
  name: 'AcceptanceCriterion',
  description: 'A criterion by which an item of an ITP is passed or failed; each item has at least one.',
  key: ['projectId', 'docNo', 'itemNo', 'seq'],
  attributes,
  refined,
  producers: [{ task: 'itp-generation', min: 3 }],
  ownedBy: 'InspectionPoint',
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, comparator: '>=' },
      at: 'comparator',
      why: 'The comparator is written "ge".',
    },
  },
};
