/** The graph as GraphML: labels, relationship types and attributes as typed data keys. */
import type { MasterSchema, PropertyValue } from '../../../schemas/define.ts';
import { type GraphSnapshot, nodeId } from '../../ports.ts';
import type { ExportFile } from '../file.ts';
import { byText } from '../natural-order.ts';
import { xmlText } from '../safe-text.ts';
import { LIST_SEPARATOR } from './csv.ts';
import { orderedGraph } from './ordered.ts';

type Kind = 'string' | 'double' | 'boolean';

interface DataKey {
  readonly id: string;
  readonly name: string;
  readonly kind: Kind;
}

/**
 * `graph.graphml`. Ids are `n0`…, because GraphML allows no more than a word; the business key is in the attributes. The
 * label stands in `labels`, a relationship's type in `label`. Lists are joined with `; `. A name that is a number in one
 * entity and a text in another has a key for each.
 */
export function graphMl(graph: GraphSnapshot, schema: MasterSchema): ExportFile {
  const { nodes, relationships } = orderedGraph(graph, schema);
  const keys = dataKeys(nodes.flatMap(({ properties }) => properties));
  const ids = new Map(nodes.map((node, at) => [nodeId(node), `n${at}`]));
  const nodeLines = nodes.map(({ entity, key, properties }) => {
    const data = properties.map(([name, value]) => {
      const { id } = keys.get(keyName(name, kindOf(value)))!;
      return `<data key="${id}">${xmlText(textOf(value))}</data>`;
    });
    return `    <node id="${ids.get(nodeId({ entity, key }))}"><data key="labels">${xmlText(entity)}</data>${data.join('')}</node>`;
  });
  const edgeLines = relationships.flatMap(({ type, from, to }) => {
    const [source, target] = [ids.get(nodeId(from)), ids.get(nodeId(to))];
    // An edge to a node that the graph does not hold would make the file invalid.
    if (source === undefined || target === undefined) return [];
    return [`source="${source}" target="${target}"><data key="label">${xmlText(type)}</data></edge>`];
  });
  const content = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">',
    '  <key id="labels" for="node" attr.name="labels" attr.type="string"/>',
    '  <key id="label" for="edge" attr.name="label" attr.type="string"/>',
    ...[...keys.values()].map(
      ({ id, name, kind }) => `  <key id="${id}" for="node" attr.name="${xmlText(name)}" attr.type="${kind}"/>`,
    ),
    '  <graph id="G" edgedefault="directed">',
    ...nodeLines,
    ...edgeLines.map((line, at) => `    <edge id="e${at}" ${line}`),
    '  </graph>',
    '</graphml>',
    '',
  ].join('\n');
  return { path: 'graph.graphml', content, what: `GraphML: ${nodeLines.length} nodes, ${edgeLines.length} edges` };
}

function dataKeys(properties: readonly (readonly [name: string, value: PropertyValue])[]): Map<string, DataKey> {
  const met = new Map(
    properties.map(([name, value]) => [keyName(name, kindOf(value)), { name, kind: kindOf(value) }] as const),
  );
  return new Map(
    [...met]
      .sort(([a], [b]) => byText(a, b))
      .map(([key, { name, kind }], at) => [key, { id: `d${at}`, name, kind }] as const),
  );
}

function keyName(name: string, kind: Kind): string {
  return `${name} ${kind}`;
}

function kindOf(value: PropertyValue): Kind {
  return typeof value === 'number' ? 'double' : typeof value === 'boolean' ? 'boolean' : 'string';
}

function textOf(value: PropertyValue): string {
  return typeof value === 'object' ? value.join(LIST_SEPARATOR) : String(value);
}
