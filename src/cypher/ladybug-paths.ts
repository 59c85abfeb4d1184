/**
 * What Neo4j says of the relationships of one MATCH, that no two of them are the same, written down for Ladybug, which
 * lets them be (0.20.4). Also what a path of several hops looks like.
 */
import { MusterError } from '../errors.ts';
import { clauseEnd, type Edit, isNamed, isSign, isWord, type Statement, written } from './brackets.ts';
import { placeOf } from './token.ts';

interface Relationship {
  readonly name: string;
  /** Written into the pattern when it has no name of its own. */
  readonly naming: Edit | undefined;
  /** Empty: of any type. */
  readonly types: ReadonlySet<string>;
  readonly manyHops: boolean;
  /** Offset in the statement. */
  readonly at: number;
}

/** The longest path that Ladybug follows. */
const MAX_HOPS = 30;

/**
 * In Neo4j a path uses a relationship once; in Ladybug only when told so, and it wants both bounds.
 * @throws MusterError CYPHER_INVALID for a path of no hops between nodes without label.
 */
export function hopEdits(statement: Statement, i: number): Edit[] {
  const { tokens, around, partner } = statement;
  const star = tokens[i]!;
  const open = around[i];
  if (!isSign(star, '*') || open === undefined || !isSign(tokens[open], '[') || !isSign(tokens[open - 1], '-'))
    return [];
  const close = tokens[partner.get(open) ?? -1];
  const map = tokens.find((each, at) => at > i && isSign(each, '{') && around[at] === open);
  const to = map?.from ?? close?.from;
  if (to === undefined) return [];
  // `1..5` is lexed as numbers and signs, however it is spaced.
  const bounds = tokens
    .filter(({ from }) => from >= star.to && from < to)
    .map(({ text }) => text)
    .join('');
  const [, low = '', dots = '', high = ''] = /^(\d*)(\.\.)?(\d*)$/.exec(bounds) ?? [];
  const least = low || '1';
  if (Number(least) === 0) refuseAnywhere(statement, open);
  const most = dots ? high || String(MAX_HOPS) : low || String(MAX_HOPS);
  return [{ from: star.from, to, text: `* TRAIL ${least}..${most} ` }];
}

/** Ladybug looks for both ends among the labels of the type only, and so misses the other nodes' paths of no hops. */
function refuseAnywhere({ text, tokens, around, partner }: Statement, open: number): void {
  const close = partner.get(open) ?? open;
  const holds = (bracket: number | undefined) =>
    bracket !== undefined && tokens.some((token, at) => around[at] === bracket && isSign(token, ':'));
  const before = isSign(tokens[open - 2], '<') ? open - 3 : open - 2;
  const after = isSign(tokens[close + 2], '>') ? close + 3 : close + 2;
  if (!holds(open) || holds(partner.get(before)) || holds(after)) return;
  throw new MusterError(
    'CYPHER_INVALID',
    `The path at ${placeOf(text, tokens[open]!.from)} may have no hops: give the node at one end a label, which the embedded engine needs.`,
  );
}

/** `EXISTS { (a)-->(b) }`: Ladybug wants the MATCH that Neo4j lets one leave out. */
export function subqueryEdits({ tokens }: Statement, i: number): Edit[] {
  const first = barePattern(tokens, i) ? tokens[i + 2]! : undefined;
  return first ? [{ from: first.from, to: first.from, text: 'MATCH ' }] : [];
}

const barePattern = (tokens: Statement['tokens'], i: number) =>
  isWord(tokens[i], 'EXISTS', 'COUNT') && isSign(tokens[i + 1], '{') && isSign(tokens[i + 2], '(');

/**
 * For each two relationships of a MATCH that could be the same: that they are not.
 * @throws MusterError CYPHER_INVALID where Ladybug has no words for it.
 */
export function distinctEdits(statement: Statement): Edit[] {
  const { tokens } = statement;
  const edits: Edit[] = [];
  let named = 0;
  const nameless = () => {
    named += 1;
    return `unnamed_${named}`;
  };
  const inPatterns = new Set<number>();
  for (const [i, token] of tokens.entries()) {
    const isMatch = isWord(token, 'MATCH') && !isSign(tokens[i - 1], '.', ':', '|', '&', '!');
    if (!isMatch && !barePattern(tokens, i)) continue;
    const from = isMatch ? i + 1 : i + 2;
    const end = clauseEnd(statement, from);
    const found = relationships(statement, from, end, nameless);
    for (let at = from; at < end; at++) inPatterns.add(at);
    const conditions = found.flatMap((one, at) => found.slice(at + 1).flatMap((other) => apart(statement, one, other)));
    if (conditions.length === 0) continue;
    const unique = [...new Set(conditions.flatMap(({ naming }) => naming))];
    if (unique.length > 0) refuseStar(statement);
    edits.push(...unique, ...conditionEdits(statement, end, conditions.map(({ text }) => text).join(' AND ')));
  }
  refuseLongPredicates(statement, inPatterns, nameless);
  return edits;
}

/** Behind WHERE, before what stands there; or as a WHERE of its own. */
function conditionEdits(statement: Statement, end: number, condition: string): Edit[] {
  const { tokens } = statement;
  const where = tokens[end];
  if (!isWord(where, 'WHERE') || statement.around[end] !== statement.around[end - 1]) {
    const at = tokens[end - 1]!.to;
    return [{ from: at, to: at, text: ` WHERE ${condition}` }];
  }
  const last = tokens[clauseEnd(statement, end + 1) - 1]!.to;
  return [
    { from: where!.to, to: where!.to, text: ` ${condition} AND (` },
    { from: last, to: last, text: ')' },
  ];
}

