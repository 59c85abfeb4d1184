/**
 * What follows for one instance of a run that goes on: decided from the journal, from what its files hold, and from what
 * the server knows of its session. Pure; the effects are in src/run/take-up.ts.
 */
import type { Cause, Outcome } from '../../schemas/run-event.ts';
import type { Judgement } from '../../schemas/session-event.ts';
import type { KnownAttempt, KnownInstance } from './known-run.ts';

/** What the server says of the session of the last attempt and its last turn. */
export type ServerKnowledge =
  /** It has no such session, or none was opened. */
  | { readonly kind: 'gone' }
  /** `judgement` is present when the turn is over whatever it still does: it calls its model for ever. */
  | { readonly kind: 'busy'; readonly judgement?: Judgement }
  /** `judgement` is absent when the prompt never arrived. */
  | { readonly kind: 'idle'; readonly judgement?: Judgement };

export interface ResumeKnowledge {
  /** The publication of the last attempt stands whole on disk. */
  readonly publication: boolean;
  /** The accepted calls of the last attempt could be repeated with the answers that its agent got. */
  readonly replayed: boolean;
  /** What they stage is complete and valid now. */
  readonly complete: boolean;
  /** The last attempt was begun from inputs that have changed since. Default false. */
  readonly isOutdated?: boolean;
  readonly server: ServerKnowledge;
}

interface Place {
  readonly attempt: number;
  /** Turns before the next prompt. */
  readonly turn: number;
  readonly repair: number;
}

export type ResumeStep =
  | { readonly kind: 'done'; readonly outcome: Outcome }
  /** The commit was under way: what it wrote, if anything, is written again as it was (G1). */
  | { readonly kind: 'commit-again'; readonly attempt: number }
  /** The turn ended meanwhile, or the work was complete: review it now. */
  | ({ readonly kind: 'take'; readonly judgement: Judgement } & Place)
  /** The turn still runs on a server that outlived us. */
  | ({ readonly kind: 'join'; readonly messageId: string } & Place)
  /** A further prompt in the same session. */
  | ({ readonly kind: 'continue' } & Place)
  /** `attempt` is the number of the last one; the next one counts from there. */
  | { readonly kind: 'new-attempt'; readonly attempt: number; readonly previous?: Cause };

const CUT_OFF: Cause = { code: 'interrupted', message: 'the run was interrupted and the session could not go on' };
const OUTDATED: Cause = {
  code: 'inputs-changed',
  message: 'the inputs changed while it was at work, and the run goes on with those of now',
};

/** Total: every knowledge has its step. */
export function resumeStep(instance: KnownInstance, knows: ResumeKnowledge): ResumeStep {
  const outcome = endOf(instance);
  if (outcome) return { kind: 'done', outcome };
  const { attempt: last } = instance;
  if (!last) return { kind: 'new-attempt', attempt: 0 };
  const { failure } = last;
  if (failure && !failure.isCutOff) {
    return { kind: 'new-attempt', attempt: last.attempt, previous: failure.cause };
  }
  if (last.commitStarted && knows.publication) return { kind: 'commit-again', attempt: last.attempt };
  if (knows.isOutdated === true) return { kind: 'new-attempt', attempt: last.attempt, previous: OUTDATED };
  const afresh: ResumeStep = { kind: 'new-attempt', attempt: last.attempt, previous: CUT_OFF };
  if (!last.session || !knows.replayed) return afresh;
  return stepInSession(last, knows) ?? afresh;
}

/** How the instance ended, as far as the journal tells: also when the death came before the line that says so. */
export function endOf({ outcome, committed, attempt }: KnownInstance): Outcome | undefined {
  if (committed) return { kind: 'completed' };
  if (outcome) return outcome;
  const failure = attempt?.failure;
  return failure?.isLast && !failure.isCutOff ? { kind: 'failed', cause: failure.cause } : undefined;
}

/** Undefined when only a new session can help. */
function stepInSession(last: KnownAttempt, { complete, server }: ResumeKnowledge): ResumeStep | undefined {
  const place: Place = { attempt: last.attempt, turn: last.turns, repair: last.repairs };
  const take = (judgement: Judgement): ResumeStep => ({ kind: 'take', ...place, judgement });
  if (server.kind === 'busy' && last.messageId !== undefined) {
    return server.judgement ? take(server.judgement) : { kind: 'join', ...place, messageId: last.messageId };
  }
  // Whatever became of the turn: work that is complete and valid counts (T2).
  if (complete) return take(last.judgement ?? { kind: 'interrupted' });
  if (server.kind !== 'idle') return undefined;
  if (last.turns === 0) return { kind: 'continue', ...place };
  const told = last.judgement ?? server.judgement;
  if (!told) {
    // The prompt never arrived: the first one is sent anew, and so is one that was to go on with what was cut off; before
    // a repair the review says again what to mend.
    if (last.continues) return { kind: 'continue', ...place };
    return last.turns === 1
      ? { kind: 'continue', ...place, turn: 0 }
      : {
          kind: 'take',
          ...place,
          turn: last.turns - 1,
          repair: Math.max(0, last.repairs - 1),
          judgement: { kind: 'candidate' },
        };
  }
  return GOES_ON.has(told.kind) ? { kind: 'continue', ...place } : take(told);
}

/** Ends of a turn that say nothing about the work; what a provider refused then may pass now. */
const GOES_ON = new Set<Judgement['kind']>(['interrupted', 'aborted', 'not-started', 'failed']);
