/**
 * Says in Ladybug's dialect what a statement says in Neo4j's.
 *
 * Only what the same question needs is rewritten, token by token; measured on Ladybug 0.20.4. What has no counterpart
 * (map projection, `CALL {…}`, `reduce`, `datetime()`) is left as it is, and the engine refuses it by name. What the
 * engine would answer in another way than Neo4j, without a word, is rewritten or refused here.
 */
import { MusterError } from '../errors.ts';
import { type Edit, isNamed, isSign, isWord, type Statement, withBrackets, written } from './brackets.ts';
import { positionEdits, quantifierEdits } from './ladybug-lists.ts';
import { distinctEdits, hopEdits, subqueryEdits } from './ladybug-paths.ts';
import { placeOf, type Token, tokensOf } from './token.ts';

/** The text that looks like the number, or null: Ladybug's conversions fail on any other. */
const NUMBER_OR_NULL = (pattern: string) =>
  [
    'list_extract(list_concat(regexp_extract_all(to_string(',
    `), '${pattern}'), CAST([NULL] AS STRING[])), 1)`,
  ] as const;
const [INTEGER, INTEGER_END] = NUMBER_OR_NULL('^[+-]?[0-9]+([.][0-9]*)?$');
const [FLOAT, FLOAT_END] = NUMBER_OR_NULL('^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)? *$');

/** Neo4j's function → how Ladybug's call begins and ends around the same arguments. */
const CALLS: ReadonlyMap<string, readonly [begin: string, end: string]> = new Map([
  ['type', ['label(', ')']],
  ['labels', ['[label(', ')]']],
  // A node of an answer is its properties.
  ['properties', ['(', ')']],
  ['split', ['string_split(', ')']],
  ['tostring', ['to_string(', ')']],
  ['tofloat', [`to_double(${FLOAT}`, `${FLOAT_END})`]],
  // Towards zero, as Neo4j; a cast would round.
  ['tointeger', [`to_int64(regexp_replace(${INTEGER}`, `${INTEGER_END}, '^[+]|[.].*$', '', 'g'))`]],
  ['last', ['list_extract(', ', -1)']],
  ['head', ['list_extract(', ', 1)']],
  // Nothing collected is an empty list in Neo4j, null in Ladybug.
  ['collect', ['coalesce(collect(', '), [])']],
]);
const JOINS = new Set(['AND', 'OR', 'XOR', 'NOT', 'WHERE', 'WHEN', 'THEN', 'ELSE', 'END', 'RETURN', 'WITH', 'AS']);

/**
 * @throws MusterError CYPHER_INVALID for a text or comment that never ends, and for what Ladybug would answer in another
 * way than Neo4j: ORDER BY within WITH, a computed position in a list, paths that may share a relationship, `keys()`.
 */
export function toLadybug(statement: string): string {
  const found = withBrackets(statement, tokensOf(statement));
  refuseInnerOrder(found);
  // Label and labels() of nothing are null in Neo4j; of a node that OPTIONAL MATCH may not have found.
  const mayBeNull = found.tokens.some((token) => isWord(token, 'OPTIONAL'));
  const edits = found.tokens.flatMap((_, i) => [
    ...quantifierEdits(found, i, toLadybug),
    ...subqueryEdits(found, i),
    ...callEdits(found, i, mayBeNull),
    ...hopEdits(found, i),
    ...labelEdits(found, i, mayBeNull),
    ...positionEdits(found, i),
  ]);
  return edited(statement, [...distinctEdits(found), ...edits]);
}

function edited(statement: string, edits: readonly Edit[]): string {
  let text = statement;
  // From the end, so that the offsets before stay true; of two at one place the later in the list comes to stand first.
  for (const { from, to, text: put } of [...edits].sort((a, b) => b.from - a.from || b.to - a.to)) {
    text = text.slice(0, from) + put + text.slice(to);
  }
  return text;
}

/**
 * What Neo4j calls the columns of a statement, by the text of the last RETURN; undefined where it returns `*`.
 * Ladybug calls a column without alias by an internal name.
 */
export function columnNames(statement: string): string[] | undefined {
  const { tokens, around } = withBrackets(statement, tokensOf(statement));
  const top = tokens.map((_, i) => i).filter((i) => around[i] === undefined);
  const union = top.find((i) => isWord(tokens[i], 'UNION')) ?? tokens.length;
  const start = top.findLast((i) => i < union && isWord(tokens[i], 'RETURN'));
  if (start === undefined) return undefined;
  const first = isWord(tokens[start + 1], 'DISTINCT') ? start + 2 : start + 1;
  const end =
    top.find((i) => i > first && (isWord(tokens[i], 'ORDER', 'SKIP', 'LIMIT') || isSign(tokens[i], ';'))) ??
    tokens.length;
  const stops = [
    ...top.filter((i) => i > start && i < Math.min(end, union) && isSign(tokens[i], ',')),
    Math.min(end, union),
  ];
  let from = first;
  const names: string[] = [];
  for (const stop of stops) {
    const item = tokens.slice(from, stop);
    from = stop + 1;
    if (item.length === 0 || isSign(item[0], '*')) return undefined;
    const alias = item.length > 2 && isWord(item.at(-2), 'AS') ? item.at(-1)! : undefined;
    names.push(alias ? alias.text : statement.slice(item[0]!.from, item.at(-1)!.to));
  }
  return names;
}

