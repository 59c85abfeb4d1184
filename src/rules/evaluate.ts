/** Judges rules over a graph: runs each statement, and turns its rows into findings. */

import type { RuleFacts, RuleRow, Severity } from '../../schemas/rule.ts';
import type { Finding } from '../../schemas/run-event.ts';
import { ensureError, MusterError } from '../errors.ts';
import type { CypherSource, CypherValue } from '../ports.ts';
import type { JudgedStatement } from './statements.ts';

export interface EvaluateOptions {
  readonly statements: readonly JudgedStatement[];
  /** Answers the rules in Cypher. */
  readonly source: Pick<CypherSource, 'cypher'>;
  /** For the rules in code. */
  readonly facts: RuleFacts;
  /** Parameter of every statement: the scope attribute and its value. */
  readonly scope: { readonly attribute: string; readonly value: string };
}

export interface Evaluation {
  /** Worst first, then by rule and message. */
  readonly findings: readonly (Finding & { readonly row: RuleRow })[];
  /** Statements in Cypher that nothing here can answer, and why. */
  readonly unjudged: { readonly statements: number; readonly reason: string } | undefined;
}

/** Rows of one statement; a rule that is broken more often says so. */
const MOST_ROWS = 1_000;
const TIME_LIMIT_MS = 30_000;
/** Characters of one value in a message. */
const VALUE_SHOWN = 200;

/** @throws MusterError RULE_INVALID naming a rule that the graph's Cypher refuses. */
export async function evaluateRules({ statements, source, facts, scope }: EvaluateOptions): Promise<Evaluation> {
  const findings: (Finding & { readonly row: RuleRow })[] = [];
  let unjudged: Evaluation['unjudged'];
  for (const { rule, message, cypher, check } of statements) {
    let rows: readonly RuleRow[];
    if (check) rows = check(facts);
    else if (unjudged) {
      unjudged = { ...unjudged, statements: unjudged.statements + 1 };
      continue;
    } else {
      try {
        rows = await rowsOf(source, cypher!, { [scope.attribute]: scope.value });
      } catch (thrown) {
        const error = ensureError(thrown);
        if (!(error instanceof MusterError) || error.code !== 'CYPHER_UNAVAILABLE') throw broken(rule.id, error);
        unjudged = { statements: 1, reason: error.message };
        continue;
      }
    }
    const { id, severity, hint } = rule;
    findings.push(...rows.map((row) => ({ rule: id, severity, message: fill(message, row), hint, row })));
  }
  const text = ({ rule, message }: Finding) => `${rule} ${message}`;
  findings.sort((a, b) => RANK[a.severity] - RANK[b.severity] || (text(a) < text(b) ? -1 : 1));
  return { findings, unjudged };
}

const RANK: Readonly<Record<Severity, number>> = { blocker: 0, error: 1, warning: 2 };

async function rowsOf(
  source: Pick<CypherSource, 'cypher'>,
  text: string,
  parameters: Readonly<Record<string, CypherValue>>,
): Promise<readonly RuleRow[]> {
  const answer = await source.cypher({ text, parameters, maxRows: MOST_ROWS, timeLimitMs: TIME_LIMIT_MS });
  return answer.rows.map((row) => Object.fromEntries(answer.columns.map((column, i) => [column, row[i]])));
}

function broken(id: string, cause: Error): MusterError {
  return new MusterError('RULE_INVALID', `Rule ${id} cannot be judged: ${cause.message} Correct its "cypher".`, {
    cause,
  });
}

/** A message with the row's values in place of `{column}`; what is absent is written as "none". */
export function fill(message: string, row: RuleRow): string {
  return message
    .replaceAll(/\{([^{}]+)\}/g, (all, column: string) => (Object.hasOwn(row, column) ? valueText(row[column]) : all))
    .replaceAll(/ {2,}/g, ' ')
    .trim();
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  const text = Array.isArray(value) ? value.map(String).join(', ') : String(value);
  return text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text;
}
