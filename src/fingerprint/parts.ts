/**
 * What an instance's work depends on, as named texts: the same texts, the same work is expected of an agent.
 *
 * Limits are left out on purpose: how often and how long is tried does not change what is asked for.
 */
import type { MasterSchema } from '../../schemas/define.ts';
import type { Manifest } from '../../schemas/manifest.ts';
import { renderAgentSchema } from '../output/agent-schema.ts';
import type { TaskContext } from '../output/task-context.ts';
import type { TaskGraph } from '../plan/derive.ts';
import type { GraphNode } from '../ports.ts';

/** Name of the part → its text. */
export type Parts = Readonly<Record<string, string>>;

export interface PartSource {
  readonly schema: MasterSchema;
  readonly manifest: Manifest;
  readonly graph: TaskGraph;
  /** By task id. */
  readonly prompts: Readonly<Record<string, string>>;
  readonly documents: readonly { readonly path: string; readonly sha256: string }[];
  /** `provider/model` of tasks without one of their own. */
  readonly model: string;
  /** Whatever changes when the agents' tools do. */
  readonly tools: string;
  readonly scope: string;
}

/** How the parts of documents and of upstream entities begin. */
export const DOCUMENT = 'document ';
export const UPSTREAM = 'upstream ';

/** What is known of a task before anything ran. */
export function taskParts(source: PartSource, taskId: string): Parts {
  const { schema, manifest, graph, prompts, documents, model, tools, scope } = source;
  const task = manifest.tasks.find(({ id }) => id === taskId);
  const derived = graph.tasks.find(({ id }) => id === taskId);
  if (!task || !derived) return {};
  const readable = readableEntities(source, taskId);
  const context: TaskContext = { schema, instance: { id: taskId, task: taskId }, scope, sources: [], readable };
  return {
    prompt: prompts[taskId] ?? '',
    schema: `${schema.name} ${schema.version}\n${renderAgentSchema(context)}`,
    model: task.model ?? model,
    settings: canonical({
      title: task.title,
      allow: task.allow ?? [],
      fanOut: derived.fanOut ?? null,
      waitsFor: derived.waitsFor.map((edge) => edge.task),
      readable,
    }),
    tools,
    ...Object.fromEntries(documents.map(({ path, sha256 }) => [`${DOCUMENT}${path}`, sha256])),
  };
}

/** What is known when its dependencies are met: the item it is for, and what it may read of what others committed. */
export function instanceParts(
  task: Parts,
  item: GraphNode | undefined,
  upstream: ReadonlyMap<string, readonly GraphNode[]>,
): Parts {
  return {
    ...task,
    ...(item && { item: nodeText(item) }),
    ...Object.fromEntries(
      [...upstream].map(([entity, nodes]) => [`${UPSTREAM}${entity}`, nodes.map(nodeText).join('\n')]),
    ),
  };
}

/** Entities that a task's agent may read: those of the tasks it waits for, and the manifest's `reads`. */
export function readableEntities({ schema, manifest, graph }: PartSource, taskId: string): readonly string[] {
  const reads = manifest.tasks.find(({ id }) => id === taskId)?.reads ?? [];
  const upstream = new Set(graph.tasks.find(({ id }) => id === taskId)?.waitsFor.map((edge) => edge.task));
  return schema.entities
    .filter(({ name, producers }) => reads.includes(name) || producers.some((one) => upstream.has(one.task)))
    .map(({ name }) => name);
}

function nodeText({ entity, key, properties }: GraphNode): string {
  return canonical({ entity, key, properties });
}

/** JSON with sorted names, so that the order of writing shows nowhere. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, of: unknown) =>
    typeof of === 'object' && of !== null && !Array.isArray(of)
      ? Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : of,
  );
}
