/** What the manifest says about a run beside its plan, as the orchestrator needs it. */
import type { Budget } from '../schemas/manifest.ts';
import type { Usage } from '../schemas/session-event.ts';
import type { Healing } from '../src/policy/healing.ts';
import type { HoldBefore } from './hold.ts';
import type { TaskPolicy } from './task-answer.ts';

export interface RunRules {
  /** By task id. */
  readonly policies?: Readonly<Record<string, TaskPolicy>>;
  /** Instances at work at the same time, by pool. */
  readonly pools?: Readonly<Record<string, number>>;
  /** Task → its pool. */
  readonly poolOf?: Readonly<Record<string, string>>;
  /** Tasks that wait for a person before they start. */
  readonly holdBefore?: Readonly<Record<string, { readonly reason: string; readonly timeoutMs?: number }>>;
  /** What an earlier process of the run left of its points: point → decision, or the time that is left. */
  readonly knownHolds?: Readonly<Record<string, HoldBefore>>;
  readonly budget?: Budget;
  /** What earlier processes of the run used (src/policy/budget.ts). */
  readonly spent?: Readonly<Record<string, Usage>>;
  /** How long they were at work. */
  readonly workedMs?: number;
  /** Absent: a lost server ends the run. */
  readonly healing?: Healing;
}
