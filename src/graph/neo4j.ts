/**
 * The graph in a Neo4j database: nodes and relationships of the master schema, upserted by business key.
 *
 * Owns: the connection, and the order of the commits of this store. Does not own: the order between processes; several
 * may write one database, where row order keeps them from deadlocks and the driver tries again after one.
 *
 * Invariants: G1 a batch is one transaction, whole or absent; commits are idempotent by key, because a transaction may run
 * twice; nothing is deleted. No value is ever part of a statement's text.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import type { MasterSchema } from '../../schemas/define.ts';
import { ensureError } from '../errors.ts';
import type {
  Clock,
  CommitResult,
  CypherAnswer,
  CypherRequest,
  GraphBatch,
  GraphNode,
  GraphRead,
  GraphRelationship,
  GraphStore,
  NodeKey,
  RelationshipRead,
} from '../ports.ts';
import { nodeId } from '../ports.ts';
import { missingEnds } from './batch-faults.ts';
import { type ConnectOptions, Neo4jConnection, rowsOf } from './neo4j-connection.ts';
import { prepareDatabase } from './neo4j-constraints.ts';
import { runCypher } from './neo4j-cypher.ts';
import { commitFailure, openingFailure, readFailure } from './neo4j-failure.ts';
import { existingNodes, listNodes, listRelationships } from './neo4j-read.ts';
import { type GraphShape, graphShape } from './neo4j-shape.ts';
import { type WriteStatement, writeStatements } from './neo4j-statements.ts';

export interface Neo4jGraphOptions extends ConnectOptions {
  readonly schema: MasterSchema;
  /** Stamps what is written; default the system's. */
  readonly clock?: Pick<Clock, 'now'>;
}

/**
 * Opens a database as a graph of the schema and creates its constraints; a second time that changes nothing.
 * @throws MusterError GRAPH_TARGET, GRAPH_CREDENTIALS, GRAPH_UNREACHABLE, GRAPH_OPEN, GRAPH_CLASH or SCHEMA_INVALID.
 */
export async function openNeo4jGraph(url: string, options: Neo4jGraphOptions): Promise<GraphStore> {
  const shape = graphShape(options.schema);
  const connection = await Neo4jConnection.open(url, options);
  try {
    await prepareDatabase(connection, shape);
  } catch (thrown) {
    await connection.close();
    throw openingFailure(connection.shown, thrown);
  }
  return new Neo4jGraph(connection, shape, options.clock ?? Date);
}

class Neo4jGraph implements GraphStore {
  readonly #connection: Neo4jConnection;
  readonly #shape: GraphShape;
  readonly #clock: Pick<Clock, 'now'>;
  /** The commit before the next one; commits of one store run in the order of their calls. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(connection: Neo4jConnection, shape: GraphShape, clock: Pick<Clock, 'now'>) {
    this.#connection = connection;
    this.#shape = shape;
    this.#clock = clock;
  }

  commit(batch: GraphBatch): Promise<CommitResult> {
    const turn = this.#last.then(() => this.#commit(batch));
    this.#last = turn.catch(ensureError);
    return turn;
  }

  existing(keys: readonly NodeKey[], runId?: string): Promise<ReadonlySet<string>> {
    return this.#read((transaction) => existingNodes(transaction, this.#shape, keys, runId));
  }

  read(query: GraphRead): Promise<{ readonly nodes: readonly GraphNode[]; readonly total: number }> {
    return this.#read((transaction) => listNodes(transaction, this.#shape, query));
  }

  relationships(query: RelationshipRead): Promise<readonly GraphRelationship[]> {
    return this.#read((transaction) => listRelationships(transaction, this.#shape, query));
  }

  cypher(request: CypherRequest): Promise<CypherAnswer> {
    return runCypher(this.#connection, request);
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#connection.close();
  }

  async #commit(batch: GraphBatch): Promise<CommitResult> {
    try {
      const statements = writeStatements(batch, this.#shape, new Date(this.#clock.now()).toISOString());
      return await this.#connection.write((transaction) => this.#run(transaction, batch, statements));
    } catch (thrown) {
      throw commitFailure(this.#connection.shown, thrown);
    }
  }

  /** Throwing rolls the transaction back. */
  async #run(
    transaction: ManagedTransaction,
    batch: GraphBatch,
    statements: readonly WriteStatement[],
  ): Promise<CommitResult> {
    const count = { created: 0, updated: 0, unchanged: 0, relationships: 0 };
    for (const { kind, text, rows, parameters } of statements) {
      const [row] = await rowsOf(transaction, text, { rows, ...parameters });
      if (kind === 'nodes') {
        for (const name of ['created', 'updated', 'unchanged'] as const) count[name] += Number(row?.[name]);
      } else if (kind === 'relationships') {
        const written = Number(row?.['written']);
        if (written < rows.length) throw await this.#missing(transaction, batch);
        count.relationships += written;
      }
    }
    return count;
  }

  async #missing(transaction: ManagedTransaction, batch: GraphBatch): Promise<Error> {
    const ends = batch.relationships.flatMap(({ from, to }) => [from, to]);
    const found = await existingNodes(transaction, this.#shape, ends);
    const missing = missingEnds(batch.task, batch.relationships, (end) => found.has(nodeId(end)));
    return missing ?? new Error('fewer relationships were written than there are, though all ends exist');
  }

  async #read<Answer>(work: (transaction: ManagedTransaction) => Promise<Answer>): Promise<Answer> {
    try {
      return await this.#connection.read(work);
    } catch (thrown) {
      throw readFailure(this.#connection.shown, thrown);
    }
  }
}
