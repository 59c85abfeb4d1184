/**
 * What one attempt has handed in so far: rows that passed, waiting for the commit. A value; every change makes a new one.
 */
import type { Properties } from '../../schemas/define.ts';
import { type NodeKey, nodeId } from '../ports.ts';

export interface StagedEvidence {
  readonly source: string;
  readonly locator: string;
  readonly quote: string;
  readonly attribute?: string;
  readonly confidence?: number;
}

export interface StagedNode extends NodeKey {
  /** As parsed: own and common attributes, without the scope attribute. */
  readonly attributes: Properties;
  readonly evidence: readonly StagedEvidence[];
}

export interface StagedRelationship {
  readonly type: string;
  readonly from: NodeKey;
  readonly to: NodeKey;
}

export interface Submission {
  /** By {@link nodeId}, in the order of first submission. */
  readonly nodes: ReadonlyMap<string, StagedNode>;
  /** By {@link relationshipId}. */
  readonly relationships: ReadonlyMap<string, StagedRelationship>;
  /** Set when the agent declared its work complete and nothing was owed; any later change takes it back. */
  readonly completed?: {
    readonly summary: string;
    /** Why an entity that may be empty is: entity → reason. */
    readonly none: ReadonlyMap<string, string>;
  };
}

export const EMPTY_SUBMISSION: Submission = { nodes: new Map(), relationships: new Map() };

export function relationshipId({ type, from, to }: StagedRelationship): string {
  return `${nodeId(from)}-${type}->${nodeId(to)}`;
}

/** Adds or replaces rows; the work is no longer complete. */
export function stage(
  submission: Submission,
  nodes: Iterable<StagedNode>,
  relationships: Iterable<StagedRelationship>,
): Submission {
  const next = new Map(submission.nodes);
  for (const node of nodes) next.set(nodeId(node), node);
  const edges = new Map(submission.relationships);
  for (const edge of relationships) edges.set(relationshipId(edge), edge);
  return { nodes: next, relationships: edges };
}

/** Takes rows back, with the staged relationships of a node that goes; the work is no longer complete. */
export function unstage(
  submission: Submission,
  nodeIds: ReadonlySet<string>,
  relationshipIds: ReadonlySet<string>,
): Submission {
  return {
    nodes: new Map([...submission.nodes].filter(([id]) => !nodeIds.has(id))),
    relationships: new Map(
      [...submission.relationships].filter(
        ([id, { from, to }]) => !relationshipIds.has(id) && !nodeIds.has(nodeId(from)) && !nodeIds.has(nodeId(to)),
      ),
    ),
  };
}

export function complete(submission: Submission, summary: string, none: ReadonlyMap<string, string>): Submission {
  return { ...submission, completed: { summary, none } };
}
