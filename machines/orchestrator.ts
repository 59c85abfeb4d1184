/**
 * The orchestrator machine: one run, from the start of the server to its stop.
 *
 * Owns: the plan and its changes; one server actor, one event-stream actor, one task actor for each instance; the
 * order of the run's facts. Does not own: what the plan decides (src/plan, src/policy), an instance's attempts (the
 * task machine), any I/O. Guards are questions to the plan: dependency gate, wave gate and admission in
 * `src/policy/admission.ts`, fan-out in `src/plan/plan.ts`.
 *
 * Invariants
 * - O1 the plan in the context is the only account of who may start; it changes through src/plan alone.
 * - O2 a task actor that crashes is a failed instance, never a failed run actor.
 * - T1 every instance is settled once; dependants of a failure are skipped in the same step.
 * - J1 the fact that an instance settled is appended before the command that starts its dependants.
 * - X1 the first interrupt drains (nothing new starts; running turns get `drainGrace`), the second aborts.
 * - Q1 a run whose graph breaks a rule that blocks is not completed.
 * - The run always ends: in `ended`, with the server stopped or its stop given up after a grace.
 */
import { assign, type DoneActorEvent, type ErrorActorEvent, enqueueActions, fromPromise, raise, setup } from 'xstate';
import type { Limits } from '../schemas/manifest.ts';
import type { Cause, InstanceRef, RunFact } from '../schemas/run-event.ts';
import {
  allEnded,
  begin,
  cancelWaiting,
  endedBetween,
  expand,
  expandable,
  instancesOf,
  type Plan,
  type PlanInstance,
  settle,
  tasksEndedBetween,
} from '../src/plan/plan.ts';
import { admit } from '../src/policy/admission.ts';
import { errorFailure } from '../src/policy/retry.ts';
import { eventStreamMachine, type StreamNotice } from './event-stream.ts';
import { type ServerNotice, serverMachine } from './server.ts';
import { type TaskCommand, type TaskOutput, taskMachine } from './task.ts';

export interface OrchestratorInput {
  readonly plan: Plan;
  /** Instances at work at the same time. */
  readonly concurrency: number;
  /** By task id. */
  readonly limits: Readonly<Record<string, Limits>>;
  /** How long running turns may go on after the first interrupt; default 30 s. */
  readonly drainGraceMs?: number;
}

export interface OrchestratorOutput {
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  readonly cause: Cause | undefined;
  readonly plan: Plan;
}

export interface OrchestratorContext {
  readonly plan: Plan;
  readonly concurrency: number;
  readonly limits: Readonly<Record<string, Limits>>;
  readonly drainGraceMs: number;
  /** What the commits of this run brought for fan-outs: entity → item keys. */
  readonly items: Readonly<Record<string, readonly string[]>>;
  /** Why the run cannot go on, when that is not an instance's own failure. */
  readonly cause: Cause | undefined;
  readonly interrupted: boolean;
  readonly serverEnded: boolean;
}

type Settled = { readonly type: 'task.settled' } & TaskOutput;

/** `drain`: finish what runs, start nothing. `abort`: stop now. */
export type RunCommand =
  | { readonly type: 'run.drain'; readonly reason: string }
  | { readonly type: 'run.abort'; readonly reason: string };

type OrchestratorEvent =
  | RunCommand
  | Settled
  | ServerNotice
  | StreamNotice
  | DoneActorEvent<TaskOutput | { readonly cause: Cause | undefined }, string>
  | ErrorActorEvent<unknown, string>;

const TASK_PREFIX = 'task:';

/** The actor id of an instance's task actor. */
export function taskActorId(instance: string): string {
  return `${TASK_PREFIX}${instance}`;
}

/** What the enqueued actions below need of XState's `enqueue`. */
interface Enqueue {
  sendTo(actorId: string, event: TaskCommand): void;
}

/**
 * Enqueues the `record` action. XState types the actions that `enqueueActions` may name inside `setup` as `never`
 * (statelyai/xstate#4820), hence the one cast of this file.
 */
function record(enqueue: unknown, fact: RunFact): void {
  (enqueue as (action: { type: 'record'; params: RunFact }) => void)({ type: 'record', params: fact });
}

