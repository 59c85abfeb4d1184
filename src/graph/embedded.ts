/**
 * The embedded graph: nodes and relationships in one SQLite file, upserted by business key.
 *
 * Owns: the connection, and the order of the commits of this process. Does not own: the order between processes; several
 * may write one file, and each waits for the others' lock without blocking its own event loop.
 *
 * Invariants: G1 a batch is one transaction, whole or absent; commits are idempotent by key; nothing is deleted.
 * No value is ever part of a statement's text.
 */
import type Database from 'libsql';
import type { MasterSchema } from '../../schemas/define.ts';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import {
  type Clock,
  type CommitResult,
  type CypherAnswer,
  type CypherRequest,
  type GraphBatch,
  type GraphNode,
  type GraphRead,
  type GraphRelationship,
  type GraphStore,
  type NodeKey,
  nodeId,
  type RelationshipRead,
} from '../ports.ts';
import { writeBatch } from './embedded-commit.ts';
import { openDatabase } from './embedded-layout.ts';
import { countNodes, listNodes, listRelationships } from './embedded-read.ts';
import { ProjectionCache } from './projection-cache.ts';
import { commitFailure, isBusy, readFailure } from './sqlite-failure.ts';

export interface EmbeddedGraphOptions {
  /** Stamps the rows and paces the wait for a lock; default the system's. */
  readonly clock?: Clock;
  /** How long a commit waits for another process's lock; then it rejects with a retryable GRAPH_COMMIT. Default 10 s. */
  readonly lockWaitMs?: number;
  /** Most pages of 4 KiB in the file; a commit that needs more rejects with DISK_FULL. Default: as many as the disk holds. */
  readonly maxPages?: number;
  /** What the graph holds; without it the store answers no Cypher. */
  readonly schema?: MasterSchema;
}

const LOCK_POLL_MS = 25;

const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * Opens the graph at `file`, or makes a new one; `:memory:` gives one that lives as long as the store.
 * @throws MusterError GRAPH_OPEN (not a graph, of a newer muster, not writable) or DISK_FULL.
 */
export function openEmbeddedGraph(file: string, options: EmbeddedGraphOptions = {}): GraphStore {
  return new EmbeddedGraph(file, openDatabase(file, options.maxPages), options);
}

class EmbeddedGraph implements GraphStore {
  readonly #file: string;
  readonly #database: Database.Database;
  readonly #clock: Clock;
  readonly #lockWaitMs: number;
  /** The commit before the next one; commits of one process run in the order of their calls. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #projection: ProjectionCache | undefined;
  #closed = false;

  constructor(file: string, database: Database.Database, options: EmbeddedGraphOptions) {
    this.#file = file;
    this.#database = database;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#lockWaitMs = options.lockWaitMs ?? 10_000;
    this.#projection = options.schema && new ProjectionCache(this, options.schema, () => this.#version());
  }

  commit(batch: GraphBatch): Promise<CommitResult> {
    const turn = this.#last.then(() => this.#commitWhenFree(batch));
    this.#last = turn.catch(ensureError);
    return turn;
  }

  async existing(keys: readonly NodeKey[], runId?: string): Promise<ReadonlySet<string>> {
    return this.#read(() => {
      const found = new Set<string>();
      const statement = this.#database.prepare(
        `SELECT 1 FROM node WHERE label = ? AND key = ?${runId === undefined ? '' : ' AND run_id = ?'}`,
      );
      const run = runId === undefined ? [] : [runId];
      for (const key of keys) {
        if (statement.all(key.entity, JSON.stringify(key.key), ...run).length > 0) found.add(nodeId(key));
      }
      return found;
    });
  }

  async read(query: GraphRead): Promise<{ readonly nodes: readonly GraphNode[]; readonly total: number }> {
    return this.#read(() => ({ nodes: listNodes(this.#database, query), total: countNodes(this.#database, query) }));
  }

  async relationships(query: RelationshipRead): Promise<readonly GraphRelationship[]> {
    return this.#read(() => listRelationships(this.#database, query));
  }

  async cypher(request: CypherRequest): Promise<CypherAnswer> {
    this.#mustBeOpen();
    if (this.#projection) return this.#projection.cypher(request);
    throw new MusterError('CYPHER_UNAVAILABLE', `The graph at ${this.#file} was opened without its schema. Give one.`);
  }

  async close(): Promise<void> {
    await this.#last;
    if (this.#closed) return;
    await this.#projection?.close();
    this.#closed = true;
    try {
      // So that a copy of the file alone is whole: the log beside it outlives the connection.
      this.#database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (thrown) {
      // A full disk, say. Nothing is lost: the log stays, and the next connection reads it.
      if (systemCode(ensureError(thrown)) === undefined) throw thrown;
    } finally {
      this.#database.close();
    }
  }

  async #commitWhenFree(batch: GraphBatch): Promise<CommitResult> {
    this.#mustBeOpen();
    const deadline = this.#clock.now() + this.#lockWaitMs;
    while (!this.#begin(deadline)) await new Promise<void>((free) => void this.#clock.after(LOCK_POLL_MS, free));
    try {
      const result = writeBatch(this.#database, batch, new Date(this.#clock.now()).toISOString());
      this.#database.exec('COMMIT');
      return result;
    } catch (thrown) {
      // A full disk ends the transaction by itself; a second ROLLBACK would then hide the cause.
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      throw commitFailure(this.#file, thrown);
    }
  }

  /** Whether the write lock was got. Immediate: a transaction that turns into a writer later can fail where this one waits. */
  #begin(deadline: number): boolean {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      return true;
    } catch (thrown) {
      if (isBusy(thrown) && this.#clock.now() < deadline) return false;
      throw commitFailure(this.#file, thrown);
    }
  }

  /** All statements of one answer see the same state of the graph. */
  #read<Answer>(run: () => Answer): Answer {
    this.#mustBeOpen();
    try {
      this.#database.exec('BEGIN');
      try {
        return run();
      } finally {
        if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      }
    } catch (thrown) {
      throw readFailure(this.#file, thrown);
    }
  }

  /** Another text after every change: this connection counts its own writes, SQLite tells of those of others. */
  #version(): string {
    const one = (pragma: string) => JSON.stringify(this.#database.prepare(pragma).all());
    return one('PRAGMA data_version') + one('SELECT total_changes()');
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new MusterError('BUG', `The graph at ${this.#file} was used after it was closed.`);
  }
}
