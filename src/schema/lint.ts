/** Whether a master schema means what it says: every name it uses exists, every key can be known, every example holds. */
import type { MasterSchema } from '../../schemas/define.ts';
import { didYouMean, error, type SchemaFinding, warning } from './finding.ts';
import { lintEntity } from './lint-entity.ts';
import { lintRelationship, relationshipLabel } from './lint-relationship.ts';
import { nearest } from './nearest.ts';

export type { SchemaFinding } from './finding.ts';

/** Everything that is wrong with the schema alone; empty for a sound one. Never throws for a value of the right shape. */
export function lintSchema(schema: MasterSchema): SchemaFinding[] {
  return [
    ...schema.entities.flatMap((entity) => lintEntity(schema, entity)),
    ...repeatedEntities(schema),
    ...schema.relationships.flatMap((relationship) => lintRelationship(schema, relationship)),
    ...repeatedRelationships(schema),
    ...lintCommon(schema),
    ...lintProvenance(schema),
  ];
}

function repeatedEntities({ entities }: MasterSchema): SchemaFinding[] {
  return repeated(entities.map(({ name }) => name)).map((name) =>
    error(`entities.${name}`, 'defined more than once; merge the definitions or rename one'),
  );
}

function repeatedRelationships({ relationships }: MasterSchema): SchemaFinding[] {
  // Agents and graph name a relationship by these three; discriminators cannot tell two of them apart.
  return repeated(relationships.map(relationshipLabel)).map((label) =>
    error(`relationships.${label}`, 'defined more than once; merge the definitions or rename one type'),
  );
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}

function lintCommon({ common, scope }: MasterSchema): SchemaFinding[] {
  return Object.entries(common.agent.shape).flatMap(([name, type]) => {
    const at = `common.agent.${name}`;
    if (common.engine.includes(name) || name === scope) {
      return [error(at, `written by muster, so agents cannot write it; rename it or take it out of "agent"`)];
    }
    if (accepts(type, undefined)) return [];
    return [error(at, 'expected an attribute that may be left out; make it optional or give it a default')];
  });
}

function lintProvenance(schema: MasterSchema): SchemaFinding[] {
  const { provenance, common } = schema;
  if (!provenance) return [];
  const findings: SchemaFinding[] = [];
  const entities = schema.entities.map(({ name }) => name);
  const types = schema.relationships.map(({ type }) => type);
  for (const [field, known, kind] of [
    ['entity', entities, 'an entity'],
    ['sourceEntity', entities, 'an entity'],
    ['relationship', types, 'a relationship type'],
    ['inSource', types, 'a relationship type'],
    ['assumedAttribute', Object.keys(common.agent.shape), 'an attribute of common.agent'],
  ] as const) {
    const name = provenance[field];
    if (known.includes(name)) continue;
    findings.push(
      error(
        `provenance.${field}`,
        `expected ${kind} of this schema, got "${name}".${didYouMean(nearest(name, known))} Define it or correct the name`,
      ),
    );
  }
  for (const field of ['entity', 'sourceEntity'] as const) {
    const entity = schema.entities.find(({ name }) => name === provenance[field]);
    const task = entity?.producers.find((producer) => !producer.task.includes('@'))?.task;
    if (task === undefined) continue;
    findings.push(
      warning(
        `entities.${provenance[field]}.producers`,
        `muster writes provenance itself, but "${task}" is named; every task would depend on it. Use a producer with "@" such as "@ingest"`,
      ),
    );
  }
  return findings;
}

function accepts(type: unknown, value: unknown): boolean {
  return (type as { safeParse(value: unknown): { success: boolean } }).safeParse(value).success;
}