/** What follows from a change of the plan: the facts, then `task.skip` to each waiting actor that the change ended. */
function announce(enqueue: Enqueue, before: Plan, after: Plan, settled?: string): void {
  const ended = endedBetween(before, after);
  for (const { id, outcome } of ended) {
    record(enqueue, { type: 'instance.settled', instance: id, outcome: outcome! });
  }
  for (const { id, outcome } of tasksEndedBetween(before, after)) {
    record(enqueue, { type: 'task.settled', task: id, outcome: outcome! });
  }
  for (const { id, outcome } of ended) {
    if (id === settled || before.instances[id]?.status !== 'waiting' || outcome?.kind === 'completed') continue;
    const type = outcome!.kind === 'skipped' ? 'task.skip' : 'task.cancel';
    enqueue.sendTo(taskActorId(id), { type, cause: outcome!.cause });
  }
}

function instanceRef({ id, task, itemKey }: PlanInstance): InstanceRef {
  return { id, task, ...(itemKey !== undefined && { itemKey }) };
}

function interruptCause(reason: string): Cause {
  return { code: 'interrupted', message: reason };
}

function outcomeOf({ plan, cause, interrupted }: OrchestratorContext): OrchestratorOutput['outcome'] {
  const completed = Object.values(plan.tasks).every((task) => task.outcome?.kind === 'completed');
  if (completed && !cause) return 'completed';
  return interrupted && !cause ? 'cancelled' : 'failed';
}

