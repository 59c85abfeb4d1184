/** Global setup of the project `neo4j`: one server for all of its test files, or the reason why there is none. */
import type { TestProject } from 'vitest/node';
import { startNeo4j } from '../../scripts/neo4j/server.mjs';

export interface ProvidedNeo4j {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Absent: the home database. */
  readonly database?: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The server; one that nobody can reach when there is none, and then no test runs. */
    neo4j: ProvidedNeo4j;
    neo4jMissing: boolean;
  }
}

const NOWHERE: ProvidedNeo4j = { url: 'bolt://127.0.0.1:9', username: 'neo4j', password: '' };

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const answer = await startNeo4j(process.env);
  if ('reason' in answer) {
    const message = `No Neo4j server for the tests: ${answer.reason}.`;
    if (process.env['MUSTER_REQUIRE_NEO4J'] === '1') throw new Error(`${message} MUSTER_REQUIRE_NEO4J asks for one.`);
    console.log(`${message} The tests of the project neo4j are skipped.`);
    project.provide('neo4j', NOWHERE);
    project.provide('neo4jMissing', true);
    return undefined;
  }
  const { uri: url, username, password, database, close } = answer.server;
  project.provide('neo4j', { url, username, password, ...(database !== undefined && { database }) });
  project.provide('neo4jMissing', false);
  return close;
}
