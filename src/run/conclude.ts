/** What is done to the graph once no task works any more: late relationships are drawn, and every rule is judged. */
import type { MasterSchema } from '../../schemas/define.ts';
import type { RuleFacts } from '../../schemas/rule.ts';
import type { Cause, Finding, RunCheck } from '../../schemas/run-event.ts';
import { type GraphRelationship, type GraphStore, nodeId } from '../ports.ts';
import { checkOf } from '../rules/check.ts';
import { evaluateRules } from '../rules/evaluate.ts';
import { lateLinks } from '../rules/late-links.ts';
import { statementsOf } from '../rules/statements.ts';
import { readSnapshot } from '../snapshot/snapshot.ts';

export interface ConcludeOptions {
  readonly graph: GraphStore;
  readonly schema: MasterSchema;
  readonly scope: string;
  /** Whether quotes stand in their documents, where the documents are at hand. */
  readonly hasQuote?: RuleFacts['hasQuote'];
}

/** Draws the late relationships of a project, as the engine's own work of run `runId`. Safe to repeat. */
export async function drawLate(
  { graph, schema, scope }: ConcludeOptions,
  runId: string,
): Promise<{ readonly drawn: number; readonly dangling: readonly Finding[] }> {
  const snapshot = await readSnapshot(graph, { schema, scope });
  const text = ({ type, from, to }: GraphRelationship) => `${type} ${nodeId(from)} ${nodeId(to)}`;
  const present = new Set(snapshot.relationships.map(text));
  const { relationships, dangling } = lateLinks(schema, scope, snapshot);
  const missing = relationships.filter((edge) => !present.has(text(edge)));
  if (missing.length > 0) await graph.commit({ runId, task: '@link', nodes: [], relationships: missing });
  return { drawn: missing.length, dangling };
}

/** Judges every rule of the schema over one project of a graph. Changes nothing. */
export async function checkGraph(
  { graph, schema, scope, hasQuote }: ConcludeOptions,
  late: { readonly drawn: number; readonly dangling: readonly Finding[] },
): Promise<RunCheck> {
  const rules = schema.rules ?? [];
  const { nodes } = await readSnapshot(graph, { schema, scope });
  const evaluation = await evaluateRules({
    statements: statementsOf(rules),
    source: graph,
    facts: { nodes, ...(hasQuote && { hasQuote }) },
    scope: { attribute: schema.scope, value: scope },
  });
  return checkOf(rules.length, evaluation, late);
}

/** Why the graph is not complete although all work is done (Q1); undefined when no rule that blocks is broken. */
export function blockedBy({ findings, counts }: RunCheck): Cause | undefined {
  const worst = findings.find(({ severity }) => severity === 'blocker');
  if (!worst) return undefined;
  const others = counts.blocker - 1;
  const more = others > 0 ? `, and ${others} more` : '';
  return { code: 'RULES_BROKEN', message: `the graph breaks rule ${worst.rule}: ${worst.message}${more}` };
}
