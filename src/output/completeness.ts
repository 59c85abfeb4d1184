/** What a task still owes: counts, relationships, ends. Pure; existing nodes of other tasks come in as a set of ids. */
import type { RelationshipDefinition } from '../../schemas/define.ts';
import type { Issue } from '../../schemas/run-event.ts';
import { type GraphRelationship, type NodeKey, nodeId } from '../ports.ts';
import { keyText } from './keys.ts';
import { fits, linkedEdges } from './links.ts';
import type { StagedNode, Submission } from './submission.ts';
import { ownEntities, ownRelationships, owns, producersOf, type TaskContext } from './task-context.ts';
import { isRecord, show } from './values.ts';

/** Keys named in one message; the rest is counted. */
const NAMED = 20;

/** Reasons why an entity with a minimum of 0 has no rows. */
export type NoneReasons = ReadonlyMap<string, string>;

/** Reads `none: [{entity, reason}]` of a complete call. */
export function readNone(context: TaskContext, value: unknown, issues: Issue[]): NoneReasons {
  const reasons = new Map<string, string>();
  if (value === undefined || value === null) return reasons;
  if (!Array.isArray(value)) {
    issues.push({ path: 'none', message: `expected a list of {entity, reason}; got ${show(value)}` });
    return reasons;
  }
  value.forEach((one, i) => {
    const entity = isRecord(one) ? one['entity'] : undefined;
    const reason = isRecord(one) ? one['reason'] : undefined;
    const own = ownEntities(context).find(({ name }) => name === entity);
    if (!own)
      issues.push({ path: `none[${i}].entity`, message: `expected an entity of this task; got ${show(entity)}` });
    else if (typeof reason !== 'string' || reason.trim().length < 10) {
      issues.push({
        path: `none[${i}].reason`,
        message: 'expected the reason in a sentence: what you read, and why there is none',
      });
    } else if (minimum(context, own.name) > 0) {
      issues.push({
        path: `none[${i}].entity`,
        message: `${own.name} cannot be empty: at least ${minimum(context, own.name)} must be submitted`,
      });
    } else reasons.set(own.name, reason);
  });
  return reasons;
}

/** Everything that keeps the submission from being complete. `existing` holds ids of nodes in the graph. */
export function owed(
  context: TaskContext,
  submission: Submission,
  existing: ReadonlySet<string>,
  none: NoneReasons,
): readonly Issue[] {
  const nodes = [...submission.nodes.values()];
  const edges = edgesOf(context, submission);
  return [
    ...counts(context, nodes, none),
    ...dangling(context, submission, edges, existing),
    ...ownRelationships(context).flatMap((definition) => cardinality(definition, nodes, edges)),
  ];
}

/** Ends that must be looked up before {@link owed} can judge. */
export function endsToLookUp(context: TaskContext, submission: Submission): readonly NodeKey[] {
  return edgesOf(context, submission)
    .flatMap(({ from, to }) => [from, to])
    .filter((end) => !submission.nodes.has(nodeId(end)));
}

interface Edge extends GraphRelationship {
  readonly definition: RelationshipDefinition;
}

function edgesOf(context: TaskContext, submission: Submission): readonly Edge[] {
  const submitted = [...submission.relationships.values()].map((edge): Edge => {
    const definition = context.schema.relationships.find(
      ({ type, from, to }) => type === edge.type && from === edge.from.entity && to === edge.to.entity,
    )!;
    return { ...edge, definition };
  });
  return [...[...submission.nodes.values()].flatMap((node) => linkedEdges(context, node)), ...submitted];
}

function minimum(context: TaskContext, entity: string): number {
  const definition = ownEntities(context).find(({ name }) => name === entity);
  return Math.max(0, ...(definition ? producersOf(definition, context.instance.task) : []).map(({ min }) => min ?? 1));
}

function counts(context: TaskContext, nodes: readonly StagedNode[], none: NoneReasons): Issue[] {
  return ownEntities(context).flatMap(({ name }): Issue[] => {
    const count = nodes.filter(({ entity }) => entity === name).length;
    const least = minimum(context, name);
    if (count < least) return [{ path: name, message: `expected at least ${least}; ${count} submitted so far` }];
    if (count === 0 && !none.has(name)) {
      return [
        {
          path: name,
          message: `none submitted; if the documents have none, say so with none: [{entity: "${name}", reason: …}]`,
        },
      ];
    }
    return [];
  });
}

function dangling(
  context: TaskContext,
  submission: Submission,
  edges: readonly Edge[],
  existing: ReadonlySet<string>,
): Issue[] {
  return edges.flatMap(({ definition, from, to }): Issue[] =>
    [from, to]
      .filter((end) => end.key.length > 1 && !submission.nodes.has(nodeId(end)) && !existing.has(nodeId(end)))
      // A narrowed link to another task's node is drawn only where it fits.
      .filter((end) => !(definition.link && definition.toWhere && end === to && !owns(context, end.entity)))
      .map((end) => {
        const other = end === from ? to : from;
        return {
          path: `${other.entity} ${keyText(other)}`,
          message: `${definition.type}: there is no ${end.entity} "${keyText(end)}"${owns(context, end.entity) ? '; submit it, or correct the key' : ''}`,
        };
      }),
  );
}

function cardinality(
  definition: RelationshipDefinition,
  nodes: readonly StagedNode[],
  edges: readonly Edge[],
): Issue[] {
  const { type, from, to, perSource, required, resolution } = definition;
  if (resolution === 'late') return [];
  const mine = edges.filter((edge) => edge.definition === definition);
  const single = definition.cardinality === 'n:1' || definition.cardinality === '1:1';
  const min = perSource?.min ?? (required ? 1 : 0);
  const max = perSource?.max ?? (single ? 1 : Number.POSITIVE_INFINITY);
  const bySource = countBy(mine.map((edge) => nodeId(edge.from)));
  const inner = new Set(
    edges.filter((edge) => edge.type === perSource?.leavesOf && edge.to.entity === from).map((edge) => nodeId(edge.to)),
  );
  const sources = nodes.filter(({ entity, attributes }) => entity === from && fits(attributes, definition.fromWhere));
  const few = sources.filter((node) => !inner.has(nodeId(node)) && (bySource.get(nodeId(node)) ?? 0) < min);
  const many = sources.filter((node) => (bySource.get(nodeId(node)) ?? 0) > max);
  const issues: Issue[] = [];
  const leaf = perSource?.leavesOf ? ' without others below it' : '';
  if (few.length > 0) {
    issues.push({
      path: `${from} ${type} ${to}`,
      message: `each ${from}${leaf} needs at least ${min}; too few: ${named(few)}`,
    });
  }
  if (many.length > 0) {
    issues.push({
      path: `${from} ${type} ${to}`,
      message: `each ${from} may have at most ${max}; too many: ${named(many)}`,
    });
  }
  if (definition.cardinality === '1:n' || definition.cardinality === '1:1') {
    const byTarget = countBy(mine.map((edge) => nodeId(edge.to)));
    const shared = mine.filter((edge) => (byTarget.get(nodeId(edge.to)) ?? 0) > 1).map((edge) => edge.to);
    if (shared.length > 0) {
      issues.push({
        path: `${from} ${type} ${to}`,
        message: `a ${to} belongs to one ${from} only; shared: ${named(shared)}`,
      });
    }
  }
  return issues;
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
