/** Values and names as they may stand in the text of a Cypher statement; nothing in them can end the text early. */
import type { PropertyValue } from '../../../schemas/define.ts';
import { MusterError } from '../../errors.ts';

/** Names are never escaped: only a plain word may become one. */
const PLAIN = /^[\p{L}_][\p{L}\p{N}_]*$/u;

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

/** A label, type or property name in backticks. @throws MusterError SCHEMA_INVALID when it is not a plain word. */
export function cypherName(name: string): string {
  if (PLAIN.test(name)) return `\`${name}\``;
  throw new MusterError(
    'SCHEMA_INVALID',
    `expected names of letters, digits and _ in the graph, because they become names in Cypher; got ${JSON.stringify(name.slice(0, 100))}. Rename it, or export as JSON`,
  );
}

/** A literal, or an expression that is one: see {@link textLiteral}. */
export function cypherLiteral(value: PropertyValue): string {
  if (typeof value === 'string') return textLiteral(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? integer(value) : float(value);
  if (value.every((each) => typeof each === 'number')) {
    // Neo4j keeps a list as an array of one type: one fraction makes all of them floats.
    const isInteger = value.every((each) => Number.isSafeInteger(each));
    return `[${value.map((each) => (isInteger ? integer(each as number) : float(each as number))).join(', ')}]`;
  }
  return `[${value.map((each) => cypherLiteral(each)).join(', ')}]`;
}

/**
 * A text in single quotes. Older servers turn `\uXXXX` into its character before they look for the end of the text, also
 * behind another backslash, so a backslash and a "u" never stand together: the text is cut between them.
 */
function textLiteral(text: string): string {
  const escaped = text
    // UTF-8 has no halves of pairs.
    .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD')
    .replace(/[\\'\n\r\t\b\f]/g, (character) => ESCAPES[character]!)
    .replace(/\\\\(?=u)/gi, "\\\\' + '");
  return `'${escaped}'`;
}

function integer(value: number): string {
  // -0 is 0: integers have no sign of zero.
  return String(value === 0 ? 0 : value);
}

/** With a point or an exponent, so that it is read as a float; the exponent without its plus sign. */
function float(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  const text = String(value).replace('e+', 'e');
  return /[.e]/.test(text) ? text : `${text}.0`;
}
