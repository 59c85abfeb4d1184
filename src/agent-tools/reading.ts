/** The read tool: nodes that upstream tasks of this run committed. Answers are rows of JSON, bounded. */
import type { Properties } from '../../schemas/define.ts';
import type { Issue } from '../../schemas/run-event.ts';
import type { TaskContext } from '../output/task-context.ts';
import { cut, didYouMean, isRecord, NAME_SHOWN, readArguments, show } from '../output/values.ts';
import type { GraphNode, GraphStore } from '../ports.ts';
import { boundIssues, issueLines, rowsThatFit } from './answer-text.ts';

export interface ReadingOptions {
  readonly context: TaskContext;
  readonly graph: GraphStore;
  readonly runId: string;
  /** Milliseconds of a clock that only goes forward. */
  readonly elapsedMs: () => number;
}

export interface Reading {
  readonly text: string;
  readonly issues: readonly Issue[];
}

/** Rows of one answer. */
const READ = { default: 200, max: 1_000 };
/** Characters of one text in a row: long texts are shown by their beginning. */
const TEXT_SHOWN = 2_000;

/** `{entity, where?, limit?, offset?}` → nodes that this run committed. */
export async function readText({ context, graph, runId }: ReadingOptions, input: unknown): Promise<Reading> {
  const issues: Issue[] = [];
  const given = readArguments(input, ['entity', 'where', 'limit', 'offset'], issues);
  const entity = readable(context, given['entity'], 'entity', issues);
  const where = whereOf(context, entity, given['where'], 'where', issues);
  const limit = bounded(given['limit'], 'limit', READ, issues);
  const offset = whole(given['offset'], 'offset', issues);
  if (issues.length > 0 || !entity) return refused(issues);
  const { nodes, total } = await graph.read({ entity, where, runId, scope: context.scope, limit, offset });
  const rows = rowsThatFit(nodes.map((node) => rowText(context, node)));
  const shown = offset + rows.length;
  const head = `${total} ${entity}${rows.length > 0 && rows.length < total ? `, rows ${offset + 1} to ${shown}` : ''}:`;
  const more = shown < total ? [`${total - shown} more: call again with offset ${shown}`] : [];
  return { text: [head, ...rows, ...more].join('\n'), issues };
}

/** A node as one line of JSON, without what the engine writes. */
export function rowText({ schema }: TaskContext, { entity, properties }: GraphNode): string {
  const hidden = new Set([schema.scope, ...schema.common.engine]);
  const own: Properties = Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) => {
      if (hidden.has(name)) return [];
      if (typeof value !== 'string' || value.length <= TEXT_SHOWN) return [[name, value]];
      return [[name, `${value.slice(0, TEXT_SHOWN)}… (${value.length - TEXT_SHOWN} more characters)`]];
    }),
  );
  return JSON.stringify({ entity, ...own });
}

export function readable(context: TaskContext, value: unknown, path: string, issues: Issue[]): string | undefined {
  if (typeof value === 'string' && context.readable.includes(value)) return value;
  const known = context.readable.join(', ') || 'none';
  issues.push({
    path,
    message: `expected an entity that this task may read (${known}); got ${show(value)}${didYouMean(value, context.readable)}`,
  });
  return undefined;
}

export function whereOf(
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
      issues.push({
        path: `${path}.${cut(name, NAME_SHOWN)}`,
        message: `${entity} has no such attribute${didYouMean(name, Object.keys(shape))}`,
      });
    } else if (typeof wanted === 'string' || typeof wanted === 'number' || typeof wanted === 'boolean')
      found[name] = wanted;
    else issues.push({ path: `${path}.${name}`, message: `expected a text, number or boolean; got ${show(wanted)}` });
  }
  return found;
}

export function bounded(
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

export function refused(issues: readonly Issue[]): Reading {
  const bounded = boundIssues(issues);
  return { text: ['Refused:', ...issueLines(bounded)].join('\n'), issues: bounded };
}
