/**
 * Splits Cypher into tokens, as far as one must know them to tell a clause from a name.
 *
 * Follows the lexical rules of Neo4j's Cypher 5 manual (naming, comments, string literals). Everything that is neither
 * name, number, text nor comment is one token for each character.
 */
import { MusterError } from '../errors.ts';

export interface Token {
  readonly kind: 'word' | 'quoted-name' | 'parameter' | 'number' | 'text' | 'sign';
  /** As it stands in the statement; of a quoted name, the name without its quotes. */
  readonly text: string;
  /** Offsets in the statement; `to` is behind the last character. */
  readonly from: number;
  readonly to: number;
}

const NAME = /[\p{L}\p{Nl}_][\p{L}\p{M}\p{N}\p{Pc}]*/uy;
/** Not the point of `1.`, which is followed by no digit: that of a range, `1..5`. */
const NUMBER = /0[xX][\da-fA-F_]+|0[oO][0-7_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?[fFdD]?/y;
const SPACE_OR_COMMENT = /(?:\s+|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/)+/y;
const TEXT = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y;
const QUOTED_NAME = /`(?:[^`]|``)*`/y;
const PARAMETER = /\$(?:\d+|[\p{L}\p{Nl}_][\p{L}\p{M}\p{N}\p{Pc}]*|`(?:[^`]|``)*`)/uy;
const NAME_GOES_ON = /[\p{L}\p{M}\p{N}\p{Pc}]/uy;

/**
 * @throws MusterError CYPHER_INVALID for a text, quoted name or comment that never ends, and for a number that a name
 * follows at once: some engines read `0SET` as a number and a clause.
 */
export function tokensOf(statement: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < statement.length; ) {
    const read = (pattern: RegExp): string | undefined => {
      pattern.lastIndex = at;
      return pattern.exec(statement)?.[0];
    };
    const skipped = read(SPACE_OR_COMMENT);
    if (skipped !== undefined) {
      at += skipped.length;
      continue;
    }
    const [kind, text] = next(read, statement, at);
    tokens.push({
      kind,
      text: kind === 'quoted-name' ? text.slice(1, -1).replaceAll('``', '`') : text,
      from: at,
      to: at + text.length,
    });
    at += text.length;
    if (kind === 'number' || /^\$\d/.test(text)) requireEnd(statement, read(NAME_GOES_ON), at);
  }
  return tokens;
}

function next(read: (pattern: RegExp) => string | undefined, statement: string, at: number): [Token['kind'], string] {
  const opened = statement[at]!;
  const quoted = read(TEXT);
  if (quoted !== undefined) return ['text', quoted];
  const name = read(QUOTED_NAME);
  if (name !== undefined) return ['quoted-name', name];
  if (opened === "'" || opened === '"' || opened === '`' || statement.startsWith('/*', at)) {
    throw new MusterError(
      'CYPHER_INVALID',
      `The Cypher statement has ${opened === '/' ? 'a comment /*' : `a ${opened}`} at ${placeOf(statement, at)} that is never closed. Close it.`,
    );
  }
  for (const [kind, pattern] of [
    ['parameter', PARAMETER],
    ['number', NUMBER],
    ['word', NAME],
  ] as const) {
    const found = read(pattern);
    if (found !== undefined) return [kind, found];
  }
  return ['sign', opened];
}

function requireEnd(statement: string, follows: string | undefined, at: number): void {
  if (follows === undefined) return;
  throw new MusterError(
    'CYPHER_INVALID',
    `The Cypher statement has a number at ${placeOf(statement, at)} that "${follows}" follows at once. Put a space between.`,
  );
}

/** `line:column`, both from 1. */
export function placeOf(statement: string, offset: number): string {
  const before = statement.slice(0, offset).split('\n');
  return `${before.length}:${before.at(-1)!.length + 1}`;
}
