/** What the project is built from: documents, drawings, standards. */
import type { CellValue } from '../../csv-file.ts';
import { naturally } from '../../natural-order.ts';
import { numberOf, type Site, standingOf, textOf } from '../site.ts';
import { columns, type Table } from '../table.ts';

export function documentRegister(site: Site): Table {
  const rows = site.all('Document').map((document): CellValue[] => {
    const { properties } = document;
    const get = (name: string) => textOf(properties, name);
    const files = site.to(document, 'DESCRIBES').map((file) => textOf(file.properties, 'path'));
    const [sheet, sheets] = [numberOf(properties, 'sheetNo'), numberOf(properties, 'sheetCount')];
    const originator = site.get('Party', get('originatorCode'));
    return [
      get('docNo'),
      get('title'),
      get('docType'),
      get('discipline'),
      get('currentRevision'),
      get('status'),
      get('issueDate'),
      originator ? textOf(originator.properties, 'name') : get('originatorCode'),
      sheet === null ? '' : sheets === null ? `${sheet}` : `${sheet} of ${sheets}`,
      files.join('; '),
      get('origin') === 'generated' ? 'written by machine' : files.length > 0 ? 'yes' : 'listed only',
      site
        .from(document, 'REVISION_OF')
        .map(({ properties: { revision, revisionDate } }) => [revision, revisionDate].filter(Boolean).join(' '))
        .join('; '),
      standingOf(document),
    ];
  });
  return {
    name: 'Documents',
    title: 'Documents and drawings, and which of them were supplied',
    columns: columns(
      ['Document No.', 20],
      ['Title', 40],
      ['Type', 16],
      ['Discipline', 13],
      ['Revision', 9],
      ['Status', 21],
      ['Issue date', 12],
      ['Originator', 26],
      ['Sheet', 8],
      ['File', 44],
      ['Supplied', 12],
      ['Revision history', 26],
      ['Review', 14],
    ),
    rows,
  };
}

export function standardsRegister(site: Site): Table {
  const rows = site.all('Standard').map((standard): CellValue[] => {
    const get = (name: string) => textOf(standard.properties, name);
    const citing = site.from(standard, 'REFERENCES_STANDARD');
    const numbers = (entity: string) =>
      citing
        .filter((node) => node.entity === entity)
        .map(({ properties }) => textOf(properties, 'docNo'))
        .sort(naturally)
        .join('; ');
    return [
      get('code'),
      get('title'),
      get('publisher'),
      get('kind'),
      get('editionCited'),
      get('status'),
      get('supersededByCode'),
      numbers('Document'),
      numbers('ITPTemplate'),
      standingOf(standard),
    ];
  });
  return {
    name: 'Standards',
    title: 'Standards, specifications, methods of test and laws that the documents cite',
    columns: columns(
      ['Code', 22],
      ['Title', 60],
      ['Publisher', 20],
      ['Kind', 15],
      ['Edition cited', 13],
      ['Status', 12],
      ['Superseded by', 15],
      ['Cited in documents', 28],
      ['Used by ITPs', 20],
      ['Review', 14],
    ),
    rows,
  };
}
