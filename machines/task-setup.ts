/**
 * The vocabulary of the task machine: its actors, guards, delays and actions.
 *
 * Invariant T1 lives here: `fail` and its kin keep the first cause of an attempt. Placeholders are filled by src/run.
 */
import { assign, enqueueActions, fromPromise, setup } from 'xstate';
import type { Cause, InstanceRef, Issue, Outcome, RunFact } from '../schemas/run-event.ts';
import { type Judgement, NO_USAGE, type SessionEvent, type ToolTally, type Usage } from '../schemas/session-event.ts';
import { type AttemptFailure, errorFailure, turnFailure } from '../src/policy/classify.ts';
import type { HoldDecision } from '../src/policy/holds.ts';
import { limitReached, loopReached } from '../src/policy/limits.ts';
import { LONGEST_TIMER_MS } from '../src/ports.ts';
import { enqueueRecord } from './enqueue-record.ts';
import { holdMachine } from './hold.ts';
import { goesOn, retryOf, weigh } from './task-answer.ts';
import { type TaskMachineContext, triesAgain, turnEnd } from './task-context.ts';
import type {
  AttemptRef,
  Committed,
  GateRequest,
  OpenedSession,
  OpenRequest,
  ResumedStart,
  Review,
  TaskCommand,
  TaskInput,
  TaskNotice,
  TaskOutput,
  TurnRequest,
} from './task-ports.ts';

/** Classes in which the provider is waited for. */
const PROVIDER_TROUBLE = new Set<string>(['rate-limit', 'overload', 'provider-down']);

const unprovided = (name: string) => () => Promise.reject(new Error(`the actor "${name}" is not provided`));

export const taskSetup = setup({
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
      enqueueRecord(enqueue, {
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
});

function tokensOut({ outputTokens, reasoningTokens }: Usage): number {
  return outputTokens + reasoningTokens;
}
