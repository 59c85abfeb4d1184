/**
 * What the agents of a run work from: the context and the prompt of each instance.
 *
 * Owns the items that this run committed for its fan-outs. Does not own the sessions (attempts.ts).
 */
import type { MasterSchema } from '../../schemas/define.ts';
import type { Manifest, ManifestTask } from '../../schemas/manifest.ts';
import type { InstanceRef } from '../../schemas/run-event.ts';
import { MusterError } from '../errors.ts';
import { itemKeyOf } from '../output/keys.ts';
import type { PromptParts } from '../output/prompt.ts';
import type { SourceText } from '../output/source-text.ts';
import type { TaskContext } from '../output/task-context.ts';
import type { TaskGraph } from '../plan/derive.ts';
import type { GraphNode } from '../ports.ts';
import type { SourceDocument } from '../workspace/documents.ts';
import { instanceFolder } from '../workspace/workspace.ts';
import { type Sources, sourcesOf } from './sources.ts';

export interface TaskContextPorts {
  readonly scope: string;
  /** `provider/model` of a task that names none. */
  readonly model: string;
  readonly manifest: Manifest;
  readonly schema: MasterSchema;
  readonly graphOfTasks: TaskGraph;
  readonly prompts: Readonly<Record<string, string>>;
  readonly documents: readonly SourceDocument[];
  /** Their texts, by path. */
  readonly texts: ReadonlyMap<string, SourceText>;
  readonly sources: Sources;
}

export class TaskContexts {
  readonly #ports: TaskContextPorts;
  /** Nodes that a fan-out is over: entity → item key → node. */
  readonly #items = new Map<string, Map<string, GraphNode>>();

  constructor(ports: TaskContextPorts) {
    this.#ports = ports;
  }

  /** Nodes that this run committed; those that fan-outs are over are kept, and their keys returned by entity. */
  knowItems(nodes: readonly GraphNode[]): Readonly<Record<string, readonly string[]>> {
    const { tasks } = this.#ports.graphOfTasks;
    const fannedOut = new Set(tasks.flatMap(({ fanOut }) => (fanOut ? [fanOut.over] : [])));
    const keys: Record<string, string[]> = {};
    for (const node of nodes) {
      if (!fannedOut.has(node.entity)) continue;
      const key = itemKeyOf(node);
      const known = this.#items.get(node.entity) ?? new Map<string, GraphNode>();
      this.#items.set(node.entity, known.set(key, node));
      keys[node.entity] = [...(keys[node.entity] ?? []), key];
    }
    return keys;
  }

  task(id: string): ManifestTask {
    const task = this.#ports.manifest.tasks.find((one) => one.id === id);
    if (task) return task;
    throw new MusterError('BUG', `expected task "${id}" in the manifest, got none`);
  }

  /** `provider/model`. */
  modelOf(task: string): string {
    return this.task(task).model ?? this.#ports.model;
  }

  prompt(instance: InstanceRef): PromptParts {
    const task = this.task(instance.task);
    return {
      context: this.context(instance),
      title: task.title,
      goal: this.#ports.prompts[task.id] ?? '',
      folder: instanceFolder(instance.id),
      databases: sourcesOf(this.#ports.sources, task.sources).notes,
    };
  }

  /** @throws MusterError BUG for an instance of a fan-out whose item this run did not commit */
  context(instance: InstanceRef): TaskContext {
    const { schema, scope, documents, texts, graphOfTasks } = this.#ports;
    const task = this.task(instance.task);
    const derived = graphOfTasks.tasks.find(({ id }) => id === task.id);
    const upstream = new Set(derived?.waitsFor.map((edge) => edge.task));
    const readable = schema.entities
      .filter(({ name, producers }) => task.reads?.includes(name) || producers.some((one) => upstream.has(one.task)))
      .map(({ name }) => name);
    const item = derived?.fanOut && this.#items.get(derived.fanOut.over)?.get(instance.itemKey ?? '');
    if (derived?.fanOut && !item) {
      throw new MusterError('BUG', `expected the committed ${derived.fanOut.over} "${instance.itemKey}", got none`);
    }
    const sources = documents.map(({ path }) => path);
    const sourceText = (path: string) => texts.get(path);
    return { schema, instance, scope, ...(item && { item }), sources, sourceText, readable };
  }
}
