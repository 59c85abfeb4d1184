/** What a task actor is given, asks for, and tells: its words with the orchestrator and with src/run. */
import type { Limits } from '../schemas/manifest.ts';
import type { Cause, InstanceRef, Issue, Outcome } from '../schemas/run-event.ts';
import type { Judgement, Usage } from '../schemas/session-event.ts';
import type { WorkSeen } from '../src/policy/classify.ts';
import type { SubmissionReview } from '../src/ports.ts';
import type { HoldCommand } from './hold.ts';
import type { KnownHold, TaskPolicy } from './task-answer.ts';

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
