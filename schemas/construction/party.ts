import type { EntityDefinition } from '../define.ts';
import { choice, judged, optional, term } from './kinds/attribute.ts';
import { partyCode } from './kinds/codes.ts';
import { expected, show, wrongForm } from './kinds/expected.ts';
import { attributesOf } from './kinds/rules.ts';
import { text } from './kinds/text.ts';

const ABN_WEIGHTS = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19];

/** Whether 11 digits are a possible Australian Business Number: the first less one, weighted, modulus 89. */
function isAbn(digits: string): boolean {
  if (!/^\d{11}$/.test(digits)) return false;
  const sum = ABN_WEIGHTS.reduce(
    (total, weight, place) => total + weight * (Number(digits[place]) - (place === 0 ? 1 : 0)),
    0,
  );
  return sum % 89 === 0;
}

function abnFault(value: string): string | undefined {
  const digits = value.replace(/\s/g, '');
  if (!/^\d{11}$/.test(digits)) return expected('an ABN of 11 digits')({ input: value });
  if (!isAbn(digits)) return `${show(value)} fails the check of an ABN (modulus 89); read the digits again`;
  return digits === value ? undefined : wrongForm(value, digits);
}

const attributes = attributesOf('Party', {
  code: partyCode('Short code of the party, 2-8 capital letters, as printed or made from the initials of its name'),
  name: text('Legal name, with Pty Ltd where printed', { max: 200, instead: 'the legal name as printed' }),
  contractRole: choice('Role under the contract; "other" for consultants without a role of their own', [
    'principal',
    'principals-authorised-person',
    'superintendent',
    'administrator',
    'contractor',
    'subcontractor',
    'designer',
    'independent-verifier',
    'testing-laboratory',
    'utility',
    'road-authority',
    'other',
  ]),
  abn: optional(
    judged(term('an ABN of 11 digits, as text'), abnFault).describe(
      'Australian Business Number, 11 digits without spaces, only when printed',
    ),
  ),
  contactName: optional(text('Contact person, only when printed in a source', { max: 200 })),
  email: optional(
    judged(term('an e-mail address'), (value) =>
      /^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(value) ? undefined : expected('an e-mail address')({ input: value }),
    ).describe('E-mail address, only when printed in a source'),
  ),
  phone: optional(
    judged(term('a telephone number, as text'), (value) =>
      /^\+?[\d ()-]{6,24}$/.test(value) ? undefined : expected('a telephone number')({ input: value }),
    ).describe('Telephone number, only when printed in a source'),
  ),
});

const valid = { code: 'HC', name: 'Halden & Coyle Pty Ltd', contractRole: 'superintendent' };

export const party: EntityDefinition = {
  name: 'Party',
  description: 'An organisation with a role under the contract.',
  key: ['projectId', 'code'],
  attributes,
  // A contract has two sides at least: who releases and who builds.
  producers: [{ task: 'project-details', min: 2 }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, contractRole: 'client side' },
      at: 'contractRole',
      why: 'Roles are those of the closed list.',
    },
  },
};
