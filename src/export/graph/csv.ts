/** The graph as CSV: one file for each entity and one for each relationship type, with the business keys. */
import type { MasterSchema, PropertyValue } from '../../../schemas/define.ts';
import type { GraphRelationship, GraphSnapshot, NodeKey } from '../../ports.ts';
import { type CellValue, csvFile } from '../csv-file.ts';
import type { ExportFile } from '../file.ts';
import { FileNames, fileNameOf } from '../file-name.ts';
import { attributesOf, type OrderedNode, orderedGraph } from './ordered.ts';

/** Elements of a list stand in one cell, joined by this. */
export const LIST_SEPARATOR = '; ';

/** `nodes/{entity}.csv` and `relationships/{type}.csv` for all of the schema, without rows where there are none. */
export function graphCsv(graph: GraphSnapshot, schema: MasterSchema): ExportFile[] {
  const { nodes, relationships } = orderedGraph(graph, schema);
  const names = { nodes: new FileNames(), relationships: new FileNames() };
  // Relationship types keep their underscores.
  const file = (folder: 'nodes' | 'relationships', name: string, content: string, rows: number): ExportFile => ({
    path: `${folder}/${names[folder].take(name.split('_').map(fileNameOf).join('_'))}.csv`,
    content,
    what: `${rows} ${name}`,
  });
  const entities = schema.entities.map((entity) => {
    const own = nodes.filter((node) => node.entity === entity.name);
    const header = attributesOf(entity, schema);
    const rows = own.map((node) => rowOf(node, header));
    return file('nodes', entity.name, csvFile(header, rows), rows.length);
  });
  const types = [
    ...new Set([...schema.relationships.map(({ type }) => type), ...relationships.map(({ type }) => type)]),
  ];
  const edges = types.map((type) => {
    const own = relationships.filter((one) => one.type === type);
    return file('relationships', type, relationshipCsv(type, own, schema), own.length);
  });
  return [...entities, ...edges];
}

function rowOf(node: OrderedNode, header: readonly string[]): CellValue[] {
  const values = new Map(node.properties);
  return header.map((name) => cellOf(values.get(name)));
}

function cellOf(value: PropertyValue | undefined): CellValue {
  if (value === undefined) return null;
  return typeof value === 'object' ? value.join(LIST_SEPARATOR) : value;
}

/**
 * Columns `from`, `from.{key}…`, `to`, `to.{key}…`: the entity of each end and the keys of all entities that the type
 * can have there, so that a type between several entities fits one table.
 */
function relationshipCsv(type: string, own: readonly GraphRelationship[], schema: MasterSchema): string {
  const keyOf = new Map(schema.entities.map(({ name, key }) => [name, key]));
  const defined = schema.relationships.filter((one) => one.type === type);
  const side = (end: 'from' | 'to') => {
    const entities = defined.flatMap((one) => (one[end] === '*' ? [...keyOf.keys()] : [one[end]]));
    const met = own.map((one) => one[end].entity);
    return [...new Set([...entities, ...met].flatMap((entity) => keyOf.get(entity) ?? []))];
  };
  const [from, to] = [side('from'), side('to')];
  const header = ['from', ...from.map((name) => `from.${name}`), 'to', ...to.map((name) => `to.${name}`)];
  const cells = ({ entity, key }: NodeKey, columns: readonly string[]): CellValue[] => {
    const values = new Map((keyOf.get(entity) ?? []).map((name, at) => [name, key[at]]));
    return [entity, ...columns.map((name) => values.get(name) ?? null)];
  };
  return csvFile(
    header,
    own.map((one) => [...cells(one.from, from), ...cells(one.to, to)]),
  );
}
