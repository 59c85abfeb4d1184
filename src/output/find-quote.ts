/** Finding a quote in its source: exactly, after folding, or with the few wrong characters that scanning leaves. */
import search from 'approx-string-match';
import { type FoldedText, foldText } from './fold-text.ts';
import { protectedTokens } from './protected-tokens.ts';

export interface QuoteMatch {
  readonly kind: 'exact' | 'normalised' | 'approximate';
  /** Offsets in the text as it was given. */
  readonly from: number;
  readonly to: number;
  /** Characters inserted, left out or changed, after folding. */
  readonly errors: number;
}

/** Greatest share of the characters of a quote that may differ. */
export const TOLERANCE = 0.05;
/** Folded characters below which nothing may differ. */
export const SHORT_QUOTE = 20;
/** Places of one quote that are looked at; a passage that stands more often proves nothing. */
const MAX_PLACES = 1_000;
/** Places that are compared approximately; each costs microseconds. */
const MAX_WINDOWS = 2_000;

/** The first place of `quote` in `text`, or undefined; fold a text once when many quotes are looked for in it. */
export function findQuote(text: string | FoldedText, quote: string): QuoteMatch | undefined {
  return findQuotes(text, quote, 1)[0];
}

/**
 * The places of `quote` in `text`, at most `limit` (default 1,000): those that agree after folding, else those that
 * differ in at most {@link TOLERANCE} of its characters. A quote of fewer than {@link SHORT_QUOTE} characters must agree.
 * Never may a number, a unit, a comparison sign or a negation differ, nor may the quote begin or end inside one.
 */
export function findQuotes(text: string | FoldedText, quote: string, limit = MAX_PLACES): readonly QuoteMatch[] {
  const source = typeof text === 'string' ? foldText(text) : text;
  const wanted = foldText(quote.normalize('NFC')).text;
  if (wanted === '') return [];
  const tokens = protectedTokens(wanted).join('\n');
  const found: QuoteMatch[] = [];
  const take = (start: number, end: number, errors: number): void => {
    if (protectedTokens(wholeWords(source.text, start, end, errors > 0)).join('\n') !== tokens) return;
    found.push(matchAt(source, start, end, errors, typeof text === 'string' ? text : undefined, quote));
  };
  for (
    let at = source.text.indexOf(wanted), seen = 0;
    at >= 0 && seen < MAX_PLACES && found.length < limit;
    at = source.text.indexOf(wanted, at + 1), seen++
  ) {
    take(at, at + wanted.length, 0);
  }
  const maxErrors = Math.floor(wanted.length * TOLERANCE);
  if (found.length > 0 || wanted.length < SHORT_QUOTE || maxErrors === 0) return found;
  for (const { start, end, errors } of approximately(source.text, wanted, maxErrors)) {
    if (found.length < limit) take(start, end, errors);
  }
  return found;
}

/** What of `text` is most like `quote`, if anything is: for people and agents, never as proof. */
export function nearestPassage(
  text: FoldedText,
  quote: string,
): { readonly from: number; readonly to: number } | undefined {
  const wanted = foldText(quote.normalize('NFC')).text;
  if (wanted.length < 3) return undefined;
  const size = Math.min(8, Math.max(3, Math.floor(wanted.length / 2)));
  const step = Math.max(4, Math.ceil(wanted.length / 64));
  const votes = new Map<number, number>();
  for (let offset = 0; offset + size <= wanted.length; offset += step) {
    const piece = wanted.slice(offset, offset + size);
    let at = text.text.indexOf(piece);
    for (let n = 0; at >= 0 && n < 50; n++, at = text.text.indexOf(piece, at + 1)) {
      const bucket = Math.floor((at - offset) / 32);
      votes.set(bucket, (votes.get(bucket) ?? 0) + 1);
    }
  }
  let best: number | undefined;
  for (const [bucket, n] of votes) if (best === undefined || n > (votes.get(best) ?? 0)) best = bucket;
  if (best === undefined) return undefined;
  const from = Math.max(0, best * 32 - 32);
  const window = text.text.slice(from, best * 32 + wanted.length + 64);
  const [match] = search(window, wanted, Math.ceil(wanted.length * 0.7));
  if (!match) return undefined;
  const [start, end] = wordEdges(text.text, from + match.start, from + match.end);
  return { from: text.at[start]!, to: endOffset(text, end) };
}

function matchAt(
  source: FoldedText,
  start: number,
  end: number,
  errors: number,
  text: string | undefined,
  quote: string,
): QuoteMatch {
  const from = source.at[start]!;
  const to = endOffset(source, end);
  const kind =
    errors > 0 ? 'approximate' : text !== undefined && text.slice(from, to) === quote ? 'exact' : 'normalised';
  return { kind, from, to, errors };
}

/** Offset after the last character: folded-away marks behind it do not belong to it. */
function endOffset({ at }: FoldedText, end: number): number {
  return end === 0 ? 0 : Math.min(at[end - 1]! + 1, at.at(-1)!);
}

/**
 * Places with at most `maxErrors` differences. Of maxErrors + 1 pieces of the quote at least one stands unharmed in any
 * such place, so only there is it worth comparing: a text of a megabyte is searched, not aligned.
 */
function* approximately(text: string, wanted: string, maxErrors: number) {
  const size = Math.floor(wanted.length / (maxErrors + 1));
  const numbers = [...new Set(wanted.match(/\d+/g) ?? [])];
  const tried = new Set<number>();
  for (let piece = 0; piece <= maxErrors; piece++) {
    const offset = piece * size;
    const part = wanted.slice(offset, offset + size);
    for (let at = text.indexOf(part); at >= 0 && tried.size < MAX_WINDOWS; at = text.indexOf(part, at + 1)) {
      const from = Math.max(0, at - offset - maxErrors);
      // Windows of the same place, seen from two pieces, differ by the differences between them.
      const near = Math.floor(from / (2 * maxErrors + 1));
      if (tried.has(near)) continue;
      tried.add(near);
      const shift = Math.max(0, from - 2 * maxErrors);
      const window = text.slice(shift, from + wanted.length + 4 * maxErrors);
      // Numbers may not differ, so a place without them need not be compared: tables are full of such places.
      if (!numbers.every((number) => window.includes(number))) continue;
      for (const { start, end, errors } of search(window, wanted, maxErrors)) {
        yield { start: shift + start, end: shift + end, errors };
      }
    }
  }
}

/**
 * The range with the words that its edges cut: "0 mm" taken out of "10 mm" is another number. Of a place with differences
 * nobody knows where it ends, so the unit behind its last number belongs to it.
 */
function wholeWords(text: string, start: number, end: number, isNoisy: boolean): string {
  const [from, edge] = wordEdges(text, start, end);
  const sign = /[≤≥<>±=~] $/.exec(text.slice(Math.max(0, from - 2), from));
  const unit =
    isNoisy && /\d ?$/.test(text.slice(from, edge)) ? /^ ?[^ ]+/.exec(text.slice(edge, edge + MAX_WORD)) : null;
  return text.slice(from - (sign ? 2 : 0), edge + (unit?.[0].length ?? 0));
}

/** Longest word that an edge is widened over. */
const MAX_WORD = 60;

function wordEdges(text: string, start: number, end: number): readonly [number, number] {
  let from = start;
  while (from > 0 && start - from < MAX_WORD && text[from] !== ' ' && text[from - 1] !== ' ') from--;
  let to = end;
  while (to < text.length && to - end < MAX_WORD && text[to - 1] !== ' ' && text[to] !== ' ') to++;
  return [from, to];
}
