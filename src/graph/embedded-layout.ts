/** Opens the database file and brings it to the layout of this version. */
import Database from 'libsql';
import { MusterError } from '../errors.ts';
import { isBusy, openFailure } from './sqlite-failure.ts';

/** Raised with every change of the tables below; an older muster refuses a newer file. */
const LAYOUT_VERSION = 1;

/** How long opening waits for another process, and how long each try of a write does. */
const OPEN_WAIT_MS = 10_000;
const TRY_WAIT_MS = 100;

/** Task and run of the last writer and the times stand beside the properties, never in them. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS node (
    id INTEGER PRIMARY KEY, label TEXT NOT NULL, key TEXT NOT NULL, key_order TEXT NOT NULL,
    props TEXT NOT NULL CHECK (json_valid(props)),
    task TEXT NOT NULL, run_id TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    UNIQUE (label, key));
  CREATE INDEX IF NOT EXISTS node_in_order ON node (label, key_order, key);
  CREATE TABLE IF NOT EXISTS rel (
    src INTEGER NOT NULL REFERENCES node, type TEXT NOT NULL, dst INTEGER NOT NULL REFERENCES node,
    props TEXT NOT NULL CHECK (json_valid(props)),
    task TEXT NOT NULL, run_id TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    PRIMARY KEY (src, type, dst)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS rel_by_dst ON rel (dst, type, src);
  CREATE INDEX IF NOT EXISTS rel_by_type ON rel (type, src, dst);`;

/**
 * @throws GRAPH_OPEN when the file is not a graph of this version or earlier, or may not be read and written.
 * @throws DISK_FULL when there is no room for the tables.
 */
export function openDatabase(file: string, maxPages?: number): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { timeout: OPEN_WAIT_MS });
    useWriteAheadLog(database);
    // FULL and not NORMAL: the journal must not say more than the graph after a power cut; a run commits a few dozen times.
    database.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    if (maxPages !== undefined) database.pragma(`max_page_count = ${Math.trunc(maxPages)}`);
    createTables(database, file);
    database.exec(`PRAGMA busy_timeout = ${TRY_WAIT_MS}`);
    return database;
  } catch (thrown) {
    database?.close();
    throw openFailure(file, thrown);
  }
}

/** The change of the log mode ignores the busy timeout, so two processes that open a new file at once try again here. */
function useWriteAheadLog(database: Database.Database): void {
  for (let triesLeft = 200; ; triesLeft -= 1) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (thrown) {
      if (!isBusy(thrown) || triesLeft === 0) throw thrown;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
    }
  }
}

/** In one write transaction, which also proves that the file may be written. */
function createTables(database: Database.Database, file: string): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[];
    const ours = tables.some(({ name }) => name === 'meta');
    if (tables.length > 0 && !ours) {
      throw new MusterError(
        'GRAPH_OPEN',
        `Expected a graph of muster at ${file}; got a database of another program. Name another home folder.`,
      );
    }
    if (ours) {
      const rows = database.prepare("SELECT value FROM meta WHERE name = 'layout'").all() as { value: string }[];
      const version = Number(rows[0]?.value);
      if (!(version <= LAYOUT_VERSION)) {
        throw new MusterError(
          'GRAPH_OPEN',
          `Expected a graph of layout ${LAYOUT_VERSION} or earlier at ${file}; got layout ${rows[0]?.value ?? 'unknown'}. Use the newer muster that wrote it, or name another home folder.`,
        );
      }
    }
    database.exec(TABLES);
    database
      .prepare("INSERT INTO meta (name, value) VALUES ('layout', ?) ON CONFLICT (name) DO NOTHING")
      .run(String(LAYOUT_VERSION));
    database.exec('COMMIT');
  } catch (thrown) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
}
