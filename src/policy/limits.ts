/** Limits of one attempt that are counted, not timed; the cost bombs of a server that stops none of them by itself. */
import type { Limits } from '../../schemas/manifest.ts';
import type { Usage } from '../../schemas/session-event.ts';
import { type AttemptFailure, limitFailure } from './classify.ts';

/** The limit that `usage` has reached, or undefined. Model calls are counted first: they catch a loop soonest. */
export function limitReached(usage: Usage, limits: Limits): AttemptFailure | undefined {
  const tokens = tokensOf(usage);
  if (usage.steps >= limits.steps) {
    return limitFailure(
      'step-limit',
      `${usage.steps} model calls in one attempt, at most ${limits.steps} are allowed (limits.steps)`,
    );
  }
  if (tokens >= limits.tokens) {
    return limitFailure(
      'token-limit',
      `${tokens} tokens in one attempt, at most ${limits.tokens} are allowed (limits.tokens)`,
    );
  }
  if (usage.cost >= limits.cost) {
    return limitFailure(
      'cost-limit',
      `a cost of ${usage.cost.toFixed(2)} in one attempt, at most ${limits.cost} is allowed (limits.cost)`,
    );
  }
  return undefined;
}

/** Tokens that limits and budgets count: input, output and reasoning. */
export function tokensOf({ inputTokens, outputTokens, reasoningTokens }: Usage): number {
  return inputTokens + outputTokens + reasoningTokens;
}

/** The same tool calls over and over, once they are `limits.repeatedCalls`; undefined below that. */
export function loopReached(
  { tool, times }: { readonly tool: string; readonly times: number },
  limits: Limits,
): AttemptFailure | undefined {
  if (times < limits.repeatedCalls) return undefined;
  return limitFailure(
    'repeated-calls',
    `the same call of ${tool} was made ${times} times in a row, at most ${limits.repeatedCalls - 1} are allowed (limits.repeatedCalls)`,
  );
}
