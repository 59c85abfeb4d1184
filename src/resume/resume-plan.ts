/** From what is known of a run to the plan it goes on with, and the facts that its journal still owes. */
import type { Outcome, RunFact } from '../../schemas/run-event.ts';
import {
  createPlan,
  endedBetween,
  expand,
  expandable,
  isEnded,
  type Plan,
  settle,
  type TaskSource,
  tasksEndedBetween,
} from '../plan/plan.ts';
import { isSurroundings, type KnownInstance, type KnownRun, reopened } from './known-run.ts';
import { endOf } from './resume-step.ts';

export interface ResumePlan {
  readonly plan: Plan;
  /** What the commits so far brought for fan-outs: entity → item keys. */
  readonly items: Readonly<Record<string, readonly string[]>>;
  /** Ended without completing before, open again now or ended otherwise: cancelled first, skipped as it turns out. */
  readonly reopened: { readonly instances: readonly string[]; readonly tasks: readonly string[] };
  /** Facts of what had happened, that were not written any more. */
  readonly owed: readonly RunFact[];
  /** Instances that are open and had begun. */
  readonly open: ReadonlyMap<string, KnownInstance>;
}

/**
 * Completed stays completed, and failed stays failed unless `again.failed`; cancelled and what was skipped because of it
 * is open again. The tasks are those of the manifest as it is now.
 */
export function resumePlan(
  known: KnownRun,
  tasks: readonly TaskSource[],
  gating: Plan['gating'],
  again: { readonly failed: boolean } = { failed: false },
): ResumePlan {
  const fresh = createPlan(tasks, gating);
  const keeps = (outcome: Outcome | undefined): outcome is Outcome =>
    outcome?.kind === 'completed' || (outcome?.kind === 'failed' && !again.failed && !isSurroundings(outcome.cause));
  let plan = fresh;
  let items: Record<string, readonly string[]> = {};
  for (const [id, task] of known.tasks) {
    if (task.expanded && plan.tasks[id]?.expanded === false) {
      plan = expand(
        plan,
        id,
        task.expanded.map(({ itemKey }) => itemKey ?? ''),
      );
    }
  }
  const begun = [...known.instances.values()].filter(({ ref }) => !known.endOrder.includes(ref.id));
  for (const instance of [...known.endOrder.flatMap((id) => known.instances.get(id) ?? []), ...begun]) {
    const outcome = endOf(instance);
    if (instance.committed) items = { ...items, ...instance.committed.items };
    if (keeps(outcome)) plan = settle(plan, instance.ref.id, outcome);
  }
  // A fan-out that could not be expanded failed before it had instances; it fails again in the same way.
  for (const { id, fanOut } of expandable(plan)) {
    if (keeps(known.tasks.get(id)?.outcome)) plan = expand(plan, id, items[fanOut!.over] ?? []);
  }
  const open = new Map(
    [...known.instances]
      .filter(([id, { attempt }]) => attempt && plan.instances[id] && !isEnded(plan.instances[id]))
      .map(([id, instance]) => [id, reopened(instance)]),
  );
  return {
    plan,
    items,
    open,
    reopened: {
      instances: [...known.instances]
        .filter(([id, { outcome }]) => outcome && isOther(outcome, plan.instances[id]?.outcome))
        .map(([id]) => id),
      tasks: [...known.tasks]
        .filter(([id, { outcome }]) => outcome && isOther(outcome, plan.tasks[id]?.outcome))
        .map(([id]) => id),
    },
    owed: owedFacts(known, fresh, plan),
  };
}

function isOther(written: Outcome | undefined, now: Outcome | undefined): boolean {
  return written?.kind !== now?.kind;
}

function owedFacts(known: KnownRun, before: Plan, after: Plan): RunFact[] {
  const instances = endedBetween(before, after)
    // What a fan-out expanded is not in `before`, hence this too.
    .filter(({ id, outcome }) => isOther(known.instances.get(id)?.outcome, outcome))
    .map(({ id, outcome }): RunFact => ({ type: 'instance.settled', instance: id, outcome: outcome! }));
  const tasks = tasksEndedBetween(before, after)
    .filter(({ id, outcome }) => isOther(known.tasks.get(id)?.outcome, outcome))
    .map(({ id, outcome }): RunFact => ({ type: 'task.settled', task: id, outcome: outcome! }));
  return [...instances, ...tasks];
}
