/**
 * The facts of a run: one JSON object per journal line, in the past tense, the only source of every projection.
 *
 * All ids are text. Times are ISO 8601 UTC with milliseconds. A field that does not apply is absent, never null.
 */
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
  /** Error code, or a judgement kind, or `incomplete`, `stall`, `time-limit`, `step-limit`, `token-limit`, `cost-limit`. */
  readonly code: string;
  readonly message: string;
  /** Instance whose failure this one follows from. */
  readonly of?: string;
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
      readonly kind: 'work' | 'repair';
      readonly messageId: string;
    }
  | {
      readonly type: 'turn.ended';
      readonly instance: string;
      readonly attempt: number;
      readonly turn: number;
      readonly judgement: Judgement;
    }
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
  | { readonly type: 'run.interrupted'; readonly how: 'drain' | 'abort'; readonly reason: string }
  | {
      readonly type: 'run.ended';
      readonly outcome: 'completed' | 'failed' | 'cancelled';
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

/** A fact as it stands in the journal: `seq` counts from 1 without holes. */
export type RunEvent = { readonly seq: number; readonly time: string } & RunFact;
