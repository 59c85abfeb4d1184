import type { EntityDefinition } from '../define.ts';
import { flag, optional } from './kinds/attribute.ts';
import { revision } from './kinds/codes.ts';
import { date } from './kinds/date.ts';
import { docNo } from './kinds/document-number.ts';
import { attributesOf } from './kinds/rules.ts';
import { text } from './kinds/text.ts';

const attributes = attributesOf('DocumentRevision', {
  docNo: docNo('docNo of the Document'),
  revision: revision('Issue mark alone: "B" for "Rev B"; one node for each revision'),
  revisionDate: optional(date('Date of the revision')),
  description: optional(text('What changed, as printed', { max: 500 })),
  isCurrent: flag('True for exactly one revision of a document'),
});

const valid = { docNo: 'BRU2-CD-001', revision: '1', isCurrent: true, revisionDate: '2025-02-28' };

export const documentRevision: EntityDefinition = {
  name: 'DocumentRevision',
  description: 'One revision of a source document; exactly one is current.',
  key: ['projectId', 'docNo', 'revision'],
  attributes,
  producers: [{ task: 'document-metadata' }],
  ownedBy: 'Document',
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, revision: 'A and B' },
      at: 'revision',
      why: 'Each revision is a node of its own.',
    },
  },
};
