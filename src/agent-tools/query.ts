/** The query tool: a walk along relationships of what this run committed. Read-only, bounded in steps, rows and time. */
import type { Issue } from '../../schemas/run-event.ts';
import { standsAt, type TaskContext } from '../output/task-context.ts';
import { cut, didYouMean, isRecord, NAME_SHOWN, readArguments, show } from '../output/values.ts';
import { type GraphNode, type NodeKey, nodeId } from '../ports.ts';
import { rowsThatFit } from './answer-text.ts';
import { bounded, type Reading, type ReadingOptions, readable, refused, rowText, whereOf } from './reading.ts';

/** Rows of one answer, and steps of one walk. */
const LIMIT = { default: 100, max: 200 };
const MAX_STEPS = 4;
/** Nodes of one page of the store. */
const PAGE = 1_000;
const TIME_LIMIT_MS = 5_000;

interface Step {
  readonly type: string;
  readonly direction: 'out' | 'in';
  readonly entity?: string;
}

/** `{start: {entity, where?}, follow?: [{type, direction, entity?}], limit?}` → the nodes at the end of the walk. */
export async function queryText(options: ReadingOptions, input: unknown): Promise<Reading> {
  const { context } = options;
  const issues: Issue[] = [];
  const given = readArguments(input, ['start', 'follow', 'limit'], issues);
  const start = isRecord(given['start']) ? given['start'] : {};
  for (const name of Object.keys(start).filter((one) => !['entity', 'where'].includes(one))) {
    issues.push({ path: `start.${cut(name, NAME_SHOWN)}`, message: 'unknown field; expected entity, where' });
  }
  const entity = readable(context, start['entity'], 'start.entity', issues);
  const where = whereOf(context, entity, start['where'], 'start.where', issues);
  const limit = bounded(given['limit'], 'limit', LIMIT, issues);
  const steps = stepsOf(context, given['follow'], issues);
  if (issues.length > 0 || !entity) return refused(issues);
  const found = await walk(options, entity, where, steps);
  if (!found) {
    const message = `was stopped after ${TIME_LIMIT_MS / 1_000} s; narrow start.where, or take fewer steps`;
    return refused([{ path: 'follow', message }]);
  }
  const rows = rowsThatFit(found.slice(0, limit).map((node) => rowText(context, node)));
  const more = found.length > rows.length ? [`${found.length - rows.length} more: narrow the query`] : [];
  return { text: [`${found.length} found:`, ...rows, ...more].join('\n'), issues };
}

/** The nodes at the end of the walk, or undefined when it took too long. */
async function walk(
  options: ReadingOptions,
  entity: string,
  where: Record<string, string | number | boolean>,
  steps: readonly Step[],
): Promise<readonly GraphNode[] | undefined> {
  const { context, graph, runId, elapsedMs } = options;
  const deadline = elapsedMs() + TIME_LIMIT_MS;
  let found: readonly GraphNode[] | undefined = await nodesOf(options, entity, where, deadline);
  let ends: readonly NodeKey[] = found ?? [];
  for (const { type, direction, entity: wanted } of steps) {
    if (!found || elapsedMs() > deadline) return undefined;
    // One question for all edges of the type: a question for each node would block the run for seconds.
    const from = new Set(ends.map(nodeId));
    const next = new Map<string, NodeKey>();
    for (const edge of await graph.relationships({ type, runId, scope: context.scope })) {
      const [near, far] = direction === 'out' ? [edge.from, edge.to] : [edge.to, edge.from];
      const isWanted = wanted === undefined ? context.readable.includes(far.entity) : far.entity === wanted;
      if (isWanted && from.has(nodeId(near))) next.set(nodeId(far), far);
    }
    ends = [...next.values()];
  }
  if (!found || steps.length === 0) return found;
  const byId = new Map<string, GraphNode>();
  for (const name of new Set(ends.map((end) => end.entity))) {
    found = await nodesOf(options, name, {}, deadline);
    if (!found) return undefined;
    for (const node of found) byId.set(nodeId(node), node);
  }
  return ends.flatMap((end) => byId.get(nodeId(end)) ?? []);
}

/** All nodes of an entity that this run committed, page by page; undefined when it took too long. */
async function nodesOf(
  { context, graph, runId, elapsedMs }: ReadingOptions,
  entity: string,
  where: Record<string, string | number | boolean>,
  deadline: number,
): Promise<readonly GraphNode[] | undefined> {
  const all: GraphNode[] = [];
  for (;;) {
    if (elapsedMs() > deadline) return undefined;
    const query = { entity, where, runId, scope: context.scope, limit: PAGE, offset: all.length };
    const { nodes, total } = await graph.read(query);
    all.push(...nodes);
    if (nodes.length === 0 || all.length >= total) return all;
  }
}

function stepsOf(context: TaskContext, value: unknown, issues: Issue[]): readonly Step[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_STEPS) {
    issues.push({
      path: 'follow',
      message: `expected a list of at most ${MAX_STEPS} steps {type, direction, entity?}; got ${show(value)}`,
    });
    return [];
  }
  return value.flatMap((step, i): Step[] => {
    const path = `follow[${i}]`;
    const { type, direction, entity } = isRecord(step) ? step : {};
    const types = walkable(context);
    if (typeof type !== 'string' || !types.includes(type)) {
      issues.push({
        path: `${path}.type`,
        message: `expected a relationship type; got ${show(type)}${didYouMean(type, types)}`,
      });
      return [];
    }
    if (direction !== 'out' && direction !== 'in') {
      issues.push({ path: `${path}.direction`, message: `expected "out" or "in"; got ${show(direction)}` });
      return [];
    }
    if (entity === undefined || entity === null) return [{ type, direction }];
    const wanted = readable(context, entity, `${path}.entity`, issues);
    return wanted === undefined ? [] : [{ type, direction, entity: wanted }];
  });
}

/** Relationship types that touch an entity that the task may read. */
function walkable({ schema, readable: names }: TaskContext): readonly string[] {
  const touched = schema.relationships.filter(({ from, to }) =>
    names.some((name) => standsAt(schema, from, name) || to === name),
  );
  return [...new Set(touched.map(({ type }) => type))];
}
