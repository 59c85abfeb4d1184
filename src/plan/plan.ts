/**
 * The plan: which instances exist, what each waits for, and where each stands.
 *
 * O1: a plan is a value and every change is `plan → plan`. The machines ask it; they keep no list of their own.
 */
import type { Cause, Outcome } from '../../schemas/run-event.ts';

/** What the plan needs to know of a derived task (see derive.ts). */
export interface TaskSource {
  readonly id: string;
  readonly wave: number;
  readonly waitsFor: readonly { readonly task: string; readonly why: string }[];
  readonly fanOut?: { readonly over: string; readonly maxItems: number; readonly producer: string };
}

export interface PlanTask {
  readonly id: string;
  readonly wave: number;
  readonly waitsFor: readonly string[];
  readonly fanOut?: { readonly over: string; readonly maxItems: number; readonly producer: string };
  /** False for a fan-out task until its items are known. */
  readonly expanded: boolean;
  /** How the task as a whole ended: completed only when every instance completed. */
  readonly outcome?: Outcome;
}

export type PlanStatus = 'waiting' | 'running' | Outcome['kind'];

export interface PlanInstance {
  readonly id: string;
  readonly task: string;
  readonly wave: number;
  readonly itemKey?: string;
  readonly status: PlanStatus;
  /** Present when ended; the first one is kept (T1). */
  readonly outcome?: Outcome;
}

export interface Plan {
  readonly gating: 'ready' | 'wave';
  readonly tasks: Readonly<Record<string, PlanTask>>;
  readonly instances: Readonly<Record<string, PlanInstance>>;
}

/** The name of one item of a fan-out: `itp-generation[ITP-07]`. */
export function instanceId(task: string, itemKey: string): string {
  return `${task}[${itemKey}]`;
}

/** A plan in which nothing has started: one instance per plain task, none yet for a fan-out. */
export function createPlan(tasks: readonly TaskSource[], gating: Plan['gating']): Plan {
  return {
    gating,
    tasks: Object.fromEntries(
      tasks.map(({ id, wave, waitsFor, fanOut }) => [
        id,
        { id, wave, waitsFor: waitsFor.map((edge) => edge.task), ...(fanOut && { fanOut }), expanded: !fanOut },
      ]),
    ),
    instances: Object.fromEntries(
      tasks
        .filter((task) => !task.fanOut)
        .map(({ id, wave }) => [id, { id, task: id, wave, status: 'waiting' as const }]),
    ),
  };
}

export function isEnded(instance: PlanInstance): boolean {
  return instance.outcome !== undefined;
}

export function instancesOf(plan: Plan, task: string): PlanInstance[] {
  return Object.values(plan.instances).filter((instance) => instance.task === task);
}

/** The dependency gate: every task that `task` waits for has completed. */
export function dependenciesMet(plan: Plan, task: string): boolean {
  return plan.tasks[task]!.waitsFor.every((id) => plan.tasks[id]?.outcome?.kind === 'completed');
}

/** The wave gate: open unless the manifest asks for a barrier and an earlier wave still has an open task. */
export function waveOpen(plan: Plan, task: string): boolean {
  if (plan.gating === 'ready') return true;
  const { wave } = plan.tasks[task]!;
  return Object.values(plan.tasks).every((other) => other.wave >= wave || other.outcome !== undefined);
}

/** Instances that may start now, in the order of the manifest and of the items. */
export function ready(plan: Plan): string[] {
  return Object.values(plan.instances)
    .filter(({ status, task }) => status === 'waiting' && dependenciesMet(plan, task) && waveOpen(plan, task))
    .map(({ id }) => id);
}

/** Fan-out tasks whose items are known by now and that were not expanded yet. */
export function expandable(plan: Plan): PlanTask[] {
  return Object.values(plan.tasks).filter(
    (task) =>
      !task.expanded && task.outcome === undefined && plan.tasks[task.fanOut!.producer]?.outcome?.kind === 'completed',
  );
}

/**
 * Adds one instance for each item. An empty list, a repeated key or more items than `maxItems` fail the task before
 * anything is spawned: a list is never invented and never cut.
 */
export function expand(plan: Plan, taskId: string, itemKeys: readonly string[]): Plan {
  const task = plan.tasks[taskId]!;
  const { over, maxItems } = task.fanOut!;
  const fail = (code: string, message: string): Plan =>
    closeTask(plan, { ...task, expanded: true }, { kind: 'failed', cause: { code, message } });
  if (itemKeys.length === 0) return fail('fan-out-empty', `expected at least one ${over} to fan out over, got none`);
  if (itemKeys.length > maxItems) {
    return fail(
      'fan-out-limit',
      `expected at most ${maxItems} ${over} items, got ${itemKeys.length}; raise fanOut.maxItems of task "${taskId}" if that many sessions are meant`,
    );
  }
  if (new Set(itemKeys).size !== itemKeys.length) {
    return fail('fan-out-repeated', `expected ${over} items with distinct keys, got ${itemKeys.join(', ')}`);
  }
  const added = itemKeys.map((itemKey): PlanInstance => {
    return { id: instanceId(taskId, itemKey), task: taskId, wave: task.wave, itemKey, status: 'waiting' };
  });
  return {
    ...plan,
    tasks: { ...plan.tasks, [taskId]: { ...task, expanded: true } },
    instances: { ...plan.instances, ...Object.fromEntries(added.map((instance) => [instance.id, instance])) },
  };
}

