/** Relationships that are drawn once no task works any more, from the keys and paths that the graph already holds. */
import type { MasterSchema, RelationshipDefinition } from '../../schemas/define.ts';
import type { Finding } from '../../schemas/run-event.ts';
import { lateEdges } from '../output/links.ts';
import { type GraphRelationship, type GraphSnapshot, type NodeKey, nodeId } from '../ports.ts';

export interface LateLinks {
  readonly relationships: readonly GraphRelationship[];
  /** Keys in the text that name nothing. */
  readonly dangling: readonly Finding[];
}

/** Which edges follow from the graph by the schema's late relationships; those that exist already are among them. */
export function lateLinks(schema: MasterSchema, scope: string, snapshot: GraphSnapshot): LateLinks {
  const present = new Set(snapshot.nodes.map(nodeId));
  const drawn = new Map<string, GraphRelationship>();
  const dangling: Finding[] = [];
  const draw = (edge: GraphRelationship) => drawn.set(`${edge.type} ${nodeId(edge.from)} ${nodeId(edge.to)}`, edge);
  const context = { schema, scope, instance: { id: '@link', task: '@link' }, sources: [], readable: [] };
  for (const node of snapshot.nodes) {
    for (const { type, from, to, far, definition } of lateEdges(context, node)) {
      if (present.has(nodeId(far))) draw({ type, from, to });
      else dangling.push(danglingFinding(definition, node, far));
    }
  }
  for (const definition of schema.relationships) {
    for (const edge of edgesAlong(definition, snapshot)) draw(edge);
  }
  return { relationships: [...drawn.values()], dangling };
}

function danglingFinding({ type, required }: RelationshipDefinition, node: NodeKey, far: NodeKey): Finding {
  return {
    rule: 'late-link',
    severity: required ? 'error' : 'warning',
    message: `${node.entity} ${keyText(node)} names the ${far.entity} ${keyText(far)} (${type}), which does not exist`,
    hint: 'correct the key, or add what it names',
  };
}

const keyText = ({ key }: NodeKey) => key.slice(1).join(' / ');

/** The ends of the path `along`, from each node of the from-entity: `>TYPE` follows the arrow, `<TYPE` goes against it. */
function edgesAlong({ type, from, to, along }: RelationshipDefinition, snapshot: GraphSnapshot): GraphRelationship[] {
  if (!along) return [];
  let ends = snapshot.nodes
    .filter(({ entity }) => entity === from)
    .map(({ entity, key }) => ({
      start: { entity, key },
      at: new Map([[nodeId({ entity, key }), { entity, key } as NodeKey]]),
    }));
  for (const step of along) {
    const next = new Map<string, NodeKey[]>();
    for (const edge of snapshot.relationships) {
      if (edge.type !== step.slice(1)) continue;
      const [near, far] = step.startsWith('>') ? [edge.from, edge.to] : [edge.to, edge.from];
      next.set(nodeId(near), [...(next.get(nodeId(near)) ?? []), far]);
    }
    ends = ends.map(({ start, at }) => ({
      start,
      at: new Map([...at.keys()].flatMap((id) => (next.get(id) ?? []).map((far) => [nodeId(far), far]))),
    }));
  }
  return ends.flatMap(({ start, at }) =>
    [...at.values()].filter(({ entity }) => entity === to).map((end) => ({ type, from: start, to: end })),
  );
}
