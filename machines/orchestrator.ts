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
import { raise } from 'xstate';
import type { Cause } from '../schemas/run-event.ts';
import { timeReached } from '../src/policy/budget.ts';
import { errorCause } from '../src/policy/classify.ts';
import { type HoldDecision, holdPointOf } from '../src/policy/holds.ts';
import {
  contextOf,
  crash,
  endFact,
  type HoldClosed,
  type OrchestratorEvent,
  outputOf,
  pauseCause,
  pausedFact,
  type Settled,
  stopCause,
} from './orchestrator-context.ts';
import { HOLD_PREFIX, orchestratorSetup, TASK_PREFIX } from './orchestrator-setup.ts';
import type { TaskOutput } from './task-ports.ts';

export const orchestratorMachine = orchestratorSetup.createMachine({
  id: 'orchestrator',
  context: ({ input }) => contextOf(input),
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