/** Marks instances as running. */
export function begin(plan: Plan, ids: readonly string[]): Plan {
  const started = ids.map((id) => [id, { ...plan.instances[id]!, status: 'running' as const }]);
  return { ...plan, instances: { ...plan.instances, ...Object.fromEntries(started) } };
}

/**
 * Ends an instance. The first outcome is kept (T1). When that ends its task, the task's outcome follows, and a task
 * that did not complete skips everything that waits for it, transitively, with the cause.
 */
export function settle(plan: Plan, id: string, outcome: Outcome): Plan {
  const instance = plan.instances[id];
  if (!instance || isEnded(instance)) return plan;
  const next = {
    ...plan,
    instances: { ...plan.instances, [id]: { ...instance, status: outcome.kind, outcome } },
  };
  const siblings = instancesOf(next, instance.task);
  if (!siblings.every(isEnded)) return next;
  return closeTask(next, next.tasks[instance.task]!, combined(siblings));
}

/** Ends every instance that has not started, for a drain or an abort; those at work end by their own actors. */
export function cancelWaiting(plan: Plan, cause: Cause): Plan {
  const cancelled: Outcome = { kind: 'cancelled', cause };
  let next = plan;
  for (const task of Object.values(plan.tasks)) {
    if (!task.expanded) next = closeTask(next, { ...next.tasks[task.id]!, expanded: true }, cancelled);
  }
  for (const instance of Object.values(plan.instances)) {
    if (instance.status === 'waiting') next = settle(next, instance.id, cancelled);
  }
  return next;
}

export function allEnded(plan: Plan): boolean {
  return Object.values(plan.tasks).every((task) => task.outcome !== undefined);
}

/** Ids of instances that ended between two plans. */
export function endedBetween(before: Plan, after: Plan): PlanInstance[] {
  return Object.values(after.instances).filter(({ id, outcome }) => outcome && !before.instances[id]?.outcome);
}

/** Tasks that ended between two plans. */
export function tasksEndedBetween(before: Plan, after: Plan): PlanTask[] {
  return Object.values(after.tasks).filter(({ id, outcome }) => outcome && !before.tasks[id]?.outcome);
}

/** Instances named in a task's cause; the rest is counted. */
const NAMED = 5;

/** Completed only when every instance is; else the first cause, failures before cancellations before skips. */
function combined(instances: readonly PlanInstance[]): Outcome {
  for (const kind of ['failed', 'cancelled', 'skipped'] as const) {
    const of = instances.filter((instance) => instance.outcome?.kind === kind);
    const first = of[0]?.outcome;
    if (!first || first.kind !== kind) continue;
    if (instances.length === 1) return first;
    const named = of.slice(0, NAMED).map(({ id }) => id);
    const more = of.length > NAMED ? ` and ${of.length - NAMED} more` : '';
    const message = `${of.length} of ${instances.length} instances ${kind}: ${named.join(', ')}${more}`;
    return { kind, cause: { ...first.cause, message: `${message}; first: ${first.cause.message}` } };
  }
  return { kind: 'completed' };
}

function closeTask(plan: Plan, task: PlanTask, outcome: Outcome): Plan {
  if (task.outcome) return plan;
  const next: Plan = { ...plan, tasks: { ...plan.tasks, [task.id]: { ...task, outcome } } };
  return outcome.kind === 'completed' ? next : skipDependants(next, task.id);
}

function skipDependants(plan: Plan, of: string): Plan {
  let next = plan;
  for (const dependant of Object.values(plan.tasks)) {
    if (!dependant.waitsFor.includes(of) || next.tasks[dependant.id]!.outcome) continue;
    const { kind } = next.tasks[of]!.outcome!;
    const cause: Cause = { code: 'dependency', message: `${of}, which it waits for, ended ${kind}`, of };
    const skipped: Outcome = { kind: 'skipped', cause };
    const instances = instancesOf(next, dependant.id);
    for (const { id } of instances) next = settle(next, id, skipped);
    if (!next.tasks[dependant.id]!.outcome) {
      next = closeTask(next, { ...next.tasks[dependant.id]!, expanded: true }, skipped);
    }
  }
  return next;
}
