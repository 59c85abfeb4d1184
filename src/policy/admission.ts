/** Admission: how many of the instances that may start do start now. */
import { type Plan, ready } from '../plan/plan.ts';

/** Ids to start now: those that are ready, as far as fewer than `concurrency` are running. */
export function admit(plan: Plan, concurrency: number): string[] {
  const running = Object.values(plan.instances).filter(({ status }) => status === 'running').length;
  return ready(plan).slice(0, Math.max(0, concurrency - running));
}
