import { distance } from 'fastest-levenshtein';
import type { CodeRule } from '../../rule.ts';
import { standardTitles } from './standard-titles.ts';

/** Titles that agree less than this are not the same title. */
const SAME_TITLE = 0.6;
const titles = new Map(standardTitles.map((each) => [each.code, each]));

/** 1 = equal, 0 = nothing in common; letter case does not count. */
function likeness(a: string, b: string): number {
  const longer = Math.max(a.length, b.length);
  return longer === 0 ? 1 : 1 - distance(a.toLowerCase(), b.toLowerCase()) / longer;
}

export const titleRegister: CodeRule = {
  id: 'Q46',
  severity: 'warning',
  group: 'standards',
  title: 'Title agrees with the title register (catches "B80 Earthworks")',
  message: '{code} is titled "{title}"; the register says "{registered}"{softly}',
  hint: 'correct title or code',
  atEndOf: ['standards-extraction'],
  check: ({ nodes }) =>
    nodes.flatMap(({ entity, properties: { code, title } }) => {
      const known = entity === 'Standard' ? titles.get(String(code)) : undefined;
      if (!known || typeof title !== 'string' || likeness(title, known.title) >= SAME_TITLE) return [];
      return [{ code, title, registered: known.title, softly: known.checked ? '' : ' (not seen in print)' }];
    }),
};
