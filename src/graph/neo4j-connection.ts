/**
 * One driver and the database it speaks to.
 *
 * Owns: the driver's pool. Does not own: what is asked. Opening never retries, so that a wrong address or password is
 * said within seconds; later work is retried by the driver where that can help.
 */
import neo4j, { type Driver, type ManagedTransaction, type Session } from 'neo4j-driver';
import { ensureError, MusterError } from '../errors.ts';
import { type Neo4jAuth, neo4jAddress } from './neo4j-environment.ts';
import { openingFailure, silent } from './neo4j-failure.ts';
import { toParameter } from './neo4j-values.ts';

export interface ConnectOptions {
  readonly auth: Neo4jAuth;
  /** Default: the user's home database. */
  readonly database?: string;
  /** How long the server has to answer at the start; default 5 s. */
  readonly openLimitMs?: number;
}

const OPEN_LIMIT_MS = 5_000;
/** Constraints, the notation of statements and composite uniqueness are those of Neo4j 5. */
const OLDEST_MAJOR = 5;

export class Neo4jConnection {
  /** Scheme, host and port; no secret. */
  readonly shown: string;
  readonly #driver: Driver;
  readonly #database: string | undefined;
  #closed = false;

  private constructor(shown: string, driver: Driver, database: string | undefined) {
    this.shown = shown;
    this.#driver = driver;
    this.#database = database;
  }

  /** @throws GRAPH_TARGET, GRAPH_CREDENTIALS, GRAPH_UNREACHABLE or GRAPH_OPEN (no such database, server too old). */
  static async open(url: string, options: ConnectOptions): Promise<Neo4jConnection> {
    const address = neo4jAddress(url);
    const openLimitMs = options.openLimitMs ?? OPEN_LIMIT_MS;
    const driver = neo4j.driver(address.url, neo4j.auth.basic(options.auth.username, options.auth.password), {
      userAgent: 'muster',
      telemetryDisabled: true,
      connectionTimeout: openLimitMs,
      // `IF NOT EXISTS` and a label that is not there yet are no news.
      notificationFilter: { minimumSeverityLevel: 'OFF' },
    });
    const connection = new Neo4jConnection(address.shown, driver, options.database);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(silent(address.shown, openLimitMs)), openLimitMs);
    });
    try {
      await Promise.race([connection.#greet(), late]);
      return connection;
    } catch (thrown) {
      // Not awaited: closing waits for a server that may never answer.
      void connection.close().catch(ensureError);
      throw openingFailure(address.shown, thrown);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A session that reads what this driver wrote. The caller closes it. */
  session(access: 'READ' | 'WRITE', fetchSize?: number): Session {
    if (this.#closed) throw new MusterError('BUG', `The graph at ${this.shown} was used after it was closed.`);
    return this.#driver.session({
      defaultAccessMode: access,
      bookmarkManager: this.#driver.executeQueryBookmarkManager,
      ...(this.#database !== undefined && { database: this.#database }),
      ...(fetchSize !== undefined && { fetchSize }),
    });
  }

  /** Runs `work` in one transaction that the driver may run again; so it must only read and write the database. */
  async write<Answer>(work: (transaction: ManagedTransaction) => Promise<Answer>): Promise<Answer> {
    const session = this.session('WRITE');
    try {
      return await session.executeWrite(work);
    } finally {
      await session.close();
    }
  }

  async read<Answer>(work: (transaction: ManagedTransaction) => Promise<Answer>): Promise<Answer> {
    const session = this.session('READ');
    try {
      return await session.executeRead(work);
    } finally {
      await session.close();
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#driver.close();
  }

  /** An unmanaged transaction, which is not retried. A password that must be changed is refused here and not at the login. */
  async #greet(): Promise<void> {
    const session = this.session('READ');
    try {
      const transaction = await session.beginTransaction();
      const { records } = await transaction.run('CALL dbms.components() YIELD versions RETURN versions[0] AS version');
      await transaction.commit();
      const version = String(records[0]?.get('version') ?? '');
      if (Number.parseInt(version, 10) >= OLDEST_MAJOR) return;
      throw new MusterError(
        'GRAPH_OPEN',
        `Expected Neo4j ${OLDEST_MAJOR} or later at ${this.shown}; got ${version || 'a server that does not say its version'}. Upgrade the server.`,
      );
    } finally {
      await session.close();
    }
  }
}

/** Runs one statement and gives its records as objects of the driver's values. */
export async function rowsOf(
  transaction: ManagedTransaction,
  text: string,
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, unknown>[]> {
  const { records } = await transaction.run(text, toParameter(parameters) as Record<string, unknown>);
  return records.map((record) => record.toObject());
}
