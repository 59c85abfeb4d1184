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
import { assign, enqueueActions, forwardTo, fromPromise, setup } from 'xstate';
import type { Answer } from '../schemas/failure.ts';
import type { Limits } from '../schemas/manifest.ts';
import type { Cause, InstanceRef, Issue, Outcome, RunFact } from '../schemas/run-event.ts';
import { type Judgement, NO_USAGE, type SessionEvent, type ToolTally, type Usage } from '../schemas/session-event.ts';
import {
  type AttemptFailure,
  errorFailure,
  holdFailure,
  lostFailure,
  turnFailure,
  unendedFailure,
  type WorkSeen,
} from '../src/policy/classify.ts';
import { type HoldDecision, holdPointOf } from '../src/policy/holds.ts';
import { limitReached, loopReached } from '../src/policy/limits.ts';
import type { SubmissionReview } from '../src/ports.ts';
import { type HoldCommand, type HoldInput, holdMachine } from './hold.ts';
import {
  goesOn,
  type KnownHold,
  retryOf,
  stallFailure,
  type TaskPolicy,
  timeFailure,
  waitFailure,
  weigh,
} from './task-answer.ts';

export interface TaskInput {
  readonly instance: InstanceRef;
  readonly limits: Limits;
  /** Absent: the defaults, one model without a gate, no hold point. */
  readonly policy?: TaskPolicy;
  readonly knownHold?: KnownHold;
  /** Present when there is something to take up: an earlier process began it, or an earlier run did the same work. */
  readonly resumed?: {
    /** Number of the last attempt. */
    readonly attempt: number;
  };
}

/** How an instance is taken up; decided by src/resume, carried out by src/run. */
export type ResumedStart =
  | { readonly step: 'new-attempt'; readonly attempt: number; readonly previous?: Cause }
  | { readonly step: 'commit-again'; readonly attempt: number; readonly usage: Usage }
  | {
      readonly step: 'take' | 'join' | 'continue';
      readonly attempt: number;
      readonly turn: number;
      readonly repair: number;
      readonly session: OpenedSession;
      /** Of the session so far. */
      readonly usage: Usage;
      /** Of the turn that a `take` found ended. */
      readonly judgement?: Judgement;
    };

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
  /** `provider/model`; absent = the task's own. */
  readonly model?: string;
  /** What the prompt says beside the goal. */
  readonly adjustment?: string;
  /** Why the attempt before this one failed. */
  readonly previous?: Cause;
}

export interface TurnRequest extends AttemptRef {
  readonly apiSessionId: string;
  readonly turn: number;
  readonly model?: string;
  readonly adjustment?: string;
  /** Empty for the work prompt; what a repair has to mend otherwise. */
  readonly issues: readonly Issue[];
  /** The session was interrupted and goes on. */
  readonly continues?: true;
  readonly previous?: Cause;
}

export interface TaskOutput {
  readonly instance: string;
  readonly outcome: Outcome;
  readonly items: Readonly<Record<string, readonly string[]>>;
  /** The whole run ends, or pauses, because of what happened here. */
  readonly stop?: { readonly how: 'stop-run' | 'pause-run'; readonly cause: Cause };
}

/** What a review found, and what had been handed in by then. */
export type Review = SubmissionReview & { readonly work?: WorkSeen };

export interface GateRequest {
  readonly instance: InstanceRef;
  /** `provider/model`. */
  readonly model: string;
}

/** What a task actor tells the orchestrator while it works. */
export type TaskNotice =
  | { readonly type: 'task.spent'; readonly instance: string; readonly attempt: number; readonly usage: Usage }
  /** It waits for a person, or no longer. */
  | { readonly type: 'task.held' | 'task.unheld'; readonly instance: string };

export type TaskCommand =
  /** The gate has no place any more: break the turn off, and go on when there is one. */
  | { readonly type: 'task.yield' }
  | HoldCommand
  | { readonly type: 'task.start' }
  | { readonly type: 'task.skip'; readonly cause: Cause }
  | { readonly type: 'task.cancel'; readonly cause: Cause };

