/** The 55 single changes that must each trip one rule, and what they do to a graph. */
import { readFileSync } from 'node:fs';
import type { Properties } from '../../schemas/define.ts';
import type { GraphNode, GraphRelationship, GraphSnapshot, NodeKey } from '../../src/ports.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';
import { entityNamed } from '../schemas/construction/judge-node.ts';

interface End {
  readonly label: string;
  readonly key?: Readonly<Record<string, string | number>>;
}

type Operation =
  | { readonly op: 'set'; readonly node: End; readonly props: Properties }
  | { readonly op: 'addNode'; readonly label: string; readonly props: Properties }
  | { readonly op: 'removeNode'; readonly node: End }
  | { readonly op: 'addRelationship'; readonly type: string; readonly from: End; readonly to: End }
  | { readonly op: 'removeRelationship'; readonly type: string; readonly from?: End; readonly to?: End };

export interface Mutation {
  readonly rule: string;
  readonly name: string;
  readonly change: string;
  /** Every rule that finds something on the changed graph. */
  readonly trips: readonly string[];
  readonly ops: readonly Operation[];
}

export const mutations = JSON.parse(
  readFileSync(new URL('fixtures/mutations.json', import.meta.url), 'utf8'),
) as readonly Mutation[];

/** The correct graph with one change. Relationships keep their ends, also when a key changes. */
export function mutated({ ops }: Pick<Mutation, 'ops'>): GraphSnapshot {
  let { nodes, relationships } = expectedSnapshot();
  for (const op of ops) {
    if (op.op === 'set') {
      nodes = nodes.map((node) =>
        is(node, op.node) ? { ...node, properties: changed(node.properties, op.props) } : node,
      );
    } else if (op.op === 'addNode') {
      const key = entityNamed(op.label).key.map((name) => (op.props[name] ?? 'none') as string);
      nodes = [...nodes, { entity: op.label, key, properties: op.props }];
    } else if (op.op === 'removeNode') {
      nodes = nodes.filter((node) => !is(node, op.node));
      relationships = relationships.filter(({ from, to }) => !is(from, op.node) && !is(to, op.node));
    } else if (op.op === 'addRelationship') {
      relationships = [...relationships, { type: op.type, from: keyOf(op.from), to: keyOf(op.to) }];
    } else {
      const hit = (edge: GraphRelationship) =>
        edge.type === op.type && (!op.from || is(edge.from, op.from)) && (!op.to || is(edge.to, op.to));
      relationships = relationships.filter((edge) => !hit(edge));
    }
  }
  return { nodes, relationships };
}

function changed(properties: Properties, props: Properties): Properties {
  return Object.fromEntries(Object.entries({ ...properties, ...props }).filter(([, value]) => value !== null));
}

function keyOf({ label, key = {} }: End): NodeKey {
  return { entity: label, key: entityNamed(label).key.map((name) => (name === 'projectId' ? 'BRU2' : key[name]!)) };
}

function is(node: NodeKey | GraphNode, { label, key }: End): boolean {
  if (node.entity !== label) return false;
  const names = entityNamed(label).key;
  return Object.entries(key ?? {}).every(([name, value]) => node.key[names.indexOf(name)] === value);
}
