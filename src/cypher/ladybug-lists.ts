/** Positions in lists, which Neo4j counts from 0 and Ladybug from 1, and questions about all elements of a list. */
import { MusterError } from '../errors.ts';
import { type Edit, isNamed, isSign, isWord, type Statement } from './brackets.ts';
import { placeOf } from './token.ts';

const OPERATORS = [
  ...['IN', 'UNWIND', 'RETURN', 'WITH', 'AND', 'OR', 'XOR', 'NOT', 'WHERE', 'WHEN', 'THEN', 'ELSE', 'CASE', 'BY'],
  ...['DISTINCT', 'CONTAINS', 'AS', 'SKIP', 'LIMIT', 'IS'],
];

/**
 * `list[0]` is the first element in Neo4j, `list[1]` in Ladybug; of `list[from..to]` Neo4j leaves `to` out. From the end
 * both count from -1.
 * @throws MusterError CYPHER_INVALID when a position is not written as a number.
 */
export function positionEdits({ text, tokens, partner, around }: Statement, i: number): Edit[] {
  const close = partner.get(i);
  const before = tokens[i - 1];
  if (!isSign(tokens[i], '[') || close === undefined) return [];
  if (!isSign(before, ')', ']', '}') && (!isNamed(before) || isWord(before, ...OPERATORS))) {
    if (before?.kind !== 'parameter') return [];
  }
  const inner = tokens.slice(i + 1, close);
  // A name of a property or of a map's entry.
  if (inner.length === 1 && inner[0]!.kind === 'text') return [];
  const dots = inner.findIndex(
    (token, at) => isSign(token, '.') && isSign(inner[at + 1], '.') && around[i + 1 + at] === i,
  );
  const bounds = dots < 0 ? [inner] : [inner.slice(0, dots), inner.slice(dots + 2)];
  return bounds.flatMap((bound, at): Edit[] => {
    if (bound.length === 0 && dots >= 0) return [];
    const number = bound.map((token) => token.text).join('');
    if (!/^-?\d+$/.test(number)) {
      throw new MusterError(
        'CYPHER_INVALID',
        `The position in a list at ${placeOf(text, (bound[0] ?? tokens[close]!).from)} is not written as a number, which the embedded engine needs. Use head(), last() or UNWIND.`,
      );
    }
    const value = Number(number);
    const moved = at === 0 ? (value < 0 ? value : value + 1) : value < 0 ? value - 1 : value;
    return [{ from: bound[0]!.from, to: bound.at(-1)!.to, text: String(moved) }];
  });
}

/** Asked of null, `any`, `all`, `none` and `single` are null in Neo4j; in Ladybug null counts as an empty list. */
export function quantifierEdits(
  { text, tokens, partner, around }: Statement,
  i: number,
  translate: (part: string) => string,
): Edit[] {
  const open = i + 1;
  const close = partner.get(open);
  if (!isWord(tokens[i], 'ANY', 'ALL', 'NONE', 'SINGLE') || !isSign(tokens[open], '(') || close === undefined)
    return [];
  if (isSign(tokens[i - 1], '.', ':') || !isNamed(tokens[open + 1]) || !isWord(tokens[open + 2], 'IN')) return [];
  const where = tokens.findIndex(
    (token, at) => at > open && at < close && around[at] === open && isWord(token, 'WHERE'),
  );
  if (where <= open + 3) return [];
  const list = translate(text.slice(tokens[open + 3]!.from, tokens[where - 1]!.to));
  const { from } = tokens[i]!;
  const { to } = tokens[close]!;
  return [
    { from, to: from, text: `(CASE WHEN (${list}) IS NULL THEN NULL ELSE ` },
    { from: to, to, text: ' END)' },
  ];
}
