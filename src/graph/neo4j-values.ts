/** Values between JavaScript, which has one kind of number, and Neo4j, which has two. */
import neo4j from 'neo4j-driver';
import type { CypherValue } from '../ports.ts';
import { ENGINE_PROPERTIES } from './neo4j-shape.ts';

const ENGINE: ReadonlySet<string> = new Set(ENGINE_PROPERTIES);

/** Whether a number travels as an integer: whole, and exact in both. Everything else is a float. */
export function isInteger(value: number): boolean {
  return Number.isSafeInteger(value);
}

/** A list of numbers is an array of one type, so one fraction makes all of them floats. */
export function isFloatList(list: readonly unknown[]): boolean {
  return list.every((each) => typeof each === 'number') && !list.every((each) => isInteger(each as number));
}

/** A parameter as the driver sends it; undefined counts as null. */
export function toParameter(value: unknown): unknown {
  if (typeof value === 'number') return isInteger(value) ? neo4j.int(value) : value;
  if (Array.isArray(value)) return isFloatList(value) ? value : value.map(toParameter);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toParameter(each)]));
  }
  return value ?? null;
}

/**
 * A value of an answer as plain data: integers and floats as numbers (beyond 2^53 the last digits are lost), NaN and the
 * infinities as text, temporal values as ISO 8601 text, a node or relationship as its properties, a path as the list of
 * its nodes and relationships, a point as its coordinates, bytes and vectors as lists.
 */
export function fromNeo4j(value: unknown): CypherValue {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return Number(value);
  if (neo4j.isInt(value)) return value.toNumber();
  if (Array.isArray(value)) return value.map(fromNeo4j);
  if (ArrayBuffer.isView(value)) return Array.from(value as Int8Array, fromNeo4j);
  if (neo4j.isVector(value)) return Array.from(value.asTypedArray(), fromNeo4j);
  if (isTemporal(value)) return String(value);
  if (neo4j.isNode(value) || neo4j.isRelationship(value)) return ownProperties(value.properties);
  if (neo4j.isPath(value)) {
    return [value.start, ...value.segments.flatMap(({ relationship, end }) => [relationship, end])].map(fromNeo4j);
  }
  if (neo4j.isPoint(value)) {
    const { srid, x, y, z } = value;
    return plainMap({ srid, x, y, ...(z !== undefined && { z }) });
  }
  return plainMap(value as Record<string, unknown>);
}

/** Sorted by name, so that equal properties print alike. */
export function plainMap(map: Readonly<Record<string, unknown>>): Record<string, CypherValue> {
  return Object.fromEntries(
    Object.keys(map)
      .sort()
      .map((name) => [name, fromNeo4j(map[name])]),
  );
}

/** What muster keeps beside the attributes is asked for by name; it is not part of the node. */
function ownProperties(properties: Readonly<Record<string, unknown>>): Record<string, CypherValue> {
  return plainMap(Object.fromEntries(Object.entries(properties).filter(([name]) => !ENGINE.has(name))));
}

/** No type guard: every object has a `toString`, so all that follows would count as impossible. */
function isTemporal(value: object): boolean {
  return (
    neo4j.isDate(value) ||
    neo4j.isDateTime(value) ||
    neo4j.isLocalDateTime(value) ||
    neo4j.isTime(value) ||
    neo4j.isLocalTime(value) ||
    neo4j.isDuration(value)
  );
}
