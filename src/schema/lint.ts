/** Whether a master schema means what it says: every name in it exists, every key can be known, every example holds. */
import type { MasterSchema } from '../../schemas/define.ts';
import { place, type SchemaFinding } from './finding.ts';
import { lintCommon, lintProvenance } from './lint-common.ts';
import { lintEntity } from './lint-entity.ts';
import { lintPairs, lintRelationship } from './lint-relationship.ts';

export type { SchemaFinding } from './finding.ts';

/** Everything that is wrong with the schema by itself, in its own order; empty for a sound one. */
export function lintSchema(schema: MasterSchema): SchemaFinding[] {
  const findings: SchemaFinding[] = [];
  const { entities, relationships } = schema;
  entities.forEach((entity, i) => {
    const here = place(findings, `entities.${entity.name}`);
    if (entities.findIndex(({ name }) => name === entity.name) !== i) {
      here.error(`"${entity.name}" is declared twice. Rename one, or merge the two.`);
    }
    lintEntity(schema, entity, here);
  });
  const placeOf = (index: number) => {
    const { type, from, to } = relationships[index]!;
    return place(findings, `relationships (${from} ${type} ${to})`);
  };
  relationships.forEach((relationship, i) => {
    lintRelationship(schema, relationship, placeOf(i));
  });
  lintPairs(schema, placeOf);
  lintCommon(schema, place(findings, 'common'));
  lintProvenance(schema, place(findings, 'provenance'));
  return findings;
}
