/**
 * The event-stream machine: the one connection to the server's global event stream.
 *
 * Owns: when to connect, whether the subscription is proven, reconnecting with back-off, and that every gap is closed
 * by reading history, status and pending asks before the stream counts as live again; and the delivery of each
 * session's control events to its task actor. Does not own: the bytes, and what they mean. The `connection` actor and
 * the router (src/opencode behind the placeholders) read the socket, log every frame and fold them into the few control
 * events of a session; text deltas never come here.
 *
 * Invariants
 * - S1 one connection at a time; its end is never a task's end.
 * - S1 after every loss, and after every hole in a session's sequence, the gap is closed before `live`.
 * - R2 a delivery is passed on in whatever state the connection is, in the order of arrival; nothing is dropped here.
 * - A connection that ends before it was proven counts as a failure in a row; `connectionsMax` of them end the stream.
 */
import { type AnyActorRef, assign, enqueueActions, fromCallback, fromPromise, setup } from 'xstate';
import type { Cause, RunFact } from '../schemas/run-event.ts';
import type { SessionEvent } from '../schemas/session-event.ts';
import { backoffMs } from '../src/policy/answer.ts';
import { errorCause } from '../src/policy/classify.ts';

/** What the connection tells this machine. */
export type ConnectionEvent =
  /** The subscription is proven: what happens from now on will be seen. */
  | { readonly type: 'stream.proven' }
  | { readonly type: 'stream.ended'; readonly cause: Cause }
  /** A hole in the sequence of some session: a frame was lost on a connection that lives. */
  | { readonly type: 'stream.gap' };

/** A control event of a session on its way to the actor of its task. */
export interface Delivery {
  readonly type: 'stream.deliver';
  readonly to: AnyActorRef;
  readonly event: SessionEvent;
}

/** What the event stream tells the orchestrator. */
export type StreamNotice = { readonly type: 'stream.live' } | { readonly type: 'stream.failed'; readonly cause: Cause };

export interface StreamInput {
  /** Failed connections in a row after which the stream gives up; default 8 (about two minutes). */
  readonly connectionsMax?: number;
}

export interface StreamContext {
  readonly connectionsMax: number;
  /** Connections opened so far. */
  readonly connection: number;
  /** Failures since the stream was last live. */
  readonly failures: number;
  readonly cause: Cause | undefined;
}

export const eventStreamMachine = setup({
  types: {
    input: {} as StreamInput,
    context: {} as StreamContext,
    events: {} as ConnectionEvent | Delivery | { readonly type: 'stream.close' },
    output: {} as { readonly cause: Cause | undefined },
  },
  actors: {
    connection: fromCallback<ConnectionEvent, { readonly connection: number }>(() => {}),
    /** Closes the gap; resolves with the number of frames that history returned. */
    reconcile: fromPromise<number, { readonly connection: number }>(() =>
      Promise.reject(new Error('the actor "reconcile" is not provided')),
    ),
  },
  guards: {
    first: ({ context }) => context.connection === 1,
    mayTryAgain: ({ context }) => context.failures < context.connectionsMax,
  },
  delays: { backOff: ({ context }) => backoffMs(context.failures) / 4 },
  actions: {
    /** Appends a fact to the journal; provided by src/run. */
    record: (_, _fact: RunFact) => {},
    tell: enqueueActions(({ enqueue, system }, notice: StreamNotice) => {
      const orchestrator = system.get('orchestrator');
      if (orchestrator) enqueue.sendTo(orchestrator, notice);
    }),
    deliver: enqueueActions(({ enqueue }, { to, event }: Delivery) => enqueue.sendTo(to, event)),
    countConnection: assign({ connection: ({ context }) => context.connection + 1 }),
    countFailure: assign({ failures: ({ context }) => context.failures + 1, cause: (_, cause: Cause) => cause }),
    forgetFailures: assign({ failures: 0, cause: undefined }),
  },
}).createMachine({
  id: 'event-stream',
  context: ({ input }) => ({ connectionsMax: input.connectionsMax ?? 8, connection: 0, failures: 0, cause: undefined }),
  initial: 'connected',
  on: {
    'stream.close': '.closed',
    'stream.deliver': { actions: { type: 'deliver', params: ({ event }) => event } },
  },
  states: {
    connected: {
      entry: 'countConnection',
      invoke: { src: 'connection', input: ({ context }) => ({ connection: context.connection }) },
      on: {
        'stream.ended': {
          target: 'lost',
          actions: [
            { type: 'countFailure', params: ({ event }) => event.cause },
            {
              type: 'record',
              params: ({ context, event }) => ({
                type: 'stream.lost',
                connection: context.connection,
                cause: event.cause,
              }),
            },
          ],
        },
      },
      initial: 'proving',
      states: {
        proving: {
          on: {
            'stream.proven': [
              // Before the first connection nothing was under way: there is no gap to close.
              { guard: 'first', target: 'live', actions: { type: 'record', params: connected } },
              { target: 'closingGap', actions: { type: 'record', params: connected } },
            ],
          },
        },
        closingGap: {
          invoke: {
            src: 'reconcile',
            input: ({ context }) => ({ connection: context.connection }),
            onDone: {
              target: 'live',
              actions: {
                type: 'record',
                params: ({ context, event }) => ({
                  type: 'stream.reconciled',
                  connection: context.connection,
                  frames: event.output,
                }),
              },
            },
            // A gap that cannot be closed is a connection that is not good enough.
            onError: {
              target: '#event-stream.lost',
              actions: { type: 'countFailure', params: ({ event }) => errorCause(event.error) },
            },
          },
          // A hole seen while closing one: read again, the first answer may be older than the hole.
          on: { 'stream.gap': { target: 'closingGap', reenter: true } },
        },
        live: {
          entry: ['forgetFailures', { type: 'tell', params: { type: 'stream.live' } }],
          on: { 'stream.gap': 'closingGap' },
        },
      },
    },
    lost: {
      always: [{ guard: 'mayTryAgain', target: 'backingOff' }, { target: 'failed' }],
    },
    backingOff: { after: { backOff: 'connected' } },
    closed: { type: 'final' },
    failed: {
      type: 'final',
      entry: {
        type: 'tell',
        params: ({ context }) => ({
          type: 'stream.failed',
          cause: context.cause ?? { code: 'STREAM_LOST', message: 'the event stream ended' },
        }),
      },
    },
  },
  output: ({ context }) => ({ cause: context.cause }),
});

function connected({ context }: { context: StreamContext }): RunFact {
  return { type: 'stream.connected', connection: context.connection };
}
