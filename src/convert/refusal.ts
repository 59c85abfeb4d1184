/** Why a document cannot be converted, in words that say what to do. */
import { MusterError } from '../errors.ts';

/** Bytes of a PDF, DOCX or XLSX file; larger ones are refused unread. */
export const MAX_FILE_BYTES = 100_000_000;
/** Bytes of a text file, and characters of any converted text. */
export const MAX_TEXT_LENGTH = 20_000_000;
/** Bytes that the parts of a DOCX or XLSX file may unpack to, pictures left out. */
export const MAX_UNPACKED_BYTES = 150_000_000;

const MAX_SHOWN = 300;

export function encrypted(path: string, cause?: unknown): MusterError {
  return new MusterError(
    'DOCUMENT_ENCRYPTED',
    `Expected a document that can be read; ${path} is protected by a password. Save it without one, or take it out.`,
    { cause },
  );
}

/** `got` may hold a library's words, and with them the document's: one line of it is shown. */
export function broken(path: string, expected: string, got: string, cause?: unknown): MusterError {
  const problem = got.replaceAll(/[\s\p{Cc}]+/gu, ' ').slice(0, MAX_SHOWN);
  return new MusterError(
    'DOCUMENT_BROKEN',
    `Expected ${path} to be ${expected}; ${problem}. Open it in the program that made it and save it again, or take it out.`,
    { cause },
  );
}

export function tooLarge(path: string, expected: string, got: string): MusterError {
  return new MusterError(
    'DOCUMENT_TOO_LARGE',
    `Expected ${path} to have ${expected}; it has ${got}. Split it, or take out what the work does not need.`,
  );
}

/** `104 MB`, decimal. */
export function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000)} MB`;
}
