/** Admission: how many of the instances that may start do start now. */
import { type Plan, ready } from '../plan/plan.ts';

export interface AdmissionRules {
  /** Instances at work at the same time, by pool; default no pools. */
  readonly pools?: Readonly<Record<string, number>>;
  /** Task → its pool. */
  readonly poolOf?: Readonly<Record<string, string>>;
  /** Tasks that wait for a person before they start. */
  readonly closed?: ReadonlySet<string>;
  /** Running instances that wait for a person: they use nothing, so they take nobody's place. */
  readonly held?: ReadonlySet<string>;
}

/** Ids to start now: those that are ready, in their order, as far as fewer than `concurrency` are at work and their pool has room. */
export function admit(plan: Plan, concurrency: number, rules: AdmissionRules = {}): string[] {
  const { pools = {}, poolOf = {}, closed, held } = rules;
  const atWork = Object.values(plan.instances).filter(({ id, status }) => status === 'running' && !held?.has(id));
  const inPool: Record<string, number> = {};
  for (const { task } of atWork) count(inPool, poolOf[task]);
  const admitted: string[] = [];
  for (const id of ready(plan)) {
    if (atWork.length + admitted.length >= concurrency) break;
    const { task } = plan.instances[id]!;
    const pool = poolOf[task];
    // A full pool holds back its own instances only: those behind them may have room.
    if (closed?.has(task) || (pool !== undefined && (inPool[pool] ?? 0) >= (pools[pool] ?? concurrency))) continue;
    count(inPool, pool);
    admitted.push(id);
  }
  return admitted;
}

function count(by: Record<string, number>, pool: string | undefined): void {
  if (pool !== undefined) by[pool] = (by[pool] ?? 0) + 1;
}
