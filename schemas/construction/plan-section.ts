import type { z } from 'zod';
import type { EntityDefinition } from '../define.ts';
import { choice, judged, list, optional, term } from './kinds/attribute.ts';
import { dottedNumber } from './kinds/codes.ts';
import { expected } from './kinds/expected.ts';
import { clauseRef } from './kinds/reference.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { markdown, text } from './kinds/text.ts';
import { PLAN_TASKS, PLAN_TYPES } from './vocabulary.ts';

const STAND_IN = /\blorem ipsum\b|\btb[cd]\b|\binsert here\b|\[[^\]\n]{0,60}\bname\b[^\]\n]{0,60}\](?!\()/i;
const FEWEST_CHARACTERS = 40;

function isoClause(description: string): z.ZodString {
  const what = 'standard and clause such as "ISO 9001:2015 8.6"';
  return judged(term(what), (value) =>
    /^(?:AS(?:\/NZS)? )?ISO(?:\/IEC)? \d{4,5}(?:\.\d+)?(?::\d{4})? (?:cl )?\d+(?:\.\d+)*$/.test(value)
      ? undefined
      : expected(what)({ input: value }),
  ).describe(description);
}

const attributes = attributesOf('PlanSection', {
  planType: choice('planType of the plan', PLAN_TYPES),
  sectionNo: dottedNumber('Number of the section, as text, such as "4" or "4.2"', 'a section number'),
  heading: text('Heading', { max: 200 }),
  bodyMarkdown: markdown('The text in Markdown, 40 characters or more, without placeholders', {
    min: FEWEST_CHARACTERS,
  }),
  requirementRefs: optional(
    list('Clauses of the contract and specifications that the section answers', clauseRef('Document and clause')),
  ),
  isoClauses: optional(
    list(
      'Clauses of ISO standards that the section answers, such as "ISO 9001:2015 8.6"',
      isoClause('Standard and clause'),
    ),
  ),
});

function letters(written: string): string {
  return written
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

const refined = withRules(attributes, (node, refuse) => {
  const { heading, bodyMarkdown } = node;
  if (bodyMarkdown === undefined) return;
  const standIn = STAND_IN.exec(bodyMarkdown);
  if (standIn) {
    refuse('bodyMarkdown', `"${standIn[0]}" is a placeholder; expected the text, or leave the section out`);
  } else if (heading !== undefined && letters(bodyMarkdown).replaceAll(letters(heading), '').trim() === '') {
    refuse('bodyMarkdown', 'repeats the heading and says nothing more; expected the text of the section');
  }
});

const valid = {
  planType: 'PQP',
  sectionNo: '1',
  heading: 'Scope and objectives',
  bodyMarkdown:
    'This plan covers the widening of Burrindal Road and the bridge BR01. It says how the work is shown to conform to the contract.',
  requirementRefs: ['BRU2-SP-002 cl 1.2'],
};

export const planSection: EntityDefinition = {
  name: 'PlanSection',
  description: 'A numbered section of a management plan.',
  key: ['projectId', 'planType', 'sectionNo'],
  attributes,
  refined,
  producers: PLAN_TYPES.map((planType) => ({ task: PLAN_TASKS[planType], where: { planType } })),
  ownedBy: 'ManagementPlan',
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, bodyMarkdown: 'TBC by the project team in due course, see later issue' },
      at: 'bodyMarkdown',
      why: 'A section is written, or left out.',
    },
  },
};
