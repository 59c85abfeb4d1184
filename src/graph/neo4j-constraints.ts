/**
 * What must hold in the database before the first commit: nothing that collides, a composite uniqueness constraint on each
 * business key, an index for the key order. Everything is looked at before anything is created.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import { type Neo4jConnection, rowsOf } from './neo4j-connection.ts';
import { constraintStatement, type EntityShape, type GraphShape, indexStatement } from './neo4j-shape.ts';

/** Clashes and foreign nodes named in the message. */
const NAMED = 10;
/** How often it looks again when another process creates the same constraints at the same moment. */
const LOOKS = 5;
const INDEX_WAIT_S = 300;

interface SchemaRule {
  readonly name: string;
  readonly type: string;
  readonly entityType: string;
  readonly labelsOrTypes: readonly string[] | null;
  readonly properties: readonly string[] | null;
  /** Of an index: the constraint it serves. */
  readonly owningConstraint?: string | null;
}

/** @throws GRAPH_CLASH, having changed nothing, when something in the database is in the way. */
export async function prepareDatabase(connection: Neo4jConnection, shape: GraphShape): Promise<void> {
  for (let look = 1; ; look += 1) {
    const missing = await connection.read(async (transaction) => {
      const { constraints, indexes } = await rulesOf(transaction);
      const clashes = [
        ...[...shape.entities.values()].flatMap((entity) => clashesOf(entity, constraints, indexes)),
        ...relationshipClashes(shape, constraints),
        ...(await foreignNodes(transaction, shape)),
      ];
      if (clashes.length > 0) throw clash(connection.shown, clashes);
      return missingStatements(shape, constraints, indexes);
    });
    if (missing.length === 0) return;
    try {
      await connection.write(async (transaction) => {
        for (const statement of missing) await transaction.run(statement);
      });
      await connection.read((transaction) => rowsOf(transaction, `CALL db.awaitIndexes(${INDEX_WAIT_S})`));
    } catch (thrown) {
      // Another muster created the same at the same moment: look again.
      if (look === LOOKS || !systemCode(ensureError(thrown))?.includes('AlreadyExists')) throw thrown;
    }
  }
}

async function rulesOf(transaction: ManagedTransaction): Promise<{ constraints: SchemaRule[]; indexes: SchemaRule[] }> {
  const constraints = await rowsOf(
    transaction,
    'SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties',
  );
  const indexes = await rowsOf(
    transaction,
    'SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint',
  );
  return { constraints: constraints as unknown as SchemaRule[], indexes: indexes as unknown as SchemaRule[] };
}

function missingStatements(
  shape: GraphShape,
  constraints: readonly SchemaRule[],
  indexes: readonly SchemaRule[],
): string[] {
  return [...shape.entities.values()].flatMap((entity) => [
    ...(constraints.some((rule) => isUnique(rule) && isOn(rule, entity, entity.key))
      ? []
      : [constraintStatement(entity)]),
    ...(indexes.some((rule) => rule.type === 'RANGE' && isOn(rule, entity, ['musterOrder']))
      ? []
      : [indexStatement(entity)]),
  ]);
}

function clashesOf(entity: EntityShape, constraints: readonly SchemaRule[], indexes: readonly SchemaRule[]): string[] {
  const clashes: string[] = [];
  for (const rule of constraints) {
    const ours = isUnique(rule) && isOn(rule, entity, entity.key);
    if (rule.name === entity.constraint || rule.name === entity.index) {
      if (rule.name !== entity.constraint || !ours)
        clashes.push(`${said('constraint', rule)} bears a name of muster's`);
      continue;
    }
    // Uniqueness of more than the key follows from ours and refuses nothing of it.
    const narrower = isUnique(rule) && !entity.key.every((name) => rule.properties?.includes(name));
    if (narrower && rule.entityType === 'NODE' && rule.labelsOrTypes?.includes(entity.name)) {
      clashes.push(
        `${said('constraint', rule)} would refuse nodes that differ in their key (${entity.key.join(', ')})`,
      );
    }
  }
  for (const rule of indexes) {
    if (rule.owningConstraint !== null && rule.owningConstraint !== undefined) continue;
    const ours = rule.type === 'RANGE' && isOn(rule, entity, ['musterOrder']);
    if (rule.name === entity.constraint || (rule.name === entity.index && !ours)) {
      clashes.push(`${said('index', rule)} bears a name of muster's`);
    } else if (rule.type === 'RANGE' && isOn(rule, entity, entity.key)) {
      clashes.push(`${said('index', rule)} stands where muster's constraint must; it brings an index of its own`);
    }
  }
  return clashes;
}

/** Relationships carry the engine's properties only, so only uniqueness of one of these can refuse one. */
function relationshipClashes(shape: GraphShape, constraints: readonly SchemaRule[]): string[] {
  return constraints
    .filter((rule) => isUnique(rule) && rule.entityType === 'RELATIONSHIP')
    .filter((rule) => rule.labelsOrTypes?.some((type) => shape.types.has(type)))
    .filter((rule) => rule.properties?.every((name) => name.startsWith('muster')))
    .map((rule) => `${said('constraint', rule)} would refuse relationships of one run`);
}

async function foreignNodes(transaction: ManagedTransaction, shape: GraphShape): Promise<string[]> {
  const found: string[] = [];
  for (const { name, label, key } of shape.entities.values()) {
    const [row] = await rowsOf(
      transaction,
      `MATCH (n:${label}) WHERE n.musterRunId IS NULL
       WITH count(n) AS total, collect(n)[0] AS one
       RETURN total, [name IN $key | coalesce(toStringOrNull(one[name]), '-')] AS key`,
      { key },
    );
    if (row === undefined || Number(row['total']) === 0) continue;
    const total = Number(row['total']);
    const first = (row['key'] as string[]).map((part, at) => `${key[at]} ${JSON.stringify(part)}`).join(', ');
    found.push(`${total} node${total === 1 ? '' : 's'} with the label ${name} that muster did not write (${first})`);
  }
  return found;
}

function clash(shown: string, clashes: readonly string[]): MusterError {
  const more = clashes.length > NAMED ? `; and ${clashes.length - NAMED} more` : '';
  return new MusterError(
    'GRAPH_CLASH',
    `Expected a graph database at ${shown} without anything that collides with the master schema; got: ${clashes.slice(0, NAMED).join('; ')}${more}. Nothing was changed. Drop or rename what is named, or name another database with NEO4J_DATABASE.`,
  );
}

function isUnique({ type }: SchemaRule): boolean {
  return /UNIQUENESS|_KEY$/.test(type);
}

function isOn(rule: SchemaRule, { name }: EntityShape, properties: readonly string[]): boolean {
  const [label, ...others] = rule.labelsOrTypes ?? [];
  const same =
    rule.properties?.length === properties.length && properties.every((each, at) => rule.properties?.[at] === each);
  return rule.entityType === 'NODE' && label === name && others.length === 0 && same;
}

function said(what: string, { name, labelsOrTypes, properties }: SchemaRule): string {
  return `the ${what} "${name}" on ${(labelsOrTypes ?? []).join(', ')} (${(properties ?? []).join(', ')})`;
}