export interface TaskMachineContext extends TaskInput {
  readonly attempt: number;
  /** Turns of the present attempt. */
  readonly turn: number;
  /** Repairs of the present attempt. */
  readonly repair: number;
  /** The turn that goes on after an interruption; 0 when there is none. */
  readonly continuedTurn: number;
  readonly session: OpenedSession | undefined;
  readonly judgement: Judgement | undefined;
  readonly issues: readonly Issue[];
  readonly usage: Usage;
  readonly retryWaitMs: number;
  /** What the agent's tools did in the last turn, and what it had handed in. */
  readonly tools: ToolTally | undefined;
  readonly work: WorkSeen | undefined;
  /** What follows the last failure. */
  readonly answer: Answer | undefined;
  readonly adjustment: string | undefined;
  /** Models used so far, the present one last; empty without a policy. */
  readonly models: readonly string[];
  /** Waits in which the session stayed, or for the provider, since a model call last gave something. */
  readonly waits: number;
  readonly waitedMs: number;
  readonly splits: number;
  /** Repairs that a person asked for: limits do not count them. */
  readonly rejections: number;
  /** What an earlier process left of its point; used up by the first time it is held. */
  readonly holdBefore: KnownHold | undefined;
  /** What follows the gate. */
  readonly next: 'open' | 'prompt' | 'repair';
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
    /** Finds out how the instance goes on; binds what its session needs. */
    resume: fromPromise<ResumedStart, { readonly instance: InstanceRef }>(unprovided('resume')),
    openSession: fromPromise<OpenedSession, OpenRequest>(unprovided('openSession')),
    prompt: fromPromise<void, TurnRequest>(unprovided('prompt')),
    review: fromPromise<Review, AttemptRef>(unprovided('review')),
    /** Resolves when the provider's gate has a place; gives the place in the queue back when it is stopped. */
    enterGate: fromPromise<void, GateRequest>(unprovided('enterGate')),
    hold: holdMachine,
    commit: fromPromise<Committed, AttemptRef>(unprovided('commit')),
    abort: fromPromise<void, { readonly apiSessionId: string }>(unprovided('abort')),
  },
  guards: {
    complete: (_, review: Review) => review.complete,
    completeButHeld: ({ context }, review: Review) => review.complete && context.policy?.hold !== undefined,
    isUngated: ({ context }) => context.models.length === 0,
    nextIs: ({ context }, next: TaskMachineContext['next']) => context.next === next,
    noWait: ({ context }) => (context.answer?.waitMs ?? 0) === 0,
    isRepair: ({ context }) => context.answer?.kind === 'repair',
    /** The session stays, and goes on after a while or with another model. */
    sessionGoesOn: ({ context }) =>
      goesOn(context.judgement) && (context.answer?.kind === 'back-off' || context.answer?.kind === 'fallback-model'),
    triesAgain: ({ context }) => triesAgain(context),
    /** A loop was judged from its repeated calls: the session is still at work. */
    endedByItself: ({ context }) => context.judgement?.kind !== 'loop',
    decidedAs: (_, { decision, kind }: { readonly decision: HoldDecision; readonly kind: HoldDecision['kind'] }) =>
      decision.kind === kind,
    wasAborted: (_, judgement: Judgement) => judgement.kind === 'aborted' || judgement.kind === 'interrupted',
    overPatience: ({ context }, waitMs: number) => waitMs > retryOf(context).patienceMs,
    overRepeats: ({ context }, repeating: { readonly tool: string; readonly times: number }) =>
      loopReached(repeating, context.limits) !== undefined,
    isResumed: ({ context }) => context.resumed !== undefined,
    startsBy: (_, { start, step }: { readonly start: ResumedStart; readonly step: ResumedStart['step'] }) =>
      start.step === step,
    isCancelled: ({ context }) => context.cancelled !== undefined,
    overLimit: ({ context }, usage: Usage) => limitReached(usage, context.limits) !== undefined,
    sessionless: ({ context }) => context.session === undefined,
  },
  delays: {
    stall: ({ context }) => context.limits.stallMs,
    attempt: ({ context }) => context.limits.attemptMs,
    backOff: ({ context }) => Math.min(context.answer?.waitMs ?? 0, LONGEST_TIMER_MS),
    /** Until the server's next try, which it announced. */
    retryWait: ({ context }) => Math.min(context.retryWaitMs, LONGEST_TIMER_MS),
    /** An abort that the server never answers must not keep the instance from ending. */
    abortGrace: 10_000,
  },
  actions: {
    /** Appends a fact to the journal; provided by src/run. */
    record: (_, _fact: RunFact) => {},
    /** Tells the event stream where the events of this session go (R1); provided by src/run. */
    addRoute: (_, _session: OpenedSession) => {},
    /** Ends the session's route, tool access and log; provided by src/run. Called once for each attempt. */
    releaseSession: (_, _attempt: AttemptRef & { readonly status: string }) => {},
    /** Takes a place at the provider's gate without asking: what is taken up is at work already; provided by src/run. */
    occupyGate: (_, _request: GateRequest) => {},
    /** Gives the place at the provider's gate back; provided by src/run. */
    leaveGate: (_, _instance: InstanceRef) => {},
    tell: enqueueActions(({ enqueue, system }, notice: TaskNotice) => {
      const orchestrator = system.get('orchestrator');
      if (orchestrator) enqueue.sendTo(orchestrator, notice);
    }),
    /** Asks the policy what follows the failure, and writes it down. */
    decide: enqueueActions(({ context, enqueue }) => {
      // Weighed before the session was aborted, or told to end: nothing is left to decide.
      if (context.answer !== undefined || context.cancelled !== undefined) return;
      const failure = context.failure ?? errorFailure(new Error('failed without a cause'));
      const { answer, adjustment } = weigh(context, failure);
      enqueue.assign({ failure, answer, adjustment });
      const { instance, attempt } = context;
      recordFrom(enqueue, {
        type: 'failure.answered',
        instance: instance.id,
        attempt,
        cause: failure.cause,
        answer,
        ...(adjustment !== undefined && { adjustment }),
      });
    }),
    /** The run pauses because of it: it did not fail, and goes on with the run. */
    cancelForPause: assign({
      cancelled: ({ context: { cancelled, answer, failure } }) =>
        cancelled ?? (answer?.kind === 'pause-run' && failure ? { ...failure.cause, code: 'paused' } : undefined),
    }),
    /** Takes the answer over for the next try; waits are added up until a call of the model succeeds. */
    takeAnswer: assign(({ context }) => {
      const { answer, failure } = context;
      const isWait = answer?.kind === 'back-off' || (failure !== undefined && PROVIDER_TROUBLE.has(failure.class));
      return {
        models: answer?.model === undefined ? context.models : [...context.models, answer.model],
        splits: context.splits + (answer?.kind === 'split' ? 1 : 0),
        waits: context.waits + (isWait ? 1 : 0),
        waitedMs: context.waitedMs + (isWait ? (answer?.waitMs ?? 0) : 0),
      };
    }),
    /** The next prompt goes on with what was interrupted. */
    goOn: assign({
      next: 'prompt',
      continuedTurn: ({ context }) => context.turn + 1,
      failure: undefined,
      judgement: undefined,
    }),
    dropAdjustment: assign({ adjustment: undefined }),
    openNext: assign({ next: 'open', session: undefined }),
    takeRejection: assign({
      issues: (_, { by, reason }: { readonly by: string; readonly reason: string }): readonly Issue[] => [
        { path: 'hold point', message: `${by} looked at the work and did not release it: ${reason}` },
      ],
      rejections: ({ context }) => context.rejections + 1,
      next: 'repair',
      adjustment: undefined,
    }),
    forgetHold: assign({ holdBefore: undefined }),
    keepTurn: assign({
      judgement: (_, { judgement }: { readonly judgement: Judgement; readonly tools?: ToolTally }) => judgement,
      tools: (_, { tools }) => tools,
    }),
    countAttempt: assign({
      attempt: ({ context }) => context.attempt + 1,
      turn: 0,
      repair: 0,
      continuedTurn: 0,
      session: undefined,
      judgement: undefined,
      issues: [],
      usage: NO_USAGE,
      tools: undefined,
      work: undefined,
      rejections: 0,
      answer: undefined,
      previous: ({ context }) => context.failure?.cause,
      failure: undefined,
    }),
    takeUp: assign((_, start: ResumedStart) => {
      const { attempt } = start;
      if (start.step === 'new-attempt') {
        const { previous } = start;
        return {
          attempt,
          ...(previous && { failure: { cause: previous, class: previous.class ?? 'session-lost', retryable: true } }),
        };
      }
      if (start.step === 'commit-again') return { attempt, usage: start.usage };
      const { turn, repair, session, usage, judgement } = start;
      // A turn that was never begun is prompted as if for the first time.
      const continuedTurn = start.step === 'continue' && turn > 0 ? turn + 1 : 0;
      return { attempt, turn, repair, session, usage, judgement, continuedTurn, next: 'prompt' as const };
    }),
    keepSession: assign({ session: (_, session: OpenedSession) => session }),
    countTurn: assign({ turn: ({ context }) => context.turn + 1, judgement: undefined, answer: undefined }),
    countRepair: assign({ repair: ({ context }) => context.repair + 1, failure: undefined }),
    keepReview: assign({ issues: (_, review: Review) => review.issues, work: (_, { work }) => work }),
    keepUsage: assign(({ context }, usage: Usage) => {
      const gaveSomething = tokensOut(usage) > tokensOut(context.usage);
      return { usage, ...(gaveSomething && { waits: 0, waitedMs: 0 }) };
    }),
    keepRetryWait: assign({ retryWaitMs: (_, waitMs: number) => waitMs }),
    // T1: the first cause of the attempt is kept.
    fail: assign({ failure: ({ context }, failure: AttemptFailure) => context.failure ?? failure }),
    failByTurn: assign({
      failure: ({ context }) => context.failure ?? turnFailure(turnEnd(context)),
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
    attempt: input.resumed?.attempt ?? 0,
    turn: 0,
    repair: 0,
    continuedTurn: 0,
    session: undefined,
    judgement: undefined,
    issues: [],
    usage: NO_USAGE,
    retryWaitMs: 0,
    tools: undefined,
    work: undefined,
    answer: undefined,
    adjustment: undefined,
    models: input.policy ? [input.policy.model] : [],
    waits: 0,
    waitedMs: 0,
    splits: 0,
    rejections: 0,
    holdBefore: input.knownHold,
    next: 'open',
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

    attempting: {
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
    },

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

/** Timers of the platform overflow above this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Classes in which the provider is waited for. */
const PROVIDER_TROUBLE = new Set<string>(['rate-limit', 'overload', 'provider-down']);

const TRIES_AGAIN = new Set<string | undefined>(['fresh-session', 'split', 'fallback-model', 'back-off']);

function triesAgain({ answer }: TaskMachineContext): boolean {
  return TRIES_AGAIN.has(answer?.kind);
}

/**
 * Enqueues the `record` action. XState types the actions that `enqueueActions` may name inside `setup` as `never`
 * (statelyai/xstate#4820), hence the cast.
 */
function recordFrom(enqueue: unknown, fact: RunFact): void {
  (enqueue as (action: { type: 'record'; params: RunFact }) => void)({ type: 'record', params: fact });
}

function tokensOut({ outputTokens, reasoningTokens }: Usage): number {
  return outputTokens + reasoningTokens;
}

function turnEnd({ judgement, issues, tools, work }: TaskMachineContext): Parameters<typeof turnFailure>[0] {
  return { judgement: judgement ?? { kind: 'interrupted' }, issues, ...(tools && { tools }), ...(work && { work }) };
}

function told({ models, adjustment }: TaskMachineContext): { readonly model?: string; readonly adjustment?: string } {
  const model = models.at(-1);
  return { ...(model !== undefined && { model }), ...(adjustment !== undefined && { adjustment }) };
}

function gateRequest({ context }: { context: TaskMachineContext }): GateRequest {
  return { instance: context.instance, model: context.models.at(-1) ?? '' };
}

function spent({ context, event }: { context: TaskMachineContext; event: { readonly usage: Usage } }): TaskNotice {
  return { type: 'task.spent', instance: context.instance.id, attempt: context.attempt, usage: event.usage };
}

function cancelCause(cause: Cause | undefined): Cause | undefined {
  return cause && { ...cause, class: cause.class ?? 'cancelled' };
}

function holdInput({ instance, policy, holdBefore }: TaskMachineContext): HoldInput {
  const { reason = '', timeoutMs } = policy?.hold ?? {};
  return {
    point: holdPointOf('after', instance.id),
    when: 'after',
    of: instance.id,
    reason,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(holdBefore && { before: holdBefore }),
  };
}

function rejectionOf(decision: HoldDecision): { readonly by: string; readonly reason: string } {
  return decision.kind === 'rejected' ? decision : { by: 'nobody', reason: '' };
}

function expiredFailure(decision: HoldDecision): AttemptFailure {
  const { timeoutMs } = decision.kind === 'expired' ? decision : { timeoutMs: 0 };
  return holdFailure('hold-expired', `nobody released it within ${timeoutMs} ms (hold.timeoutMs)`);
}

/** The run cannot go on with anybody: told once, by whoever met it first. */
function stopOf({ answer, failure }: TaskMachineContext): Pick<TaskOutput, 'stop'> {
  if (!failure || (answer?.kind !== 'stop-run' && answer?.kind !== 'pause-run')) return {};
  return { stop: { how: answer.kind, cause: failure.cause } };
}

function resumedFact({ context, event }: { context: TaskMachineContext; event: { output: ResumedStart } }): RunFact {
  const { step, attempt } = event.output;
  const cause = 'previous' in event.output ? event.output.previous : undefined;
  return { type: 'instance.resumed', instance: context.instance.id, attempt, step, ...(cause && { cause }) };
}

function sessionOf(start: ResumedStart): OpenedSession {
  return 'session' in start ? start.session : { sessionId: '', apiSessionId: '' };
}
