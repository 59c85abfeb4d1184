/** Fills the machines' placeholders with the adapters of one run. */
import type { Logger } from 'pino';
import { fromCallback, fromPromise } from 'xstate';
import { type ConnectionEvent, eventStreamMachine } from '../../machines/event-stream.ts';
import { holdMachine } from '../../machines/hold.ts';
import { orchestratorMachine } from '../../machines/orchestrator.ts';
import { type StartedServer, serverMachine } from '../../machines/server.ts';
import { taskMachine } from '../../machines/task.ts';
import type {
  AttemptRef,
  Committed,
  GateRequest,
  OpenedSession,
  OpenRequest,
  ResumedStart,
  Review,
  TurnRequest,
} from '../../machines/task-ports.ts';
import type { Cause, InstanceRef, RunFact } from '../../schemas/run-event.ts';
import { ensureError, MusterError } from '../errors.ts';
import { fingerprintOf } from '../fingerprint/compare.ts';
import type { PartSource } from '../fingerprint/parts.ts';
import type { Journal } from '../journal/writer.ts';
import { OpenCodeAgentServer } from '../opencode/agent-server.ts';
import { readKnownSession } from '../opencode/known-session.ts';
import { MessageIds } from '../opencode/message-id.ts';
import { sessionPermissions } from '../opencode/permissions.ts';
import { closeGap, turnReader } from '../opencode/reconcile.ts';
import { Router } from '../opencode/router.ts';
import type { OpenCodeServer } from '../opencode/server.ts';
import { openStream, type StreamEnd } from '../opencode/stream.ts';
import { foldedSource } from '../output/check-passage.ts';
import { findQuote } from '../output/find-quote.ts';
import type { SourceText } from '../output/source-text.ts';
import type { Clock, GraphNode, GraphStore } from '../ports.ts';
import { isOutdated } from '../resume/changed-inputs.ts';
import type { KnownInstance } from '../resume/known-run.ts';
import type { SourceDocument } from '../workspace/documents.ts';
import { answerAsk } from './asks.ts';
import { Attempts } from './attempts.ts';
import { blockedBy, checkGraph, drawLate } from './conclude.ts';
import { presentParts, readFingerprint, saveParts } from './instance-record.ts';
import { openServer, type ServerPorts, secretsOf } from './open-server.ts';
import { ProviderGates } from './provider-gates.ts';
import { modelsOf } from './run-rules.ts';
import { sha256 } from './started-fact.ts';
import { type TakeOverPorts, takeOverFrom } from './take-over.ts';
import { firstThatKnows, takeUpFrom } from './take-up.ts';

export interface RunActorPorts extends ServerPorts {
  readonly documents: readonly SourceDocument[];
  /** Their texts, by path. */
  readonly texts: ReadonlyMap<string, SourceText>;
  readonly project: string;
  readonly model: string;
  readonly journal: Journal;
  readonly graph: GraphStore;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly onFault: (error: Error) => void;
  /** What an earlier process of this run left. */
  readonly resumed?: {
    readonly open: ReadonlyMap<string, KnownInstance>;
    /** Whether the run goes on with other inputs than it started with, or did. */
    readonly isChanged: boolean;
  };
  /** What the fingerprints of this run are taken from. */
  readonly partSource: PartSource;
  /** An earlier run to take over from. */
  readonly takeOver?: Pick<TakeOverPorts, 'earlier' | 'selection'>;
}

interface Live {
  readonly server: OpenCodeServer;
  readonly agents: OpenCodeAgentServer;
  worktree: string;
}

