/**
 * The task machine: one actor for each instance, from its gate to its end.
 *
 * Owns: the attempts of one instance and their turns; the clocks of an attempt (stall, wall time, back-off); the
 * decision between repair, fresh attempt and end. Does not own: when the instance may start (the orchestrator's gate),
 * what a frame of the stream means (the router behind the event stream), what a complete submission is (src/output).
 * Does no I/O: sessions, prompts, review and commit are placeholders that src/run.ts fills.
 *
 * Invariants
 * - T1 it ends exactly once; the first cause of an attempt's failure is kept.
 * - T2 `done` is entered from `committing` only, and `committing` only after a review that found the work complete.
 * - T3 an idle session or a quiet stream moves nothing; only `session.turn-ended` ends a turn.
 * - R1 the session is registered with the event stream in the transition that precedes its first prompt.
 * - O2 every invoked effect has an `onError`; a failure is an outcome.
 */
import { assign, fromPromise, setup } from 'xstate';
import type { Limits } from '../schemas/manifest.ts';
import type { Cause, InstanceRef, Issue, Outcome, RunFact } from '../schemas/run-event.ts';
import { type Judgement, NO_USAGE, type SessionEvent, type Usage } from '../schemas/session-event.ts';
import { limitReached } from '../src/policy/limits.ts';
import { type AttemptFailure, backoffMs, errorFailure, limitFailure, turnFailure } from '../src/policy/retry.ts';
import type { SubmissionReview } from '../src/ports.ts';

export interface TaskInput {
  readonly instance: InstanceRef;
  readonly limits: Limits;
}

/** A session that was opened for one attempt. */
export interface OpenedSession {
  /** Our own name of it, for people and logs. */
  readonly sessionId: string;
  readonly apiSessionId: string;
}

/** What a commit published; `items` are the keys that fan-outs over this instance's entities need. */
export interface Committed {
  readonly entities: Readonly<Record<string, number>>;
  readonly relationships: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly items: Readonly<Record<string, readonly string[]>>;
  /** Sections of documents that the published passages stand in: path → places in the order of its sections. */
  readonly cited?: Readonly<Record<string, readonly number[]>>;
}

export interface AttemptRef {
  readonly instance: InstanceRef;
  readonly attempt: number;
}

export interface OpenRequest extends AttemptRef {
  /** Why the attempt before this one failed. */
  readonly previous?: Cause;
}

export interface TurnRequest extends AttemptRef {
  readonly apiSessionId: string;
  readonly turn: number;
  /** Empty for the work prompt; what a repair has to mend otherwise. */
  readonly issues: readonly Issue[];
  readonly previous?: Cause;
}

export interface TaskOutput {
  readonly instance: string;
  readonly outcome: Outcome;
  readonly items: Readonly<Record<string, readonly string[]>>;
}

export type TaskCommand =
  | { readonly type: 'task.start' }
  | { readonly type: 'task.skip'; readonly cause: Cause }
  | { readonly type: 'task.cancel'; readonly cause: Cause };

export interface TaskMachineContext extends TaskInput {
  readonly attempt: number;
  /** Turns of the present attempt. */
  readonly turn: number;
  /** Repairs of the present attempt. */
  readonly repair: number;
  readonly session: OpenedSession | undefined;
  readonly judgement: Judgement | undefined;
  readonly issues: readonly Issue[];
  readonly usage: Usage;
  readonly retryWaitMs: number;
  readonly failure: AttemptFailure | undefined;
  /** The cause of the attempt before, told to the next session. */
  readonly previous: Cause | undefined;
  readonly cancelled: Cause | undefined;
  readonly outcome: Outcome;
  readonly items: Readonly<Record<string, readonly string[]>>;
}

const NEVER_STARTED: Outcome = {
  kind: 'cancelled',
  cause: { code: 'BUG', message: 'the task ended without an outcome' },
};

const unprovided = (name: string) => () => Promise.reject(new Error(`the actor "${name}" is not provided`));

