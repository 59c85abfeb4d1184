/** The read-only tools: nodes of upstream tasks, and walks along relationships. Answers are rows of JSON, bounded. */
import type { Properties } from '../../schemas/define.ts';
import type { Issue } from '../../schemas/run-event.ts';
import type { TaskContext } from '../output/task-context.ts';
import { isRecord, show } from '../output/values.ts';
import { type GraphNode, type GraphStore, nodeId } from '../ports.ts';
import { nearest } from '../schema/nearest.ts';

export interface ReadingOptions {
  readonly context: TaskContext;
  readonly graph: GraphStore;
  readonly runId: string;
}

export interface Reading {
  readonly text: string;
  readonly issues: readonly Issue[];
}

/** Rows of one answer. */
const READ = { default: 200, max: 1_000 };
const QUERY = { default: 100, max: 200, depth: 4 };

/** `{entity, where?, limit?, offset?}` → nodes that this run committed. */
export async function readText({ context, graph, runId }: ReadingOptions, input: unknown): Promise<Reading> {
  const issues: Issue[] = [];
  const given = isRecord(input) ? input : {};
  const entity = readable(context, given['entity'], 'entity', issues);
  const where = whereOf(context, entity, given['where'], 'where', issues);
  const limit = bounded(given['limit'], 'limit', READ, issues);
  const offset = whole(given['offset'], 'offset', issues);
  if (issues.length > 0 || !entity) return refused(issues);
  const { nodes, total } = await graph.read({ entity, where, runId, scope: context.scope, limit, offset });
  const shown = offset + nodes.length;
  const head = `${total} ${entity}${nodes.length < total ? `, rows ${offset + 1} to ${shown}` : ''}:`;
  const more = shown < total ? [`${total - shown} more: call again with offset ${shown}`] : [];
  return { text: [head, ...nodes.map((node) => row(context, node)), ...more].join('\n'), issues };
}

/** `{start: {entity, where?}, follow?: [{type, direction, entity?}], limit?}` → the nodes at the end of the walk. */
export async function queryText({ context, graph, runId }: ReadingOptions, input: unknown): Promise<Reading> {
  const issues: Issue[] = [];
  const given = isRecord(input) ? input : {};
  const start = isRecord(given['start']) ? given['start'] : {};
  const entity = readable(context, start['entity'], 'start.entity', issues);
  const where = whereOf(context, entity, start['where'], 'start.where', issues);
  const limit = bounded(given['limit'], 'limit', QUERY, issues);
  const steps = stepsOf(context, given['follow'], issues);
  if (issues.length > 0 || !entity) return refused(issues);
  let found = (await graph.read({ entity, where, runId, scope: context.scope, limit: READ.max })).nodes;
  for (const { type, direction, entity: wanted } of steps) {
    const next = new Map<string, GraphNode>();
    for (const node of found) {
      const key = { entity: node.entity, key: node.key };
      const edges = await graph.relationships({
        type,
        [direction === 'out' ? 'from' : 'to']: key,
        scope: context.scope,
        limit: READ.max,
      });
      for (const edge of edges) {
        const end = direction === 'out' ? edge.to : edge.from;
        if ((wanted && end.entity !== wanted) || !context.readable.includes(end.entity) || next.has(nodeId(end)))
          continue;
        const names = context.schema.entities.find(({ name }) => name === end.entity)?.key.slice(1) ?? [];
        const by = Object.fromEntries(names.map((name, i) => [name, end.key[i + 1]!]));
        const { nodes } = await graph.read({ entity: end.entity, where: by, scope: context.scope, limit: 1 });
        if (nodes[0]) next.set(nodeId(end), nodes[0]);
      }
      if (next.size >= READ.max) break;
    }
    found = [...next.values()];
  }
  const shown = found.slice(0, limit);
  const more = found.length > limit ? [`${found.length - limit} more: narrow the query`] : [];
  return { text: [`${found.length} found:`, ...shown.map((node) => row(context, node)), ...more].join('\n'), issues };
}

