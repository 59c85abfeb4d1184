/** The correct graph of the sample project, read from the example. */
import { readFileSync } from 'node:fs';
import type { Properties } from '../../../schemas/define.ts';
import type { GraphSnapshot } from '../../../src/ports.ts';
import { entityNamed } from './judge-node.ts';

export type Values = Readonly<Record<string, unknown>>;

interface ExpectedNode {
  readonly label: string;
  readonly props: Values;
}

export interface ExpectedEnd {
  readonly label: string;
  readonly key: Values;
}

export interface ExpectedRelationship {
  readonly type: string;
  readonly from: ExpectedEnd;
  readonly to: ExpectedEnd;
}

export interface ExpectedGraph {
  readonly projectId: string;
  readonly nodes: readonly ExpectedNode[];
  readonly relationships: readonly ExpectedRelationship[];
}

export const expectedGraph = JSON.parse(
  readFileSync(new URL('../../../examples/road-upgrade/expected/graph.json', import.meta.url), 'utf8'),
) as ExpectedGraph;

/** The correct graph as a store gives it. */
export function expectedSnapshot(): GraphSnapshot {
  const keyOf = (label: string, values: Values) =>
    entityNamed(label).key.map((name) => (name === 'projectId' ? expectedGraph.projectId : (values[name] as string)));
  const end = ({ label, key }: ExpectedEnd) => ({ entity: label, key: keyOf(label, key) });
  return {
    nodes: expectedGraph.nodes.map(({ label, props }) => ({
      entity: label,
      key: keyOf(label, props),
      properties: props as Properties,
    })),
    relationships: expectedGraph.relationships.map(({ type, from, to }) => ({ type, from: end(from), to: end(to) })),
  };
}
