import type { EntityDefinition } from '../define.ts';
import { choice, optional } from './kinds/attribute.ts';
import { partyCode, revision } from './kinds/codes.ts';
import { date } from './kinds/date.ts';
import { docNo } from './kinds/document-number.ts';
import { whole } from './kinds/number.ts';
import { attributesOf, withRules } from './kinds/rules.ts';
import { markdown, text } from './kinds/text.ts';

const attributes = attributesOf('Document', {
  docNo: docNo(
    'Document number as printed, upper case, single hyphens; of a generated document {projectId}-QSE-{type}-{nnn}',
  ),
  title: text('Title as printed', { max: 300 }),
  origin: choice('"source" for a document of the input or its register, "generated" for one that you write', [
    'source',
    'generated',
  ]),
  docType: choice('Kind of document, not its file format', [
    'contract',
    'specification',
    'drawing',
    'schedule-of-rates',
    'register',
    'report',
    'plan',
    'procedure',
    'form',
    'policy',
    'correspondence',
    'program',
    'other',
  ]),
  discipline: optional(
    choice('Discipline', [
      'general',
      'civil',
      'structural',
      'geotechnical',
      'drainage',
      'pavement',
      'traffic',
      'electrical',
      'environmental',
      'landscape',
      'survey',
      'quality',
      'safety',
    ]),
  ),
  currentRevision: revision('Issue mark of the current revision alone: "B" for "Rev B"'),
  status: choice(
    'Status as printed; "generated" for a document that you write, "unknown" when nothing is printed',
    ['draft', 'for-review', 'for-tender', 'issued-for-construction', 'as-built', 'superseded', 'generated', 'unknown'],
    { IFC: 'issued-for-construction', 'for construction': 'issued-for-construction' },
  ),
  issueDate: optional(date('Date of issue of the current revision')),
  originatorCode: optional(partyCode('Party.code of who wrote the document')),
  sheetNo: optional(whole('Number of this drawing sheet, not more than sheetCount', 'sheets', { min: 1 })),
  sheetCount: optional(whole('Number of sheets of the drawing', 'sheets', { min: 1 })),
  bodyMarkdown: optional(markdown('The text, for origin "generated" only; required then')),
});

const refined = withRules(attributes, (node, refuse) => {
  const { origin, status, sheetNo, sheetCount, bodyMarkdown } = node;
  if (sheetNo !== undefined && sheetCount !== undefined && sheetNo > sheetCount) {
    refuse('sheetNo', `expected at most ${sheetCount} (sheetCount); got ${sheetNo}`);
  }
  if (origin === 'generated') {
    if (bodyMarkdown === undefined) refuse('bodyMarkdown', 'missing; a document of origin "generated" needs its text');
    // Agents write drafts: they never issue a document.
    if (status !== undefined && status !== 'generated' && status !== 'draft') {
      refuse('status', `expected "generated" or "draft" for a document of origin "generated"; got "${status}"`);
    }
  }
  if (origin === 'source') {
    if (bodyMarkdown !== undefined) refuse('bodyMarkdown', 'expected no text for a document of origin "source"');
    if (status === 'generated')
      refuse('status', 'expected the printed status or "unknown" for origin "source"; got "generated"');
  }
});

const valid = {
  docNo: 'BRU2-CD-001',
  title: 'Contract Particulars and Scope of Works',
  origin: 'source',
  docType: 'contract',
  discipline: 'general',
  currentRevision: '1',
  status: 'issued-for-construction',
  issueDate: '2025-02-28',
  originatorCode: 'MSC',
};

export const document: EntityDefinition = {
  name: 'Document',
  description: 'A controlled document, as an entry of the document register.',
  key: ['projectId', 'docNo'],
  attributes,
  refined,
  producers: [
    { task: 'document-metadata', where: { origin: 'source' } },
    { task: 'qse-generation', where: { origin: 'generated' } },
  ],
  examples: {
    valid,
    invalid: {
      attributes: { ...valid, docNo: 'bru2_cd 001' },
      at: 'docNo',
      why: 'Document numbers are upper case with single hyphens: BRU2-CD-001.',
    },
  },
};
