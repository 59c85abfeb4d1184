/** Stands in for src/journal/lock-holder.ts: a process here is known by its number in the world. */
import { parseHolder } from '../../../src/journal/lock-holder.ts';
import { universe } from '../universe.ts';

export { parseHolder };

export function thisProcess(since: string, token: string): Promise<object> {
  return Promise.resolve({ pid: universe().life.number, host: 'simulated', since, token });
}

export function isDead(holder: { readonly pid: number }): Promise<boolean> {
  return Promise.resolve(!universe().life.is(holder.pid));
}
