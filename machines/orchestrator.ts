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
 * - A spent budget pauses: nothing new starts, what runs is broken off where it can go on, nothing fails.
 * - The run always ends: in `ended`, with the server stopped or its stop given up after a grace.
 */
import { assign, type DoneActorEvent, type ErrorActorEvent, enqueueActions, fromPromise, raise, setup } from 'xstate';
import type { Limits } from '../schemas/manifest.ts';
import type { Cause, InstanceRef, RunFact, RunOutcome } from '../schemas/run-event.ts';
import type { Usage } from '../schemas/session-event.ts';
import {
  allEnded,
  begin,
  cancelWaiting,
  endedBetween,
  expand,
  expandable,
  instancesOf,
  isEnded,
  type Plan,
  type PlanInstance,
  ready,
  settle,
  tasksEndedBetween,
} from '../src/plan/plan.ts';
import { admit } from '../src/policy/admission.ts';
import { attemptKey, budgetReached, spentOf, timeReached } from '../src/policy/budget.ts';
import { errorCause, holdFailure } from '../src/policy/classify.ts';
import { healingWaitMs } from '../src/policy/healing.ts';
import { type HoldDecision, holdPointOf } from '../src/policy/holds.ts';
import { eventStreamMachine, type StreamNotice } from './event-stream.ts';
import { type HoldCommand, type HoldInput, holdMachine } from './hold.ts';
import type { RunRules } from './orchestrator-rules.ts';
import { type ServerNotice, serverMachine } from './server.ts';
import { taskMachine } from './task.ts';
import type { TaskCommand, TaskInput, TaskNotice, TaskOutput } from './task-ports.ts';

export interface OrchestratorInput {
  readonly plan: Plan;
  /** Instances at work at the same time. */
  readonly concurrency: number;
  /** By task id. */
  readonly limits: Readonly<Record<string, Limits>>;
  /** How long running turns may go on after the first interrupt; default 30 s. */
  readonly drainGraceMs?: number;
  /** Default: no pools, no holds, no budget, no policies. */
  readonly rules?: RunRules;
  /** What an earlier process of this run left; the plan then says what has ended. */
  readonly resumed?: {
    /** What the commits so far brought for fan-outs: entity → item keys. */
    readonly items: Readonly<Record<string, readonly string[]>>;
    /** Instances to take up, with their last attempt and the attempts that their limits do not count. */
    readonly instances: Readonly<Record<string, { readonly attempt: number; readonly spared: number }>>;
    /** Every instance is taken up: an earlier run may have done its work. */
    readonly all: boolean;
  };
}

export interface OrchestratorOutput {
  readonly outcome: RunOutcome;
  readonly cause: Cause | undefined;
  readonly plan: Plan;
  /** The run did not end: whoever started it goes on with it after this wait, with another server. */
  readonly healsAfterMs?: number;
}

export interface OrchestratorContext {
  readonly plan: Plan;
  readonly concurrency: number;
  readonly limits: Readonly<Record<string, Limits>>;
  readonly drainGraceMs: number;
  readonly rules: RunRules;
  /** What each attempt has used (src/policy/budget.ts). */
  readonly spent: Readonly<Record<string, Usage>>;
  /** Tasks whose `before` point was opened, and those that were released. */
  readonly opened: readonly string[];
  readonly released: readonly string[];
  /** Instances that wait for a person. */
  readonly held: readonly string[];
  /** Why the run pauses. */
  readonly paused: Cause | undefined;
  readonly resumed: NonNullable<OrchestratorInput['resumed']>;
  /** What the commits of this run brought for fan-outs: entity → item keys. */
  readonly items: Readonly<Record<string, readonly string[]>>;
  /** Why the run cannot go on, when that is not an instance's own failure. */
  readonly cause: Cause | undefined;
  readonly interrupted: boolean;
  readonly serverEnded: boolean;
  /** The run cannot go on because its server, or the way to it, is lost. */
  readonly lost: boolean;
  /** Losses in a row so far, without this one. */
  readonly losses: number;
}

type Settled = { readonly type: 'task.settled' } & TaskOutput;

/** `drain`: finish what runs, start nothing. `abort`: stop now. */
export type RunCommand =
  | { readonly type: 'run.drain'; readonly reason: string }
  | { readonly type: 'run.abort'; readonly reason: string };

/** A person decided at a point: `before:itp-generation`, `after:pqp-generation`. */
export type RunDecision = {
  readonly type: 'run.decide';
  readonly point: string;
  readonly decision: HoldCommand['decision'];
};

