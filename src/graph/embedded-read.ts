/** The questions asked of the embedded graph, as statements with parameters only. */
import type Database from 'libsql';
import type { Properties } from '../../schemas/define.ts';
import type { GraphNode, GraphRead, GraphRelationship, NodeKey, RelationshipRead } from '../ports.ts';

const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 1000;

interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

export function countNodes(database: Database.Database, query: GraphRead): number {
  const { sql, values } = nodeCondition(query);
  const [row] = database.prepare(`SELECT count(*) AS total FROM node WHERE ${sql}`).all(...values) as {
    total: number;
  }[];
  return row?.total ?? 0;
}

export function listNodes(database: Database.Database, query: GraphRead): GraphNode[] {
  const { sql, values } = nodeCondition(query);
  const limit = whole(Math.min(query.limit ?? DEFAULT_LIMIT, MAX_LIMIT));
  const rows = database
    .prepare(`SELECT label, key, props FROM node WHERE ${sql} ORDER BY label, key_order, key LIMIT ? OFFSET ?`)
    .all(...values, limit, whole(query.offset ?? 0)) as { label: string; key: string; props: string }[];
  return rows.map((row) => ({
    entity: row.label,
    key: JSON.parse(row.key) as NodeKey['key'],
    properties: JSON.parse(row.props) as Properties,
  }));
}

export function listRelationships(database: Database.Database, query: RelationshipRead): GraphRelationship[] {
  const conditions: Condition[] = [];
  if (query.type !== undefined) conditions.push({ sql: 'rel.type = ?', values: [query.type] });
  if (query.from !== undefined) conditions.push({ sql: 'a.label = ? AND a.key = ?', values: identity(query.from) });
  if (query.to !== undefined) conditions.push({ sql: 'b.label = ? AND b.key = ?', values: identity(query.to) });
  if (query.scope !== undefined) {
    conditions.push({
      sql: "json_extract(a.key, '$[0]') = json_extract(?, '$')",
      values: [JSON.stringify(query.scope)],
    });
  }
  if (query.runId !== undefined) conditions.push({ sql: 'rel.run_id = ?', values: [query.runId] });
  const { sql, values } = all(conditions);
  // -1 is SQLite's word for no bound.
  const limit = query.limit === undefined || query.limit === Infinity ? -1 : whole(query.limit);
  const rows = database
    .prepare(
      `SELECT rel.type AS type, a.label AS fromLabel, a.key AS fromKey, b.label AS toLabel, b.key AS toKey
       FROM rel JOIN node AS a ON a.id = rel.src JOIN node AS b ON b.id = rel.dst WHERE ${sql}
       ORDER BY rel.type, a.label, a.key_order, a.key, b.label, b.key_order, b.key LIMIT ? OFFSET ?`,
    )
    .all(...values, limit, whole(query.offset ?? 0)) as Record<'type' | `${'from' | 'to'}${'Label' | 'Key'}`, string>[];
  return rows.map((row) => ({
    type: row.type,
    from: { entity: row.fromLabel, key: JSON.parse(row.fromKey) as NodeKey['key'] },
    to: { entity: row.toLabel, key: JSON.parse(row.toKey) as NodeKey['key'] },
  }));
}

function nodeCondition(query: GraphRead): Condition {
  const conditions: Condition[] = [{ sql: 'label = ?', values: [query.entity] }];
  if (query.scope !== undefined) {
    conditions.push({ sql: "json_extract(key, '$[0]') = json_extract(?, '$')", values: [JSON.stringify(query.scope)] });
  }
  if (query.runId !== undefined) conditions.push({ sql: 'run_id = ?', values: [query.runId] });
  for (const [name, value] of Object.entries(query.where ?? {})) conditions.push(hasProperty(name, value));
  return all(conditions);
}

/**
 * Name and value travel as JSON text: the driver cannot bind a boolean (it aborts the process) and ends a text at NUL,
 * and a JSON path could not name every property. True must not equal 1, hence the comparison of types.
 */
function hasProperty(name: string, value: string | number | boolean): Condition {
  const text = JSON.stringify(value);
  return {
    sql: `EXISTS (SELECT 1 FROM json_each(props) AS p WHERE p.key = json_extract(?, '$') AND p.atom = json_extract(?, '$')
      AND (p.type IN ('true', 'false')) = (json_type(?) IN ('true', 'false')))`,
    values: [JSON.stringify(name), text, text],
  };
}

function identity(node: NodeKey): string[] {
  return [node.entity, JSON.stringify(node.key)];
}

function all(conditions: readonly Condition[]): Condition {
  if (conditions.length === 0) return { sql: 'TRUE', values: [] };
  return {
    sql: conditions.map(({ sql }) => sql).join(' AND '),
    values: conditions.flatMap(({ values }) => values),
  };
}

/** A limit or offset as the database takes it; what is no number counts as 0. */
function whole(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.trunc(value)) : 0;
}
