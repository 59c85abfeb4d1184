/**
 * Decides whether a Cypher statement only reads, by its tokens.
 *
 * A statement passes when it begins with a reading clause, holds no writing clause in a place where a clause can stand,
 * and calls nothing that is not known to read. In doubt it is refused: a variable named `set` needs backticks. The
 * engines are told to read only as well; this is the first of two locks, and the one that explains itself.
 */
import { MusterError } from '../errors.ts';
import { placeOf, type Token, tokensOf } from './token.ts';

/** Characters of one statement; a longer one is refused. */
export const MAX_STATEMENT_CHARACTERS = 20_000;

const OPENING = new Set(['MATCH', 'OPTIONAL', 'WITH', 'UNWIND', 'RETURN', 'CALL']);
/** Clauses of Neo4j and of Ladybug that write, load or leave the database, wherever a clause may stand. */
const WRITING = new Set([
  ...['CREATE', 'MERGE', 'SET', 'DELETE', 'DETACH', 'NODETACH', 'REMOVE', 'FOREACH', 'LOAD', 'INSERT', 'DROP', 'ALTER'],
  ...['COPY', 'USE', 'TRANSACTIONS', 'EXPORT', 'IMPORT', 'INSTALL', 'ATTACH', 'CHECKPOINT'],
]);
const PROCEDURES = new Set([
  ...['db.labels', 'db.relationshiptypes', 'db.propertykeys', 'db.schema.visualization'],
  ...['db.schema.nodetypeproperties', 'db.schema.reltypeproperties'],
]);
/** Namespaces whose functions are values of the language; any other may be a plug-in that can do anything. */
const FUNCTION_SPACES = new Set([
  'date',
  'datetime',
  'localdatetime',
  'time',
  'localtime',
  'duration',
  'point',
  'vector',
]);
/** Functions without a namespace that read files, call out, or count up what the database keeps. */
const OUTSIDE = /^(LOAD|READ_|SCAN_|FILE|HTTP|NEXTVAL|CREATE_)/;
const CURE = 'Only reading is allowed here: MATCH, OPTIONAL MATCH, WHERE, WITH, UNWIND, CALL {…}, UNION and RETURN.';

/**
 * Lets a statement pass that only reads.
 * @throws MusterError CYPHER_REFUSED naming the clause and where it stands, or CYPHER_INVALID for an open text or comment.
 */
export function requireReadOnly(text: string): void {
  if (text.length > MAX_STATEMENT_CHARACTERS) {
    throw refusal(`expected at most ${MAX_STATEMENT_CHARACTERS} characters; got ${text.length}. Ask for less at once.`);
  }
  // Neo4j decodes these before it splits the statement: `\u0027` ends a text that the tokens show as open.
  const escaped = text.search(/\\u/i);
  if (escaped >= 0) {
    throw refusal(`\\u at ${placeOf(text, escaped)}: write the character itself, or hand it in as a parameter.`);
  }
  const tokens = tokensOf(text);
  const end = tokens.findIndex(({ kind, text: sign }) => kind === 'sign' && sign === ';');
  if (end >= 0 && end < tokens.length - 1) {
    throw refusal(`a second statement begins at ${placeOf(text, tokens[end + 1]!.from)}. Ask one at a time.`);
  }
  const first = tokens[0];
  if (first?.kind !== 'word' || !OPENING.has(plain(first))) {
    const found = first ? `"${first.text.slice(0, 40)}" at ${placeOf(text, first.from)}` : 'nothing';
    throw refusal(`expected a statement that begins with a reading clause; got ${found}. ${CURE}`);
  }
  for (const [i, token] of tokens.entries()) {
    if (token.kind === 'word' && WRITING.has(plain(token)) && !isName(tokens, i)) {
      throw refusal(
        `${plain(token)} at ${placeOf(text, token.from)}. ${CURE} If it is the name of a variable, put it in backticks.`,
      );
    }
    requireKnownCall(text, tokens, i);
  }
}

/** A word as keywords are compared: letters that fold to ASCII count as ASCII, in case an engine folds them too. */
function plain(token: Token): string {
  return token.text.normalize('NFKC').toUpperCase();
}

const isSign = (token: Token | undefined, ...signs: readonly string[]) =>
  token?.kind === 'sign' && signs.includes(token.text);

/**
 * Whether the word can only be a name here: a label or type (`:Set`, `|Set`, `&Set`, `!Set`), a property (`n.set`) or the
 * key of a map (`{set: 1}`). Not behind a number's point: `1. SET` is a number and a clause.
 */
function isName(tokens: readonly Token[], i: number): boolean {
  const before = tokens[i - 1];
  const after = tokens[i + 1];
  if (isSign(before, ':', '|', '&', '!')) return true;
  if (isSign(before, '.')) {
    const owner = tokens[i - 2];
    return owner !== undefined && owner.kind !== 'number' && !isSign(owner, '.');
  }
  return isSign(before, '{', ',') && isSign(after, ':');
}

function requireKnownCall(text: string, tokens: readonly Token[], i: number): void {
  const token = tokens[i]!;
  if (token.kind === 'word' && plain(token) === 'CALL' && !isName(tokens, i)) {
    const next = tokens[i + 1];
    if (isSign(next, '{', '(')) return;
    const name = dotted(tokens, i + 1);
    if (PROCEDURES.has(name.toLowerCase())) return;
    throw refusal(
      `CALL ${name} at ${placeOf(text, token.from)}: expected one of ${[...PROCEDURES].join(', ')}, or a subquery CALL {…}.`,
    );
  }
  if (isSign(token, '(')) requireKnownFunction(text, tokens, i);
}

/** Looks at what is called, backwards from its bracket: a range (`0..apoc.load.json(`) may stand right before a name. */
function requireKnownFunction(text: string, tokens: readonly Token[], open: number): void {
  const last = tokens[open - 1];
  if (!isWordLike(last)) return;
  let first = open - 1;
  while (isSign(tokens[first - 1], '.') && isWordLike(tokens[first - 2])) first -= 2;
  // `CALL name(` was judged as a procedure.
  const before = tokens[first - 1];
  if (before?.kind === 'word' && plain(before) === 'CALL' && !isName(tokens, first - 1)) return;
  const place = placeOf(text, tokens[first]!.from);
  const name = dotted(tokens, first);
  if (last?.kind === 'quoted-name') {
    // Some engines split such a name at its points: `apoc.load.json`(…).
    throw refusal(`\`${last.text}\`() at ${place}: the name of a function stands without backticks.`);
  }
  if (first === open - 1) {
    if (!OUTSIDE.test(plain(last!))) return;
    throw refusal(`${name}() at ${place}: it is none of the functions that only compute.`);
  }
  if (FUNCTION_SPACES.has(tokens[first]!.text.toLowerCase())) return;
  throw refusal(`${name}() at ${place}: plug-in functions may do anything. Use built-in ones.`);
}

const isWordLike = (token: Token | undefined) => token?.kind === 'word' || token?.kind === 'quoted-name';

/** The dotted name that begins at a token. */
function dotted(tokens: readonly Token[], from: number): string {
  const parts: string[] = [];
  for (let at = from; isWordLike(tokens[at]); at += 2) {
    // A point inside a quoted name is part of it, and must not count as a separator.
    parts.push(tokens[at]!.text.replaceAll('.', '\u2024'));
    if (!isSign(tokens[at + 1], '.')) break;
  }
  return parts.join('.');
}

function refusal(what: string): MusterError {
  return new MusterError('CYPHER_REFUSED', `The Cypher statement is refused: ${what}`);
}
