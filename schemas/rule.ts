/**
 * Quality rules: statements that must hold for the graph, as data.
 *
 * A rule finds its violations: no row means that it holds. Most are Cypher that only reads and mean the same on Neo4j and
 * on the embedded engine; what Cypher cannot say is a pure function over the graph as a value.
 */
import { z } from 'zod';
/**
 * `blocker`: the work is refused, or the run ends failed. `error`: to be corrected before the result is issued.
 * `warning`: shown to the reviewer.
 */
export type Severity = 'blocker' | 'error' | 'warning';

/** One violation: the keys that its message names. */
export type RuleRow = Readonly<Record<string, unknown>>;

interface RuleBase {
  /** Unique in the schema: `Q31`. */
  readonly id: string;
  readonly severity: Severity;
  readonly group: string;
  /** What holds when nothing is found. */
  readonly title: string;
  /** One sentence for a violation; `{column}` is replaced by the row's value. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /**
   * Tasks whose own work the rule judges when they complete, so that the agent can still repair; `*` is every task.
   * Default none: judged after the run only. Of a task that is fanned out, a row must hold the item's own key: the rows
   * of its siblings are not its business.
   */
  readonly atEndOf?: readonly string[];
}

/** A further statement of the same rule, with what a violation of it says. */
export interface RuleStatement {
  readonly cypher: string;
  readonly message: string;
  /** Default: as the rule. */
  readonly atEndOf?: readonly string[];
}

export interface CypherRule extends RuleBase {
  /** Returns the violations. `$<scope attribute>` (for construction `$projectId`) is the project's id. */
  readonly cypher: string;
  readonly also?: readonly RuleStatement[];
}

/** The graph of one project, as a rule in code sees it. */
export interface RuleFacts {
  readonly nodes: readonly { readonly entity: string; readonly properties: Readonly<Record<string, unknown>> }[];
  /** Whether the words stand in the source file; undefined when its text is not at hand. */
  readonly hasQuote?: (path: string, quote: string) => boolean | undefined;
}

export interface CodeRule extends RuleBase {
  readonly check: (facts: RuleFacts) => readonly RuleRow[];
}

export type QualityRule = CypherRule | CodeRule;

const text = z.string().min(1);
const statement = { cypher: text, message: text, atEndOf: z.array(text).optional() };

/** A rule as a manifest may add it; a schema module may also give one in code. */
export const cypherRule = z.strictObject({
  id: text,
  severity: z.enum(['blocker', 'error', 'warning']),
  group: text.default('own'),
  title: text,
  hint: text,
  ...statement,
  also: z.array(z.strictObject(statement)).optional(),
});
