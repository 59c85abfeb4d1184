/**
 * How a master schema looks in Neo4j: an entity is a label, a relationship type a type, and a node is known by the
 * properties of its business key. Pure.
 */
import type { MasterSchema } from '../../schemas/define.ts';
import { MusterError } from '../errors.ts';

/** What the engine keeps beside the attributes; never part of a node's properties at the port. */
export const ENGINE_PROPERTIES = [
  'musterCreatedAt',
  'musterOrder',
  'musterRunId',
  'musterTask',
  'musterUpdatedAt',
] as const;

export interface EntityShape {
  readonly name: string;
  /** The entity as it stands in a statement. */
  readonly label: string;
  /** Key attributes, scope first. */
  readonly key: readonly string[];
  readonly constraint: string;
  readonly index: string;
}

export interface GraphShape {
  readonly entities: ReadonlyMap<string, EntityShape>;
  /** Relationship types. */
  readonly types: ReadonlySet<string>;
}

/** Labels and types are the only names that stand in a statement's text, so nothing but a plain word may become one. */
const PLAIN = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** @throws SCHEMA_INVALID when a name of the schema cannot stand in a statement. */
export function graphShape(schema: MasterSchema): GraphShape {
  const entities = schema.entities.map(({ name, key }): EntityShape => {
    for (const attribute of key) assertPlain(attribute, `key attribute of ${name}`);
    assertPlain(name, 'entity');
    return {
      name,
      label: quoted(name),
      key,
      constraint: `muster_${name}_key`,
      index: `muster_${name}_order`,
    };
  });
  const { relationship, inSource } = schema.provenance ?? {};
  const types = [...schema.relationships.map(({ type }) => type), relationship, inSource].filter(
    (type) => type !== undefined,
  );
  for (const type of types) assertPlain(type, 'relationship type');
  return { entities: new Map(entities.map((entity) => [entity.name, entity])), types: new Set(types) };
}

/** A name in backticks; only for names that {@link graphShape} has passed. */
export function quoted(name: string): string {
  return `\`${name}\``;
}

/** The pattern `(variable:Label {key…})` that finds one node by the key texts at `parts`, an expression. */
export function keyPattern(variable: string, { label, key }: EntityShape, parts: string): string {
  const properties = key.map((attribute, at) => `${quoted(attribute)}: ${parts}[${at}]`).join(', ');
  return `(${variable}:${label} {${properties}})`;
}

/** The composite constraint that makes the business key one node, as every commit relies on it. */
export function constraintStatement({ constraint, label, key }: EntityShape): string {
  const properties = key.map((attribute) => `n.${quoted(attribute)}`).join(', ');
  return `CREATE CONSTRAINT ${quoted(constraint)} IF NOT EXISTS FOR (n:${label}) REQUIRE (${properties}) IS UNIQUE`;
}

/** The index that lists an entity in key order. */
export function indexStatement({ index, label }: EntityShape): string {
  return `CREATE INDEX ${quoted(index)} IF NOT EXISTS FOR (n:${label}) ON (n.musterOrder)`;
}

function assertPlain(name: string, what: string): void {
  if (PLAIN.test(name)) return;
  throw new MusterError(
    'SCHEMA_INVALID',
    `Expected names of letters, digits and _ in the schema, because they become names in Neo4j; got the ${what} ${JSON.stringify(name)}. Rename it.`,
  );
}
