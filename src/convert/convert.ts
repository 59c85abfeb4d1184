/**
 * Documents as text with places that can be cited. Originals are only read; nothing in them is executed: no formula, no
 * macro, no script, no reference to anything outside the file.
 */
import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { ensureError, MusterError } from '../errors.ts';
import type { ConvertedDocument, ConvertedText, DocumentFile } from './converted.ts';
import { decodeText } from './decode-text.ts';
import { readDocx } from './docx.ts';
import { readPdf } from './pdf.ts';
import { broken, encrypted, MAX_FILE_BYTES, MAX_TEXT_LENGTH, megabytes, tooLarge } from './refusal.ts';
import { readMarkdown, readPlainText } from './text.ts';
import { textForm } from './text-form.ts';
import { readWorkbook } from './xlsx.ts';

const PACKED: Readonly<Record<string, (path: string, bytes: Buffer) => Promise<ConvertedText>>> = {
  '.pdf': readPdf,
  '.docx': readDocx,
  '.xlsx': readWorkbook,
};
const TEXTS: Readonly<Record<string, (text: string) => ConvertedText>> = {
  '.md': readMarkdown,
  '.markdown': readMarkdown,
  '.txt': readPlainText,
  '.text': readPlainText,
  '.csv': readPlainText,
  '.tsv': readPlainText,
  '.json': readPlainText,
  '.html': readPlainText,
  '.htm': readPlainText,
  '.xml': readPlainText,
};
/** The container of old Office files; an encrypted DOCX or XLSX is wrapped in one. */
const OLE = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
const ENCRYPTED_PART = Buffer.from('EncryptedPackage', 'utf16le');

/**
 * All documents of a kind that has text, by path; the others are passed over, and their quotes are not verified.
 * @throws MusterError DOCUMENT_ENCRYPTED, DOCUMENT_BROKEN, DOCUMENT_TOO_LARGE, DOCUMENTS_MISSING; when several documents
 * are refused, one error names them all.
 */
export async function convertDocuments(
  files: readonly DocumentFile[],
): Promise<ReadonlyMap<string, ConvertedDocument>> {
  const converted = new Map<string, ConvertedDocument>();
  const refused: MusterError[] = [];
  const taken = new Set(files.map(({ path }) => path));
  // One after the other: two large documents at once would need the memory of both.
  for (const file of files) {
    try {
      const document = await convertDocument(file, taken);
      if (document) converted.set(file.path, document);
    } catch (thrown) {
      const error = ensureError(thrown);
      if (!(error instanceof MusterError)) throw error;
      refused.push(error);
    }
  }
  const [first] = refused;
  if (!first) return converted;
  if (refused.length === 1) throw first;
  throw new MusterError(first.code, refused.map(({ message }) => message).join('\n'), { cause: first });
}

/** One document; undefined for a kind without text. `taken` are paths that its text form must not have. */
export async function convertDocument(
  { path, original }: DocumentFile,
  taken: ReadonlySet<string> = new Set(),
): Promise<ConvertedDocument | undefined> {
  const kind = extname(original).toLowerCase();
  const asText = Object.hasOwn(TEXTS, kind) ? TEXTS[kind] : undefined;
  const unpack = Object.hasOwn(PACKED, kind) ? PACKED[kind] : undefined;
  if (!asText && !unpack) return undefined;
  const bytes = await readBounded(path, original, asText ? MAX_TEXT_LENGTH : MAX_FILE_BYTES);
  const readAs = formPath(path, taken);
  if (unpack) {
    if (bytes.subarray(0, OLE.length).equals(OLE)) {
      throw bytes.includes(ENCRYPTED_PART)
        ? encrypted(path)
        : broken(path, `${kind.slice(1).toUpperCase()} as its name says`, 'it is in a format of Office before 2007');
    }
    const read = await unpack(path, bytes);
    return { ...read, readAs, form: textForm(path, read), hasLines: false };
  }
  const decoded = decodeText(bytes);
  if (!decoded) throw broken(path, 'a text file as its name says', 'it holds bytes that no text has');
  const read = asText!(decoded.text);
  // The form of a text is the text, line by line, so that lines can be cited by their numbers.
  return decoded.isUtf8 ? { ...read, hasLines: true } : { ...read, readAs, form: decoded.text, hasLines: true };
}

/** The size is asked for first: a file that is too large is never read into memory. */
async function readBounded(path: string, original: string, maxBytes: number): Promise<Buffer> {
  try {
    const { size } = await stat(original);
    if (size > maxBytes) throw tooLarge(path, `at most ${megabytes(maxBytes)}`, megabytes(size));
    return await readFile(original);
  } catch (thrown) {
    const cause = ensureError(thrown);
    if (cause instanceof MusterError) throw cause;
    throw new MusterError('DOCUMENTS_MISSING', `Expected to read ${path}; ${cause.message}. Check --documents.`, {
      cause,
    });
  }
}

/** `documents/X.pdf.txt`, or with a number when a document has that name. */
function formPath(path: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const form = n === 1 ? `${path}.txt` : `${path}.${n}.txt`;
    if (!taken.has(form)) return form;
  }
}
