/** The Cypher of a commit as text that people can read, and paste into Neo4j Browser or cypher-shell. Pure. */
import type { MasterSchema } from '../../schemas/define.ts';
import type { GraphBatch } from '../ports.ts';
import { constraintStatement, type GraphShape, graphShape, indexStatement } from './neo4j-shape.ts';
import { type WriteStatement, writeStatements } from './neo4j-statements.ts';
import { isFloatList, isInteger } from './neo4j-values.ts';

/**
 * What opening the database and committing `batch` at `time` (ISO 8601) would run, in this order and with these values.
 * @throws MusterError SCHEMA_INVALID or GRAPH_COMMIT, as the commit would.
 */
export function dryRun(batch: GraphBatch, schema: MasterSchema, time: string): string {
  const shape = graphShape(schema);
  return `${constraintTexts(shape)}\n${formatStatements(writeStatements(batch, shape, time))}`;
}

/** Each statement with its parameters written out; a line for each row. */
export function formatStatements(statements: readonly WriteStatement[]): string {
  const count = statements.length;
  const head = `// One transaction of ${count} statement${count === 1 ? '' : 's'}: all of it is written, or nothing.\n`;
  return head + statements.map((statement, at) => formatStatement(statement, at + 1, count)).join('');
}

function constraintTexts(shape: GraphShape): string {
  const texts = [...shape.entities.values()].flatMap((entity) => [constraintStatement(entity), indexStatement(entity)]);
  return `// Constraints and indexes; where they exist this changes nothing.\n${texts.map((text) => `${text};\n`).join('')}`;
}

const TITLES = { lock: 'Lock in key order', nodes: 'Upsert', relationships: 'Connect' } as const;

function formatStatement({ kind, what, text, rows, parameters }: WriteStatement, at: number, of: number): string {
  const list = `[\n${rows.map((row) => `  ${literal(row)}`).join(',\n')}\n]`;
  // Names and literals only: nothing else of a statement's text begins with a dollar sign.
  const whole = text.replace(/\$(\w+)/g, (_, name: string) => (name === 'rows' ? list : literal(parameters[name])));
  return `\n// ${at}/${of} ${TITLES[kind]} ${withoutControls(what)}: ${rows.length} row${rows.length === 1 ? '' : 's'}\n${whole};\n`;
}

/** A value as Cypher writes it. */
export function literal(value: unknown, asFloat = false): string {
  if (typeof value === 'string') return `'${escaped(value)}'`;
  if (typeof value === 'number') return numberLiteral(value, asFloat);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) {
    const floats = isFloatList(value);
    return `[${value.map((each) => literal(each, floats)).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([name, each]) => `${mapKey(name)}: ${literal(each)}`);
    return `{${pairs.join(', ')}}`;
  }
  return 'null';
}

function numberLiteral(value: number, asFloat: boolean): string {
  const text = String(value === 0 ? 0 : value);
  return (isInteger(value) && !asFloat) || /[.e]/.test(text) ? text : `${text}.0`;
}

/** Line ends and every other control character become escapes, so that a row stays one line and cannot forge another. */
function escaped(text: string): string {
  return withoutControls(text.replace(/[\\']/g, '\\$&'));
}

/** In a name a backslash has no escape but its number: `\u0041` would become an A before the name is read. */
function mapKey(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  return `\`${withoutControls(name.replaceAll('\\', '\\u005c').replaceAll('`', '``'))}\``;
}

function withoutControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) =>
    Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
