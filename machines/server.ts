/**
 * The server machine: the one OpenCode server of a run, from its start to its end.
 *
 * Owns: the order start → warm → ready → stop, and the knowledge whether the server is there. Does not own: the
 * process and its requests (src/opencode behind the placeholders), and what the run does about a loss (the
 * orchestrator). A server that muster attached to is warmed and watched in the same way; `stop` leaves it running.
 *
 * Invariants
 * - No session is opened before `ready`: an abort on a cold instance can poison the whole server.
 * - It always ends in `stopped` or `failed`, and stop is tried after every start that succeeded.
 * - O2 every effect has an `onError`.
 */
import { assign, enqueueActions, fromPromise, setup } from 'xstate';
import type { Cause, RunFact } from '../schemas/run-event.ts';
import { errorCause } from '../src/policy/classify.ts';

export interface StartedServer {
  readonly version: string;
  readonly owned: boolean;
  readonly pid?: number;
  readonly url: string;
}

/** What the server machine tells the orchestrator. */
export type ServerNotice =
  | { readonly type: 'server.ready' }
  | { readonly type: 'server.lost'; readonly cause: Cause }
  | { readonly type: 'server.ended'; readonly cause: Cause | undefined };

const unprovided = (name: string) => () => Promise.reject(new Error(`the actor "${name}" is not provided`));

export const serverMachine = setup({
  types: {
    context: {} as { readonly cause: Cause | undefined; readonly stopAsked: boolean },
    events: {} as { readonly type: 'server.stop' },
    output: {} as { readonly cause: Cause | undefined },
  },
  actors: {
    start: fromPromise<StartedServer>(unprovided('start')),
    /** Resolves when sessions may be opened: version, model, agents and tools were seen. */
    warm: fromPromise<void>(unprovided('warm')),
    /** Resolves with the cause when the server is gone; never while it answers. */
    watch: fromPromise<Cause>(unprovided('watch')),
    stop: fromPromise<void>(unprovided('stop')),
  },
  guards: {
    stopAsked: ({ context }) => context.stopAsked,
    isLoss: (_, { code }: Cause) => code === 'OPENCODE_LOST',
    hasCause: ({ context }) => context.cause !== undefined,
  },
  delays: {
    /** After this the process was killed by the adapter, or nothing will. */
    stopGrace: 20_000,
  },
  actions: {
    /** Appends a fact to the journal; provided by src/run. */
    record: (_, _fact: RunFact) => {},
    tell: enqueueActions(({ enqueue, system }, notice: ServerNotice) => {
      const orchestrator = system.get('orchestrator');
      if (orchestrator) enqueue.sendTo(orchestrator, notice);
    }),
    noteStop: assign({ stopAsked: true }),
    keepCause: assign({ cause: ({ context }, cause: Cause) => context.cause ?? cause }),
  },
}).createMachine({
  id: 'server',
  context: { cause: undefined, stopAsked: false },
  initial: 'starting',
  states: {
    starting: {
      // A stop during the start waits for the start to end: only then is there a process to stop.
      on: { 'server.stop': { actions: 'noteStop' } },
      invoke: {
        src: 'start',
        onDone: [
          { guard: 'stopAsked', target: 'stopping', actions: { type: 'record', params: started } },
          { target: 'warming', actions: { type: 'record', params: started } },
        ],
        onError: {
          target: 'stopping',
          actions: { type: 'keepCause', params: ({ event }) => errorCause(event.error) },
        },
      },
    },
    warming: {
      on: { 'server.stop': 'stopping' },
      invoke: {
        src: 'warm',
        onDone: 'ready',
        onError: [
          {
            // It had been there: not a wrong model or version, and the run may go on with another one.
            guard: { type: 'isLoss', params: ({ event }) => errorCause(event.error) },
            target: 'stopping',
            actions: [
              { type: 'keepCause', params: ({ event }) => errorCause(event.error) },
              { type: 'record', params: ({ event }) => ({ type: 'server.lost', cause: errorCause(event.error) }) },
              { type: 'tell', params: ({ event }) => ({ type: 'server.lost', cause: errorCause(event.error) }) },
            ],
          },
          {
            target: 'stopping',
            actions: { type: 'keepCause', params: ({ event }) => errorCause(event.error) },
          },
        ],
      },
    },
    ready: {
      entry: { type: 'tell', params: { type: 'server.ready' } },
      on: { 'server.stop': 'stopping' },
      invoke: {
        src: 'watch',
        onDone: {
          target: 'stopping',
          actions: [
            { type: 'keepCause', params: ({ event }) => event.output },
            { type: 'record', params: ({ event }) => ({ type: 'server.lost', cause: event.output }) },
            { type: 'tell', params: ({ event }) => ({ type: 'server.lost', cause: event.output }) },
          ],
        },
        onError: {
          target: 'stopping',
          actions: [
            { type: 'keepCause', params: ({ event }) => errorCause(event.error) },
            { type: 'tell', params: ({ event }) => ({ type: 'server.lost', cause: errorCause(event.error) }) },
          ],
        },
      },
    },
    stopping: {
      invoke: { src: 'stop', onDone: 'ending', onError: 'ending' },
      after: { stopGrace: 'ending' },
    },
    ending: {
      entry: { type: 'record', params: { type: 'server.stopped' } },
      always: [{ guard: 'hasCause', target: 'failed' }, { target: 'stopped' }],
    },
    stopped: { type: 'final' },
    failed: { type: 'final' },
  },
  output: ({ context }) => ({ cause: context.cause }),
});

function started({ event }: { event: { output: StartedServer } }): RunFact {
  return { type: 'server.started', ...event.output };
}
