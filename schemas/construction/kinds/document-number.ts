import type { z } from 'zod';
import { judged, term } from './attribute.ts';
import { madeUp } from './business-key.ts';
import { expected, show, wrongForm } from './expected.ts';

/** Upper case; white space, slashes and underscores become hyphens, and runs of hyphens one. */
export function normalDocNo(printed: string): string {
  return printed
    .trim()
    .toUpperCase()
    .replace(/[\s/\\_‐-―]+/g, '-')
    .replace(/-{2,}/g, '-')
    .replace(/^-|-$/g, '');
}

const SHAPE = /^[A-Z0-9][A-Z0-9.()+&-]*$/;
const REVISION = /^rev(?:ision)?[\s.:_-]*[A-Z0-9]{1,3}$/i;
const FILE_NAME = /\.(?:pdf|docx?|xlsx?|md|txt|csv|dwg|dgn|rtf|pptx?|html?)$/i;

/** What is wrong with a document number, or undefined. */
export function docNoFault(value: string): string | undefined {
  if (REVISION.test(value.trim())) return `${show(value)} is a revision; expected the number of the document`;
  if (FILE_NAME.test(value.trim())) return `${show(value)} is a file name; expected the number printed in the document`;
  const invented = madeUp(value);
  if (invented !== undefined) return invented;
  const normal = normalDocNo(value);
  if (!SHAPE.test(normal)) return expected('a document number such as "BRU2-SP-001"')({ input: value });
  return normal === value ? undefined : wrongForm(value, normal);
}

/** A document number as printed, in its normal form. */
export function docNo(description: string): z.ZodString {
  return judged(term('a document number such as "BRU2-SP-001"'), docNoFault).describe(description);
}

/** The document number of an ITP: `ITP-07`, or as the contract prints it, with more to it than the letters "ITP". */
export function itpDocNo(description: string): z.ZodString {
  const what = 'the document number of an ITP such as "ITP-07"';
  return judged(term(what), (value) => {
    const fault = docNoFault(value);
    if (fault !== undefined) return fault;
    return /^ITP-[A-Z0-9-]{2,20}$/.test(value) || /\d/.test(value) ? undefined : expected(what)({ input: value });
  }).describe(description);
}