type HoldClosed = { readonly type: 'hold.closed'; readonly task: string; readonly decision: HoldDecision };

type OrchestratorEvent =
  | RunCommand
  | RunDecision
  | HoldClosed
  | TaskNotice
  | Settled
  | ServerNotice
  | StreamNotice
  | DoneActorEvent<TaskOutput | HoldDecision | { readonly cause: Cause | undefined }, string>
  | ErrorActorEvent<unknown, string>;

const TASK_PREFIX = 'task:';
const HOLD_PREFIX = 'hold:';
/** Timers of the platform overflow above this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The actor id of an instance's task actor. */
export function taskActorId(instance: string): string {
  return `${TASK_PREFIX}${instance}`;
}

/** What the enqueued actions below need of XState's `enqueue`. */
interface Enqueue {
  sendTo(actorId: string, event: TaskCommand | HoldCommand): void;
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

function taskInput({ limits, resumed, rules }: OrchestratorContext, instance: PlanInstance): TaskInput {
  const ref = instanceRef(instance);
  const of = limits[instance.task]!;
  const known = resumed.instances[instance.id] ?? (resumed.all ? { attempt: 0, spared: 0 } : undefined);
  const policy = rules.policies?.[instance.task];
  const knownHold = rules.knownHolds?.[holdPointOf('after', instance.id)];
  const shared = { instance: ref, ...(policy && { policy }), ...(knownHold && { knownHold }) };
  if (!known) return { ...shared, limits: of };
  return {
    ...shared,
    limits: { ...of, attempts: of.attempts + known.spared },
    resumed: { attempt: known.attempt },
  };
}

function interruptCause(reason: string): Cause {
  return { code: 'interrupted', message: reason };
}

/** Why what is open ends, when it has to. */
function endCause({ cause, paused }: OrchestratorContext): Cause {
  return cause ?? paused ?? interruptCause('the run was interrupted');
}

function holdInputOf({ rules }: OrchestratorContext, task: string): HoldInput {
  const { reason = '', timeoutMs } = rules.holdBefore?.[task] ?? {};
  const point = holdPointOf('before', task);
  const before = rules.knownHolds?.[point];
  return {
    point,
    when: 'before',
    of: task,
    reason,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(before && { before }),
  };
}

/** The provider refuses everybody: said once, for the whole run. */
function stopCause({ instance, stop }: Settled): Cause {
  const message = `the provider refused ${instance}, and would refuse every session: ${stop?.cause.message}. Nothing was lost: put the key or the model right, and go on with "muster resume"`;
  return { code: 'PROVIDER_AUTH', message, class: 'auth' };
}

function pauseCause({ instance, stop }: Settled): Cause {
  const message = `the provider takes no more calls of ${instance}: ${stop?.cause.message}. Nothing is lost: go on with "muster resume" when it does`;
  return { code: 'paused', message, class: 'budget' };
}

function pausedFact(context: OrchestratorContext): RunFact {
  return { type: 'run.paused', cause: endCause(context), spent: spentOf(context.spent) };
}

function isWhole(plan: Plan): boolean {
  return Object.values(plan.tasks).every((task) => task.outcome?.kind === 'completed');
}

function outcomeOf({ plan, cause, interrupted, paused }: OrchestratorContext): OrchestratorOutput['outcome'] {
  if (isWhole(plan) && !cause) return 'completed';
  if (paused && !cause) return 'paused';
  return interrupted && !cause ? 'cancelled' : 'failed';
}

/** The number of this loss, when the run goes on after it. */
function healedLoss(context: OrchestratorContext): number | undefined {
  const { lost, losses, interrupted, plan, rules } = context;
  const isOver = !lost || interrupted || isWhole(plan);
  return isOver || losses >= (rules.healing?.lossesMax ?? 0) ? undefined : losses + 1;
}

function endFact(context: OrchestratorContext): RunFact {
  const { cause, paused, rules } = context;
  const loss = healedLoss(context);
  if (loss !== undefined) {
    const lossesMax = rules.healing?.lossesMax ?? 0;
    return { type: 'run.healing', cause: endCause(context), loss, lossesMax, waitMs: healingWaitMs(loss) };
  }
  const outcome = outcomeOf(context);
  return { type: 'run.ended', outcome, ...((cause ?? paused) && { cause: endCause(context) }) };
}

function outputOf(context: OrchestratorContext): OrchestratorOutput {
  const loss = healedLoss(context);
  return {
    outcome: outcomeOf(context),
    cause: context.cause,
    plan: context.plan,
    ...(loss !== undefined && { healsAfterMs: healingWaitMs(loss) }),
  };
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
    hold: holdMachine,
    /** Finishes and judges the graph; `blocked` is why the run must not count as completed. */
    conclude: fromPromise<{ readonly blocked?: Cause }>(async () => ({})),
  },
  guards: {
    fromHold: (_, actorId: string) => actorId.startsWith(HOLD_PREFIX),
    stopsRun: (_, settled: Settled) => settled.stop?.how === 'stop-run',
    pausesRun: (_, settled: Settled) => settled.stop?.how === 'pause-run',
    isBudgetSpent: ({ context }) => budgetReached(spentOf(context.spent), context.rules.budget ?? {}) !== undefined,
    hasTimeBudget: ({ context }) => context.rules.budget?.timeMs !== undefined,
    allEnded: ({ context }) => allEnded(context.plan),
    serverEnded: ({ context }) => context.serverEnded,
    /** What can be resumed is judged when it has gone on to its end; what completed all the same is judged now (Q1). */
    isUnfinished: ({ context }) =>
      healedLoss(context) !== undefined ||
      ((context.interrupted || (context.paused !== undefined && !context.cause)) && outcomeOf(context) !== 'completed'),
    fromTask: (_, actorId: string) => actorId.startsWith(TASK_PREFIX),
    fromServer: (_, actorId: string) => actorId === 'server',
    fromStream: (_, actorId: string) => actorId === 'event-stream',
  },
  delays: {
    drainGrace: ({ context }) => context.drainGraceMs,
    timeLeft: ({ context }) =>
      Math.min(
        LONGEST_TIMER_MS,
        Math.max(0, (context.rules.budget?.timeMs ?? LONGEST_TIMER_MS) - (context.rules.workedMs ?? 0)),
      ),
    /** A task actor that never answers an abort must not keep the run from ending. */
    abortGrace: 30_000,
    stopGrace: 30_000,
    /** Rules over a very large graph take minutes; longer than this they hang. */
    concludeGrace: 600_000,
  },
  actions: {
    /** Appends a fact to the journal; provided by src/run. */
    record: (_, _fact: RunFact) => {},
    spawnInstances: enqueueActions(({ context, enqueue }) => {
      for (const instance of Object.values(context.plan.instances)) {
        if (isEnded(instance)) continue;
        enqueue.spawnChild('task', { id: taskActorId(instance.id), input: taskInput(context, instance) });
      }
    }),
    connectStream: enqueueActions(({ enqueue }) => {
      enqueue.spawnChild('eventStream', { id: 'event-stream', systemId: 'event-stream', input: {} });
    }),
    /** Settles one instance, and what follows from it: facts first, commands after (J1). */
    applySettled: enqueueActions(({ context, enqueue }, settled: Settled) => {
      const plan = settle(context.plan, settled.instance, settled.outcome);
      // Somebody could work with this server: the next loss is the first in a row again.
      const losses = settled.outcome.kind === 'completed' ? 0 : context.losses;
      enqueue.assign({ plan, losses, items: { ...context.items, ...settled.items } });
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
          enqueue.spawnChild('task', { id: taskActorId(instance.id), input: taskInput(context, instance) });
        }
        announce(enqueue, before, plan);
      }
      enqueue.assign({ plan });
    }),
    /** Opens the points of tasks that would start now. */
    openHolds: enqueueActions(({ context, enqueue }) => {
      const tasks = new Set(ready(context.plan).map((id) => context.plan.instances[id]!.task));
      const opening = [...tasks].filter((id) => context.rules.holdBefore?.[id] && !context.opened.includes(id));
      enqueue.assign({ opened: [...context.opened, ...opening] });
      for (const id of opening) {
        const input = holdInputOf(context, id);
        enqueue.spawnChild('hold', { id: `${HOLD_PREFIX}${input.point}`, input });
      }
    }),
    noteRelease: assign({ released: ({ context }, task: string) => [...context.released, task] }),
    /** A task that was not released fails, and what waits for it is skipped. */
    denyTask: enqueueActions(({ context, enqueue }, { task, decision }: HoldClosed) => {
      const { cause } = denied(task, decision);
      let plan = context.plan;
      for (const { id } of instancesOf(plan, task)) plan = settle(plan, id, { kind: 'failed', cause });
      enqueue.assign({ plan });
      announce(enqueue, context.plan, plan);
    }),
    /** To whom a decision belongs; one for nobody is dropped. */
    passDecision: enqueueActions(({ context, enqueue }, { point, decision }: RunDecision) => {
      const [when, of] = [point.slice(0, point.indexOf(':')), point.slice(point.indexOf(':') + 1)];
      const command: HoldCommand = { type: 'hold.decide', decision };
      if (when === 'before' && context.opened.includes(of) && !context.released.includes(of)) {
        if (context.plan.tasks[of]?.outcome === undefined) enqueue.sendTo(`${HOLD_PREFIX}${point}`, command);
      } else if (when === 'after' && context.held.includes(of)) {
        enqueue.sendTo(taskActorId(of), command);
      }
    }),
    noteHeld: assign({ held: ({ context }, instance: string) => [...context.held, instance] }),
    noteUnheld: assign({ held: ({ context }, instance: string) => context.held.filter((id) => id !== instance) }),
    noteSpent: assign({
      spent: ({ context }, { instance, attempt, usage }: Extract<TaskNotice, { type: 'task.spent' }>) => ({
        ...context.spent,
        [attemptKey(instance, attempt)]: usage,
      }),
    }),
    keepPause: assign({ paused: ({ context }, cause: Cause) => context.paused ?? cause }),
    keepBudgetPause: assign({
      paused: ({ context }) => context.paused ?? budgetReached(spentOf(context.spent), context.rules.budget ?? {}),
    }),
    startReady: enqueueActions(({ context, enqueue }) => {
      const { pools, poolOf, holdBefore } = context.rules;
      const ids = admit(context.plan, context.concurrency, {
        ...(pools && { pools }),
        ...(poolOf && { poolOf }),
        closed: new Set(Object.keys(holdBefore ?? {}).filter((id) => !context.released.includes(id))),
        held: new Set(context.held),
      });
      enqueue.assign({ plan: begin(context.plan, ids) });
      for (const id of ids) {
        record(enqueue, { type: 'instance.started', instance: id, wave: context.plan.instances[id]!.wave });
        enqueue.sendTo(taskActorId(id), { type: 'task.start' });
      }
    }),
    /** Nothing new begins after an interrupt or a loss. */
    cancelWaiting: enqueueActions(({ context, enqueue }) => {
      const cause = endCause(context);
      const plan = cancelWaiting(context.plan, cause);
      enqueue.assign({ plan });
      announce(enqueue, context.plan, plan);
    }),
    cancelRunning: enqueueActions(({ context, enqueue }) => {
      const cause = endCause(context);
      for (const { id, status } of Object.values(context.plan.instances)) {
        if (status === 'running') enqueue.sendTo(taskActorId(id), { type: 'task.cancel', cause });
      }
    }),
    /** Settles what is still open although its actor was told to end. */
    settleOpen: enqueueActions(({ context, enqueue }) => {
      const cause = endCause(context);
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
    /** A server that is lost when all work is done and the graph is sound has taken nothing away. */
    forgetLoss: assign({ cause: ({ context }) => (isWhole(context.plan) ? undefined : context.cause) }),
    noteInterrupt: assign({ interrupted: true }),
    noteLoss: assign({ lost: true }),
    /** An address where nothing ever answered is a mistake, not a loss. */
    noteLossOfOldServer: assign({ lost: ({ context }) => context.lost || context.losses > 0 }),
    noteServerEnd: assign({ serverEnded: true }),
  },
}).createMachine({
  id: 'orchestrator',
  context: ({ input }) => ({
    plan: input.plan,
    concurrency: input.concurrency,
    limits: input.limits,
    drainGraceMs: input.drainGraceMs ?? 30_000,
    rules: input.rules ?? {},
    spent: input.rules?.spent ?? {},
    opened: [],
    released: [],
    held: [],
    paused: undefined,
    resumed: input.resumed ?? { items: {}, instances: {}, all: false },
    items: input.resumed?.items ?? {},
    cause: undefined,
    interrupted: false,
    serverEnded: false,
    lost: false,
    losses: input.rules?.healing?.losses ?? 0,
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
      {
        guard: { type: 'fromHold', params: ({ event }) => event.actorId },
        actions: [
          { type: 'dropChild', params: ({ event }) => event.actorId },
          raise(({ event }): HoldClosed => {
            const task = event.actorId.slice(HOLD_PREFIX.length + holdPointOf('before', '').length);
            return { type: 'hold.closed', task, decision: event.output as HoldDecision };
          }),
        ],
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
        'task.spent': { actions: { type: 'noteSpent', params: ({ event }) => event } },
        'task.held': { actions: { type: 'noteHeld', params: ({ event }) => event.instance } },
        'task.unheld': { actions: { type: 'noteUnheld', params: ({ event }) => event.instance } },
        'run.decide': { actions: { type: 'passDecision', params: ({ event }) => event } },
        'server.lost': {
          target: '.aborting',
          actions: ['noteLoss', { type: 'keepCause', params: ({ event }) => event.cause }],
        },
        'stream.failed': {
          target: '.aborting',
          actions: ['noteLoss', { type: 'keepCause', params: ({ event }) => event.cause }],
        },
        'server.ended': {
          target: '.aborting',
          actions: [
            'noteServerEnd',
            'noteLossOfOldServer',
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
        connecting: {
          entry: 'connectStream',
          on: {
            'stream.live': [
              { guard: 'isBudgetSpent', target: 'pausing', actions: 'keepBudgetPause' },
              { target: 'running' },
            ],
          },
        },
        running: {
          entry: ['expandKnown', 'openHolds', 'startReady'],
          always: { guard: 'isBudgetSpent', target: 'pausing', actions: 'keepBudgetPause' },
          after: {
            timeLeft: {
              guard: 'hasTimeBudget',
              target: 'pausing',
              actions: {
                type: 'keepPause',
                params: ({ context }) => timeReached(context.rules.budget?.timeMs ?? 0),
              },
            },
          },
          on: {
            'task.settled': [
              {
                guard: { type: 'stopsRun', params: ({ event }) => event },
                target: 'aborting',
                actions: [
                  { type: 'applySettled', params: ({ event }) => event },
                  { type: 'keepCause', params: ({ event }) => stopCause(event) },
                ],
              },
              {
                guard: { type: 'pausesRun', params: ({ event }) => event },
                target: 'pausing',
                actions: [
                  { type: 'applySettled', params: ({ event }) => event },
                  { type: 'keepPause', params: ({ event }) => pauseCause(event) },
                ],
              },
              {
                actions: [
                  { type: 'applySettled', params: ({ event }) => event },
                  'expandKnown',
                  'openHolds',
                  'startReady',
                ],
              },
            ],
            'task.held': {
              actions: [{ type: 'noteHeld', params: ({ event }) => event.instance }, 'startReady'],
            },
            'hold.closed': [
              {
                guard: ({ event }) => event.decision.kind === 'released',
                actions: [{ type: 'noteRelease', params: ({ event }) => event.task }, 'startReady'],
              },
              { actions: [{ type: 'denyTask', params: ({ event }) => event }, 'startReady'] },
            ],
          },
        },
        /** A budget is spent: nothing new starts, and what runs stops where a resume can go on. */
        pausing: {
          entry: [{ type: 'record', params: ({ context }) => pausedFact(context) }, 'cancelWaiting', 'cancelRunning'],
          after: { abortGrace: { actions: 'settleOpen' } },
          on: {
            'server.lost': {},
            'stream.failed': {},
            'server.ended': { actions: 'noteServerEnd' },
            'run.drain': {},
            'run.abort': {},
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
            // Nothing more to stop, but whoever asks for an end does not want the run to go on by itself.
            'run.drain': { actions: 'noteInterrupt' },
            'run.abort': { actions: 'noteInterrupt' },
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
      always: { guard: 'isUnfinished', target: 'ended' },
      invoke: {
        src: 'conclude',
        onDone: [
          {
            guard: ({ event }) => event.output.blocked !== undefined,
            target: 'ended',
            actions: { type: 'keepCause', params: ({ event }) => event.output.blocked! },
          },
          { target: 'ended', actions: 'forgetLoss' },
        ],
        onError: {
          target: 'ended',
          actions: { type: 'keepCause', params: ({ event }) => errorCause(event.error) },
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
      entry: { type: 'record', params: ({ context }) => endFact(context) },
    },
  },
  output: ({ context }) => outputOf(context),
});

/** O2: whatever an actor threw is a failed instance or a lost server, told by name. */
function crash(thrown: unknown): Cause {
  return { code: 'BUG', message: errorCause(thrown).message };
}

function denied(task: string, decision: HoldDecision): { readonly cause: Cause } {
  if (decision.kind === 'rejected') {
    return holdFailure('hold-rejected', `${decision.by} did not release ${task}: ${decision.reason}`);
  }
  const timeoutMs = decision.kind === 'expired' ? decision.timeoutMs : 0;
  return holdFailure('hold-expired', `nobody released ${task} within ${timeoutMs} ms (hold.timeoutMs)`);
}
