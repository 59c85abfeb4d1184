/** Reads a whole graph through its port, page by page, in an order that two reads agree on. */
import type { MasterSchema } from '../../schemas/define.ts';
import { type GraphNode, type GraphSnapshot, type GraphStore, nodeId } from '../ports.ts';

/** Nodes of one page: the most that {@link GraphStore.read} gives. */
const PAGE = 1_000;

export interface SnapshotOptions {
  readonly schema: MasterSchema;
  /** Only this scope (the project id); default every scope. */
  readonly scope?: string;
  /** Only what this run wrote; default every run. */
  readonly runId?: string;
}

/** Every node of the schema's entities and every relationship between them. */
export async function readSnapshot(
  store: Pick<GraphStore, 'read' | 'relationships'>,
  { schema, scope, runId }: SnapshotOptions,
): Promise<GraphSnapshot> {
  const narrowed = { ...(scope !== undefined && { scope }), ...(runId !== undefined && { runId }) };
  const nodes: GraphNode[] = [];
  for (const { name: entity } of schema.entities) {
    for (let offset = 0; ; offset += PAGE) {
      const page = await store.read({ entity, ...narrowed, limit: PAGE, offset });
      nodes.push(...page.nodes);
      if (offset + PAGE >= page.total) break;
    }
  }
  const rank = new Map(nodes.map((node, i) => [nodeId(node), i]));
  const at = (end: { entity: string; key: readonly (string | number)[] }) => rank.get(nodeId(end)) ?? nodes.length;
  const relationships = [...(await store.relationships(narrowed))].sort(
    (a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0) || at(a.from) - at(b.from) || at(a.to) - at(b.to),
  );
  return { nodes, relationships };
}
