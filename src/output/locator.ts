/**
 * What a locator says of where a passage stands, as ranges of the source's text.
 *
 * People write places in many ways; only those that the text itself shows are judged: pages, headings by number or name,
 * cells, and lines where the agent sees the same lines. "Table 3.1" or "title block" beside them is left to the reader.
 */
import { clauseRanges } from './clauses.ts';
import { lineStart, overlaps, type Range, type SourceText } from './source-text.ts';

/** One place that a locator names; a passage fits when it overlaps one of the ranges. */
export interface Claim {
  /** As the locator says it: `p. 3`. */
  readonly name: string;
  /** Empty when the document has places of this kind, but not this one. */
  readonly ranges: readonly Range[];
}

const PAGE = /\b(?:pages?|pp?|pgs?)\.?\s*(\d{1,5})(?:\s*[-–]\s*(?:pp?\.?\s*)?(\d{1,5}))?\b/i;
const LINE = /\b(?:L|lines?\s+)(\d{1,7})(?:\s*[-–]\s*L?(\d{1,7}))?\b/;
const CLAUSE = /(?:\b(?:cl|clauses?|secs?|sections?)\b\.?|§)\s*([A-Z]?\d+(?:\.\d+)*)/i;
const ORDINAL = /#(\d{1,5})\b/;
const CELLS = /(?:'((?:[^']|'')+)'|([^!'\s,;]+))!\$?([A-Z]{1,3})?\$?(\d{1,7})?(?::\$?[A-Z]{0,3}\$?(\d{1,7})?)?/i;
/** Headings whose own name is looked for in a locator are at least this long; "A" stands in every text. */
const MIN_NAME = 4;

/** The places that `locator` names in `source`; none when it names nothing that the text shows. */
export function claimsOf(source: SourceText, locator: string): readonly Claim[] {
  return [pageClaim, lineClaim, cellsClaim, clauseClaim, headingClaim].flatMap((claim) => claim(source, locator) ?? []);
}

/** The first claim of the locator that a passage from `from` to `to` does not meet. */
export function unmetClaim(claims: readonly Claim[], from: number, to: number): Claim | undefined {
  return claims.find(({ ranges }) => !ranges.some((range) => overlaps(range, from, to)));
}

function pageClaim(source: SourceText, locator: string): Claim | undefined {
  const pages = source.sections.filter(({ kind }) => kind === 'page');
  const match = PAGE.exec(locator);
  if (!match || pages.length === 0) return undefined;
  const first = Number(match[1]);
  return { name: match[0], ranges: pages.slice(Math.max(0, first - 1), Number(match[2] ?? first)) };
}

function lineClaim(source: SourceText, locator: string): Claim | undefined {
  const match = source.hasLines ? LINE.exec(locator) : null;
  if (!match) return undefined;
  const first = Number(match[1]);
  const from = lineStart(source.text, first);
  const to = lineStart(source.text, Number(match[2] ?? first) + 1);
  return { name: match[0], ranges: from >= source.text.length || first < 1 ? [] : [{ from, to }] };
}

function cellsClaim({ sections }: SourceText, locator: string): Claim | undefined {
  if (!sections.some(({ kind }) => kind === 'sheet')) return undefined;
  const match = CELLS.exec(locator);
  const known = sections.filter(({ kind }) => kind === 'sheet').map(({ path }) => path[0]!);
  // A sheet's name may hold blanks without being quoted: the longest known name before the "!" counts.
  const before = locator.slice(0, locator.indexOf('!'));
  const sheet =
    match?.[1]?.replaceAll("''", "'") ??
    known.filter((name) => before.endsWith(name)).sort((a, b) => b.length - a.length)[0] ??
    match?.[2];
  if (!match || sheet === undefined) return undefined;
  const first = Number(match[4] ?? 1);
  const last = Number(match[5] ?? match[4] ?? Number.MAX_SAFE_INTEGER);
  const ranges = sections.filter(({ kind, path, locator: own }) => {
    const row = Number(/!A(\d+):[A-Z]+\d+$/.exec(own)?.[1]);
    return kind === 'row' && path[0] === sheet && row >= first && row <= last;
  });
  return { name: match[0], ranges };
}

/** The headings and paragraphs numbered so, with what belongs to them; for an unknown clause its nearest ancestor's. */
function clauseClaim(source: SourceText, locator: string): Claim | undefined {
  const match = CLAUSE.exec(locator);
  if (!match) return undefined;
  const headings = source.sections.filter(({ kind }) => kind === 'heading');
  for (let number = match[1]!; number !== ''; number = number.replace(/\.?[^.]*$/, '')) {
    const below = headings.filter(({ path }) => path.some((heading) => numberOf(heading) === number));
    const ranges = [...below, ...clauseRanges(source, number)];
    if (ranges.length > 0) return { name: match[0], ranges };
  }
  return undefined;
}

/** The longest heading whose name, or whose place in the order of the headings, the locator holds. */
function headingClaim({ sections }: SourceText, locator: string): Claim | undefined {
  const headings = sections.filter(({ kind }) => kind === 'heading');
  if (headings.length === 0) return undefined;
  const ordinal = ORDINAL.exec(locator);
  const nth = ordinal && headings[Number(ordinal[1]) - 1];
  if (ordinal && nth) return { name: ordinal[0], ranges: [nth] };
  const wanted = locator.toLowerCase();
  let name = '';
  for (const { path } of headings) {
    const own = path.at(-1)!;
    if (own.length >= MIN_NAME && own.length > name.length && wanted.includes(own.toLowerCase())) name = own;
  }
  if (name === '') return undefined;
  return { name, ranges: headings.filter(({ path }) => path.includes(name)) };
}

function numberOf(heading: string): string | undefined {
  return /^([A-Z]?\d+(?:\.\d+)*)\.?(?=\s|$)/.exec(heading)?.[1];
}
