/** Asks every rule in Cypher of an empty graph: a mistake in one is told before anything is started. */
import type { MasterSchema } from '../../schemas/define.ts';
import { ensureError, MusterError } from '../errors.ts';
import { openProjection } from '../graph/projection.ts';
import type { CypherSource } from '../ports.ts';
import { evaluateRules } from '../rules/evaluate.ts';
import { statementsOf } from '../rules/statements.ts';

/** @throws MusterError RULE_INVALID naming the rule. Where no engine for Cypher is at hand, nothing is found. */
export async function requireSoundRules(schema: MasterSchema): Promise<void> {
  const statements = statementsOf(schema.rules ?? []).filter(({ cypher }) => cypher !== undefined);
  if (statements.length === 0) return;
  let source: CypherSource;
  try {
    source = await openProjection({ schema, snapshot: { nodes: [], relationships: [] } });
  } catch (thrown) {
    const error = ensureError(thrown);
    if (error instanceof MusterError && error.code === 'CYPHER_UNAVAILABLE') return;
    throw error;
  }
  try {
    await evaluateRules({
      statements,
      source,
      facts: { nodes: [] },
      scope: { attribute: schema.scope, value: '' },
    });
  } finally {
    await source.close();
  }
}
