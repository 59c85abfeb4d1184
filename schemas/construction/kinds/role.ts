/** Who acts: the parties under the contract and the roles on site. Roles, never people's names. */
import type { z } from 'zod';
import { choice, judged, term } from './attribute.ts';
import { expected, show } from './expected.ts';
import { isPlaceholder } from './text.ts';

/** The principal's side: who releases what the contract holds. */
export const PRINCIPAL_SIDE = ['principal', 'principals-authorised-person', 'superintendent', 'administrator'] as const;

export function releasingRole(description: string) {
  return choice(description, [...PRINCIPAL_SIDE, 'contractor-nominee']);
}

const ON_SITE = [
  'site-engineer',
  'foreman',
  'surveyor',
  'testing-laboratory',
  'subcontractor',
  'supplier',
  'quality-manager',
  'geotechnical-engineer',
  'environmental-officer',
] as const;

export function performingRole(description: string) {
  return choice(description, ON_SITE);
}

export function verifyingRole(description: string) {
  return choice(description, [...ON_SITE, 'superintendent', 'principal']);
}

const PERSON = /^(?:[Mm]rs?|[Mm]s|[Mm]iss|[Dd]r|[Pp]rof)\b\.?\s|^[A-Z]\.\s?(?:[A-Z]\.\s?)?[A-Z][a-z]+$/;

/** A role in words, such as "environmental-officer" or "Project Engineer". */
export function roleName(description: string): z.ZodString {
  const what = 'a role such as "project-engineer", not a person';
  return judged(term(what), (value) => {
    if (value.trim() === '' || isPlaceholder(value)) return expected(what)({ input: value });
    return PERSON.test(value.trim()) ? `${show(value)} is a person; expected ${what}` : undefined;
  }).describe(description);
}
