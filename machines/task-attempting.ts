/** An attempt at work: its session, its turns, its review and its repairs. Whoever is here has a place at the gate. */
import { errorFailure, lostFailure } from '../src/policy/classify.ts';
import { loopReached } from '../src/policy/limits.ts';
import { stallFailure, timeFailure, waitFailure } from './task-answer.ts';
import { spent, told } from './task-context.ts';
import { taskSetup } from './task-setup.ts';

export const attempting = taskSetup.createStateConfig({
  initial: 'opening',
  exit: { type: 'leaveGate', params: ({ context }) => context.instance },
  after: {
    attempt: {
      target: 'aborting',
      actions: { type: 'fail', params: ({ context }) => timeFailure(context.limits.attemptMs) },
    },
  },
  on: {
    'task.cancel': { target: 'aborting', actions: { type: 'keepCancel', params: ({ event }) => event.cause } },
    'session.usage': [
      {
        guard: { type: 'overLimit', params: ({ event }) => event.usage },
        target: 'aborting',
        actions: [
          { type: 'keepUsage', params: ({ event }) => event.usage },
          { type: 'tell', params: spent },
          { type: 'failByUsage', params: ({ event }) => event.usage },
        ],
      },
      {
        actions: [
          { type: 'keepUsage', params: ({ event }) => event.usage },
          { type: 'tell', params: spent },
        ],
      },
    ],
    'session.repeating': {
      guard: { type: 'overRepeats', params: ({ event }) => event },
      target: 'aborting',
      actions: {
        type: 'fail',
        params: ({ context, event }) => loopReached(event, context.limits) ?? errorFailure(undefined),
      },
    },
    'session.lost': {
      target: 'deciding',
      actions: { type: 'fail', params: ({ event }) => lostFailure(event.reason) },
    },
  },
  states: {
    opening: {
      entry: [
        'countAttempt',
        {
          type: 'record',
          params: ({ context }) => ({
            type: 'attempt.started',
            instance: context.instance.id,
            attempt: context.attempt,
          }),
        },
      ],
      invoke: {
        src: 'openSession',
        input: ({ context }) => ({
          instance: context.instance,
          attempt: context.attempt,
          ...(context.previous && { previous: context.previous }),
          ...told(context),
        }),
        onDone: {
          target: 'prompting',
          actions: [
            { type: 'keepSession', params: ({ event }) => event.output },
            {
              type: 'record',
              params: ({ context, event }) => ({
                type: 'session.opened',
                instance: context.instance.id,
                attempt: context.attempt,
                ...event.output,
              }),
            },
            // R1: before the prompt below starts.
            { type: 'addRoute', params: ({ event }) => event.output },
          ],
        },
        onError: {
          target: '#task.deciding',
          actions: { type: 'fail', params: ({ event }) => errorFailure(event.error) },
        },
      },
    },

    prompting: {
      entry: 'countTurn',
      invoke: {
        src: 'prompt',
        input: ({ context }) => ({
          instance: context.instance,
          attempt: context.attempt,
          apiSessionId: context.session!.apiSessionId,
          turn: context.turn,
          issues: context.turn === 1 ? [] : context.issues,
          ...(context.turn === context.continuedTurn && { continues: true as const }),
          ...(context.previous && { previous: context.previous }),
          ...told(context),
        }),
        onDone: 'working',
        onError: {
          target: '#task.aborting',
          actions: { type: 'fail', params: ({ event }) => errorFailure(event.error) },
        },
      },
      on: {
        // The stream can be faster than the answer to the prompt request.
        'session.turn-ended': {
          target: 'validating',
          actions: { type: 'keepTurn', params: ({ event }) => event },
        },
      },
    },

    working: {
      initial: 'active',
      on: {
        'session.turn-ended': {
          target: 'validating',
          actions: { type: 'keepTurn', params: ({ event }) => event },
        },
        'session.activity': '.active',
        'session.started': '.active',
        'session.retrying': [
          {
            guard: { type: 'overPatience', params: ({ event }) => event.waitMs },
            target: '#task.aborting',
            actions: { type: 'fail', params: ({ event }) => waitFailure(event.message, event.waitMs) },
          },
          {
            target: '.retrying',
            actions: { type: 'keepRetryWait', params: ({ event }) => event.waitMs },
          },
        ],
        'task.yield': '#task.yielding',
      },
      states: {
        active: {
          after: {
            stall: {
              target: '#task.aborting',
              actions: { type: 'fail', params: ({ context }) => stallFailure(context.limits.stallMs) },
            },
          },
        },
        // The server announced when it calls the model again: that silence is no stall.
        retrying: { after: { retryWait: 'active' } },
      },
    },

    validating: {
      entry: {
        type: 'record',
        params: ({ context }) => ({
          type: 'turn.ended',
          instance: context.instance.id,
          attempt: context.attempt,
          turn: context.turn,
          judgement: context.judgement!,
          usage: context.usage,
        }),
      },
      initial: 'stopping',
      on: {
        // What was spent counts, but no limit ends what may be complete already.
        'session.usage': {
          actions: [
            { type: 'keepUsage', params: ({ event }) => event.usage },
            { type: 'tell', params: spent },
          ],
        },
      },
      states: {
        stopping: {
          always: { guard: 'endedByItself', target: 'reviewing' },
          invoke: {
            src: 'abort',
            input: ({ context }) => ({ apiSessionId: context.session?.apiSessionId ?? '' }),
            onDone: 'reviewing',
            onError: 'reviewing',
          },
          after: { abortGrace: 'reviewing' },
        },
        reviewing: {
          invoke: {
            src: 'review',
            input: ({ context }) => ({ instance: context.instance, attempt: context.attempt }),
            onDone: [
              // However the turn ended: work that is complete and valid counts (T2).
              { guard: { type: 'completeButHeld', params: ({ event }) => event.output }, target: '#task.held' },
              { guard: { type: 'complete', params: ({ event }) => event.output }, target: '#task.committing' },
              {
                target: '#task.attempting.weighing',
                actions: { type: 'keepReview', params: ({ event }) => event.output },
              },
            ],
            onError: {
              target: '#task.deciding',
              actions: { type: 'fail', params: ({ event }) => errorFailure(event.error) },
            },
          },
        },
      },
    },

    /** Not complete: what follows is the policy's answer. */
    weighing: {
      entry: ['failByTurn', 'decide'],
      always: [
        { guard: 'isRepair', target: 'repairing' },
        { guard: 'sessionGoesOn', target: '#task.suspended', actions: ['takeAnswer', 'goOn'] },
        { target: '#task.aborting' },
      ],
    },

    repairing: {
      entry: [
        'countRepair',
        {
          type: 'record',
          params: ({ context }) => ({
            type: 'repair.requested',
            instance: context.instance.id,
            attempt: context.attempt,
            repair: context.repair,
            issues: context.issues,
          }),
        },
      ],
      always: 'prompting',
    },
  },
});
