/** All relationships of a submission: those the agent submitted, and those its attributes imply. */
import type { Properties, RelationshipDefinition } from '../../schemas/define.ts';
import { type NodeKey, nodeId } from '../ports.ts';
import { keyAttributes } from './keys.ts';
import { fits, type LinkedEdge, linkedEdges } from './links.ts';
import type { StagedRelationship, Submission } from './submission.ts';
import { standsAt, submittedRelationships, type TaskContext } from './task-context.ts';

export interface Edge extends StagedRelationship {
  readonly definition: RelationshipDefinition;
}

/** Properties of a node of another task, where known. */
export type PropertiesOf = (id: string) => Properties | undefined;

const UNKNOWN: PropertiesOf = () => undefined;

export function edgesOf(
  context: TaskContext,
  submission: Submission,
  propertiesOf: PropertiesOf = UNKNOWN,
): readonly Edge[] {
  const implied: readonly LinkedEdge[] = [...submission.nodes.values()].flatMap((node) => linkedEdges(context, node));
  const submitted = [...submission.relationships.values()].flatMap((edge): Edge[] => {
    const forms = definitionsOf(context, edge);
    // Two definitions may share type and ends and be narrowed apart: the one meant is the one whose ends fit.
    const candidates = forms.map((definition): Edge => ({ ...edge, definition }));
    const meant = candidates.find((one) => !misfit(context, submission, one, propertiesOf)) ?? candidates[0];
    return meant ? [meant] : [];
  });
  return [...implied, ...submitted];
}

/** The definitions under which this task may submit the edge. */
function definitionsOf(context: TaskContext, edge: StagedRelationship): readonly RelationshipDefinition[] {
  return submittedRelationships(context).filter(
    ({ type, from, to }) =>
      type === edge.type && standsAt(context.schema, from, edge.from.entity) && to === edge.to.entity,
  );
}

/**
 * The end that does not have the values that narrow it, and those values; undefined when both fit. An implied edge that
 * does not fit is not drawn; a submitted one is a mistake. An end of unknown values does not fit.
 */
export function misfit(
  context: TaskContext,
  submission: Submission,
  { definition, from, to }: Edge,
  propertiesOf: PropertiesOf = UNKNOWN,
): { readonly node: NodeKey; readonly where: Readonly<Record<string, string>> } | undefined {
  for (const [node, where] of [
    [from, definition.fromWhere],
    [to, definition.toWhere],
  ] as const) {
    if (!where) continue;
    const id = nodeId(node);
    const known = { ...(submission.nodes.get(id)?.attributes ?? propertiesOf(id)), ...keyAttributes(context, node) };
    if (!fits(known, where)) return { node, where };
  }
  return undefined;
}

/** Nodes of other tasks whose values decide whether an edge fits, beyond what their keys say. */
export function narrowedEnds(context: TaskContext, submission: Submission): readonly NodeKey[] {
  const ends = new Map<string, NodeKey>();
  for (const { definition, from, to } of edgesOf(context, submission)) {
    for (const [node, where] of [
      [from, definition.fromWhere],
      [to, definition.toWhere],
    ] as const) {
      const open = Object.keys(where ?? {}).some((name) => !(name in keyAttributes(context, node)));
      if (open && !submission.nodes.has(nodeId(node))) ends.set(nodeId(node), node);
    }
  }
  return [...ends.values()];
}
