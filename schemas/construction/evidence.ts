import type { EntityDefinition } from '../define.ts';
import { judged, optional, term } from './kinds/attribute.ts';
import { expected } from './kinds/expected.ts';
import { attributesOf } from './kinds/rules.ts';
import { sourcePath } from './source-file.ts';

const PLACE = 'a place in the file such as "p3 cl 4.2", "p2 Table 3.1" or "L120-L126"';
const QUOTE = 'a verbatim quote of 3-500 characters';

const attributes = attributesOf('Evidence', {
  sourcePath: sourcePath('SourceFile.path of the file'),
  locator: judged(term(PLACE), (value) =>
    /\d/.test(value) && value.trim() === value ? undefined : expected(PLACE)({ input: value }),
  ).describe('Where in the file: page, clause, table or lines, such as "p3 cl 4.2" or "L120-L126"'),
  quote: judged(term(QUOTE, 500).min(3, { error: expected(QUOTE) }), (value) =>
    value.trim().length < 3 ? expected(QUOTE)({ input: value }) : undefined,
  ).describe('The passage, verbatim, 3-500 characters'),
  quoteHash: term('16 hexadecimal digits')
    .regex(/^[0-9a-f]{16}$/, { error: expected('16 hexadecimal digits in lower case') })
    .describe('First 16 hexadecimal digits of SHA-256 over the normalised quote'),
  attribute: optional(
    term('the name of an attribute')
      .regex(/^[a-z][A-Za-z0-9]*$/, { error: expected('the name of an attribute of the node') })
      .describe('Attribute that the passage supports; absent for the whole node'),
  ),
});

const valid = {
  sourcePath: 'documents/01-BRU2-CD-001-contract-particulars-and-scope.md',
  locator: 'p1 cl 1',
  quote: '| Date for practical completion | 29 May 2026 |',
  quoteHash: '5898fea52ad5bacb',
};

export const evidence: EntityDefinition = {
  name: 'Evidence',
  description: 'The passage that supports a node or one of its attributes.',
  key: ['projectId', 'sourcePath', 'locator', 'quoteHash'],
  attributes,
  producers: [{ task: '@all', min: 0 }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, locator: 'somewhere' },
      at: 'locator',
      why: 'The locator leads a reader to the passage.',
    },
  },
};
