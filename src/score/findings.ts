/** From a graph to what is compared: the entries of each list, the pairs, and what hangs below an owner. */
import type { Properties } from '../../schemas/define.ts';
import type { PairSource, ScoredList, ScoredSet } from '../../schemas/scoring.ts';
import { type GraphNode, type GraphSnapshot, type NodeKey, nodeId } from '../ports.ts';
import { exact, norm } from './compare.ts';

export interface Entry {
  /** For comparison. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly properties: Properties;
}

/** The entries of a list, in graph order; one without a key has the id of null, as all such have. */
export function entriesOf(graph: GraphSnapshot, { entity, where, key }: ScoredList): readonly Entry[] {
  return graph.nodes
    .filter((node) => node.entity === entity && fits(node, where))
    .map(({ properties }) => {
      const parts = key.map((name) => properties[name]);
      return { id: JSON.stringify(parts.map(norm)), name: parts.map(String).join(' '), properties };
    });
}

/** Keys are compared as written: the graph holds them normalised. */
export function pairsOf(graph: GraphSnapshot, source: PairSource): ReadonlySet<string> {
  if ('relationship' in source) {
    const edges = graph.relationships.filter(({ type }) => type === source.relationship);
    return new Set(edges.map(({ from, to }) => JSON.stringify([unscoped(from), unscoped(to)])));
  }
  return new Set(
    graph.nodes
      .filter(({ entity }) => entity === source.entity)
      .flatMap((node) => {
        const value = node.properties[source.listAttribute];
        // A key of one part, in the form in which the end of a relationship has it.
        return (Array.isArray(value) ? value : []).map((item) => JSON.stringify([unscoped(node), [item]]));
      }),
  );
}

/** One text for each distinct element below `owner`; empty without an owner. */
export function elementsOf(
  graph: GraphSnapshot,
  owner: NodeKey | undefined,
  { along, where, element, skipEmpty }: ScoredSet,
): ReadonlySet<string> {
  let ids = new Set(owner ? [nodeId(owner)] : []);
  for (const step of along) {
    const edges = graph.relationships.filter(({ type, from }) => type === step && ids.has(nodeId(from)));
    ids = new Set(edges.map(({ to }) => nodeId(to)));
  }
  const elements = graph.nodes
    .filter((node) => ids.has(nodeId(node)) && fits(node, where))
    .map(({ properties }) =>
      element.map(({ attribute, compare }) => (compare === 'norm' ? norm : exact)(properties[attribute])),
    )
    .filter((parts) => !skipEmpty || parts.some((part) => part !== null));
  return new Set(elements.map((parts) => JSON.stringify(parts)));
}

/** The key without its scope: truth and run may call the project by different ids. */
export function unscoped({ key }: NodeKey): readonly (string | number)[] {
  return key.slice(1);
}

function fits({ properties }: GraphNode, where: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(where).every(([name, value]) => properties[name] === value);
}
