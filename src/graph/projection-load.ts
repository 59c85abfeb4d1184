/** Loads the tables of a graph into an empty database of the engine. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Properties } from '../../schemas/define.ts';
import { type GraphNode, nodeId } from '../ports.ts';
import type { Engine } from './projection-engine.ts';
import type { ProjectionTables } from './projection-tables.ts';

/** Stands between the elements of a list in a cell; no text that a person wrote holds it. */
const UNIT = '\u001f';
/** A list without elements; an empty cell would be null. */
const NOTHING = '\u001e';

/** Fills an empty database; `folder` holds the rows while they are loaded. */
export async function loadTables(engine: Engine, folder: string, tables: ProjectionTables): Promise<void> {
  await engine.run('BEGIN TRANSACTION');
  for (const { label, columns, nodes } of tables.nodes) {
    const list = [...columns].map(([name, type]) => `, ${quote(name)} ${type}`).join('');
    await engine.run(`CREATE NODE TABLE ${quote(label)} (\`_key\` STRING PRIMARY KEY${list})`);
    const rows = uniqueIds(nodes).map(([id, node]) => [
      id,
      ...[...columns.keys()].map((name) => propertyOf(node.properties, name)),
    ]);
    await copy(engine, folder, quote(label), [['_key', 'STRING'], ...columns], rows);
  }
  for (const { type, pairs } of tables.relationships) {
    const list = pairs.map(({ from, to }) => `FROM ${quote(from)} TO ${quote(to)}`).join(', ');
    await engine.run(`CREATE REL TABLE ${quote(type)} (${list})`);
    for (const { from, to, edges } of pairs) {
      const rows = edges.map((edge) => [nodeId(edge.from), nodeId(edge.to)]);
      const pair = pairs.length > 1 ? ` (from=${text(from)}, to=${text(to)})` : '';
      await copy(
        engine,
        folder,
        quote(type),
        [
          ['from', 'STRING'],
          ['to', 'STRING'],
        ],
        rows,
        pair,
      );
    }
  }
  await engine.run('COMMIT');
}

/** A key that stands twice is what a rule must be able to find, so it must not keep the graph from being loaded. */
function uniqueIds(nodes: readonly GraphNode[]): [id: string, node: GraphNode][] {
  const seen = new Map<string, number>();
  return nodes.map((node) => {
    const id = nodeId(node);
    const before = seen.get(id) ?? 0;
    seen.set(id, before + 1);
    return [before === 0 ? id : `${id}#${before}`, node];
  });
}

function propertyOf(properties: Properties, name: string): unknown {
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``;
const text = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** Loads rows from a file whose cells are all texts, and casts them: the engine's own guess makes 1.1 of "1.10". */
async function copy(
  engine: Engine,
  folder: string,
  table: string,
  columns: readonly (readonly [name: string, type: string])[],
  rows: readonly (readonly unknown[])[],
  pair = '',
): Promise<void> {
  if (rows.length === 0) return;
  const file = join(folder, 'rows.csv');
  const lines = rows.map((row) => row.map((value, i) => cell(value, columns[i]![1].endsWith('[]'))).join(','));
  await writeFile(file, `${columns.map((_, i) => `c${i}`).join(',')}\n${lines.join('\n')}\n`);
  const read = columns.map(([, type], i) => typed(`c${i}`, type)).join(', ');
  const names = columns.map((_, i) => `c${i} STRING`).join(', ');
  await engine.run(
    `COPY ${table} FROM (LOAD WITH HEADERS (${names}) FROM ${text(file)} (HEADER=true, PARALLEL=false, ESCAPE='"') RETURN ${read})${pair}`,
  );
  await rm(file);
}

/** Nothing is an empty cell; everything else is quoted. */
function cell(value: unknown, isList: boolean): string {
  if (value === null || value === undefined) return '';
  const values = Array.isArray(value) ? value : isList ? [value] : undefined;
  const written = values ? (values.length === 0 ? NOTHING : values.map(listed).join(UNIT)) : String(value);
  return `"${written.replaceAll('\u0000', '\ufffd').replaceAll('"', '""')}"`;
}

const listed = (element: unknown) => String(element).replaceAll(UNIT, '\ufffd').replaceAll(NOTHING, '\ufffd');

function typed(name: string, type: string): string {
  if (type === 'STRING') return name;
  if (!type.endsWith('[]')) return `CAST(${name} AS ${type})`;
  const split = `string_split(${name}, '${UNIT}')`;
  return `CASE WHEN ${name} = '${NOTHING}' THEN CAST([] AS ${type}) ELSE ${type === 'STRING[]' ? split : `CAST(${split} AS ${type})`} END`;
}