export function runActors(ports: RunActorPorts) {
  const { options, loaded, folder, journal, clock, random, onFault, log } = ports;
  const record = (_: unknown, fact: RunFact) => journal.append(fact);
  let live: Live | undefined;
  const current = (): Live => {
    if (live) return live;
    throw new MusterError('BUG', 'expected a server that is ready, got none');
  };
  let tellStream: ((event: ConnectionEvent) => void) | undefined;

  const router = new Router({
    clock,
    readTurn: (query) => turnReader(current().server.client, current().server.directory)(query),
    resend: (apiSessionId, messageId) => attempts.resend(apiSessionId, messageId),
    onFault: (error, apiSessionId) => log.warn({ err: error, apiSessionId }, 'session fault'),
    onGap: () => tellStream?.({ type: 'stream.gap' }),
    onAsk: (ask) =>
      void answerAsk(ask, {
        client: () => current().server.client,
        clock,
        journal,
        instanceOf: (apiSessionId) => attempts.instanceOf(apiSessionId),
        onFault,
      }),
  });
  const partsOf = (task: string, item: GraphNode | undefined) =>
    presentParts(ports.partSource, ports.graph, folder.runId, task, item);
  const open = ports.resumed?.open ?? new Map<string, KnownInstance>();
  const resume = takeUpFrom({
    known: open,
    work: folder.work,
    readSession: (apiSessionId, messageId) => {
      const { client, directory } = current().server;
      return readKnownSession(client, directory, apiSessionId, messageId);
    },
    abort: (apiSessionId) => current().agents.abort(apiSessionId),
    ...(ports.resumed?.isChanged === true && {
      isOutdated: async (ref: InstanceRef) =>
        isOutdated(
          await readFingerprint(folder.work, ref.id),
          fingerprintOf(await partsOf(ref.task, attempts.itemOf(ref)), sha256),
        ),
    }),
  });
  const { takeOver } = ports;
  const takeUp = takeOver
    ? firstThatKnows(
        open,
        resume,
        takeOverFrom({
          ...takeOver,
          graphOfTasks: loaded.graph,
          parts: (ref) => partsOf(ref.task, attempts.itemOf(ref)),
          record: (fact) => journal.append(fact),
        }),
      )
    : ports.resumed && resume;
  const gates = new ProviderGates({
    clock,
    random,
    max: options.concurrency ?? loaded.manifest.concurrency,
    record: (fact) => journal.append(fact),
  });
  const attempts: Attempts = new Attempts({
    runId: folder.runId,
    scope: ports.project,
    model: ports.model,
    manifest: loaded.manifest,
    schema: loaded.schema,
    graphOfTasks: loaded.graph,
    prompts: loaded.prompts,
    documents: ports.documents,
    texts: ports.texts,
    workspace: folder.workspace,
    logs: folder.logs,
    work: folder.work,
    clock,
    random,
    secrets: secretsOf(ports),
    journal,
    graph: ports.graph,
    sources: ports.sources,
    endpoint: ports.endpoint,
    router,
    server: () => current().agents,
    permissionsFor: (instanceDir, allow) => {
      const { server, worktree } = current();
      return sessionPermissions({ worktree, directory: server.directory, instanceDir, allow });
    },
    onFault,
    keepInputs: async ({ id, task }, item) => saveParts(folder, id, await partsOf(task, item)),
    ...(takeUp && { takeUp }),
    leftSession: (instance) => (live ? open.get(instance)?.attempt?.session : undefined),
  });
  // O2: an actor that crashed released nothing; its session would go on and spend.
  journal.subscribe((event) => {
    if (event.type === 'instance.settled') attempts.sweep(event.instance);
    if (event.type === 'server.lost') router.lost(event.cause.message);
  });

  const hold = holdMachine.provide({ actions: { record } });
  const task = taskMachine.provide({
    actions: {
      record,
      addRoute: ({ self, context, system }, { apiSessionId }) => {
        const { id } = context.instance;
        const stream = system.get('event-stream');
        router.register(
          apiSessionId,
          (event) => {
            const mustYield = gates.hear(id, event);
            if (event.type === 'session.turn-ended') current().server.hearEnd(event.judgement);
            stream.send({ type: 'stream.deliver', to: self, event });
            if (mustYield) self.send({ type: 'task.yield' });
          },
          (frame) => attempts.logOf(id)?.event(frame.type, frame.properties),
        );
        attempts.registered(id, apiSessionId);
      },
      releaseSession: (_, { instance, status }) => attempts.release(instance.id, status),
      occupyGate: (_, { instance, model }) => gates.occupy(instance.id, model),
      leaveGate: (_, { id }) => gates.leave(id),
    },
    actors: {
      resume: fromPromise<ResumedStart, { readonly instance: InstanceRef }>(({ input }) => attempts.resume(input)),
      openSession: fromPromise<OpenedSession, OpenRequest>(({ input }) => attempts.open(input)),
      prompt: fromPromise<void, TurnRequest>(({ input, signal }) => attempts.prompt(input, signal)),
      review: fromPromise<Review, AttemptRef>(({ input }) => attempts.review(input)),
      enterGate: fromPromise<void, GateRequest>(({ input, signal }) =>
        gates.enter(input.instance.id, input.model, signal),
      ),
      hold,
      commit: fromPromise<Committed, AttemptRef>(({ input }) => attempts.commit(input)),
      abort: fromPromise<void, { readonly apiSessionId: string }>(({ input }) => attempts.abort(input)),
    },
  });

  const server = serverMachine.provide({
    actions: { record },
    actors: {
      start: fromPromise<StartedServer>(async () => {
        await journal.flushed();
        const started = await openServer(ports);
        for (const note of started.notes) log.warn(note);
        const ids = new MessageIds({ now: clock.now, random });
        const agents = new OpenCodeAgentServer({ client: started.client, ids, abortSafe: started.abortSafe });
        live = { server: started, agents, worktree: '/' };
        const { version, owned, pid, url } = started;
        return { version, owned, url, ...(pid !== undefined && { pid }) };
      }),
      warm: fromPromise<void>(async () => {
        const isRehearsal = options.rehearsal !== undefined;
        const models = modelsOf({ manifest: loaded.manifest, model: ports.model, isRehearsal });
        const { worktree } = await current().server.warm(models);
        current().worktree = worktree;
      }),
      watch: fromPromise<Cause>(() => current().server.gone),
      stop: fromPromise<void>(async () => {
        // One of ours takes its sessions with it.
        if (live?.server.owned === false) await attempts.stopped();
        await live?.server.stop();
      }),
    },
  });

  const eventStream = eventStreamMachine.provide({
    actions: { record },
    actors: {
      connection: fromCallback<never, { readonly connection: number }>(({ sendBack }) => {
        const tell = sendBack as unknown as (event: ConnectionEvent) => void;
        tellStream = tell;
        const { client } = current().server;
        const stream = openStream({
          source: { open: (signal) => client.openEventStream(signal) },
          clock,
          onFrame: (frame) => router.feed(frame),
          onProven: () => tell({ type: 'stream.proven' }),
          onEnd: (end) => {
            if (end.kind !== 'closed') tell({ type: 'stream.ended', cause: endCause(end) });
          },
        });
        return () => stream.close();
      }) as never,
      reconcile: fromPromise<number, { readonly connection: number }>(() => {
        const { client, directory } = current().server;
        return closeGap({ client, router, directory });
      }),
    },
  });

  const concluding = fromPromise<{ readonly blocked?: Cause }>(async () => {
    const hasQuote = (path: string, quote: string) => {
      const text = ports.texts.get(path);
      return text && findQuote(foldedSource(text), quote) !== undefined;
    };
    const of = { graph: ports.graph, schema: loaded.schema, scope: ports.project, hasQuote };
    const check = await checkGraph(of, await drawLate(of, folder.runId));
    journal.append({ type: 'run.checked', ...check });
    const blocked = blockedBy(check);
    return blocked ? { blocked } : {};
  });

  const machine = orchestratorMachine.provide({
    actions: { record },
    actors: { task, server, eventStream, hold, conclude: concluding },
  });
  return { machine, attempts, gates };
}

function endCause(end: Exclude<StreamEnd, { kind: 'closed' }>): Cause {
  switch (end.kind) {
    case 'ended':
      return { code: 'STREAM_LOST', message: 'the server ended the event stream' };
    case 'silent':
      return { code: 'STREAM_LOST', message: `no byte on the event stream for ${end.silentMs} ms` };
    case 'failed':
      return { code: 'STREAM_LOST', message: `the event stream broke: ${ensureError(end.error).message}` };
  }
}
