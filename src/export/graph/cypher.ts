/**
 * The graph as a script for Neo4j: constraints, nodes, relationships. Everything is MERGE by business key, so running it
 * again changes nothing. Each statement ends with `;` at the end of a line, and no text holds a line end.
 */
import type { EntityDefinition, MasterSchema } from '../../../schemas/define.ts';
import type { GraphRelationship, GraphSnapshot } from '../../ports.ts';
import type { ExportFile } from '../file.ts';
import { cypherLiteral, cypherName } from './cypher-literal.ts';
import { type OrderedNode, orderedGraph } from './ordered.ts';

/** Rows of one statement: quick to run, and a fault names a place that can be found. */
const ROWS = 100;

/**
 * `graph.cypher`. Nodes get the properties that the graph has and keep what else the database holds of them.
 * @throws MusterError SCHEMA_INVALID when a name cannot stand in a statement.
 */
export function graphCypher(graph: GraphSnapshot, schema: MasterSchema): ExportFile {
  const { nodes, relationships } = orderedGraph(graph, schema);
  const entities = new Map(schema.entities.map((entity) => [entity.name, entity]));
  const keyOf = (name: string) => entities.get(name)?.key ?? [];
  const known = nodes.filter((node) => entities.has(node.entity));
  const statements = [
    ...schema.entities.map(constraint),
    ...grouped(known, ({ entity }) => entity).flatMap((group) => merges(group, keyOf(group[0]!.entity))),
    ...grouped(relationships, ({ type, from, to }) => `${type} ${from.entity} ${to.entity}`).flatMap((group) =>
      joins(group, keyOf),
    ),
  ];
  return {
    path: 'graph.cypher',
    content: [
      '// The whole graph. Run it with cypher-shell, as often as you like: it merges by business key.',
      ...statements.map((statement) => `${statement};`),
      '',
    ].join('\n'),
    what: `a script for Neo4j: ${statements.length} statements`,
  };
}

/** The name that muster gives the constraint when it writes to a database itself. */
function constraint({ name, key }: EntityDefinition): string {
  const properties = key.map((attribute) => `n.${cypherName(attribute)}`).join(', ');
  return `CREATE CONSTRAINT ${cypherName(`muster_${name}_key`)} IF NOT EXISTS FOR (n:${cypherName(name)}) REQUIRE (${properties}) IS UNIQUE`;
}

function merges(nodes: readonly OrderedNode[], key: readonly string[]): string[] {
  const pattern = key.map((name) => `${cypherName(name)}: row.${cypherName(name)}`).join(', ');
  return chunks(nodes).map((each) => {
    const rows = each.map(
      ({ properties }) =>
        `  {${properties.map(([name, value]) => `${cypherName(name)}: ${cypherLiteral(value)}`).join(', ')}}`,
    );
    return `UNWIND [\n${rows.join(',\n')}\n] AS row\nMERGE (n:${cypherName(each[0]!.entity)} {${pattern}})\nSET n += row`;
  });
}

function joins(edges: readonly GraphRelationship[], keyOf: (entity: string) => readonly string[]): string[] {
  const { type, from, to } = edges[0]!;
  const pattern = (variable: string, entity: string, at: number) =>
    `(${variable}:${cypherName(entity)} {${keyOf(entity)
      .map((name, part) => `${cypherName(name)}: row[${at}][${part}]`)
      .join(', ')}})`;
  const part = (value: string | number) => cypherLiteral(value);
  return chunks(edges).map((each) => {
    const rows = each.map((one) => `  [[${one.from.key.map(part).join(', ')}], [${one.to.key.map(part).join(', ')}]]`);
    return [
      `UNWIND [\n${rows.join(',\n')}\n] AS row`,
      `MATCH ${pattern('a', from.entity, 0)}`,
      `MATCH ${pattern('b', to.entity, 1)}`,
      `MERGE (a)-[:${cypherName(type)}]->(b)`,
    ].join('\n');
  });
}

/** Groups in the order in which each first occurs. */
function grouped<T>(all: readonly T[], nameOf: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const name = nameOf(one);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

function chunks<T>(all: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += ROWS) parts.push(all.slice(at, at + ROWS));
  return parts;
}
