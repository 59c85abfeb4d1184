/** The relationships that follow from a node's attributes, so that nobody has to submit them. */
import type { KeyPart, Properties, RelationshipDefinition } from '../../schemas/define.ts';
import { type GraphNode, type GraphRelationship, type NodeKey, nodeId } from '../ports.ts';
import { entityOf, standsAt, type TaskContext } from './task-context.ts';

/** An edge that an attribute implies. */
export interface LinkedEdge extends GraphRelationship {
  readonly definition: RelationshipDefinition;
  /** The far end: the one that the attribute names. */
  readonly far: NodeKey;
  /** Attribute that names it; absent when constants and the scope do. */
  readonly attribute?: string;
}

/** What of a node its edges follow from. */
type Linking = NodeKey & { readonly attributes: Properties };

/** All edges that the attributes of `node` imply, late ones left out: those are drawn after the run. */
export function linkedEdges(context: TaskContext, node: Linking): readonly LinkedEdge[] {
  return impliedEdges(context, node, false);
}

/** The edges that are drawn after the run, when every node they may lead to is there. */
export function lateEdges(context: TaskContext, { entity, key, properties }: GraphNode): readonly LinkedEdge[] {
  return impliedEdges(context, { entity, key, attributes: properties }, true);
}

function impliedEdges(context: TaskContext, node: Linking, late: boolean): readonly LinkedEdge[] {
  return context.schema.relationships.flatMap((definition) => {
    const { link, resolution } = definition;
    if (!link || (resolution === 'late') !== late) return [];
    const near = 'to' in link ? definition.from : definition.to;
    const where = 'to' in link ? definition.fromWhere : definition.toWhere;
    if (!standsAt(context.schema, near, node.entity) || !fits(node.attributes, where)) return [];
    const farName = 'to' in link ? definition.to : definition.from;
    const parts = 'to' in link ? link.to : link.from;
    const attribute = attributeOf(parts);
    // With "*" an entity may find itself at the far end: the root of everything belongs to nothing.
    const fars = farKeys(context, farName, parts, node.attributes).filter(
      (far) => near !== '*' || nodeId(far) !== nodeId(node),
    );
    return fars.map((far): LinkedEdge => {
      const [from, to] = 'to' in link ? [keyOf(node), far] : [far, keyOf(node)];
      return { definition, type: definition.type, from, to, far, ...(attribute && { attribute }) };
    });
  });
}

/** How many edges of this kind each from-node needs. */
export function leastOf({ perSource, required }: RelationshipDefinition): number {
  return perSource?.min ?? (required ? 1 : 0);
}

/** Whether a node's attributes have the values that narrow an end. */
export function fits(attributes: Properties, where: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(where ?? {}).every(([name, value]) => attributes[name] === value);
}

/** `kind = paper, state = new`. */
export function whereText(where: Readonly<Record<string, unknown>>): string {
  return Object.entries(where)
    .map(([name, value]) => `${name} = ${String(value)}`)
    .join(', ');
}

export function keyOf({ entity, key }: NodeKey): NodeKey {
  return { entity, key };
}

/** One key for each element of a list attribute; none when a part is absent. */
function farKeys(
  context: TaskContext,
  entity: string,
  parts: Readonly<Record<string, KeyPart>>,
  attributes: Properties,
): NodeKey[] {
  let keys: (string | number)[][] = [[context.scope]];
  for (const name of entityOf(context.schema, entity)?.key.slice(1) ?? []) {
    const part = parts[name];
    const value = part && ('constant' in part ? part.constant : attributes[part.attribute]);
    const values = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
    keys = keys.flatMap((key) => values.map((one) => [...key, one as string | number]));
  }
  return keys.map((key) => ({ entity, key }));
}

function attributeOf(parts: Readonly<Record<string, KeyPart>>): string | undefined {
  for (const part of Object.values(parts)) if ('attribute' in part) return part.attribute;
  return undefined;
}
