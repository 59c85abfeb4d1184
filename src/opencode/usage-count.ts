/** Tokens and cost of one attempt: its session and the children of it, summed by model call. */
import { NO_USAGE, type Usage } from '../../schemas/session-event.ts';
import { countOf, isRecord, type Properties, textOf } from './frames.ts';

/**
 * Adds up what `message.updated` tells. Each model call is one assistant message, sent several times and repeated after
 * a gap; a call counts once, with the largest figures seen, so the order of arrival does not matter.
 */
export class UsageCount {
  #total: Usage = NO_USAGE;
  readonly #calls = new Map<string, Usage>();

  get total(): Usage {
    return this.#total;
  }

  /** Takes `info` of a message; true when the total changed. */
  count(info: unknown): boolean {
    if (!isRecord(info) || info['role'] !== 'assistant') return false;
    const id = textOf(info['id']);
    if (id === undefined) return false;
    const old = this.#calls.get(id) ?? NO_USAGE;
    const next = larger(old, usageOf(info));
    const total = add(this.#total, old, next);
    const hasChanged = FIGURES.some((figure) => next[figure] !== old[figure]);
    if (hasChanged) {
      this.#calls.set(id, next);
      this.#total = total;
    }
    return hasChanged;
  }
}

const FIGURES = Object.keys(NO_USAGE) as (keyof Usage)[];

function usageOf(info: Properties): Usage {
  const tokens: Properties = isRecord(info['tokens']) ? info['tokens'] : {};
  const cache: Properties = isRecord(tokens['cache']) ? tokens['cache'] : {};
  const time = info['time'];
  const hasEnded = info['finish'] !== undefined || (isRecord(time) && typeof time['completed'] === 'number');
  return {
    inputTokens: countOf(tokens['input']),
    outputTokens: countOf(tokens['output']),
    reasoningTokens: countOf(tokens['reasoning']),
    cacheReadTokens: countOf(cache['read']),
    cacheWriteTokens: countOf(cache['write']),
    cost: countOf(info['cost']),
    steps: hasEnded ? 1 : 0,
  };
}

function larger(a: Usage, b: Usage): Usage {
  return mapFigures((figure) => Math.max(a[figure], b[figure]));
}

function add(total: Usage, old: Usage, next: Usage): Usage {
  return mapFigures((figure) => total[figure] + (next[figure] - old[figure]));
}

function mapFigures(figureOf: (figure: keyof Usage) => number): Usage {
  return {
    inputTokens: figureOf('inputTokens'),
    outputTokens: figureOf('outputTokens'),
    reasoningTokens: figureOf('reasoningTokens'),
    cacheReadTokens: figureOf('cacheReadTokens'),
    cacheWriteTokens: figureOf('cacheWriteTokens'),
    cost: figureOf('cost'),
    steps: figureOf('steps'),
  };
}
