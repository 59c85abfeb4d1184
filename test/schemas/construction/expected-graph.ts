/** The correct graph of the sample project, read from the example. */
import { readFileSync } from 'node:fs';

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
