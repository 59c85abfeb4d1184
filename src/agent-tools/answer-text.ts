/**
 * Answers as text of bounded length. The server hands a model at most 50 KB or 2,000 lines of a tool's output and hides
 * the rest in a file that agents may not read, so whatever does not fit must be said by us.
 */
import type { Issue } from '../../schemas/run-event.ts';
import { cut } from '../output/values.ts';

/** UTF-8 bytes of the rows of one answer; head and notes come on top. */
const MAX_ROW_BYTES = 40_000;
/** Issues printed in one answer; the rest is counted. */
const ISSUES_SHOWN = 50;
const PATH_SHOWN = 200;
const MESSAGE_SHOWN = 600;
/** Issues that are told of one call beside the answer. */
const ISSUES_TOLD = 200;

export function issueLines(issues: readonly Issue[]): string[] {
  const lines = issues.slice(0, ISSUES_SHOWN).map(({ path, message }) => `- ${path}: ${message}`);
  return issues.length > ISSUES_SHOWN ? [...lines, `- and ${issues.length - ISSUES_SHOWN} more`] : lines;
}

/** The issues of one call with texts and number bounded: whoever keeps them must not grow with what an agent sends. */
export function boundIssues(issues: readonly Issue[]): readonly Issue[] {
  const bounded = issues
    .slice(0, ISSUES_TOLD)
    .map(({ path, message }) => ({ path: cut(path, PATH_SHOWN), message: cut(message, MESSAGE_SHOWN) }));
  if (issues.length <= ISSUES_TOLD) return bounded;
  return [...bounded, { path: 'arguments', message: `and ${issues.length - ISSUES_TOLD} more issues` }];
}

/** As many of the rows, from the first, as fit into one answer; a first row that alone does not fit is cut. */
export function rowsThatFit(rows: readonly string[]): readonly string[] {
  let bytes = 0;
  const past = rows.findIndex((row) => {
    bytes += Buffer.byteLength(row) + 1;
    return bytes > MAX_ROW_BYTES;
  });
  if (past === -1) return rows;
  // At most four bytes a character.
  return past === 0 ? [cut(rows[0]!, MAX_ROW_BYTES / 4)] : rows.slice(0, past);
}
