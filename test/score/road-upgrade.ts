/** The truth of the sample project, and ways to make a worse extraction of it. */
import { readFileSync } from 'node:fs';
import construction from '../../schemas/construction/index.ts';
import type { Properties } from '../../schemas/define.ts';
import type { GraphNode, GraphRelationship, GraphSnapshot } from '../../src/ports.ts';
import { readTruth } from '../../src/score/truth-file.ts';

const FILE = new URL('../../examples/road-upgrade/expected/graph.json', import.meta.url);

export const truthJson = () => JSON.parse(readFileSync(FILE, 'utf8'));
export const truth = readTruth(truthJson(), construction, 'graph.json');

/** A graph with other nodes: `change` gives what stands in the place of each. */
export function changed(
  graph: GraphSnapshot,
  entity: string,
  change: (properties: Properties, index: number) => Properties | undefined,
): GraphSnapshot {
  let index = 0;
  const nodes = graph.nodes.flatMap((node): GraphNode[] => {
    if (node.entity !== entity) return [node];
    const properties = change(node.properties, index++);
    return properties ? [{ ...node, properties }] : [];
  });
  return { ...graph, nodes };
}

export function withNodes(graph: GraphSnapshot, ...nodes: readonly GraphNode[]): GraphSnapshot {
  return { ...graph, nodes: [...graph.nodes, ...nodes] };
}

export function withRelationships(graph: GraphSnapshot, ...edges: readonly GraphRelationship[]): GraphSnapshot {
  return { ...graph, relationships: [...graph.relationships, ...edges] };
}

export function nodeOf(entity: string, properties: Properties, ...key: (string | number)[]): GraphNode {
  return { entity, key: ['BRU2', ...key], properties: { projectId: 'BRU2', ...properties } };
}
