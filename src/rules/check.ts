/** What a check found, as the journal keeps it and as people read it. */
import type { Finding, RunCheck } from '../../schemas/run-event.ts';
import type { Evaluation } from './evaluate.ts';

/** Findings that are named; all are counted. */
const NAMED = 200;
const RANK = { blocker: 0, error: 1, warning: 2 } as const;

export function checkOf(
  rules: number,
  { findings, unjudged }: Evaluation,
  late: { readonly drawn: number; readonly dangling: readonly Finding[] },
): RunCheck {
  const judged = findings.map(({ rule, severity, message, hint }): Finding => ({ rule, severity, message, hint }));
  const all = [...judged, ...late.dangling].sort((a, b) => RANK[a.severity] - RANK[b.severity]);
  const count = (severity: Finding['severity']) => all.filter((one) => one.severity === severity).length;
  return {
    lateRelationships: late.drawn,
    rules,
    counts: { blocker: count('blocker'), error: count('error'), warning: count('warning') },
    findings: all.slice(0, NAMED),
    ...(unjudged && { unjudged }),
  };
}

/** One line: `58 rules: no finding`, or how many of each severity. */
export function checkLine({ rules, counts, unjudged }: RunCheck): string {
  const found = (Object.keys(RANK) as (keyof typeof RANK)[])
    .filter((severity) => counts[severity] > 0)
    .map((severity) => `${counts[severity]} ${severity}${counts[severity] === 1 ? '' : 's'}`);
  const missed = unjudged ? ` (${unjudged.statements} statements in Cypher not judged)` : '';
  return `${rules} rules: ${found.join(', ') || 'no finding'}${missed}`;
}
