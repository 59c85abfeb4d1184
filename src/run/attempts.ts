/**
 * The effects of task actors: what a session is opened with, prompted with, judged by and committed as.
 *
 * Owns the table instance → open attempt (session, desk, log). Does not own the attempt's course (machines/task.ts) or
 * the stream (stream-actors.ts). Invariants:
 * - J1: what the journal says is durable before a session is made, a prompt is sent, or a commit begins.
 * - R1: the session's tools are bound and its log is open before the machine hears of it.
 * - A session that was opened is released exactly once, also when its actor crashed.
 */

import type { AttemptRef, Committed, OpenedSession, OpenRequest, TurnRequest } from '../../machines/task.ts';
import type { MasterSchema } from '../../schemas/define.ts';
import type { Manifest, ManifestTask } from '../../schemas/manifest.ts';
import type { InstanceRef } from '../../schemas/run-event.ts';
import { Desk } from '../agent-tools/desk.ts';
import type { Endpoint } from '../agent-tools/endpoint.ts';
import { MusterError } from '../errors.ts';
import { openProjection } from '../graph/projection.ts';
import { newRunId } from '../journal/run-id.ts';
import { openSessionLog, type SessionLog } from '../logs/session-log.ts';
import type { Router } from '../opencode/router.ts';
import { itemKeyOf } from '../output/keys.ts';
import { type PromptParts, repairPrompt, workPrompt } from '../output/prompt.ts';
import { passagesOf } from '../output/publication.ts';
import type { SourceText } from '../output/source-text.ts';
import type { TaskContext } from '../output/task-context.ts';
import type { TaskGraph } from '../plan/derive.ts';
import type { AgentServer, Clock, GraphNode, GraphStore, JournalPort, PermissionRule } from '../ports.ts';
import { citedUnits } from '../report/coverage.ts';
import type { SourceDocument } from '../workspace/documents.ts';
import { instanceDir } from '../workspace/instance-dir.ts';
import { instanceFolder, writeInstance } from '../workspace/workspace.ts';
import { judgeOf } from './judge.ts';
import { type Sources, sourcesOf } from './sources.ts';

export interface AttemptPorts {
  readonly runId: string;
  readonly scope: string;
  readonly model: string;
  readonly manifest: Manifest;
  readonly schema: MasterSchema;
  readonly graphOfTasks: TaskGraph;
  readonly prompts: Readonly<Record<string, string>>;
  readonly documents: readonly SourceDocument[];
  /** Their texts, by path. */
  readonly texts: ReadonlyMap<string, SourceText>;
  readonly workspace: string;
  readonly logs: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly secrets: readonly string[];
  readonly journal: JournalPort;
  readonly graph: GraphStore;
  readonly sources: Sources;
  readonly endpoint: Endpoint;
  readonly router: Router;
  /** Known once the server is started. */
  readonly server: () => AgentServer;
  readonly permissionsFor: (folder: string, allow: readonly string[]) => readonly PermissionRule[];
  readonly onFault: (error: Error) => void;
}

interface OpenAttempt {
  readonly session: OpenedSession;
  readonly context: TaskContext;
  readonly desk: Desk;
  readonly log: SessionLog;
  readonly prompt: PromptParts;
}

/** A prompt that can be sent again with the same ids, should the server have lost it. */
interface SentPrompt {
  readonly messageId: string;
  readonly text: string;
  readonly model: string;
}

export class Attempts {
  readonly #ports: AttemptPorts;
  readonly #open = new Map<string, OpenAttempt>();
  readonly #sent = new Map<string, SentPrompt>();
  /** Nodes that this run committed and that a fan-out is over: entity → item key → node. */
  readonly #items = new Map<string, Map<string, GraphNode>>();
  readonly #closing = new Set<Promise<unknown>>();

  constructor(ports: AttemptPorts) {
    this.#ports = ports;
  }

