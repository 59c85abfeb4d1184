/** What a task still owes: counts, relationships, ends. Pure; existing nodes of other tasks come in as a set of ids. */
import type { RelationshipDefinition } from '../../schemas/define.ts';
import type { Issue } from '../../schemas/run-event.ts';
import { type NodeKey, nodeId } from '../ports.ts';
import { type NoneReasons, owedCounts } from './counts.ts';
import { type Edge, edgesOf, misfit, type PropertiesOf } from './edges.ts';
import { keyAttributes, keyText } from './keys.ts';
import { fits, leastOf, whereText } from './links.ts';
import type { StagedNode, Submission } from './submission.ts';
import { entityOf, ownRelationships, owns, standsAt, type TaskContext } from './task-context.ts';

/** Keys named in one message, and messages of one kind; the rest is counted. */
const NAMED = 20;

/**
 * Everything that keeps the submission from being complete. `existing` holds ids of nodes in the graph; `propertiesOf`
 * says of nodes of other tasks what narrows a relationship, where a key does not say it.
 */
export function owed(
  context: TaskContext,
  submission: Submission,
  existing: ReadonlySet<string>,
  none: NoneReasons,
  propertiesOf?: PropertiesOf,
): readonly Issue[] {
  const nodes = [...submission.nodes.values()];
  const edges = edgesOf(context, submission, propertiesOf);
  const exists = (end: NodeKey) =>
    end.key.length === 1 || submission.nodes.has(nodeId(end)) || existing.has(nodeId(end));
  const drawn: Edge[] = [];
  const strays: Issue[] = [];
  for (const edge of edges) {
    const wrong = misfit(context, submission, edge, propertiesOf);
    if (!wrong) drawn.push(edge);
    // An implied edge that does not fit its target is not drawn, and no fault.
    else if (!edge.definition.link && exists(wrong.node)) strays.push(strayed(edge, wrong));
  }
  return [
    ...owedCounts(context, submission, none),
    ...dangling(context, edges, exists),
    ...orphans(context, nodes, edges, exists),
    ...listed(strays, 'relationships'),
    ...ownRelationships(context).flatMap((definition) => cardinality(context, definition, nodes, edges, drawn)),
  ];
}

/** Ends and owners that must be looked up before {@link owed} can judge. */
export function endsToLookUp(context: TaskContext, submission: Submission): readonly NodeKey[] {
  const ends = new Map<string, NodeKey>();
  const owners = [...submission.nodes.values()].flatMap((node) => ownerOf(context, node) ?? []);
  for (const end of [...edgesOf(context, submission).flatMap(({ from, to }) => [from, to]), ...owners]) {
    if (!submission.nodes.has(nodeId(end))) ends.set(nodeId(end), end);
  }
  return [...ends.values()];
}

type Exists = (end: NodeKey) => boolean;

function dangling(context: TaskContext, edges: readonly Edge[], exists: Exists): readonly Issue[] {
  const byDefinition = new Map<RelationshipDefinition, Issue[]>();
  for (const { definition, from, to } of edges) {
    for (const end of [from, to]) {
      if (exists(end)) continue;
      // A narrowed link to another task's node is drawn only where it fits.
      const where = end === to ? definition.toWhere : definition.fromWhere;
      if (definition.link && where && !owns(context, end.entity) && !fits(keyAttributes(context, end), where)) continue;
      const other = end === from ? to : from;
      const cure = owns(context, end.entity) ? '; submit it, or correct the key' : '';
      const issues = byDefinition.get(definition) ?? [];
      byDefinition.set(definition, issues);
      issues.push({
        path: `${other.entity} ${keyText(other)}`,
        message: `${definition.type}: there is no ${end.entity} "${keyText(end)}"${cure}`,
      });
    }
  }
  return [...byDefinition].flatMap(([{ type }, issues]) => listed(issues, `ends of ${type}`));
}

/** Owned nodes without their owner, where no relationship already says so. */
function orphans(
  context: TaskContext,
  nodes: readonly StagedNode[],
  edges: readonly Edge[],
  exists: Exists,
): readonly Issue[] {
  const tied = new Set(
    edges.flatMap(({ from, to }) => [`${nodeId(from)} ${nodeId(to)}`, `${nodeId(to)} ${nodeId(from)}`]),
  );
  const issues = nodes.flatMap((node): Issue[] => {
    const owner = ownerOf(context, node);
    if (!owner || exists(owner) || tied.has(`${nodeId(owner)} ${nodeId(node)}`)) return [];
    const message = `belongs to ${owner.entity} "${keyText(owner)}", which does not exist; submit it, or correct the key`;
    return [{ path: `${node.entity} ${keyText(node)}`, message }];
  });
  return listed(issues, 'rows without their owner');
}

