/**
 * The effects of task actors: what a session is opened with, prompted with and judged by.
 *
 * Owns the table instance → open attempt (session, desk, log). Does not own the attempt's course (machines/task.ts), what an
 * agent works from (task-contexts.ts), or what a commit writes (commits.ts). Invariants:
 * - J1: what the journal says is durable before a session is made, a prompt is sent, or a commit begins.
 * - R1: the session's tools are bound and its log is open before the machine hears of it.
 * - A session that was opened is released exactly once, also when its actor crashed.
 */

import type {
  AttemptRef,
  Committed,
  OpenedSession,
  OpenRequest,
  ResumedStart,
  Review,
  TurnRequest,
} from '../../machines/task-ports.ts';
import type { InstanceRef } from '../../schemas/run-event.ts';
import type { Endpoint } from '../agent-tools/endpoint.ts';
import { MusterError } from '../errors.ts';
import { openProjection } from '../graph/projection.ts';
import { newRunId } from '../journal/run-id.ts';
import { openSessionLog, type SessionLog } from '../logs/session-log.ts';
import type { Router } from '../opencode/router.ts';
import { continuePrompt } from '../output/continue-prompt.ts';
import { type PromptParts, repairPrompt, workPrompt } from '../output/prompt.ts';
import type { TaskContext } from '../output/task-context.ts';
import type { AgentServer, Clock, GraphNode, GraphStore, JournalPort, PermissionRule } from '../ports.ts';
import { instanceDir } from '../workspace/instance-dir.ts';
import { writeInstance } from '../workspace/workspace.ts';
import { callsFile } from './attempt-files.ts';
import { CallLog } from './call-log.ts';
import { type CommitPorts, commitWork } from './commits.ts';
import { DurableDesk } from './durable-desk.ts';
import { judgeOf } from './judge.ts';
import { sourcesOf } from './sources.ts';
import type { TakenUp, TakeUp } from './take-up.ts';
import { type TaskContextPorts, TaskContexts } from './task-contexts.ts';

export interface AttemptPorts extends TaskContextPorts {
  readonly runId: string;
  readonly workspace: string;
  readonly logs: string;
  /** Folder of what attempts have handed in. */
  readonly work: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly secrets: readonly string[];
  readonly journal: JournalPort;
  readonly graph: GraphStore;
  readonly endpoint: Endpoint;
  readonly router: Router;
  /** Known once the server is started. */
  readonly server: () => AgentServer;
  readonly permissionsFor: (folder: string, allow: readonly string[]) => readonly PermissionRule[];
  readonly onFault: (error: Error) => void;
  /** Finds out how an instance goes on that was begun before; absent when nothing was. */
  readonly takeUp?: TakeUp;
  /** The session that an earlier process left of an instance, if the server is there that may still work at it. */
  readonly leftSession?: (instance: string) => OpenedSession | undefined;
  /** Keeps what an instance is made from, before its first session. */
  readonly keepInputs?: (instance: InstanceRef, item: GraphNode | undefined) => Promise<void>;
}

interface OpenAttempt {
  readonly session: OpenedSession;
  readonly context: TaskContext;
  readonly desk: DurableDesk;
  readonly calls: CallLog;
  readonly log: SessionLog;
  readonly prompt: PromptParts;
  /** What was handed in; unknown of a session that an earlier process began. */
  readonly work: { accepted: number; refused: number } | undefined;
}

/** A prompt that can be sent again with the same ids, should the server have lost it. */
interface SentPrompt {
  readonly messageId: string;
  readonly text: string;
  readonly model: string;
}

/** Longest wait for a server that is told to stop a session nobody waits for. */
const STOP_MS = 3_000;

export class Attempts {
  readonly #ports: AttemptPorts;
  readonly #contexts: TaskContexts;
  readonly #commits: CommitPorts;
  readonly #open = new Map<string, OpenAttempt>();
  readonly #sent = new Map<string, SentPrompt>();
  readonly #closing = new Set<Promise<unknown>>();
  readonly #stopping = new Set<Promise<unknown>>();
  /** How instances of an earlier process were taken up. */
  readonly #taken = new Map<string, TakenUp>();