export const orchestratorMachine = setup({
  types: {
    input: {} as OrchestratorInput,
    context: {} as OrchestratorContext,
    events: {} as OrchestratorEvent,
    output: {} as OrchestratorOutput,
  },
  actors: {
    task: taskMachine,
    server: serverMachine,
    eventStream: eventStreamMachine,
    /** Finishes and judges the graph; `blocked` is why the run must not count as completed. */
    conclude: fromPromise<{ readonly blocked?: Cause }>(async () => ({})),
  },
  guards: {
    allEnded: ({ context }) => allEnded(context.plan),
    serverEnded: ({ context }) => context.serverEnded,
    wasInterrupted: ({ context }) => context.interrupted,
    fromTask: (_, actorId: string) => actorId.startsWith(TASK_PREFIX),
    fromServer: (_, actorId: string) => actorId === 'server',
    fromStream: (_, actorId: string) => actorId === 'event-stream',
  },
  delays: {
    drainGrace: ({ context }) => context.drainGraceMs,
    /** A task actor that never answers an abort must not keep the run from ending. */
    abortGrace: 30_000,
    stopGrace: 30_000,
    /** Rules over a very large graph take minutes; longer than this they hang. */
    concludeGrace: 600_000,
  },
  actions: {
    /** Appends a fact to the journal; provided by src/run.ts. */
    record: (_, _fact: RunFact) => {},
    spawnInstances: enqueueActions(({ context, enqueue }) => {
      for (const instance of Object.values(context.plan.instances)) {
        enqueue.spawnChild('task', {
          id: taskActorId(instance.id),
          input: { instance: instanceRef(instance), limits: context.limits[instance.task]! },
        });
      }
    }),
    connectStream: enqueueActions(({ enqueue }) => {
      enqueue.spawnChild('eventStream', { id: 'event-stream', systemId: 'event-stream', input: {} });
    }),
    /** Settles one instance, and what follows from it: facts first, commands after (J1). */
    applySettled: enqueueActions(({ context, enqueue }, settled: Settled) => {
      const plan = settle(context.plan, settled.instance, settled.outcome);
      enqueue.assign({ plan, items: { ...context.items, ...settled.items } });
      announce(enqueue, context.plan, plan, settled.instance);
    }),
    /** Spawns the instances of each fan-out whose producer has committed in this run. */
    expandKnown: enqueueActions(({ context, enqueue }) => {
      let plan = context.plan;
      for (const { id, fanOut } of expandable(plan)) {
        const before = plan;
        plan = expand(before, id, context.items[fanOut!.over] ?? []);
        const instances = instancesOf(plan, id);
        if (instances.length > 0) {
          record(enqueue, { type: 'task.expanded', task: id, instances: instances.map(instanceRef) });
        }
        for (const instance of instances) {
          enqueue.spawnChild('task', {
            id: taskActorId(instance.id),
            input: { instance: instanceRef(instance), limits: context.limits[id]! },
          });
        }
        announce(enqueue, before, plan);
      }
      enqueue.assign({ plan });
    }),
    startReady: enqueueActions(({ context, enqueue }) => {
      const ids = admit(context.plan, context.concurrency);
      enqueue.assign({ plan: begin(context.plan, ids) });
      for (const id of ids) {
        record(enqueue, { type: 'instance.started', instance: id, wave: context.plan.instances[id]!.wave });
        enqueue.sendTo(taskActorId(id), { type: 'task.start' });
      }
    }),
    /** Nothing new begins after an interrupt or a loss. */
    cancelWaiting: enqueueActions(({ context, enqueue }) => {
      const cause = context.cause ?? interruptCause('the run was interrupted');
      const plan = cancelWaiting(context.plan, cause);
      enqueue.assign({ plan });
      announce(enqueue, context.plan, plan);
    }),
    cancelRunning: enqueueActions(({ context, enqueue }) => {
      const cause = context.cause ?? interruptCause('the run was interrupted');
      for (const { id, status } of Object.values(context.plan.instances)) {
        if (status === 'running') enqueue.sendTo(taskActorId(id), { type: 'task.cancel', cause });
      }
    }),
    /** Settles what is still open although its actor was told to end. */
    settleOpen: enqueueActions(({ context, enqueue }) => {
      const cause = context.cause ?? interruptCause('the run was interrupted');
      let plan = cancelWaiting(context.plan, cause);
      for (const { id } of Object.values(plan.instances)) plan = settle(plan, id, { kind: 'cancelled', cause });
      enqueue.assign({ plan });
      announce(enqueue, context.plan, plan);
    }),
    stopServer: enqueueActions(({ enqueue, system }) => {
      const stream = system.get('event-stream');
      const server = system.get('server');
      if (stream) enqueue.sendTo(stream, { type: 'stream.close' });
      if (server) enqueue.sendTo(server, { type: 'server.stop' });
    }),
    dropChild: enqueueActions(({ enqueue }, actorId: string) => enqueue.stopChild(actorId)),
    keepCause: assign({ cause: ({ context }, cause: Cause) => context.cause ?? cause }),
    noteInterrupt: assign({ interrupted: true }),
    noteServerEnd: assign({ serverEnded: true }),
  },
}).createMachine({
  id: 'orchestrator',
  context: ({ input }) => ({
    plan: input.plan,
    concurrency: input.concurrency,
    limits: input.limits,
    drainGraceMs: input.drainGraceMs ?? 30_000,
    items: {},
    cause: undefined,
    interrupted: false,
    serverEnded: false,
  }),
  initial: 'active',
  entry: 'spawnInstances',
  invoke: { src: 'server', id: 'server', systemId: 'server' },
  on: {
    // What the framework tells of a child becomes an event in the words of the run.
    'xstate.done.actor.*': [
      {
        guard: { type: 'fromTask', params: ({ event }) => event.actorId },
        actions: [
          { type: 'dropChild', params: ({ event }) => event.actorId },
          raise(({ event }): Settled => ({ type: 'task.settled', ...(event.output as TaskOutput) })),
        ],
      },
      {
        guard: { type: 'fromServer', params: ({ event }) => event.actorId },
        actions: raise(({ event }): OrchestratorEvent => {
          return { type: 'server.ended', cause: (event.output as { cause: Cause | undefined }).cause };
        }),
      },
    ],
    'xstate.error.actor.*': [
      {
        guard: { type: 'fromTask', params: ({ event }) => event.actorId },
        actions: [
          { type: 'dropChild', params: ({ event }) => event.actorId },
          raise(
            ({ event }): Settled => ({
              type: 'task.settled',
              instance: event.actorId.slice(TASK_PREFIX.length),
              outcome: { kind: 'failed', cause: crash(event.error) },
              items: {},
            }),
          ),
        ],
      },
      {
        guard: { type: 'fromServer', params: ({ event }) => event.actorId },
        actions: raise(({ event }): OrchestratorEvent => ({ type: 'server.ended', cause: crash(event.error) })),
      },
      {
        guard: { type: 'fromStream', params: ({ event }) => event.actorId },
        actions: raise(({ event }): OrchestratorEvent => ({ type: 'stream.failed', cause: crash(event.error) })),
      },
    ],
  },
  states: {
    active: {
      initial: 'preparing',
      always: { guard: 'allEnded', target: 'stopping' },
      on: {
        'task.settled': { actions: { type: 'applySettled', params: ({ event }) => event } },
        'server.lost': { target: '.aborting', actions: { type: 'keepCause', params: ({ event }) => event.cause } },
        'stream.failed': { target: '.aborting', actions: { type: 'keepCause', params: ({ event }) => event.cause } },
        'server.ended': {
          target: '.aborting',
          actions: [
            'noteServerEnd',
            {
              type: 'keepCause',
              params: ({ event }) => event.cause ?? { code: 'OPENCODE_LOST', message: 'the OpenCode server ended' },
            },
          ],
        },
        'run.drain': {
          target: '.draining',
          actions: [
            'noteInterrupt',
            {
              type: 'record',
              params: ({ event }) => ({ type: 'run.interrupted', how: 'drain', reason: event.reason }),
            },
          ],
        },
        'run.abort': {
          target: '.aborting',
          actions: [
            'noteInterrupt',
            {
              type: 'record',
              params: ({ event }) => ({ type: 'run.interrupted', how: 'abort', reason: event.reason }),
            },
          ],
        },
      },
      states: {
        /** The server starts and is warmed. */
        preparing: { on: { 'server.ready': 'connecting' } },
        connecting: { entry: 'connectStream', on: { 'stream.live': 'running' } },
        running: {
          entry: ['expandKnown', 'startReady'],
          on: {
            'task.settled': {
              actions: [{ type: 'applySettled', params: ({ event }) => event }, 'expandKnown', 'startReady'],
            },
          },
        },
        /** X1: nothing new starts; what runs may finish. */
        draining: {
          entry: 'cancelWaiting',
          after: { drainGrace: 'aborting' },
          on: { 'run.drain': 'aborting' },
        },
        aborting: {
          entry: ['cancelWaiting', 'cancelRunning'],
          after: { abortGrace: { actions: 'settleOpen' } },
          on: {
            'server.lost': {},
            'stream.failed': {},
            'server.ended': { actions: 'noteServerEnd' },
            'run.drain': {},
            'run.abort': {},
          },
        },
      },
    },
    stopping: {
      entry: 'stopServer',
      always: { guard: 'serverEnded', target: 'concluding' },
      on: { 'server.ended': { actions: 'noteServerEnd' } },
      after: { stopGrace: 'concluding' },
    },
    /** The graph as a whole is finished and judged; an interrupted run's is not whole. */
    concluding: {
      always: { guard: 'wasInterrupted', target: 'ended' },
      invoke: {
        src: 'conclude',
        onDone: [
          {
            guard: ({ event }) => event.output.blocked !== undefined,
            target: 'ended',
            actions: { type: 'keepCause', params: ({ event }) => event.output.blocked! },
          },
          { target: 'ended' },
        ],
        onError: {
          target: 'ended',
          actions: { type: 'keepCause', params: ({ event }) => errorFailure(event.error).cause },
        },
      },
      after: {
        concludeGrace: {
          target: 'ended',
          actions: {
            type: 'keepCause',
            params: { code: 'RULES_BROKEN', message: 'the checks after the run did not end in time' },
          },
        },
      },
    },
    ended: {
      type: 'final',
      entry: {
        type: 'record',
        params: ({ context }) => ({
          type: 'run.ended',
          outcome: outcomeOf(context),
          ...(context.cause && { cause: context.cause }),
        }),
      },
    },
  },
  output: ({ context }) => ({ outcome: outcomeOf(context), cause: context.cause, plan: context.plan }),
});

/** O2: whatever an actor threw is a failed instance or a lost server, told by name. */
function crash(thrown: unknown): Cause {
  return { code: 'BUG', message: errorFailure(thrown).cause.message };
}
