/**
 * The task machine: one actor for each instance, from its gate to its end.
 *
 * Owns: the attempts of one instance and their turns; the clocks of an attempt (stall, wall time, waits); its place at the
 * provider's gate; its hold point. Does not own: what follows a failure (src/policy/answer.ts), when the instance may
 * start (the orchestrator's gate), what a frame of the stream means (the router behind the event stream), what a complete
 * submission is (src/output).
 * Does no I/O: sessions, prompts, review and commit are placeholders that src/run fills.
 *
 * Invariants
 * - T1 it ends exactly once; the first cause of an attempt's failure is kept.
 * - T2 `done` is entered from `committing` only, and `committing` only after a review that found the work complete.
 * - T3 an idle session or a quiet stream moves nothing; only `session.turn-ended` ends a turn.
 * - R1 the session is registered with the event stream in the transition that precedes its first prompt.
 * - O2 every invoked effect has an `onError`; a failure is an outcome.
 * - Whoever is in `attempting` has passed the gate, and leaves it by leaving `attempting`; a wait costs nobody a place.
 */
import { forwardTo } from 'xstate';
import { errorFailure, lostFailure, unendedFailure } from '../src/policy/classify.ts';
import { attempting } from './task-attempting.ts';
import {
  cancelCause,
  contextOf,
  expiredFailure,
  gateRequest,
  holdInput,
  rejectionOf,
  resumedFact,
  sessionOf,
  spent,
  stopOf,
  triesAgain,
} from './task-context.ts';
import { taskSetup } from './task-setup.ts';

