/** Values of the embedded engine as plain data, in the shapes in which Neo4j's come. */
import type { CypherValue } from '../ports.ts';

/**
 * A node or relationship is given as its properties, a path as the list of its nodes and relationships, times as ISO
 * 8601 text, integers as numbers (beyond 2^53 the last digits are lost), NaN and the infinities as text. Names of
 * properties are sorted.
 */
export function toCypherValue(value: unknown): CypherValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toCypherValue);
  const { _nodes: nodes, _rels: relationships, _label: label, ...own } = value as Record<string, unknown>;
  if (Array.isArray(nodes) && Array.isArray(relationships)) return pathOf(nodes, relationships);
  const isElement = label !== undefined;
  return Object.fromEntries(
    Object.entries(isElement ? own : (value as Record<string, unknown>))
      // Of an element the engine names every property of its table, and what it keeps for itself.
      .filter(([name, each]) => !isElement || (!name.startsWith('_') && each !== null && each !== undefined))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, toCypherValue(each)]),
  );
}

/** A path has both its ends; the relationships of a variable, `-[rs*]->`, come with the nodes between them only. */
function pathOf(nodes: readonly unknown[], relationships: readonly unknown[]): CypherValue {
  if (nodes.length !== relationships.length + 1) return relationships.map(toCypherValue);
  return nodes.flatMap((node, i) => [node, ...relationships.slice(i, i + 1)]).map(toCypherValue);
}
