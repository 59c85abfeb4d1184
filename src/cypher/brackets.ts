/** Finds one's way in the tokens of a statement: brackets, levels, and where a clause ends. */
import type { Token } from './token.ts';

/** A part of a statement and what stands in its place. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export interface Statement {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** Index of a bracket → index of its partner. */
  readonly partner: ReadonlyMap<number, number>;
  /** Index of the innermost bracket open at each token; of a bracket, the one around it. */
  readonly around: readonly (number | undefined)[];
}

export const isSign = (token: Token | undefined, ...signs: readonly string[]): boolean =>
  token?.kind === 'sign' && signs.includes(token.text);
export const isWord = (token: Token | undefined, ...words: readonly string[]): boolean =>
  token?.kind === 'word' && words.includes(token.text.toUpperCase());
export const isNamed = (token: Token | undefined): boolean => token?.kind === 'word' || token?.kind === 'quoted-name';

/** A name as it stands in a statement. */
export const written = ({ kind, text }: Token): string =>
  kind === 'quoted-name' ? `\`${text.replaceAll('`', '``')}\`` : text;

export function withBrackets(text: string, tokens: readonly Token[]): Statement {
  const partner = new Map<number, number>();
  const open: number[] = [];
  const around = tokens.map((token, i) => {
    if (isSign(token, ')', ']', '}')) {
      const start = open.pop();
      if (start !== undefined) partner.set(start, i).set(i, start);
      return open.at(-1);
    }
    const outer = open.at(-1);
    if (isSign(token, '(', '[', '{')) open.push(i);
    return outer;
  });
  return { text, tokens, partner, around };
}

const CLAUSES = ['MATCH', 'OPTIONAL', 'WHERE', 'WITH', 'RETURN', 'UNWIND', 'UNION', 'CALL', 'ORDER', 'SKIP', 'LIMIT'];

/** Whether a clause begins at the token: `WITH` does, that of `STARTS WITH` and a property of that name do not. */
export function beginsClause({ tokens }: Statement, i: number): boolean {
  if (!isWord(tokens[i], ...CLAUSES) || isSign(tokens[i - 1], '.', ':', '|', '&', '!')) return false;
  if (isSign(tokens[i - 1], '{', ',') && isSign(tokens[i + 1], ':')) return false;
  return !(isWord(tokens[i], 'WITH') && isWord(tokens[i - 1], 'STARTS', 'ENDS'));
}

/** Index behind the last token of what begins at `from`: the next clause, the end of the brackets around it, or the end. */
export function clauseEnd(statement: Statement, from: number): number {
  const { tokens, around, partner } = statement;
  const level = around[from];
  const close = level === undefined ? tokens.length : (partner.get(level) ?? tokens.length);
  for (let i = from; i < close; i++) {
    if (around[i] === level && (beginsClause(statement, i) || isSign(tokens[i], ';'))) return i;
  }
  return close;
}
