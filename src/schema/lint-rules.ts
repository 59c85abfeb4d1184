/** Whether the rules of a schema and its manifest can be judged: names, statements that only read, tasks that exist. */
import type { MasterSchema } from '../../schemas/define.ts';
import type { Manifest } from '../../schemas/manifest.ts';
import { requireReadOnly } from '../cypher/read-only.ts';
import { ensureError } from '../errors.ts';
import { statementsOf } from '../rules/statements.ts';
import { didYouMean, place, type SchemaFinding } from './finding.ts';

/** `schema` holds the manifest's rules already; see loadManifest. */
export function lintRules({ rules = [] }: MasterSchema, { tasks }: Manifest, findings: SchemaFinding[]): void {
  const ids = tasks.map(({ id }) => id);
  rules.forEach((rule, i) => {
    const here = place(findings, `rule ${rule.id}`);
    if (rules.findIndex(({ id }) => id === rule.id) !== i) {
      here.error('is the id of an earlier rule too. Give each rule an id of its own.');
    }
    for (const { cypher, atEndOf } of statementsOf([rule])) {
      for (const task of atEndOf.filter((one) => one !== '*' && !ids.includes(one))) {
        here.error(
          `expected a task, or "*" for all, got "${task}".${didYouMean(task, ids)} Correct it, or remove it.`,
          '.atEndOf',
        );
      }
      if (cypher === undefined) continue;
      try {
        requireReadOnly(cypher);
      } catch (thrown) {
        here.error(ensureError(thrown).message, '.cypher');
      }
    }
  });
}
