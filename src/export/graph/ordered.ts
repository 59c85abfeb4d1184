/** The graph in the one order that every export of it shows, so that equal graphs are equal bytes. */
import type { EntityDefinition, MasterSchema, PropertyValue } from '../../../schemas/define.ts';
import { type GraphNode, type GraphRelationship, type GraphSnapshot, nodeId } from '../../ports.ts';
import { byKey, byText } from '../natural-order.ts';

export interface OrderedNode {
  readonly entity: string;
  readonly key: readonly (string | number)[];
  /** In the order of {@link attributesOf}; what has no value is not there. */
  readonly properties: readonly (readonly [name: string, value: PropertyValue])[];
}

export interface OrderedGraph {
  /** In schema order of the entities, then in key order. */
  readonly nodes: readonly OrderedNode[];
  /** By type, then by the places of their ends. */
  readonly relationships: readonly GraphRelationship[];
}

/** Entities and relationship types in schema order; those that the schema does not know come last, by name. */
export function orderedGraph(graph: GraphSnapshot, schema: MasterSchema): OrderedGraph {
  const entities = new Map(schema.entities.map((entity, at) => [entity.name, { entity, at }]));
  const last = entities.size;
  const nodes = [...graph.nodes].sort(
    (a, b) =>
      (entities.get(a.entity)?.at ?? last) - (entities.get(b.entity)?.at ?? last) ||
      byText(a.entity, b.entity) ||
      byKey(a.key, b.key),
  );
  const place = new Map(nodes.map((node, at) => [nodeId(node), at]));
  const placeOf = (end: GraphRelationship['from']) => place.get(nodeId(end)) ?? nodes.length;
  return {
    nodes: nodes.map((node) => orderedNode(node, entities.get(node.entity)?.entity, schema)),
    relationships: [...graph.relationships].sort(
      (a, b) => byText(a.type, b.type) || placeOf(a.from) - placeOf(b.from) || placeOf(a.to) - placeOf(b.to),
    ),
  };
}

/** Key first, then the attributes of the entity, the common ones and the engine's, as the schema lists them. */
export function attributesOf(entity: EntityDefinition, { common }: MasterSchema): string[] {
  return [
    ...new Set([
      ...entity.key,
      ...Object.keys(entity.attributes.shape),
      ...Object.keys(common.agent.shape),
      ...common.engine,
    ]),
  ];
}

function orderedNode(node: GraphNode, entity: EntityDefinition | undefined, schema: MasterSchema): OrderedNode {
  const known = entity ? attributesOf(entity, schema) : [];
  const names = [
    ...known,
    ...Object.keys(node.properties)
      .filter((name) => !known.includes(name))
      .sort(byText),
  ];
  // The key is the node's identity, whatever its properties say.
  const key = new Map(entity?.key.map((name, at) => [name, node.key[at]]));
  const properties = names.flatMap((name) => {
    const value = key.get(name) ?? (Object.hasOwn(node.properties, name) ? node.properties[name] : undefined);
    return value === undefined || value === null ? [] : [[name, value] as const];
  });
  return { entity: node.entity, key: node.key, properties };
}
