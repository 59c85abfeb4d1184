/** How much a Cypher statement may take: rows of its answer and time. */
import type { CypherRequest } from '../ports.ts';

const DEFAULT_ROWS = 200;
const MOST_ROWS = 10_000;
const DEFAULT_TIME_MS = 5_000;
const LONGEST_TIME_MS = 60_000;

/** The limits of a request, brought within their bounds; what is no number counts as the least. */
export function cypherLimits({ maxRows = DEFAULT_ROWS, timeLimitMs = DEFAULT_TIME_MS }: CypherRequest): {
  readonly maxRows: number;
  readonly timeLimitMs: number;
} {
  return { maxRows: within(maxRows, 0, MOST_ROWS), timeLimitMs: within(timeLimitMs, 1, LONGEST_TIME_MS) };
}

function within(value: number, least: number, most: number): number {
  return Number.isNaN(value) ? least : Math.trunc(Math.min(Math.max(value, least), most));
}
