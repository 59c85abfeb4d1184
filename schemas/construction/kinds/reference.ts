/** References into documents: a document and a clause, or a document alone. */
import type { z } from 'zod';
import { judged, term } from './attribute.ts';
import { docNoFault } from './document-number.ts';
import { expected, show } from './expected.ts';
import { canonicalStandard } from './standard-code.ts';
import { isPlaceholder } from './text.ts';

const AS_PER_SPECIFICATION = /\bas per (?:the )?spec/i;
/** A clause, section, table or page number with no document before it. */
const CLAUSE_ALONE =
  /^(?:cl(?:ause)?s?|sect(?:ion)?|sec|s|para(?:graph)?|table|item|page|p|§)?[\s.]*\d[\d.,\s-]*(?:\(?[a-z]\)?)?$/;

function referenceFault(value: string, what: string): string | undefined {
  const bare = value.trim();
  if (bare === '' || isPlaceholder(bare) || AS_PER_SPECIFICATION.test(bare) || !/\d/.test(bare)) {
    return expected(what)({ input: value });
  }
  return CLAUSE_ALONE.test(bare.toLowerCase())
    ? `${show(value)} names a clause and no document; expected ${what}`
    : undefined;
}

/** Document and clause: "BRU2-SP-001 cl 7.4.2", "AS 1379 cl 5". */
export function clauseRef(description: string): z.ZodString {
  const what = 'a document and clause such as "BRU2-SP-001 cl 7.4.2"';
  return judged(term(what), (value) => referenceFault(value, what)).describe(description);
}

/** The specification that governs something, with its number: "TfNSW R44", "BRU2-SP-001 cl 4". */
export function specificationRef(description: string): z.ZodString {
  const what = 'the number of a specification such as "TfNSW R44"';
  return judged(term(what), (value) => referenceFault(value, what)).describe(description);
}

/** The key of a Standard or of a Document: "TfNSW B59", "BRU2-SP-004". */
export function standardOrDocument(description: string): z.ZodString {
  const what = 'the code of a standard or the number of a document, such as "TfNSW B59" or "BRU2-SP-004"';
  return judged(term(what), (value) => {
    const fault = referenceFault(value, what);
    if (fault !== undefined) return fault;
    const standard = canonicalStandard(value);
    if (standard === undefined) return /^[A-Z0-9-]+$/i.test(value) ? docNoFault(value) : undefined;
    return standard.code === value
      ? undefined
      : `${show(value)} is not in its canonical form; expected ${show(standard.code)}`;
  }).describe(description);
}
