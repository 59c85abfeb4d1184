/**
 * The vocabulary of the orchestrator machine: its actors, guards, delays and actions.
 *
 * Invariants O1, T1 and J1 live here: the plan changes through src/plan alone, facts stand before the commands that follow.
 */
import { assign, enqueueActions, fromPromise, setup } from 'xstate';
import type { Cause, RunFact } from '../schemas/run-event.ts';
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
  ready,
  settle,
  tasksEndedBetween,
} from '../src/plan/plan.ts';
import { admit } from '../src/policy/admission.ts';
import { attemptKey, budgetReached, spentOf } from '../src/policy/budget.ts';
import { LONGEST_TIMER_MS } from '../src/ports.ts';
import { enqueueRecord } from './enqueue-record.ts';
import { eventStreamMachine } from './event-stream.ts';
import { type HoldCommand, holdMachine } from './hold.ts';
import {
  denied,
  endCause,
  type HoldClosed,
  healedLoss,
  holdInputOf,
  instanceRef,
  isWhole,
  type OrchestratorContext,
  type OrchestratorEvent,
  type OrchestratorInput,
  type OrchestratorOutput,
  outcomeOf,
  type RunDecision,
  type Settled,
  taskInput,
} from './orchestrator-context.ts';
import { serverMachine } from './server.ts';
import { taskMachine } from './task.ts';
import type { TaskCommand, TaskNotice } from './task-ports.ts';

export const TASK_PREFIX = 'task:';
export const HOLD_PREFIX = 'hold:';

/** The actor id of an instance's task actor. */
export function taskActorId(instance: string): string {
  return `${TASK_PREFIX}${instance}`;
}

/** What the enqueued actions below need of XState's `enqueue`. */
interface Enqueue {
  sendTo(actorId: string, event: TaskCommand | HoldCommand): void;
}

/** What follows from a change of the plan: the facts, then `task.skip` to each waiting actor that the change ended. */
function announce(enqueue: Enqueue, before: Plan, after: Plan, settled?: string): void {
  const ended = endedBetween(before, after);
  for (const { id, outcome } of ended) {
    enqueueRecord(enqueue, { type: 'instance.settled', instance: id, outcome: outcome! });
  }
  for (const { id, outcome } of tasksEndedBetween(before, after)) {
    enqueueRecord(enqueue, { type: 'task.settled', task: id, outcome: outcome! });
  }
  for (const { id, outcome } of ended) {
    if (id === settled || before.instances[id]?.status !== 'waiting' || outcome?.kind === 'completed') continue;
    const type = outcome!.kind === 'skipped' ? 'task.skip' : 'task.cancel';
    enqueue.sendTo(taskActorId(id), { type, cause: outcome!.cause });
  }
}

export const orchestratorSetup = setup({
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
          enqueueRecord(enqueue, { type: 'task.expanded', task: id, instances: instances.map(instanceRef) });
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
        enqueueRecord(enqueue, { type: 'instance.started', instance: id, wave: context.plan.instances[id]!.wave });
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
});