export const taskMachine = taskSetup.createMachine({
  id: 'task',
  context: ({ input }) => contextOf(input),
  initial: 'waiting',
  states: {
    waiting: {
      on: {
        'task.start': [{ guard: 'isResumed', target: 'resuming' }, { target: 'suspended.checking' }],
        'task.skip': { target: 'skipped', actions: { type: 'skip', params: ({ event }) => event.cause } },
        'task.cancel': { target: 'cancelled', actions: { type: 'keepCancel', params: ({ event }) => event.cause } },
      },
    },

    /** Taken up where an earlier process left it; nothing that is done is done again. */
    resuming: {
      invoke: {
        src: 'resume',
        input: ({ context }) => ({ instance: context.instance }),
        onDone: [
          {
            guard: { type: 'startsBy', params: ({ event }) => ({ start: event.output, step: 'commit-again' }) },
            target: 'committing',
            actions: [
              { type: 'takeUp', params: ({ event }) => event.output },
              { type: 'record', params: resumedFact },
            ],
          },
          {
            guard: { type: 'startsBy', params: ({ event }) => ({ start: event.output, step: 'join' }) },
            target: 'attempting.working',
            actions: [
              { type: 'takeUp', params: ({ event }) => event.output },
              { type: 'occupyGate', params: gateRequest },
              { type: 'record', params: resumedFact },
              { type: 'addRoute', params: ({ event }) => sessionOf(event.output) },
            ],
          },
          {
            guard: { type: 'startsBy', params: ({ event }) => ({ start: event.output, step: 'take' }) },
            target: 'attempting.validating',
            actions: [
              { type: 'takeUp', params: ({ event }) => event.output },
              { type: 'occupyGate', params: gateRequest },
              { type: 'record', params: resumedFact },
              { type: 'addRoute', params: ({ event }) => sessionOf(event.output) },
            ],
          },
          {
            guard: { type: 'startsBy', params: ({ event }) => ({ start: event.output, step: 'continue' }) },
            target: 'suspended.checking',
            actions: [
              { type: 'takeUp', params: ({ event }) => event.output },
              { type: 'record', params: resumedFact },
              { type: 'addRoute', params: ({ event }) => sessionOf(event.output) },
            ],
          },
          {
            target: 'suspended.checking',
            actions: [
              { type: 'takeUp', params: ({ event }) => event.output },
              { type: 'record', params: resumedFact },
            ],
          },
        ],
        onError: {
          target: 'deciding',
          actions: { type: 'fail', params: ({ event }) => errorFailure(event.error) },
        },
      },
      on: {
        'task.cancel': {
          target: 'cancelled',
          actions: [{ type: 'keepCancel', params: ({ event }) => event.cause }, 'cancel'],
        },
      },
    },

    /** Waits, and then for a place at the provider's gate; with an idle session that goes on, or without one. */
    suspended: {
      initial: 'coolingDown',
      on: {
        'task.cancel': [
          {
            guard: 'sessionless',
            target: 'cancelled',
            actions: [{ type: 'keepCancel', params: ({ event }) => event.cause }, 'cancel'],
          },
          { target: 'aborting', actions: { type: 'keepCancel', params: ({ event }) => event.cause } },
        ],
        'session.usage': { actions: { type: 'keepUsage', params: ({ event }) => event.usage } },
        'session.lost': {
          target: 'deciding',
          actions: { type: 'fail', params: ({ event }) => lostFailure(event.reason) },
        },
      },
      states: {
        coolingDown: { always: { guard: 'noWait', target: 'checking' }, after: { backOff: 'checking' } },
        checking: { always: [{ guard: 'isUngated', target: 'entering' }, { target: 'gated' }] },
        gated: {
          invoke: {
            src: 'enterGate',
            input: gateRequest,
            onDone: 'entering',
            onError: {
              target: '#task.deciding',
              actions: { type: 'fail', params: ({ event }) => errorFailure(event.error) },
            },
          },
        },
        entering: {
          always: [
            { guard: { type: 'nextIs', params: 'prompt' }, target: '#task.attempting.prompting' },
            { guard: { type: 'nextIs', params: 'repair' }, target: '#task.attempting.repairing' },
            { target: '#task.attempting' },
          ],
        },
      },
    },

    attempting,

    /** The gate has no place for it: the turn is broken off where it waits, and goes on in the same session. */
    yielding: {
      entry: {
        type: 'record',
        params: ({ context }) => ({
          type: 'turn.yielded',
          instance: context.instance.id,
          attempt: context.attempt,
          turn: context.turn,
        }),
      },
      invoke: {
        src: 'abort',
        input: ({ context }) => ({ apiSessionId: context.session?.apiSessionId ?? '' }),
        onDone: {},
        onError: {
          target: 'deciding',
          actions: { type: 'fail', params: ({ event }) => errorFailure(event.error) },
        },
      },
      after: { abortGrace: { target: 'deciding', actions: { type: 'fail', params: unendedFailure } } },
      on: {
        'session.turn-ended': [
          {
            guard: { type: 'wasAborted', params: ({ event }) => event.judgement },
            target: 'suspended.checking',
            actions: ['goOn', 'dropAdjustment'],
          },
          // It ended by itself before the abort came.
          { target: 'attempting.validating', actions: { type: 'keepTurn', params: ({ event }) => event } },
        ],
        'session.usage': {
          actions: [
            { type: 'keepUsage', params: ({ event }) => event.usage },
            { type: 'tell', params: spent },
          ],
        },
        'session.lost': {
          target: 'deciding',
          actions: { type: 'fail', params: ({ event }) => lostFailure(event.reason) },
        },
        'task.cancel': { target: 'aborting', actions: { type: 'keepCancel', params: ({ event }) => event.cause } },
      },
    },

    /** The work is complete and waits for a person; the session is idle. */
    held: {
      initial: 'waiting',
      exit: [
        'forgetHold',
        { type: 'tell', params: ({ context }) => ({ type: 'task.unheld', instance: context.instance.id }) },
      ],
      invoke: {
        src: 'hold',
        id: 'hold',
        input: ({ context }) => holdInput(context),
        onDone: [
          {
            guard: { type: 'decidedAs', params: ({ event }) => ({ decision: event.output, kind: 'released' }) },
            target: 'committing',
          },
          {
            guard: { type: 'decidedAs', params: ({ event }) => ({ decision: event.output, kind: 'rejected' }) },
            target: 'suspended.checking',
            actions: { type: 'takeRejection', params: ({ event }) => rejectionOf(event.output) },
          },
          { target: 'aborting', actions: { type: 'fail', params: ({ event }) => expiredFailure(event.output) } },
        ],
        onError: {
          target: 'aborting',
          actions: { type: 'fail', params: ({ event }) => errorFailure(event.error) },
        },
      },
      on: {
        'hold.decide': { actions: forwardTo('hold') },
        'session.usage': { actions: { type: 'keepUsage', params: ({ event }) => event.usage } },
        'task.cancel': { target: 'aborting', actions: { type: 'keepCancel', params: ({ event }) => event.cause } },
      },
      states: {
        // Entered after the hold has begun: its place is given away when `hold.opened` is on record, not before.
        waiting: {
          entry: { type: 'tell', params: ({ context }) => ({ type: 'task.held', instance: context.instance.id }) },
        },
      },
    },

    committing: {
      entry: {
        type: 'record',
        params: ({ context }) => ({
          type: 'commit.started',
          instance: context.instance.id,
          attempt: context.attempt,
        }),
      },
      on: {
        'session.usage': { actions: { type: 'keepUsage', params: ({ event }) => event.usage } },
      },
      invoke: {
        src: 'commit',
        input: ({ context }) => ({ instance: context.instance, attempt: context.attempt }),
        onDone: {
          target: 'done',
          actions: [
            { type: 'complete', params: ({ event }) => event.output },
            {
              type: 'record',
              params: ({ context, event }) => ({
                type: 'commit.ended',
                instance: context.instance.id,
                attempt: context.attempt,
                ...event.output,
              }),
            },
          ],
        },
        onError: {
          target: 'deciding',
          actions: { type: 'fail', params: ({ event }) => errorFailure(event.error) },
        },
      },
    },

    /** The session is told to stop before anything else happens in its place. */
    aborting: {
      always: { guard: 'sessionless', target: 'deciding' },
      invoke: {
        src: 'abort',
        input: ({ context }) => ({ apiSessionId: context.session?.apiSessionId ?? '' }),
        onDone: 'deciding',
        onError: 'deciding',
      },
      after: { abortGrace: 'deciding' },
      on: {
        'session.usage': { actions: { type: 'keepUsage', params: ({ event }) => event.usage } },
        'task.cancel': { actions: { type: 'keepCancel', params: ({ event }) => event.cause } },
      },
    },

    deciding: {
      entry: ['decide', 'cancelForPause'],
      always: [
        { guard: 'isCancelled', target: 'cancelled', actions: 'cancel' },
        { guard: 'triesAgain', target: 'backingOff' },
        { target: 'failed', actions: 'failForGood' },
      ],
      exit: [
        {
          type: 'record',
          params: ({ context }) => ({
            type: 'attempt.failed',
            instance: context.instance.id,
            attempt: context.attempt,
            cause: cancelCause(context.cancelled) ??
              context.failure?.cause ?? { code: 'BUG', message: 'failed without a cause', class: 'bug' },
            ...(context.cancelled === undefined && triesAgain(context) && { retryInMs: context.answer?.waitMs ?? 0 }),
          }),
        },
        {
          type: 'record',
          params: ({ context }) => ({
            type: 'attempt.measured',
            instance: context.instance.id,
            attempt: context.attempt,
            usage: context.usage,
          }),
        },
        {
          type: 'releaseSession',
          params: ({ context }) => ({
            instance: context.instance,
            attempt: context.attempt,
            status: context.cancelled ? 'cancelled' : 'failed',
          }),
        },
      ],
    },

    backingOff: {
      entry: ['takeAnswer', 'openNext'],
      always: { guard: 'noWait', target: 'suspended.checking' },
      after: { backOff: 'suspended.checking' },
      on: {
        'task.cancel': {
          target: 'cancelled',
          actions: [{ type: 'keepCancel', params: ({ event }) => event.cause }, 'cancel'],
        },
      },
    },

    done: {
      type: 'final',
      entry: [
        {
          type: 'record',
          params: ({ context }) => ({
            type: 'attempt.measured',
            instance: context.instance.id,
            attempt: context.attempt,
            usage: context.usage,
          }),
        },
        {
          type: 'releaseSession',
          params: ({ context }) => ({ instance: context.instance, attempt: context.attempt, status: 'completed' }),
        },
      ],
    },
    failed: { type: 'final' },
    skipped: { type: 'final' },
    cancelled: { type: 'final', entry: 'cancel' },
  },
  output: ({ context }) => ({
    instance: context.instance.id,
    outcome: context.outcome,
    items: context.items,
    ...stopOf(context),
  }),
});