export const taskMachine = setup({
  types: {
    input: {} as TaskInput,
    context: {} as TaskMachineContext,
    events: {} as TaskCommand | SessionEvent,
    output: {} as TaskOutput,
  },
  actors: {
    openSession: fromPromise<OpenedSession, OpenRequest>(unprovided('openSession')),
    prompt: fromPromise<void, TurnRequest>(unprovided('prompt')),
    review: fromPromise<SubmissionReview, AttemptRef>(unprovided('review')),
    commit: fromPromise<Committed, AttemptRef>(unprovided('commit')),
    abort: fromPromise<void, { readonly apiSessionId: string }>(unprovided('abort')),
  },
  guards: {
    complete: (_, review: SubmissionReview) => review.complete,
    /** The turn ended as turns do, so that the same session can go on. */
    repairable: ({ context }) =>
      context.repair < context.limits.repairs &&
      ['candidate', 'truncated', 'rejected'].includes(context.judgement?.kind ?? ''),
    attemptsLeft: ({ context }) => context.failure?.retryable === true && context.attempt < context.limits.attempts,
    isCancelled: ({ context }) => context.cancelled !== undefined,
    overLimit: ({ context }, usage: Usage) => limitReached(usage, context.limits) !== undefined,
    sessionless: ({ context }) => context.session === undefined,
  },
  delays: {
    stall: ({ context }) => context.limits.stallMs,
    attempt: ({ context }) => context.limits.attemptMs,
    backOff: ({ context }) => backoffMs(context.attempt),
    /** Until the server's next try, which it announced. */
    retryWait: ({ context }) => context.retryWaitMs,
    /** An abort that the server never answers must not keep the instance from ending. */
    abortGrace: 10_000,
  },
  actions: {
    /** Appends a fact to the journal; provided by src/run.ts. */
    record: (_, _fact: RunFact) => {},
    /** Tells the event stream where the events of this session go (R1); provided by src/run.ts. */
    addRoute: (_, _session: OpenedSession) => {},
    /** Ends the session's route, tool access and log; provided by src/run.ts. Called once for each attempt. */
    releaseSession: (_, _attempt: AttemptRef & { readonly status: string }) => {},
    countAttempt: assign({
      attempt: ({ context }) => context.attempt + 1,
      turn: 0,
      repair: 0,
      session: undefined,
      judgement: undefined,
      issues: [],
      usage: NO_USAGE,
      previous: ({ context }) => context.failure?.cause,
      failure: undefined,
    }),
    keepSession: assign({ session: (_, session: OpenedSession) => session }),
    countTurn: assign({ turn: ({ context }) => context.turn + 1, judgement: undefined }),
    countRepair: assign({ repair: ({ context }) => context.repair + 1 }),
    keepJudgement: assign({ judgement: (_, judgement: Judgement) => judgement }),
    keepIssues: assign({ issues: (_, review: SubmissionReview) => review.issues }),
    keepUsage: assign({ usage: (_, usage: Usage) => usage }),
    keepRetryWait: assign({ retryWaitMs: (_, waitMs: number) => waitMs }),
    // T1: the first cause of the attempt is kept.
    fail: assign({ failure: ({ context }, failure: AttemptFailure) => context.failure ?? failure }),
    failByTurn: assign({
      failure: ({ context }) => context.failure ?? turnFailure(context.judgement ?? { kind: 'interrupted' }),
    }),
    failByUsage: assign({
      failure: ({ context }, usage: Usage) => context.failure ?? limitReached(usage, context.limits),
    }),
    keepCancel: assign({ cancelled: ({ context }, cause: Cause) => context.cancelled ?? cause }),
    complete: assign({
      outcome: { kind: 'completed' } as Outcome,
      items: (_, committed: Committed) => committed.items,
    }),
    failForGood: assign({
      outcome: ({ context }): Outcome => ({
        kind: 'failed',
        cause: context.failure?.cause ?? { code: 'BUG', message: 'failed without a cause' },
      }),
    }),
    skip: assign({ outcome: (_, cause: Cause): Outcome => ({ kind: 'skipped', cause }) }),
    cancel: assign({
      outcome: ({ context }): Outcome => ({
        kind: 'cancelled',
        cause: context.cancelled ?? { code: 'cancelled', message: 'cancelled' },
      }),
    }),
  },
}).createMachine({
  id: 'task',
  context: ({ input }) => ({
    ...input,
    attempt: 0,
    turn: 0,
    repair: 0,
    session: undefined,
    judgement: undefined,
    issues: [],
    usage: NO_USAGE,
    retryWaitMs: 0,
    failure: undefined,
    previous: undefined,
    cancelled: undefined,
    outcome: NEVER_STARTED,
    items: {},
  }),
  initial: 'waiting',
  states: {
    waiting: {
      on: {
        'task.start': 'attempting',
        'task.skip': { target: 'skipped', actions: { type: 'skip', params: ({ event }) => event.cause } },
        'task.cancel': { target: 'cancelled', actions: { type: 'keepCancel', params: ({ event }) => event.cause } },
      },
    },

    attempting: {
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
      initial: 'opening',
      after: {
        attempt: {
          target: 'aborting',
          actions: {
            type: 'fail',
            params: ({ context }) =>
              limitFailure(
                'time-limit',
                `the attempt took longer than ${context.limits.attemptMs} ms (limits.attemptMs)`,
              ),
          },
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
              { type: 'failByUsage', params: ({ event }) => event.usage },
            ],
          },
          { actions: { type: 'keepUsage', params: ({ event }) => event.usage } },
        ],
        'session.lost': {
          target: 'deciding',
          actions: {
            type: 'fail',
            params: ({ event }) => ({ cause: { code: 'server-lost', message: event.reason }, retryable: true }),
          },
        },
      },
      states: {
        opening: {
          invoke: {
            src: 'openSession',
            input: ({ context }) => ({
              instance: context.instance,
              attempt: context.attempt,
              ...(context.previous && { previous: context.previous }),
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
              ...(context.previous && { previous: context.previous }),
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
              actions: { type: 'keepJudgement', params: ({ event }) => event.judgement },
            },
          },
        },

        working: {
          initial: 'active',
          on: {
            'session.turn-ended': {
              target: 'validating',
              actions: { type: 'keepJudgement', params: ({ event }) => event.judgement },
            },
            'session.activity': '.active',
            'session.started': '.active',
            'session.retrying': {
              target: '.retrying',
              actions: { type: 'keepRetryWait', params: ({ event }) => event.waitMs },
            },
          },
          states: {
            active: {
              after: {
                stall: {
                  target: '#task.aborting',
                  actions: {
                    type: 'fail',
                    params: ({ context }) =>
                      limitFailure(
                        'stall',
                        `no event of the session for ${context.limits.stallMs} ms (limits.stallMs)`,
                      ),
                  },
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
            }),
          },
          invoke: {
            src: 'review',
            input: ({ context }) => ({ instance: context.instance, attempt: context.attempt }),
            onDone: [
              // However the turn ended: work that is complete and valid counts (T2).
              { guard: { type: 'complete', params: ({ event }) => event.output }, target: '#task.committing' },
              {
                guard: 'repairable',
                target: 'repairing',
                actions: { type: 'keepIssues', params: ({ event }) => event.output },
              },
              {
                target: '#task.aborting',
                actions: [{ type: 'keepIssues', params: ({ event }) => event.output }, 'failByTurn'],
              },
            ],
            onError: {
              target: '#task.deciding',
              actions: { type: 'fail', params: ({ event }) => errorFailure(event.error) },
            },
          },
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
      always: [
        { guard: 'isCancelled', target: 'cancelled', actions: 'cancel' },
        { guard: 'attemptsLeft', target: 'backingOff' },
        { target: 'failed', actions: 'failForGood' },
      ],
      exit: [
        {
          type: 'record',
          params: ({ context }) => ({
            type: 'attempt.failed',
            instance: context.instance.id,
            attempt: context.attempt,
            cause: context.cancelled ?? context.failure?.cause ?? { code: 'BUG', message: 'failed without a cause' },
            ...(context.cancelled === undefined &&
              context.failure?.retryable === true &&
              context.attempt < context.limits.attempts && { retryInMs: backoffMs(context.attempt) }),
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
      after: { backOff: 'attempting' },
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
  output: ({ context }) => ({ instance: context.instance.id, outcome: context.outcome, items: context.items }),
});