  constructor(ports: AttemptPorts) {
    this.#ports = ports;
    this.#contexts = new TaskContexts(ports);
    this.#commits = {
      ...ports,
      contexts: this.#contexts,
      keepInputs: (instance, item) => this.#keepInputs(instance, item),
    };
  }

  async open({ instance, attempt, previous, adjustment, model }: OpenRequest): Promise<OpenedSession> {
    const { clock, random, journal, server } = this.#ports;
    const task = this.#contexts.task(instance.task);
    const prompt = this.#contexts.prompt(instance);
    await writeInstance(this.#ports.workspace, prompt.context, workPrompt(prompt, previous, adjustment));
    await this.#keepInputs(instance, prompt.context.item);
    await journal.flushed();
    const { apiSessionId } = await server().createSession({
      instance,
      attempt,
      title: `${instance.id} attempt ${attempt}`,
      model: model ?? this.#contexts.modelOf(task.id),
      permissions: this.#ports.permissionsFor(prompt.folder, task.allow ?? []),
    });
    const session = { sessionId: newRunId(clock, random), apiSessionId };
    this.#bind(instance, attempt, session, prompt, undefined);
    return session;
  }

  /** How an instance goes on that an earlier process began; its tools and its log are bound again if its session lives. */
  async resume({ instance }: { readonly instance: InstanceRef }): Promise<ResumedStart> {
    const { takeUp } = this.#ports;
    if (!takeUp) throw new MusterError('BUG', `expected something to resume ${instance.id} from, got nothing`);
    const taken = await takeUp(instance, {
      desk: (attempt, session, keepBytes) => {
        this.release(instance.id, 'interrupted');
        return this.#bind(instance, attempt, session, this.#contexts.prompt(instance), keepBytes).desk;
      },
    });
    this.#taken.set(instance.id, taken);
    if (taken.start.step === 'commit-again' || taken.start.step === 'new-attempt')
      this.release(instance.id, 'interrupted');
    return taken.start;
  }

  /** The session's route is open: what an earlier process waited for is waited for again. */
  registered(instance: string, apiSessionId: string): void {
    const taken = this.#taken.get(instance);
    const isThisSession = taken && 'session' in taken.start && taken.start.session.apiSessionId === apiSessionId;
    if (!isThisSession) return;
    const { router } = this.#ports;
    const { frames, messageId = '' } = taken;
    if (messageId !== '') {
      router.expectTurn(apiSessionId, { messageId });
      router.notePromptTaken(apiSessionId);
    }
    // Nothing was heard of the session yet, so that what was read is not older than the stream.
    router.absorb(frames, { apiSessionId, messageId, replyIds: [], asks: [], mark: 0 });
  }

  /** Nodes that this run committed before this process began, for the fan-outs over them. */
  knowItems(nodes: readonly GraphNode[]): void {
    this.#contexts.knowItems(nodes);
  }

  #bind(
    instance: InstanceRef,
    attempt: number,
    session: OpenedSession,
    prompt: PromptParts,
    keepBytes: number | undefined,
  ): OpenAttempt {
    const { clock, journal, logs, work, endpoint, graph, runId, secrets } = this.#ports;
    const { context } = prompt;
    const calls = new CallLog(callsFile(work, instance.id, attempt), keepBytes);
    const seen = keepBytes === undefined ? { accepted: 0, refused: 0 } : undefined;
    const judge = judgeOf(context, graph, runId);
    const { byName: sources } = sourcesOf(this.#ports.sources, this.#contexts.task(instance.task).sources);
    const desk = new DurableDesk(
      {
        context,
        graph,
        runId,
        sources,
        project: openProjection,
        ...(judge && { judge }),
        onAnswer: (answer) => {
          if (seen && answer.tool === 'submit') {
            seen.accepted += answer.accepted;
            seen.refused = answer.issues.length;
          }
          journal.append({ type: 'tool.answered', instance: instance.id, attempt, ...answer });
        },
      },
      calls,
    );
    const log = openSessionLog(`${logs}/${instanceDir(instance.id)}`, {
      clock,
      taskName: instance.id,
      ...session,
      attempt,
      secrets,
      onError: this.#ports.onFault,
    });
    const open = { session, context, desk, calls, log, prompt, work: seen };
    this.#open.set(instance.id, open);
    endpoint.bind(session.apiSessionId, desk);
    return open;
  }

  /** Frames of the session, for its log. */
  logOf(instance: string): SessionLog | undefined {
    return this.#open.get(instance)?.log;
  }

  /** @param signal aborted when nobody waits for the turn any more: its prompt is not sent then */
  async prompt(request: TurnRequest, signal: AbortSignal): Promise<void> {
    const { instance, attempt, apiSessionId, turn, issues, continues, previous, adjustment } = request;
    const { journal, router, server } = this.#ports;
    const { prompt } = this.#attempt(instance.id);
    const messageId = server().newMessageId();
    const kind = continues ? 'continue' : turn === 1 ? 'work' : 'repair';
    const text = continues
      ? continuePrompt(prompt)
      : turn === 1
        ? workPrompt(prompt, previous, adjustment)
        : repairPrompt(prompt, issues, adjustment);
    journal.append({ type: 'turn.started', instance: instance.id, attempt, turn, kind, messageId });
    await journal.flushed();
    signal.throwIfAborted();
    const sent = { messageId, text, model: request.model ?? this.#contexts.modelOf(instance.task) };
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

  async review({ instance }: AttemptRef): Promise<Review> {
    const { desk, work } = this.#attempt(instance.id);
    return { ...(await desk.review()), ...(work && { work: { ...work } }) };
  }

  commit(ref: AttemptRef): Promise<Committed> {
    const { id } = ref.instance;
    return commitWork(this.#commits, ref, {
      taken: this.#taken.get(id),
      reviewed: () => this.#attempt(id).desk.publication(),
    });
  }

  /** Without the record a later run does the work again: no reason to fail this one. */
  async #keepInputs(instance: InstanceRef, item: GraphNode | undefined): Promise<void> {
    await this.#ports.keepInputs?.(instance, item).catch(this.#ports.onFault);
  }

  /** The node that an instance of a fan-out is for. */
  itemOf(instance: InstanceRef): GraphNode | undefined {
    return this.#contexts.context(instance).item;
  }

  async abort({ apiSessionId }: { readonly apiSessionId: string }): Promise<void> {
    this.#ports.router.noteAbort(apiSessionId);
    await this.#ports.server().abort(apiSessionId);
  }

  /** Ends the session's route, tools and log. */
  release(instance: string, status: string): void {
    const attempt = this.#open.get(instance);
    if (!attempt) return;
    const { session, log, calls, desk } = attempt;
    this.#open.delete(instance);
    this.#sent.delete(session.apiSessionId);
    this.#ports.router.drop(session.apiSessionId);
    this.#ports.endpoint.unbind(session.apiSessionId);
    const closing = Promise.all([log.close(status), calls.close(), desk.close()]).catch(this.#ports.onFault);
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }

  /**
   * A settled instance whose actor released nothing has crashed, or it was cancelled before it was taken up: its session
   * must not go on by itself.
   */
  sweep(instance: string): void {
    const attempt = this.#open.get(instance);
    const left = this.#taken.has(instance) ? undefined : this.#ports.leftSession?.(instance);
    if (attempt) {
      this.#stop(attempt.session);
      this.release(instance, 'failed');
    } else if (left) this.#stop(left);
  }

  #stop(session: OpenedSession): void {
    const { clock, onFault } = this.#ports;
    const stopping = new Promise<void>((resolve) => {
      const cancel = clock.after(STOP_MS, resolve);
      void this.abort(session)
        .catch(onFault)
        .then(() => {
          cancel();
          resolve();
        });
    });
    this.#stopping.add(stopping);
    void stopping.then(() => this.#stopping.delete(stopping));
  }

  /** Resolves when the server has been told to stop what {@link sweep} found, or after 3 s without an answer. */
  async stopped(): Promise<void> {
    await Promise.all(this.#stopping);
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
}
