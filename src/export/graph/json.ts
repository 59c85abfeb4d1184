/**
 * The whole graph as JSON, one node and one relationship on a line:
 * `{"projectId": …, "nodes": [{label, props}], "relationships": [{type, from: {label, key}, to}]}`, which
 * `muster score --truth` reads.
 */
import type { MasterSchema } from '../../../schemas/define.ts';
import type { GraphSnapshot, NodeKey } from '../../ports.ts';
import type { ExportFile } from '../file.ts';
import { orderedGraph } from './ordered.ts';

/** `graph.json`. The scope stands at the top when the graph has only one. */
export function graphJson(graph: GraphSnapshot, schema: MasterSchema): ExportFile {
  const { nodes, relationships } = orderedGraph(graph, schema);
  const keys = new Map(schema.entities.map(({ name, key }) => [name, key]));
  const end = ({ entity, key }: NodeKey) => ({
    label: entity,
    key: Object.fromEntries((keys.get(entity) ?? []).map((name, at) => [name, key[at]])),
  });
  const scopes = new Set(nodes.map(({ key }) => key[0]));
  const [scope] = scopes;
  const head = scopes.size === 1 ? `${JSON.stringify(schema.scope)}: ${JSON.stringify(scope)},\n` : '';
  const nodeLines = nodes.map(({ entity, properties }) =>
    JSON.stringify({ label: entity, props: Object.fromEntries(properties) }),
  );
  const edgeLines = relationships.map(({ type, from, to }) => JSON.stringify({ type, from: end(from), to: end(to) }));
  return {
    path: 'graph.json',
    content: `{${head}"nodes": [\n${nodeLines.join(',\n')}\n],\n"relationships": [\n${edgeLines.join(',\n')}\n]}\n`,
    what: `the whole graph: ${nodes.length} nodes, ${relationships.length} relationships`,
  };
}
