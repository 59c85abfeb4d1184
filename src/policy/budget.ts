/** The budget of a whole run: what is spent, and whether that is all. Reaching it pauses the run, it fails nothing. */
import type { Budget } from '../../schemas/manifest.ts';
import type { Cause } from '../../schemas/run-event.ts';
import { NO_USAGE, type Usage } from '../../schemas/session-event.ts';
import { tokensOf } from './limits.ts';

/** What each attempt has used so far, those of earlier processes of the run included: {@link attemptKey} → usage. */
export type Spending = Readonly<Record<string, Usage>>;

export function attemptKey(instance: string, attempt: number): string {
  return `${instance}#${attempt}`;
}

export function spentOf(spending: Spending): Usage {
  const sum: Record<keyof Usage, number> = { ...NO_USAGE };
  for (const usage of Object.values(spending)) {
    for (const figure of Object.keys(sum) as (keyof Usage)[]) sum[figure] += usage[figure];
  }
  return sum;
}

/** Why the run pauses, or undefined while there is something left. */
export function budgetReached(spent: Usage, budget: Budget): Cause | undefined {
  const tokens = tokensOf(spent);
  if (budget.cost !== undefined && spent.cost >= budget.cost) {
    return pause(`a cost of ${spent.cost.toFixed(2)} of ${budget.cost} (budget.cost)`);
  }
  if (budget.tokens !== undefined && tokens >= budget.tokens) {
    return pause(`${tokens} tokens of ${budget.tokens} (budget.tokens)`);
  }
  if (budget.steps !== undefined && spent.steps >= budget.steps) {
    return pause(`${spent.steps} model calls of ${budget.steps} (budget.steps)`);
  }
  return undefined;
}

/** The run has been at work for as long as the budget allows. */
export function timeReached(timeMs: number): Cause {
  return pause(`${timeMs} ms at work (budget.timeMs)`);
}

function pause(what: string): Cause {
  const message = `the budget of the run is spent: ${what}. Nothing is lost: raise it and go on with "muster resume"`;
  return { code: 'paused', message, class: 'budget' };
}
