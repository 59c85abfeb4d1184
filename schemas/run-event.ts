/**
 * The facts of a run: one JSON object per journal line, in the past tense, the only source of every projection.
 *
 * All ids are text. Times are ISO 8601 UTC with milliseconds. A field that does not apply is absent, never null.
 */

import type { Answer, FailureClass } from './failure.ts';
import type { Severity } from './rule.ts';
import type { Judgement, Usage } from './session-event.ts';

/** An issue that an agent can act on: where, what was wrong, what was expected. */
export interface Issue {
  /** Path into what the agent handed in, or the name of what is owed. */
  readonly path: string;
  readonly message: string;
}

/** Why something went wrong, in a form that survives JSON. */
export interface Cause {
  /** Error code, or a judgement kind, or one of the causes of docs/errors.md such as `incomplete` or `stall`. */
  readonly code: string;
  readonly message: string;
  /** Instance whose failure this one follows from. */
  readonly of?: string;
  /** Of a failure of an attempt. */
  readonly class?: FailureClass;
}

export type Outcome =
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly cause: Cause }
  | { readonly kind: 'skipped'; readonly cause: Cause }
  | { readonly kind: 'cancelled'; readonly cause: Cause };

/** One unit of execution: a task, or one item of a fan-out, named by business key: `itp-generation[ITP-07]`. */
export interface InstanceRef {
  readonly id: string;
  readonly task: string;
  /** Business key of the fan-out item, scope left out. */
  readonly itemKey?: string;
}

export interface PlannedTask {
  readonly id: string;
  readonly wave: number;
  readonly waitsFor: readonly { readonly task: string; readonly why: string }[];
  /** Entity whose nodes this task fans out over. */
  readonly fanOutOver?: string;
}

/** A point where work waits for a person: `before:itp-generation`, `after:pqp-generation`, `after:itp-generation[ITP-07]`. */
export interface HoldPoint {
  readonly point: string;
  readonly when: 'before' | 'after';
  /** Task of a `before`, instance of an `after`. */
  readonly of: string;
  /** What the person has to look at. */
  readonly reason: string;
  /** Silence for this long denies; absent = it waits for ever. */
  readonly timeoutMs?: number;
}

