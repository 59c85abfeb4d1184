import type { z } from 'zod';
import type { EntityDefinition } from '../define.ts';
import { choice, judged, optional, term } from './kinds/attribute.ts';
import { expected } from './kinds/expected.ts';
import { whole } from './kinds/number.ts';
import { attributesOf } from './kinds/rules.ts';

const RELATIVE = 'a relative path inside the project folder with forward slashes, without ".."';

/** A path of the file set, also where another node refers to one. */
export function sourcePath(description: string): z.ZodString {
  return judged(term(RELATIVE, 1000), (value) => {
    const inside =
      value.trim() === value &&
      !/^(?:\/|[A-Za-z]:|~)|\\/.test(value) &&
      value.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
    return inside ? undefined : expected(RELATIVE)({ input: value });
  }).describe(description);
}

const attributes = attributesOf('SourceFile', {
  path: sourcePath('Path of the file, relative to the project folder, with forward slashes'),
  sha256: term('64 hexadecimal digits')
    .regex(/^[0-9a-f]{64}$/, { error: expected('64 hexadecimal digits in lower case') })
    .describe('SHA-256 of the content, 64 hexadecimal digits'),
  mediaType: term('a media type such as "application/pdf"')
    .regex(/^[a-z]+\/[a-z0-9][a-z0-9.+-]*$/, { error: expected('a media type such as "application/pdf"') })
    .describe('IANA media type'),
  pageCount: optional(whole('Number of pages', 'pages', { min: 1 })),
  textQuality: optional(choice('How well the text can be read', ['born-digital', 'ocr-good', 'ocr-poor', 'no-text'])),
});

const valid = {
  path: 'documents/01-BRU2-CD-001-contract-particulars-and-scope.md',
  sha256: '884cb0d9ff844969a4590bf5fff610cc1de06ae0e9d8e0212035c5ce366df070',
  mediaType: 'text/markdown',
  pageCount: 3,
  textQuality: 'born-digital',
};

export const sourceFile: EntityDefinition = {
  name: 'SourceFile',
  description: 'A file of the input set, registered before any agent starts; passages point here.',
  key: ['projectId', 'path'],
  attributes,
  producers: [{ task: '@ingest' }],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, path: '../contract.md' },
      at: 'path',
      why: 'The path stays inside the project folder.',
    },
  },
};
