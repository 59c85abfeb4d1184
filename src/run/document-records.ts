/** What a run records of its documents: in the journal what they are, in `documents.json` their sections. */
import { readFile, writeFile } from 'node:fs/promises';
import type { RunFact } from '../../schemas/run-event.ts';
import type { ConvertedDocument } from '../convert/converted.ts';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import { type DocumentRecord, sectionRecords } from '../report/coverage.ts';
import type { SourceDocument } from '../workspace/documents.ts';

type JournalDocument = Extract<RunFact, { type: 'run.started' }>['documents'][number];

/** Said of documents of a kind that is not converted: pictures, drawings, old Office formats. */
const NO_TEXT = 'is of a kind whose text is not read: quotes of it are not verified';

export function journalRecord(
  { path, sha256, bytes }: SourceDocument,
  text: ConvertedDocument | undefined,
): JournalDocument {
  const warnings = warningsOf(text);
  return {
    path,
    sha256,
    bytes,
    ...(text?.pageCount !== undefined && { pageCount: text.pageCount }),
    ...(warnings.length > 0 && { warnings }),
  };
}

export function recordsOf(
  documents: readonly SourceDocument[],
  texts: ReadonlyMap<string, ConvertedDocument>,
): readonly DocumentRecord[] {
  return documents.map(({ path }) => {
    const text = texts.get(path);
    return {
      path,
      ...(text && { textQuality: text.textQuality }),
      ...(text?.pageCount !== undefined && { pageCount: text.pageCount }),
      warnings: warningsOf(text),
      sections: text ? sectionRecords(text) : [],
    };
  });
}

export async function writeDocumentRecords(file: string, documents: readonly DocumentRecord[]): Promise<void> {
  await writeFile(file, `${JSON.stringify({ format: 1, documents }, null, 2)}\n`);
}

/** Undefined for a run that kept none. @throws MusterError JOURNAL_READ when the file is there and cannot be read. */
export async function readDocumentRecords(file: string): Promise<readonly DocumentRecord[] | undefined> {
  try {
    const { format, documents } = JSON.parse(await readFile(file, 'utf8')) as {
      readonly format: unknown;
      readonly documents: readonly DocumentRecord[];
    };
    return format === 1 && Array.isArray(documents) ? documents : undefined;
  } catch (thrown) {
    const cause = ensureError(thrown);
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw new MusterError(
      'JOURNAL_READ',
      `Expected to read ${file}, the run's record of its documents; ${cause.message}.`,
      {
        cause,
      },
    );
  }
}

function warningsOf(text: ConvertedDocument | undefined): readonly string[] {
  return text ? text.warnings.map(({ message }) => message) : [NO_TEXT];
}
