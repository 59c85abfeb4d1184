/** Profiles that come with muster. Headers of products change: each user checks them against his version. */
import type { Profile } from './profile.ts';

const civilpro: Profile = {
  name: 'civilpro',
  note: 'Lot, ITP and test management. Headers as known; confirm them against your version before importing.',
  files: [
    {
      file: 'WorkTypes',
      rows: 'WorkType',
      columns: [
        ['Code', 'code'],
        ['Description', 'description'],
      ],
    },
    {
      file: 'AreaCodes',
      rows: 'AreaCode',
      columns: [
        ['Code', 'code'],
        ['Description', 'description'],
        ['Control line', 'controlLine'],
        ['Start chainage', 'chainageStart'],
        ['End chainage', 'chainageEnd'],
      ],
    },
    {
      file: 'ITPs',
      rows: 'ITPTemplate',
      columns: [
        ['ITP document no.', 'docNo'],
        ['Description', 'title'],
        // The checklist gets its number when it is attached to a lot.
        ['Checklist document no.', null],
        ['Revision', 'revision'],
        ['Specification reference', 'specificationRefs'],
      ],
    },
    {
      file: 'ITPDetails',
      rows: 'InspectionPoint',
      columns: [
        ['ITP document no.', 'docNo'],
        ['Item', 'itemNo'],
        ['Description', 'activity'],
        ['Acceptance criteria', '@criteria'],
        ['Responsibility', '@responsibility'],
        ['Point', '@point'],
        ['Specification reference', 'clauseRef'],
        ['Method', 'method'],
        ['Frequency', 'frequencyText'],
        ['Record', 'recordName'],
        ['Test method', 'testMethodCode'],
      ],
    },
  ],
};

const procore: Profile = {
  name: 'procore',
  note: 'Inspections. Headers must not be renamed, moved or extended; places with several tiers must exist before.',
  files: [
    {
      file: 'Locations',
      rows: 'LBSNode',
      columns: [
        ['Tier 1', '@tier1'],
        ['Tier 2', '@tier2'],
        ['Tier 3', '@tier3'],
      ],
    },
    {
      file: 'InspectionTemplates',
      rows: 'ITPTemplate',
      columns: [
        ['Template name', '@templateName'],
        ['Description', 'scope'],
        ['Trade', '@workType'],
        ['Specification section', '@specification'],
      ],
    },
    {
      file: 'InspectionItems',
      rows: 'InspectionPoint',
      columns: [
        ['Template name', '@templateName'],
        ['Section', '@stage'],
        ['Item', 'itemNo'],
        ['Description', 'activity'],
        ['Response type', { text: 'Pass / Fail / N/A' }],
      ],
    },
  ],
};

const generic: Profile = {
  name: 'generic',
  note: 'For form-based products, and for document systems that supersede by number and revision.',
  files: [
    {
      file: 'itp-items',
      rows: 'InspectionPoint',
      columns: [
        ['ITP No.', 'docNo'],
        ['ITP title', '@itpTitle'],
        ['Item', 'itemNo'],
        ['Stage', '@stage'],
        ['Activity', 'activity'],
        ['Specification / clause', '@clause'],
        ['Acceptance criteria', '@criteria'],
        ['Method and frequency', '@method'],
        ['Inspected by', '@responsibility'],
        ['Point', '@point'],
        ['Notice / release', '@notice'],
        ['Record', 'recordName'],
        ['Control point', 'controlPointNo'],
        ['Assumed', 'assumed'],
        ['Review', 'reviewStatus'],
      ],
    },
    {
      file: 'document-control',
      rows: 'Document',
      columns: [
        ['Document No.', 'docNo'],
        ['Revision', 'currentRevision'],
        ['Title', 'title'],
        ['Type', 'docType'],
        ['Discipline', 'discipline'],
        ['Status', 'status'],
        ['Date', 'issueDate'],
        ['File', '@files'],
      ],
    },
  ],
};

export const PROFILES: readonly Profile[] = [civilpro, procore, generic];
