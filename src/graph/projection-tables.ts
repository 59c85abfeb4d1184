/** The typed tables that hold a graph in Ladybug, read off the schema and the values at hand. */
import type { MasterSchema } from '../../schemas/define.ts';
import { standsAt } from '../output/task-context.ts';
import { type GraphNode, type GraphRelationship, type GraphSnapshot, nodeId } from '../ports.ts';
import { storedKind } from '../schema/attribute-kind.ts';

type ColumnType = `${'STRING' | 'INT64' | 'DOUBLE' | 'BOOL'}${'' | '[]'}`;

export interface NodeTable {
  readonly label: string;
  readonly columns: ReadonlyMap<string, ColumnType>;
  readonly nodes: readonly GraphNode[];
}

export interface RelationshipTable {
  readonly type: string;
  readonly pairs: readonly {
    readonly from: string;
    readonly to: string;
    readonly edges: readonly GraphRelationship[];
  }[];
}

export interface ProjectionTables {
  readonly nodes: readonly NodeTable[];
  readonly relationships: readonly RelationshipTable[];
}

/**
 * A table for each entity, empty ones included: Ladybug refuses a label or property that no table declares. An
 * attribute has one type in all tables that have it, so that a match without label can read it.
 */
export function projectionTables(schema: MasterSchema, snapshot: GraphSnapshot): ProjectionTables {
  return { nodes: nodeTables(schema, snapshot), relationships: relationshipTables(schema, snapshot) };
}

function nodeTables(schema: MasterSchema, { nodes }: GraphSnapshot): NodeTable[] {
  const declared = new Map<string, Set<string>>();
  const kinds = new Map<string, { scalar: string; isList: boolean; whole: boolean }>();
  const declare = (entity: string, name: string, scalar: string, isList: boolean, whole = true) => {
    declared.set(entity, (declared.get(entity) ?? new Set()).add(name));
    const known = kinds.get(name);
    if (!known) kinds.set(name, { scalar, isList, whole });
    else {
      // Text holds whatever two entities, or a graph of another version of the schema, disagree on.
      if (known.scalar !== scalar) known.scalar = 'text';
      known.isList ||= isList;
      known.whole &&= whole;
    }
  };
  for (const { name: entity, attributes } of schema.entities) {
    declare(entity, schema.scope, 'text', false);
    for (const [name, type] of Object.entries({ ...attributes.shape, ...schema.common.agent.shape })) {
      const { scalar, isList } = storedKind(type);
      declare(entity, name, scalar, isList);
    }
    for (const name of schema.common.engine) declare(entity, name, 'text', false);
  }
  const byEntity = new Map<string, GraphNode[]>(schema.entities.map(({ name }) => [name, []]));
  for (const node of nodes) {
    const list = byEntity.get(node.entity) ?? [];
    byEntity.set(node.entity, list);
    list.push(node);
    for (const [name, value] of Object.entries(node.properties)) {
      const values = (Array.isArray(value) ? value : [value]) as readonly unknown[];
      if (values.length === 0 && !declared.get(node.entity)?.has(name)) declare(node.entity, name, 'text', true);
      for (const each of values) {
        if (each === null || each === undefined) continue;
        const scalar = typeof each === 'string' ? 'text' : typeof each;
        declare(node.entity, name, scalar, Array.isArray(value), scalar !== 'number' || Number.isSafeInteger(each));
      }
    }
  }
  const typeOf = (name: string): ColumnType => {
    const { scalar, isList, whole } = kinds.get(name)!;
    const type = scalar === 'number' ? (whole ? 'INT64' : 'DOUBLE') : scalar === 'boolean' ? 'BOOL' : 'STRING';
    return isList ? `${type}[]` : type;
  };
  return [...byEntity].map(([label, own]) => ({
    label,
    columns: new Map([...(declared.get(label) ?? [])].map((name) => [name, typeOf(name)])),
    nodes: own,
  }));
}

function relationshipTables(schema: MasterSchema, snapshot: GraphSnapshot): RelationshipTable[] {
  const types = new Map<string, Map<string, { from: string; to: string; edges: GraphRelationship[] }>>();
  const pairOf = (type: string, from: string, to: string) => {
    const pairs = types.get(type) ?? new Map<string, { from: string; to: string; edges: GraphRelationship[] }>();
    types.set(type, pairs);
    const pair = pairs.get(`${from} ${to}`) ?? { from, to, edges: [] };
    pairs.set(`${from} ${to}`, pair);
    return pair;
  };
  const names = schema.entities.map(({ name }) => name);
  for (const { type, from, to } of schema.relationships) {
    for (const a of names.filter((name) => standsAt(schema, from, name))) {
      for (const b of names.filter((name) => standsAt(schema, to, name))) pairOf(type, a, b);
    }
  }
  const present = new Set(snapshot.nodes.map(nodeId));
  for (const edge of snapshot.relationships) {
    // A snapshot of a part of the graph may hold an edge that leaves it.
    if (!present.has(nodeId(edge.from)) || !present.has(nodeId(edge.to))) continue;
    pairOf(edge.type, edge.from.entity, edge.to.entity).edges.push(edge);
  }
  return [...types].map(([type, pairs]) => ({ type, pairs: [...pairs.values()] }));
}
