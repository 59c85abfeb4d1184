/** Writes one batch inside a transaction that the caller began: nodes first, then relationships. */
import type Database from 'libsql';
import { ensureError, MusterError } from '../errors.ts';
import { type CommitResult, type GraphBatch, type GraphNode, type NodeKey, nodeId } from '../ports.ts';
import { keyOrder } from './key-order.ts';
import { applyChange } from './properties.ts';

/** Edges named in the message when endpoints are missing. */
const NAMED_EDGES = 5;

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
    const key = keyText(node);
    const [row] = find.all(node.entity, key) as { id: number; props: string }[];
    const props = changed(node, row?.props);
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
  const dangling: string[] = [];
  for (const { type, from, to } of batch.relationships) {
    const src = idOf(from);
    const dst = idOf(to);
    if (src === undefined || dst === undefined) {
      const missing = [from, to].filter((end) => idOf(end) === undefined).map(nodeId);
      dangling.push(`${nodeId(from)} ${type} ${nodeId(to)}: no node ${missing.join(' and no node ')}`);
      continue;
    }
    upsert.run(src, type, dst, batch.task, batch.runId, time, time);
    written.add(`${src} ${dst} ${type}`);
  }
  if (dangling.length > 0) {
    const more = dangling.length > NAMED_EDGES ? `; and ${dangling.length - NAMED_EDGES} more` : '';
    throw new MusterError(
      'GRAPH_COMMIT',
      `Expected both ends of each relationship of ${batch.task} to exist; got ${dangling.slice(0, NAMED_EDGES).join('; ')}${more}. Nothing of the batch was written. Hand in the missing nodes, or leave the relationship out.`,
    );
  }
  return written.size;
}

/** The key as JSON text, so that the number 1 and the text "1" stay two keys. */
function keyText(node: NodeKey): string {
  const sound = node.key.every((part) => typeof part === 'string' || Number.isFinite(part));
  if (node.key.length === 0 || !sound) {
    throw new MusterError(
      'GRAPH_COMMIT',
      `Expected a key of texts and finite numbers for ${node.entity}; got ${JSON.stringify(node.key)}. Nothing of the batch was written.`,
    );
  }
  return JSON.stringify(node.key);
}

function changed(node: GraphNode, stored: string | undefined): string {
  try {
    return applyChange(stored, node.properties);
  } catch (thrown) {
    const cause = ensureError(thrown);
    const message = `Cannot store ${nodeId(node)}, ${cause.message}. Nothing of the batch was written.`;
    throw new MusterError('GRAPH_COMMIT', message, { cause });
  }
}