/** A node as one line of JSON, without what the engine writes. */
function row({ schema }: TaskContext, { entity, properties }: GraphNode): string {
  const hidden = new Set([schema.scope, ...schema.common.engine]);
  const own: Properties = Object.fromEntries(Object.entries(properties).filter(([name]) => !hidden.has(name)));
  return JSON.stringify({ entity, ...own });
}

function readable(context: TaskContext, value: unknown, path: string, issues: Issue[]): string | undefined {
  if (typeof value === 'string' && context.readable.includes(value)) return value;
  const close = typeof value === 'string' ? nearest(value, context.readable) : undefined;
  issues.push({
    path,
    message: `expected an entity that this task may read (${context.readable.join(', ') || 'none'}); got ${show(value)}${close ? `. Did you mean ${close}?` : ''}`,
  });
  return undefined;
}

function whereOf(
  context: TaskContext,
  entity: string | undefined,
  value: unknown,
  path: string,
  issues: Issue[],
): Record<string, string | number | boolean> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) {
    issues.push({ path, message: `expected {attribute: value}; got ${show(value)}` });
    return {};
  }
  const shape = context.schema.entities.find(({ name }) => name === entity)?.attributes.shape ?? {};
  const found: Record<string, string | number | boolean> = {};
  for (const [name, wanted] of Object.entries(value)) {
    if (name === context.schema.scope || wanted === null) continue;
    if (entity && !Object.hasOwn(shape, name)) {
      const close = nearest(name, Object.keys(shape));
      issues.push({
        path: `${path}.${name}`,
        message: `${entity} has no such attribute${close ? `. Did you mean ${close}?` : ''}`,
      });
    } else if (typeof wanted === 'string' || typeof wanted === 'number' || typeof wanted === 'boolean')
      found[name] = wanted;
    else issues.push({ path: `${path}.${name}`, message: `expected a text, number or boolean; got ${show(wanted)}` });
  }
  return found;
}

interface Step {
  readonly type: string;
  readonly direction: 'out' | 'in';
  readonly entity?: string;
}

function stepsOf(context: TaskContext, value: unknown, issues: Issue[]): readonly Step[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > QUERY.depth) {
    issues.push({
      path: 'follow',
      message: `expected a list of at most ${QUERY.depth} steps {type, direction, entity?}; got ${show(value)}`,
    });
    return [];
  }
  const types = [...new Set(context.schema.relationships.map(({ type }) => type))];
  return value.flatMap((step, i): Step[] => {
    const { type, direction, entity } = isRecord(step) ? step : {};
    if (typeof type !== 'string' || !types.includes(type)) {
      const close = typeof type === 'string' ? nearest(type, types) : undefined;
      issues.push({
        path: `follow[${i}].type`,
        message: `expected a relationship type; got ${show(type)}${close ? `. Did you mean ${close}?` : ''}`,
      });
      return [];
    }
    if (direction !== 'out' && direction !== 'in') {
      issues.push({ path: `follow[${i}].direction`, message: `expected "out" or "in"; got ${show(direction)}` });
      return [];
    }
    return [{ type, direction, ...(typeof entity === 'string' && { entity }) }];
  });
}

function bounded(
  value: unknown,
  path: string,
  { default: fallback, max }: { default: number; max: number },
  issues: Issue[],
): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return Math.min(value, max);
  issues.push({ path, message: `expected a whole number from 1 to ${max}; got ${show(value)}` });
  return fallback;
}

function whole(value: unknown, path: string, issues: Issue[]): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  issues.push({ path, message: `expected a whole number from 0; got ${show(value)}` });
  return 0;
}

function refused(issues: readonly Issue[]): Reading {
  return { text: ['Refused:', ...issues.map(({ path, message }) => `- ${path}: ${message}`)].join('\n'), issues };
}
