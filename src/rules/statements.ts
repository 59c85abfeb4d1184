/** The statements of rules, each with what it says and when it is judged. */
import type { CodeRule, CypherRule, QualityRule } from '../../schemas/rule.ts';

export interface JudgedStatement {
  readonly rule: QualityRule;
  readonly message: string;
  readonly atEndOf: readonly string[];
  /** Exactly one of the two. */
  readonly cypher?: string;
  readonly check?: CodeRule['check'];
}

export function isCypherRule(rule: QualityRule): rule is CypherRule {
  return 'cypher' in rule;
}

export function statementsOf(rules: readonly QualityRule[]): readonly JudgedStatement[] {
  return rules.flatMap((rule): JudgedStatement[] => {
    const { message, atEndOf = [] } = rule;
    if (!isCypherRule(rule)) return [{ rule, message, atEndOf, check: rule.check }];
    const also = (rule.also ?? []).map((each) => ({ rule, atEndOf, ...each }));
    return [{ rule, message, atEndOf, cypher: rule.cypher }, ...also];
  });
}

/** Those that are judged when `task` completes; `*` is every task. */
export function statementsAtEndOf(rules: readonly QualityRule[], task: string): readonly JudgedStatement[] {
  return statementsOf(rules).filter(({ atEndOf }) => atEndOf.includes(task) || atEndOf.includes('*'));
}
