/** Writes one batch inside a transaction that the caller began: nodes first, then relationships. */
import type Database from 'libsql';
import { type CommitResult, type GraphBatch, type NodeKey, nodeId } from '../ports.ts';
import { assertKey, assertProperties, missingEnds } from './batch-faults.ts';
import { keyOrder } from './key-order.ts';
import { applyChange } from './properties.ts';

/** @throws GRAPH_COMMIT when a node cannot be stored or an endpoint does not exist; the caller rolls back. */
export function writeBatch(database: Database.Database, batch: GraphBatch, time: string): CommitResult {
  const count = { created: 0, updated: 0, unchanged: 0 };
  const ids = new Map<string, number>();
  const find = database.prepare('SELECT id, props FROM node WHERE label = ? AND key = ?');
  const insert = database.prepare(
    `INSERT INTO node (label, key, key_order, props, task, run_id, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
  );
  const update = database.prepare('UPDATE node SET props = ?, task = ?, run_id = ?, updated_at = ? WHERE id = ?');
  const touch = database.prepare('UPDATE node SET task = ?, run_id = ? WHERE id = ?');

  for (const node of batch.nodes) {
    assertProperties(node);
    const key = keyText(node);
    const [row] = find.all(node.entity, key) as { id: number; props: string }[];
    const props = applyChange(row?.props, node.properties);
    if (row === undefined) {
      const values = [node.entity, key, keyOrder(node.key), props, batch.task, batch.runId, time, time];
      const [created] = insert.all(...values) as { id: number }[];
      ids.set(nodeId(node), created!.id);
      count.created += 1;
      continue;
    }
    ids.set(nodeId(node), row.id);
    if (row.props === props) {
      touch.run(batch.task, batch.runId, row.id);
      count.unchanged += 1;
    } else {
      update.run(props, batch.task, batch.runId, time, row.id);
      count.updated += 1;
    }
  }
  return { ...count, relationships: writeRelationships(database, batch, ids, time) };
}

function writeRelationships(
  database: Database.Database,
  batch: GraphBatch,
  ids: Map<string, number>,
  time: string,
): number {
  const find = database.prepare('SELECT id FROM node WHERE label = ? AND key = ?');
  const upsert = database.prepare(
    `INSERT INTO rel (src, type, dst, props, task, run_id, created_at, updated_at) VALUES (?, ?, ?, '{}', ?, ?, ?, ?)
     ON CONFLICT (src, type, dst) DO UPDATE SET task = excluded.task, run_id = excluded.run_id`,
  );
  const idOf = (end: NodeKey): number | undefined => {
    const known = ids.get(nodeId(end));
    if (known !== undefined) return known;
    const [row] = find.all(end.entity, keyText(end)) as { id: number }[];
    if (row !== undefined) ids.set(nodeId(end), row.id);
    return row?.id;
  };
  const written = new Set<string>();
  for (const { type, from, to } of batch.relationships) {
    const src = idOf(from);
    const dst = idOf(to);
    if (src === undefined || dst === undefined) continue;
    upsert.run(src, type, dst, batch.task, batch.runId, time, time);
    written.add(`${src} ${dst} ${type}`);
  }
  const missing = missingEnds(batch.task, batch.relationships, (end) => idOf(end) !== undefined);
  if (missing !== undefined) throw missing;
  return written.size;
}

/** The key as JSON text, so that the number 1 and the text "1" stay two keys. */
function keyText(node: NodeKey): string {
  assertKey(node);
  return JSON.stringify(node.key);
}