function callEdits({ text, tokens, partner, around }: Statement, i: number, mayBeNull: boolean): Edit[] {
  const name = tokens[i]!;
  const open = tokens[i + 1];
  const closeAt = partner.get(i + 1);
  if (name.kind !== 'word' || !isSign(open, '(') || isSign(tokens[i - 1], '.', ':') || closeAt === undefined) return [];
  const close = tokens[closeAt]!;
  const replaced = (begin: string, end: string): Edit[] => [
    { from: name.from, to: open!.to, text: begin },
    { from: close.from, to: close.to, text: end },
  ];
  const commas = tokens.filter((token, at) => isSign(token, ',') && around[at] === i + 1);
  const argument = tokens[i + 2]!;
  switch (name.text.toLowerCase()) {
    case 'keys':
      throw new MusterError(
        'CYPHER_INVALID',
        `keys() at ${placeOf(text, name.from)}: the embedded engine cannot tell which properties a node has. Return the node.`,
      );
    case 'round':
      // Halves go up in Neo4j, away from zero in Ladybug.
      return commas.length === 0 ? replaced('floor((', ') + 0.5)') : [];
    case 'substring':
      // Positions count from 0 in Neo4j, from 1 in Ladybug, which also wants a length.
      return commas
        .slice(0, 1)
        .flatMap(({ to }) => [
          { from: to, to, text: ' 1 +' },
          ...(commas.length === 1 ? [{ from: close.from, to: close.from, text: ', 2147483647' }] : []),
        ]);
    case 'labels':
      if (!mayBeNull || closeAt !== i + 3 || !isNamed(argument)) break;
      return replaced(`(CASE WHEN ${written(argument)} IS NULL THEN NULL ELSE [label(`, ')] END)');
  }
  const call = CALLS.get(name.text.toLowerCase());
  return call ? replaced(...call) : [];
}

/** `n:Label` as a condition. In a pattern it stands alone, behind its bracket. */
function labelEdits({ tokens, around }: Statement, i: number, mayBeNull: boolean): Edit[] {
  const [variable, colon, label, after] = tokens.slice(i, i + 4) as [Token, ...(Token | undefined)[]];
  if (!isNamed(variable) || !isSign(colon, ':') || !isNamed(label) || isSign(tokens[i - 1], '.', ':', '|')) return [];
  const open = around[i];
  if (open !== undefined && isSign(tokens[open], '{', '[') && !holdsClauses(tokens, open)) return [];
  const behindBracket = open === i - 1;
  const joined = after?.kind === 'word' && JOINS.has(after.text.toUpperCase()) && !isWord(after, 'WHERE');
  if (behindBracket && !joined) return [];
  const name = written(variable);
  const condition = `label(${name}) = '${label!.text.replaceAll("'", "\\'")}'`;
  const text = mayBeNull ? `(CASE WHEN ${name} IS NULL THEN NULL ELSE ${condition} END)` : condition;
  return [{ from: variable.from, to: label!.to, text }];
}

/** Whether the bracket is that of a subquery, not of a map or list. */
const holdsClauses = (tokens: readonly Token[], open: number) =>
  isSign(tokens[open], '{') && isWord(tokens[open - 1], 'EXISTS', 'COUNT', 'COLLECT', 'CALL');

/**
 * Ladybug drops an order that is followed by an aggregate, LIMIT or not: a wrong answer without a word (0.20.4).
 * @throws MusterError CYPHER_INVALID
 */
function refuseInnerOrder({ text, tokens, around }: Statement): void {
  for (const [i, token] of tokens.entries()) {
    if (!isWord(token, 'ORDER') || !isWord(tokens[i + 1], 'BY')) continue;
    const clause = tokens.findLast(
      (each, at) =>
        at < i && around[at] === around[i] && isWord(each, 'WITH', 'RETURN') && !isSign(tokens[at - 1], '.'),
    );
    if (!isWord(clause, 'WITH')) continue;
    throw new MusterError(
      'CYPHER_INVALID',
      `ORDER BY at ${placeOf(text, token.from)}: the embedded engine keeps no order within WITH. Order in RETURN.`,
    );
  }
}