/** The node that owns this one: its key is the beginning of this one's. */
function ownerOf({ schema }: TaskContext, { entity, key }: NodeKey): NodeKey | undefined {
  const owner = entityOf(schema, entityOf(schema, entity)?.ownedBy ?? '');
  return owner && { entity: owner.name, key: key.slice(0, owner.key.length) };
}

function strayed({ definition, from, to }: Edge, { node, where }: NonNullable<ReturnType<typeof misfit>>): Issue {
  const other = node === from ? to : from;
  return {
    path: `${other.entity} ${keyText(other)}`,
    message: `${definition.type}: ${node.entity} "${keyText(node)}" is none with ${whereText(where)}; withdraw the relationship, or correct the key`,
  };
}

function cardinality(
  context: TaskContext,
  definition: RelationshipDefinition,
  nodes: readonly StagedNode[],
  edges: readonly Edge[],
  drawn: readonly Edge[],
): Issue[] {
  const { type, from, to, toWhere, perSource, resolution } = definition;
  if (resolution === 'late') return [];
  const mine = drawn.filter((edge) => edge.definition === definition);
  const single = definition.cardinality === 'n:1' || definition.cardinality === '1:1';
  const min = leastOf(definition);
  const max = perSource?.max ?? (single ? 1 : Number.POSITIVE_INFINITY);
  const bySource = countBy(mine.map((edge) => nodeId(edge.from)));
  const inner = new Set(
    edges
      .filter((edge) => edge.type === perSource?.leavesOf && standsAt(context.schema, from, edge.to.entity))
      .map((edge) => nodeId(edge.to)),
  );
  const sources = nodes.filter(
    ({ entity, attributes }) =>
      standsAt(context.schema, from, entity) &&
      // With "*", the far end itself is none of those that need one.
      !(from === '*' && entity === to) &&
      fits(attributes, definition.fromWhere),
  );
  const few = sources.filter((node) => !inner.has(nodeId(node)) && (bySource.get(nodeId(node)) ?? 0) < min);
  const many = sources.filter((node) => (bySource.get(nodeId(node)) ?? 0) > max);
  const issues: Issue[] = [];
  const kind = from === '*' ? 'row' : from;
  const leaf = perSource?.leavesOf ? ' without others below it' : '';
  const which = toWhere ? ` with ${whereText(toWhere)}` : '';
  if (few.length > 0) {
    issues.push({
      path: `${from} ${type} ${to}`,
      message: `each ${kind}${leaf} needs at least ${min}${which}; too few: ${named(few)}`,
    });
  }
  if (many.length > 0) {
    issues.push({
      path: `${from} ${type} ${to}`,
      message: `each ${kind} may have at most ${max}${which}; too many: ${named(many)}`,
    });
  }
  if (definition.cardinality === '1:n' || definition.cardinality === '1:1') {
    const byTarget = countBy(mine.map((edge) => nodeId(edge.to)));
    const shared = mine.filter((edge) => (byTarget.get(nodeId(edge.to)) ?? 0) > 1).map((edge) => edge.to);
    if (shared.length > 0) {
      issues.push({
        path: `${from} ${type} ${to}`,
        message: `a ${to} belongs to one ${kind} only; shared: ${named(shared)}`,
      });
    }
  }
  return issues;
}

/** The first issues of one kind; the rest is counted. */
function listed(issues: readonly Issue[], kind: string): readonly Issue[] {
  if (issues.length <= NAMED) return issues;
  const more = { path: kind, message: `and ${issues.length - NAMED} more of this kind` };
  return [...issues.slice(0, NAMED), more];
}

function countBy(ids: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const id of ids) found.set(id, (found.get(id) ?? 0) + 1);
  return found;
}

function named(nodes: readonly NodeKey[]): string {
  const texts = [...new Set(nodes.map(keyText))];
  const shown = texts.slice(0, NAMED).join(', ');
  return texts.length > NAMED ? `${shown} and ${texts.length - NAMED} more` : shown;
}
