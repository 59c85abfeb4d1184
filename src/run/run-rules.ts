/** What the manifest and an earlier process say about the course of a run, in the words of the orchestrator. */
import type { HoldBefore } from '../../machines/hold.ts';
import type { RunRules } from '../../machines/orchestrator-rules.ts';
import type { TaskPolicy } from '../../machines/task-answer.ts';
import { type Budget, type Manifest, type ManifestTask, retryOf } from '../../schemas/manifest.ts';
import type { RunEvent } from '../../schemas/run-event.ts';
import type { Usage } from '../../schemas/session-event.ts';
import { providerOf } from '../policy/answer.ts';
import { attemptKey } from '../policy/budget.ts';
import { healingOf } from '../policy/healing.ts';
import { holdsOf, remainingMs } from '../policy/holds.ts';
import { viewOf } from '../report/run-view.ts';

export interface RulesRequest {
  readonly manifest: Manifest;
  /** Model of tasks without one of their own. */
  readonly model: string;
  readonly isRehearsal: boolean;
  /** Wins over the manifest's, field by field. */
  readonly budget?: Budget;
  /** Facts of earlier processes of the run; default none. */
  readonly events?: readonly RunEvent[];
  readonly nowMs: number;
}

export function runRules(request: RulesRequest): RunRules {
  const { manifest, events = [], nowMs } = request;
  const { tasks, pools } = manifest;
  const budget = { ...manifest.budget, ...request.budget };
  return {
    policies: Object.fromEntries(tasks.map((task) => [task.id, policyOf(request, task)])),
    ...(pools && { pools }),
    poolOf: Object.fromEntries(tasks.flatMap(({ id, pool }) => (pool === undefined ? [] : [[id, pool]]))),
    holdBefore: Object.fromEntries(
      tasks.flatMap(({ id, hold }) => (hold?.when === 'before' ? [[id, settingsOf(hold)]] : [])),
    ),
    knownHolds: knownHolds(events, nowMs),
    ...(Object.keys(budget).length > 0 && { budget }),
    spent: spentBefore(events),
    workedMs: workedMs(events),
    healing: healingOf(events),
  };
}

/** Every model that a run may use, for the check that the server knows them. */
export function modelsOf({ manifest, model, isRehearsal }: Omit<RulesRequest, 'nowMs'>): readonly string[] {
  const request = { manifest, model, isRehearsal, nowMs: 0 };
  const models = manifest.tasks.flatMap((task) => {
    const policy = policyOf(request, task);
    return [policy.model, ...policy.retry.fallbackModels];
  });
  return [...new Set(isRehearsal ? [model] : [model, ...models])];
}

function policyOf({ manifest, model, isRehearsal }: RulesRequest, task: ManifestTask): TaskPolicy {
  const retry = retryOf(manifest, task);
  const { hold } = task;
  return {
    model: task.model ?? model,
    // The scripted server knows no other provider.
    retry: isRehearsal
      ? { ...retry, fallbackModels: retry.fallbackModels.filter((one) => providerOf(one) === providerOf(model)) }
      : retry,
    ...(hold?.when === 'after' && { hold: settingsOf(hold) }),
  };
}

function settingsOf({ reason, timeoutMs }: { readonly reason: string; readonly timeoutMs?: number | undefined }) {
  return { reason, ...(timeoutMs !== undefined && { timeoutMs }) };
}

function knownHolds(events: readonly RunEvent[], nowMs: number): Readonly<Record<string, HoldBefore>> {
  return Object.fromEntries(
    [...holdsOf(events).values()].map((hold) => {
      const leftMs = remainingMs(hold, nowMs);
      return [
        hold.point,
        { ...(hold.decision && { decision: hold.decision }), ...(leftMs !== undefined && { remainingMs: leftMs }) },
      ];
    }),
  );
}

function spentBefore(events: readonly RunEvent[]): Readonly<Record<string, Usage>> {
  const { instances } = viewOf(events);
  return Object.fromEntries(
    Object.values(instances).flatMap(({ id, attempts }) =>
      attempts.map(({ attempt, usage }) => [attemptKey(id, attempt), usage]),
    ),
  );
}

/** From each start or resume to the last fact of that process. */
function workedMs(events: readonly RunEvent[]): number {
  let worked = 0;
  let from: number | undefined;
  let last: number | undefined;
  for (const { type, time } of events) {
    const at = Date.parse(time);
    if (type === 'run.started' || type === 'run.resumed') {
      if (from !== undefined && last !== undefined) worked += Math.max(0, last - from);
      from = at;
    }
    last = at;
  }
  if (from !== undefined && last !== undefined) worked += Math.max(0, last - from);
  return worked;
}