export type RunFact =
  | {
      readonly type: 'run.started';
      readonly runId: string;
      readonly musterVersion: string;
      readonly projectId: string;
      readonly manifest: { readonly name: string; readonly path: string; readonly sha256: string };
      readonly schema: { readonly name: string; readonly version: string };
      /**
       * Where the run commits: a URL without credentials, or a path, from the run's folder when the file is inside the
       * home. Absent in journals of muster 0.1.
       */
      readonly graph?: string;
      readonly documents: readonly {
        readonly path: string;
        readonly sha256: string;
        readonly bytes: number;
        readonly pageCount?: number;
        /** Why quotes of it, or of some of its pages, are not to be had; absent when there is nothing to say. */
        readonly warnings?: readonly string[];
      }[];
      readonly model: string;
      /** True when a scripted model answers instead of a language model. */
      readonly rehearsal: boolean;
      readonly gating: 'ready' | 'wave';
      readonly concurrency: number;
      readonly tasks: readonly PlannedTask[];
      /** Of the journal; absent = 1. A reader that must understand every fact refuses a higher one. */
      readonly format?: number;
      /** What a resumed run needs beside the above; paths are relative to the run's folder, so that a home can move. */
      readonly given?: {
        readonly manifest: string;
        readonly documents: string;
        readonly rehearsal?: string;
        /** Without credentials; absent for a server of our own. */
        readonly serverUrl?: string;
        readonly opencode?: string;
        readonly opencodeConfig?: string;
        /** A selective run: what it takes over from, and which parts were asked for. */
        readonly against?: string;
        readonly selection?: { readonly kind: string; readonly ids?: readonly string[] };
      };
      /** What each task is made of: task → part → SHA-256 of its text (see src/fingerprint). */
      readonly inputs?: Readonly<Record<string, Readonly<Record<string, string>>>>;
    }
  /** The same run goes on in a new process; everything before this line happened in an earlier one. */
  | {
      readonly type: 'run.resumed';
      readonly musterVersion: string;
      /** Counts from 1. */
      readonly resume: number;
      /** Instances and tasks that had ended without completing and are open again. */
      readonly reopened: { readonly instances: readonly string[]; readonly tasks: readonly string[] };
      /** What differs from the start of the run, accepted with `--force`; empty when nothing does. */
      readonly changes: readonly string[];
    }
  /** The server was lost, and the process goes on by itself: `run.resumed` follows after the wait, `run.ended` does not. */
  | {
      readonly type: 'run.healing';
      readonly cause: Cause;
      /** Losses without an instance that completed between them, this one included; at most `lossesMax`. */
      readonly loss: number;
      readonly lossesMax: number;
      readonly waitMs: number;
    }
  /** How an instance was taken up again. */
  | {
      readonly type: 'instance.resumed';
      readonly instance: string;
      readonly attempt: number;
      readonly step: 'commit-again' | 'take' | 'join' | 'continue' | 'new-attempt';
      /** Of a new attempt: why the one before cannot go on. */
      readonly cause?: Cause;
    }
  /** In a selective run: whether an earlier run's work counts, or why it does not. */
  | {
      readonly type: 'instance.decided';
      readonly instance: string;
      readonly decision: 'take-over' | 'run';
      /** The earlier run. */
      readonly against: string;
      readonly causes: readonly string[];
    }
  | {
      readonly type: 'server.started';
      readonly version: string;
      /** False when attached to a running server. */
      readonly owned: boolean;
      readonly pid?: number;
      /** Without credentials. */
      readonly url: string;
    }
  | { readonly type: 'server.lost'; readonly cause: Cause }
  | { readonly type: 'server.stopped' }
  | { readonly type: 'stream.connected'; readonly connection: number }
  | { readonly type: 'stream.lost'; readonly connection: number; readonly cause: Cause }
  /** After a gap: how many frames history returned. */
  | { readonly type: 'stream.reconciled'; readonly connection: number; readonly frames: number }
  | {
      readonly type: 'task.expanded';
      readonly task: string;
      readonly instances: readonly InstanceRef[];
    }
  | { readonly type: 'instance.started'; readonly instance: string; readonly wave: number }
  | { readonly type: 'attempt.started'; readonly instance: string; readonly attempt: number }
  | {
      readonly type: 'session.opened';
      readonly instance: string;
      readonly attempt: number;
      /** Our own name of the session, `20251103-143022-abc123`. */
      readonly sessionId: string;
      /** The server's name of it. */
      readonly apiSessionId: string;
    }
  | {
      readonly type: 'turn.started';
      readonly instance: string;
      readonly attempt: number;
      readonly turn: number;
      /** `continue`: after an interruption, in the same session. */
      readonly kind: 'work' | 'repair' | 'continue';
      readonly messageId: string;
    }
  | {
      readonly type: 'turn.ended';
      readonly instance: string;
      readonly attempt: number;
      readonly turn: number;
      readonly judgement: Judgement;
      /** Of the attempt so far. */
      readonly usage?: Usage;
    }
  /** The provider asked for fewer calls: the turn was broken off, and goes on in the same session when the gate lets it. */
  | { readonly type: 'turn.yielded'; readonly instance: string; readonly attempt: number; readonly turn: number }
  /** One call of a muster tool by an agent; issues are what it was told. */
  | {
      readonly type: 'tool.answered';
      readonly instance: string;
      readonly attempt: number;
      readonly tool: string;
      readonly accepted: number;
      readonly issues: readonly Issue[];
    }
  | {
      readonly type: 'repair.requested';
      readonly instance: string;
      readonly attempt: number;
      readonly repair: number;
      readonly issues: readonly Issue[];
    }
  | {
      readonly type: 'ask.answered';
      readonly instance: string;
      readonly kind: 'permission' | 'question';
      readonly subject: string;
      readonly reply: string;
    }
  /** Each failure, its class, and what is done about it; the adjustment is what the next prompt says, word for word. */
  | {
      readonly type: 'failure.answered';
      readonly instance: string;
      readonly attempt: number;
      readonly cause: Cause;
      readonly answer: Answer;
      readonly adjustment?: string;
    }
  | {
      readonly type: 'attempt.failed';
      readonly instance: string;
      readonly attempt: number;
      readonly cause: Cause;
      /** Absent when there is no further attempt. */
      readonly retryInMs?: number;
    }
  | { readonly type: 'commit.started'; readonly instance: string; readonly attempt: number }
  | {
      readonly type: 'commit.ended';
      readonly instance: string;
      readonly attempt: number;
      /** Nodes by entity. */
      readonly entities: Readonly<Record<string, number>>;
      readonly relationships: number;
      readonly created: number;
      readonly updated: number;
      readonly unchanged: number;
      /** Keys the fan-outs over this instance's entities need: entity → item keys, scope left out. */
      readonly items: Readonly<Record<string, readonly string[]>>;
      /** Sections of documents that its passages stand in: path → places in the order of documents.json, from 0. */
      readonly cited?: Readonly<Record<string, readonly number[]>>;
    }
  /** Usage of one attempt, after its last turn. */
  | { readonly type: 'attempt.measured'; readonly instance: string; readonly attempt: number; readonly usage: Usage }
  | { readonly type: 'instance.settled'; readonly instance: string; readonly outcome: Outcome }
  | { readonly type: 'task.settled'; readonly task: string; readonly outcome: Outcome }
  /** What was found once no task worked any more. */
  | ({ readonly type: 'run.checked' } & RunCheck)
  /** `again`: it was open already when an earlier process ended. */
  | ({ readonly type: 'hold.opened'; readonly again?: true } & HoldPoint)
  | { readonly type: 'hold.released'; readonly point: string; readonly by: string; readonly reason?: string }
  | { readonly type: 'hold.rejected'; readonly point: string; readonly by: string; readonly reason: string }
  /** Nobody decided in time: denied, and no person's refusal. */
  | { readonly type: 'hold.expired'; readonly point: string; readonly timeoutMs: number }
  /** A provider refuses calls: fewer sessions at once, and none before the wait is over. */
  | {
      readonly type: 'provider.slowed';
      readonly provider: string;
      /** Sessions at work at once from now on. */
      readonly limit: number;
      readonly waitMs: number;
      readonly message: string;
    }
  | { readonly type: 'provider.recovered'; readonly provider: string }
  /** Nothing is lost: `muster resume` goes on, with a higher budget or when the provider's quota is filled again. */
  | {
      readonly type: 'run.paused';
      readonly cause: Cause;
      readonly spent: Usage;
    }
  | { readonly type: 'run.interrupted'; readonly how: 'drain' | 'abort'; readonly reason: string }
  | {
      readonly type: 'run.ended';
      readonly outcome: RunOutcome;
      readonly cause?: Cause;
    };

/** One violation of a quality rule, or a key in the text that names nothing. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** Names the business keys. */
  readonly message: string;
  readonly hint: string;
}

/** What the checks after a run found. */
export interface RunCheck {
  /** Relationships drawn from keys and paths once every task had ended. */
  readonly lateRelationships: number;
  readonly rules: number;
  /** Of all findings; `findings` names at most 200, the worst first. */
  readonly counts: Readonly<Record<Severity, number>>;
  readonly findings: readonly Finding[];
  /** Why rules in Cypher were not judged: the machine has no engine for them. */
  readonly unjudged?: { readonly statements: number; readonly reason: string };
}
/** `paused`: a budget was spent; like `cancelled` it can be resumed. */
export type RunOutcome = 'completed' | 'failed' | 'cancelled' | 'paused';

/** A fact as it stands in the journal: `seq` counts from 1 without holes. */
export type RunEvent = { readonly seq: number; readonly time: string } & RunFact;