/** The relationships of the pattern between two tokens, in order. */
function relationships(statement: Statement, from: number, end: number, nameless: () => string): Relationship[] {
  const { tokens, around, partner } = statement;
  const level = around[from];
  const found: Relationship[] = [];
  for (let i = from; i < end; i++) {
    if (around[i] !== level || !isSign(tokens[i], '-')) continue;
    const next = tokens[i + 1];
    if (isSign(next, '-')) {
      const name = nameless();
      const naming = { from: tokens[i]!.to, to: tokens[i]!.to, text: `[${name}]` };
      found.push({ name, naming, types: new Set(), manyHops: false, at: tokens[i]!.from });
      i += 1;
    } else if (isSign(next, '[')) {
      const close = partner.get(i + 1) ?? end;
      found.push(bracketed(statement, i + 1, close, nameless));
      i = close + 1;
    }
  }
  return found;
}

function bracketed({ tokens, around }: Statement, open: number, close: number, nameless: () => string): Relationship {
  const inner = Array.from({ length: close - open - 1 }, (_, at) => open + 1 + at).filter((at) => around[at] === open);
  const own = isNamed(tokens[open + 1]) && !isWord(tokens[open + 1], 'WHERE') ? tokens[open + 1]! : undefined;
  const types = new Set<string>();
  const colon = own ? open + 2 : open + 1;
  if (isSign(tokens[colon], ':')) {
    const stop =
      inner.find((at) => at > colon && (isSign(tokens[at], '*', '{') || isWord(tokens[at], 'WHERE'))) ?? close;
    const expression = inner.filter((at) => at > colon && at < stop).map((at) => tokens[at]!);
    // An expression of types (`!A`, `A&B`) may stand for any.
    const isList = expression.every((token) => isNamed(token) || isSign(token, '|', ':'));
    if (isList) for (const token of expression.filter(isNamed)) types.add(token.text);
  }
  const { to } = tokens[open]!;
  const name = own ? written(own) : nameless();
  return {
    name,
    naming: own ? undefined : { from: to, to, text: name },
    types,
    manyHops: inner.some((at) => isSign(tokens[at], '*')),
    at: tokens[open]!.from,
  };
}

function mayBeSame(one: Relationship, other: Relationship): boolean {
  if (one.types.size === 0 || other.types.size === 0) return true;
  return [...one.types].some((type) => other.types.has(type));
}

function apart({ text }: Statement, one: Relationship, other: Relationship): { text: string; naming: Edit[] }[] {
  if (one.name === other.name || !mayBeSame(one, other)) return [];
  const naming = [one, other].flatMap((each) => each.naming ?? []);
  if (!one.manyHops && !other.manyHops) return [{ text: `${one.name} <> ${other.name}`, naming }];
  if (one.manyHops && other.manyHops) {
    throw new MusterError(
      'CYPHER_INVALID',
      `The paths at ${placeOf(text, one.at)} and ${placeOf(text, other.at)} may share a relationship, and the embedded engine cannot keep them apart. Give them different types, or put each into a MATCH of its own.`,
    );
  }
  const [path, single] = one.manyHops ? [one, other] : [other, one];
  return [{ text: `none(unnamed_0 IN rels(${path.name}) WHERE id(unnamed_0) = id(${single.name}))`, naming }];
}

/** Names that we add would be columns of `*`. */
function refuseStar({ text, tokens }: Statement): void {
  const star = tokens.findIndex(
    (token, i) =>
      isSign(token, '*') &&
      (isWord(tokens[i - 1], 'RETURN', 'WITH') ||
        (isWord(tokens[i - 1], 'DISTINCT') && isWord(tokens[i - 2], 'RETURN', 'WITH'))),
  );
  if (star < 0) return;
  throw new MusterError(
    'CYPHER_INVALID',
    `* at ${placeOf(text, tokens[star]!.from)}: name the columns, or every relationship of the pattern: the embedded engine needs it to keep them apart.`,
  );
}

/** A pattern as a condition, `NOT (a)-[:R]->()-[:R]->(b)`, has no place for a condition of its own. */
function refuseLongPredicates(statement: Statement, inPatterns: ReadonlySet<number>, nameless: () => string): void {
  const { text, tokens, around, partner } = statement;
  for (const [i] of tokens.entries()) {
    if (inPatterns.has(i) || !isSign(tokens[i], '(')) continue;
    // A chain: node, relationship, node…, all at one level and side by side.
    let end = (partner.get(i) ?? tokens.length) + 1;
    while (end < tokens.length && around[end] === around[i] && isSign(tokens[end], '-', '<', '>', '[', '(')) {
      end = (isSign(tokens[end], '[', '(') ? (partner.get(end) ?? end) : end) + 1;
    }
    const found = relationships(statement, i, end, nameless);
    const [first, second] = found.filter((one) => found.some((other) => other !== one && mayBeSame(one, other)));
    if (!first || !second) continue;
    throw new MusterError(
      'CYPHER_INVALID',
      `The pattern at ${placeOf(text, tokens[i]!.from)} may use one relationship twice in the embedded engine. Write it as EXISTS { MATCH … }.`,
    );
  }
}
