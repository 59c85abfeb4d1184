/** A Neo4j database that muster only reads: one that a manifest names as a source. */
import type { CypherAnswer, CypherRequest, CypherSource } from '../ports.ts';
import { type ConnectOptions, Neo4jConnection } from './neo4j-connection.ts';
import { runCypher } from './neo4j-cypher.ts';

/**
 * Opens a database in read access mode; nothing is created in it and nothing about its content is assumed.
 * @throws MusterError GRAPH_TARGET, GRAPH_CREDENTIALS, GRAPH_UNREACHABLE or GRAPH_OPEN.
 */
export async function openNeo4jSource(url: string, options: ConnectOptions): Promise<CypherSource> {
  const connection = await Neo4jConnection.open(url, options);
  return {
    cypher: (request: CypherRequest): Promise<CypherAnswer> => runCypher(connection, request),
    close: () => connection.close(),
  };
}
