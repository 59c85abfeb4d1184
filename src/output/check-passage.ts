/** Whether the words of a passage stand in its source, where its locator says. */
import { findQuotes, nearestPassage, type QuoteMatch, SHORT_QUOTE, TOLERANCE } from './find-quote.ts';
import { type FoldedText, foldText } from './fold-text.ts';
import { claimsOf, unmetClaim } from './locator.ts';
import { placeOf, type SourceText } from './source-text.ts';
import type { TaskContext } from './task-context.ts';
import { cut, show } from './values.ts';

export interface Passage {
  readonly source: string;
  readonly locator: string;
  readonly quote: string;
}

export type PassageCheck =
  | { readonly match: QuoteMatch }
  /** `at` is the field at fault. */
  | { readonly at: 'locator' | 'quote'; readonly message: string };

/** Characters of the nearest passage that an answer shows. */
const NEAREST_SHOWN = 300;
/** Characters shown on both sides of it. */
const AROUND = 20;
/** Other documents that a quote is looked for in. */
const OTHERS_LOOKED_AT = 200;

/** A document is folded once, however many quotes come; the text keeps its folded form alive and nothing else does. */
const folded = new WeakMap<SourceText, FoldedText>();

export function foldedSource(source: SourceText): FoldedText {
  const known = folded.get(source);
  if (known) return known;
  const made = foldText(source.text);
  folded.set(source, made);
  return made;
}

/** The path of the document that `path` names: its own, or that of the text form in which agents read it. */
export function originalPath({ sources, sourceText }: TaskContext, path: unknown): unknown {
  if (typeof path !== 'string' || sources.includes(path) || !sourceText) return path;
  return sources.find((source) => sourceText(source)?.readAs === path) ?? path;
}

/** Undefined when the source has no text form, so that nothing can be said: an image, a drawing, an unknown kind. */
export function checkPassage(
  context: Pick<TaskContext, 'sources' | 'sourceText'>,
  { source, locator, quote }: Passage,
): PassageCheck | undefined {
  const text = context.sourceText?.(source);
  if (!text) return undefined;
  const matches = findQuotes(foldedSource(text), quote);
  if (matches.length === 0) return { at: 'quote', message: notFound(context, source, text, quote) };
  const claims = claimsOf(text, locator);
  const fitting = matches.find(({ from, to }) => !unmetClaim(claims, from, to));
  if (fitting) return { match: fitting };
  const [first] = matches as [QuoteMatch];
  const unmet = unmetClaim(claims, first.from, first.to)!;
  const stands = matches.slice(0, 3).map(({ from, to }) => show(placeOf(text, from, to)));
  const problem =
    unmet.ranges.length === 0
      ? `${source} has no ${show(unmet.name)}`
      : `the quote does not stand at ${show(unmet.name)}`;
  return { at: 'locator', message: `${problem}; it stands at ${stands.join(' and ')}` };
}

function notFound(
  context: Pick<TaskContext, 'sources' | 'sourceText'>,
  source: string,
  text: SourceText,
  quote: string,
): string {
  if (text.text.trim() === '') {
    return `${source} holds no text that can be read (a scan?), so nothing can be quoted from it; take another source, or mark the row as assumed`;
  }
  const cure = 'copy the words as they stand, or leave out what no document says';
  const elsewhere = context.sources
    .slice(0, OTHERS_LOOKED_AT)
    .filter((other) => other !== source)
    .flatMap((other) => {
      const there = context.sourceText?.(other);
      const [match] = there && quote.length >= SHORT_QUOTE ? exactly(foldedSource(there), quote) : [];
      return there && match ? [`${other}, ${placeOf(there, match.from, match.to)}`] : [];
    });
  if (elsewhere.length > 0) {
    return `the words do not stand in ${source}, but in ${elsewhere.slice(0, 3).join(' and in ')}; name that as source and locator`;
  }
  const near = nearestPassage(foldedSource(text), quote);
  if (!near) return `the words do not stand in ${source}, nor anything like them; ${cure}`;
  const words = JSON.stringify(cut(around(text.text, near.from, near.to), NEAREST_SHOWN));
  const bound =
    quote.length < SHORT_QUOTE
      ? `a quote of fewer than ${SHORT_QUOTE} characters must agree in each`
      : `at most ${TOLERANCE * 100} % of the characters may differ, and no number, unit, sign or negation`;
  return `the words do not stand in ${source} (${bound}). The nearest, at ${show(placeOf(text, near.from, near.to))}: ${words}; ${cure}`;
}

function exactly(text: FoldedText, quote: string): readonly QuoteMatch[] {
  const wanted = foldText(quote.normalize('NFC')).text;
  return text.text.includes(wanted) ? findQuotes(text, quote, 1) : [];
}

/** A passage with a little of what stands on both sides, since what differs most may stand at its edge. */
function around(text: string, from: number, to: number): string {
  return text
    .slice(Math.max(0, from - AROUND), to + AROUND)
    .replaceAll(/\s+/g, ' ')
    .trim();
}
