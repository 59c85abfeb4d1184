/** The agents' submit and withdraw, as changes of a value. Total: any input yields issues, none throws. */
import type { Issue } from '../../schemas/run-event.ts';
import { type NodeKey, nodeId } from '../ports.ts';
import { type Checked, checkNode } from './check-node.ts';
import { checkRelationship } from './check-relationship.ts';
import { keyAttributes, readKey } from './keys.ts';
import { fits, type LinkedEdge, linkedEdges } from './links.ts';
import {
  relationshipId,
  type StagedNode,
  type StagedRelationship,
  type Submission,
  stage,
  unstage,
} from './submission.ts';
import { ownEntities, owns, type TaskContext } from './task-context.ts';
import { isRecord, readArguments, show } from './values.ts';

/** Rows of one call; more must come in several calls. */
export const MAX_ROWS = 2_000;

/** Rows of one call that passed by themselves, each with the path under which the agent knows it. */
export interface PassedRows {
  readonly nodes: readonly { readonly path: string; readonly row: StagedNode }[];
  readonly relationships: readonly { readonly path: string; readonly row: StagedRelationship }[];
}

export interface Answer {
  readonly submission: Submission;
  readonly accepted: number;
  readonly issues: readonly Issue[];
}

/** Judges each row by itself; what needs the graph comes after, in {@link settleRows}. */
export function checkRows(context: TaskContext, input: unknown): PassedRows & { readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const given = readArguments(input, ['entities', 'relationships'], issues);
  const entities = rowsOf(given['entities'], 'entities', issues);
  const relationships = rowsOf(given['relationships'], 'relationships', issues);
  if (issues.length === 0 && entities.length + relationships.length === 0) {
    issues.push({ path: 'entities', message: 'nothing was submitted: both lists are empty' });
  }
  const pass = <Row>(rows: readonly unknown[], name: string, check: (row: unknown, path: string) => Checked<Row>) =>
    rows.flatMap((value, i) => {
      const path = `${name}[${i}]`;
      const checked = check(value, path);
      if ('row' in checked) return [{ path, row: checked.row }];
      issues.push(...checked.issues);
      return [];
    });
  const nodes = pass(entities, 'entities', (row, path) => checkNode(context, row, path));
  const edges = pass(relationships, 'relationships', (row, path) => checkRelationship(context, row, path));
  return { nodes: firstOf(nodes, nodeId, issues), relationships: firstOf(edges, relationshipId, issues), issues };
}

/** The first row of each identity; each later one is an issue, since it would hide the first. */
function firstOf<Row>(
  rows: readonly { readonly path: string; readonly row: Row }[],
  idOf: (row: Row) => string,
  issues: Issue[],
) {
  const first = new Map<string, string>();
  return rows.filter(({ path, row }) => {
    const id = idOf(row);
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, path);
    else issues.push({ path, message: `the same key as ${earlier} in one call; the later one would hide the earlier` });
    return earlier === undefined;
  });
}

/**
 * Nodes of other tasks that passed rows point at: they must be in the graph by now, so the caller looks them up. Ends
 * at this task's own nodes may still come; they are checked at completion.
 */
export function foreignEnds(context: TaskContext, rows: PassedRows): readonly NodeKey[] {
  return [
    ...rows.nodes.flatMap(({ row }) => linkedEdges(context, row).map(({ far }) => far)),
    ...rows.relationships.flatMap(({ row }) => [row.from, row.to]),
  ].filter(({ entity, key }) => !owns(context, entity) && key.length > 1);
}

/** Stages the passed rows, but for those that point at a node of another task that does not exist. */
export function settleRows(
  context: TaskContext,
  submission: Submission,
  rows: PassedRows,
  existing: ReadonlySet<string>,
): Answer {
  const issues: Issue[] = [];
  const missing = (end: NodeKey) => end.key.length > 1 && !owns(context, end.entity) && !existing.has(nodeId(end));
  const nodes = rows.nodes.filter(({ path, row }) => {
    const wrong = linkedEdges(context, row).filter((edge) => missing(edge.far) && !mayBeAbsent(context, edge));
    for (const { far, attribute } of wrong) {
      issues.push({
        path: `${path}.attributes${attribute ? `.${attribute}` : ''}`,
        message: `there is no ${far.entity} ${show(far.key.slice(1).join(' / '))}; read the existing ones with muster_read`,
      });
    }
    return wrong.length === 0;
  });
  const relationships = rows.relationships.filter(({ path, row }) => {
    let isWhole = true;
    for (const end of ['from', 'to'] as const) {
      if (!missing(row[end])) continue;
      isWhole = false;
      issues.push({
        path: `${path}.${end}.key`,
        message: `there is no ${row[end].entity} ${show(row[end].key.slice(1).join(' / '))}; read the existing ones with muster_read`,
      });
    }
    return isWhole;
  });
  return {
    submission: stage(
      submission,
      nodes.map(({ row }) => row),
      relationships.map(({ row }) => row),
    ),
    accepted: nodes.length + relationships.length,
    issues,
  };
}

/** Takes staged rows back by key. */
export function withdraw(context: TaskContext, submission: Submission, input: unknown): Answer {
  const issues: Issue[] = [];
  const given = readArguments(input, ['entities', 'relationships'], issues);
  const nodeIds = new Set<string>();
  rowsOf(given['entities'], 'entities', issues).forEach((value, i) => {
    const path = `entities[${i}]`;
    const name = isRecord(value) ? value['entity'] : undefined;
    const entity = ownEntities(context).find((one) => one.name === name);
    if (!entity || !isRecord(value)) {
      issues.push({ path: `${path}.entity`, message: `expected an entity of this task; got ${show(name)}` });
      return;
    }
    const read = readKey(context, entity, value['key'], `${path}.key`);
    if ('issues' in read) issues.push(...read.issues);
    else if (submission.nodes.has(nodeId(read.key))) nodeIds.add(nodeId(read.key));
    else
      issues.push({
        path: `${path}.key`,
        message: `no such ${entity.name} is staged: ${show(read.key.key.slice(1).join(' / '))}`,
      });
  });
  const edgeIds = new Set<string>();
  rowsOf(given['relationships'], 'relationships', issues).forEach((value, i) => {
    const path = `relationships[${i}]`;
    const checked = checkRelationship(context, value, path);
    if ('issues' in checked) issues.push(...checked.issues);
    else if (submission.relationships.has(relationshipId(checked.row))) edgeIds.add(relationshipId(checked.row));
    else issues.push({ path, message: 'no such relationship is staged' });
  });
  const accepted = nodeIds.size + edgeIds.size;
  return { submission: accepted > 0 ? unstage(submission, nodeIds, edgeIds) : submission, accepted, issues };
}

/** An edge whose far end is narrowed by a value that its key does not hold is drawn only where it fits. */
function mayBeAbsent(context: TaskContext, { definition, far, from }: LinkedEdge): boolean {
  const where = far === from ? definition.fromWhere : definition.toWhere;
  return where !== undefined && !fits(keyAttributes(context, far), where);
}

function rowsOf(value: unknown, name: string, issues: Issue[]): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    issues.push({ path: name, message: `expected a list; got ${show(value)}` });
    return [];
  }
  if (value.length <= MAX_ROWS) return value;
  issues.push({
    path: name,
    message: `expected at most ${MAX_ROWS} rows in one call; got ${value.length}. Submit them in several calls`,
  });
  return [];
}
