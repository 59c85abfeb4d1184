/** Opens the graph that a target names, whichever store it is. */
import type { MasterSchema } from '../../schemas/define.ts';
import type { GraphStore } from '../ports.ts';
import { openEmbeddedGraph } from './embedded.ts';
import { openNeo4jGraph } from './neo4j.ts';
import { isUrl, neo4jAddress, neo4jEnvironment } from './neo4j-environment.ts';

export interface OpenGraphOptions {
  readonly schema: MasterSchema;
  /** Where the credentials of a Neo4j server stand. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Opens a Neo4j server (`neo4j://`, `neo4j+s://`, `neo4j+ssc://`, `bolt://`, `bolt+s://`, `bolt+ssc://`) or else the file
 * of an embedded graph, which is made when it does not exist.
 * @throws MusterError GRAPH_TARGET, GRAPH_CREDENTIALS, GRAPH_UNREACHABLE, GRAPH_CLASH, GRAPH_OPEN, SCHEMA_INVALID or
 * DISK_FULL.
 */
export async function openGraph(target: string, { schema, env }: OpenGraphOptions): Promise<GraphStore> {
  if (!isUrl(target)) return openEmbeddedGraph(target, { schema });
  // The address first: a URL that holds a password must be refused whatever else is missing.
  neo4jAddress(target);
  return openNeo4jGraph(target, { schema, ...neo4jEnvironment(env) });
}