  async open({ instance, attempt, previous }: OpenRequest): Promise<OpenedSession> {
    const { clock, random, journal, logs, endpoint, graph, runId, server, secrets } = this.#ports;
    const task = this.#task(instance.task);
    const context = this.#context(instance);
    const folder = instanceFolder(instance.id);
    const { notes: databases, byName: sources } = sourcesOf(this.#ports.sources, task.sources);
    const goal = this.#ports.prompts[task.id] ?? '';
    const prompt: PromptParts = { context, title: task.title, goal, folder, databases };
    await writeInstance(this.#ports.workspace, context, workPrompt(prompt, previous));
    await journal.flushed();
    const { apiSessionId } = await server().createSession({
      instance,
      attempt,
      title: `${instance.id} attempt ${attempt}`,
      model: this.#model(task),
      permissions: this.#ports.permissionsFor(folder, task.allow ?? []),
    });
    const session = { sessionId: newRunId(clock, random), apiSessionId };
    const judge = judgeOf(context, graph, runId);
    const desk = new Desk({
      context,
      graph,
      runId,
      sources,
      project: openProjection,
      ...(judge && { judge }),
      onAnswer: (answer) => journal.append({ type: 'tool.answered', instance: instance.id, attempt, ...answer }),
    });
    const log = openSessionLog(`${logs}/${instanceDir(instance.id)}`, {
      clock,
      taskName: instance.id,
      ...session,
      attempt,
      secrets,
      onError: this.#ports.onFault,
    });
    this.#open.set(instance.id, { session, context, desk, log, prompt });
    endpoint.bind(apiSessionId, desk);
    return session;
  }

  /** Frames of the session, for its log. */
  logOf(instance: string): SessionLog | undefined {
    return this.#open.get(instance)?.log;
  }

  async prompt({ instance, attempt, apiSessionId, turn, issues, previous }: TurnRequest): Promise<void> {
    const { journal, router, server } = this.#ports;
    const { prompt } = this.#attempt(instance.id);
    const messageId = server().newMessageId();
    const text = turn === 1 ? workPrompt(prompt, previous) : repairPrompt(prompt, issues);
    const kind = turn === 1 ? 'work' : 'repair';
    journal.append({ type: 'turn.started', instance: instance.id, attempt, turn, kind, messageId });
    await journal.flushed();
    const sent = { messageId, text, model: this.#model(this.#task(instance.task)) };
    this.#sent.set(apiSessionId, sent);
    router.expectTurn(apiSessionId, { messageId });
    await server().prompt({ apiSessionId, ...sent });
    router.notePromptTaken(apiSessionId);
  }

  /** Sends the prompt again with the same ids: harmless if the server has it. */
  async resend(apiSessionId: string, messageId: string): Promise<void> {
    const sent = this.#sent.get(apiSessionId);
    if (sent?.messageId === messageId) await this.#ports.server().prompt({ apiSessionId, ...sent });
  }

  review({ instance }: AttemptRef) {
    return this.#attempt(instance.id).desk.review();
  }

  async commit({ instance }: AttemptRef): Promise<Committed> {
    const { journal, graph, runId, schema, texts, graphOfTasks } = this.#ports;
    const { nodes, relationships } = await this.#attempt(instance.id).desk.publication();
    await journal.flushed();
    const result = await graph.commit({ runId, task: instance.task, nodes, relationships });
    const entities: Record<string, number> = {};
    for (const { entity } of nodes) entities[entity] = (entities[entity] ?? 0) + 1;
    const fannedOut = new Set(graphOfTasks.tasks.flatMap(({ fanOut }) => (fanOut ? [fanOut.over] : [])));
    const items: Record<string, string[]> = {};
    for (const node of nodes) {
      if (!fannedOut.has(node.entity)) continue;
      const key = itemKeyOf(node);
      items[node.entity] = [...(items[node.entity] ?? []), key];
      const known = this.#items.get(node.entity) ?? new Map<string, GraphNode>();
      this.#items.set(node.entity, known.set(key, node));
    }
    return { entities, ...result, items, cited: citedUnits(texts, passagesOf(schema, nodes)) };
  }

  async abort({ apiSessionId }: { readonly apiSessionId: string }): Promise<void> {
    this.#ports.router.noteAbort(apiSessionId);
    await this.#ports.server().abort(apiSessionId);
  }

  /** Ends the session's route, tools and log. */
  release(instance: string, status: string): void {
    const attempt = this.#open.get(instance);
    if (!attempt) return;
    const { session, log, desk } = attempt;
    this.#open.delete(instance);
    this.#sent.delete(session.apiSessionId);
    this.#ports.router.drop(session.apiSessionId);
    this.#ports.endpoint.unbind(session.apiSessionId);
    const closing = Promise.all([log.close(status), desk.close()]).catch(this.#ports.onFault);
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }

  /** A settled instance whose actor released nothing has crashed: its session must not go on by itself. */
  sweep(instance: string): void {
    const attempt = this.#open.get(instance);
    if (!attempt) return;
    this.abort(attempt.session).catch(this.#ports.onFault);
    this.release(instance, 'failed');
  }

  /** Resolves when every log is on disk. */
  async closed(): Promise<void> {
    for (const instance of [...this.#open.keys()]) this.release(instance, 'cancelled');
    await Promise.all(this.#closing);
  }

  /** The instance that a session works for, for what is told of sessions. */
  instanceOf(apiSessionId: string): string | undefined {
    for (const [instance, { session }] of this.#open) if (session.apiSessionId === apiSessionId) return instance;
    return undefined;
  }

  #attempt(instance: string): OpenAttempt {
    const attempt = this.#open.get(instance);
    if (attempt) return attempt;
    throw new MusterError('BUG', `expected an open session of ${instance}, got none`);
  }

  #task(id: string): ManifestTask {
    const task = this.#ports.manifest.tasks.find((one) => one.id === id);
    if (task) return task;
    throw new MusterError('BUG', `expected task "${id}" in the manifest, got none`);
  }

  #model(task: ManifestTask): string {
    return task.model ?? this.#ports.model;
  }

  #context(instance: InstanceRef): TaskContext {
    const { schema, scope, documents, texts, graphOfTasks } = this.#ports;
    const task = this.#task(instance.task);
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
