/** The test server's database, looked at and emptied with a driver of its own, past the store. */
import neo4j from 'neo4j-driver';
import { inject } from 'vitest';

export const server = inject('neo4j');
export const auth = { username: server.username, password: server.password };
export const where = server.database === undefined ? {} : { database: server.database };
/** The server as `openGraph` is told about it. */
export const env: Readonly<Record<string, string>> = {
  NEO4J_USERNAME: server.username,
  NEO4J_PASSWORD: server.password,
  ...(server.database !== undefined && { NEO4J_DATABASE: server.database }),
};

/** A driver with plain numbers; whoever asks for one closes it. */
export function rawDriver(): neo4j.Driver {
  return neo4j.driver(server.url, neo4j.auth.basic(server.username, server.password), {
    disableLosslessIntegers: true,
    telemetryDisabled: true,
  });
}

/** Runs one statement and gives its rows as objects. */
export async function ask(
  driver: neo4j.Driver,
  text: string,
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, unknown>[]> {
  const session = driver.session(where);
  try {
    return (await session.run(text, parameters)).records.map((record) => record.toObject());
  } finally {
    await session.close();
  }
}

/** Deletes all nodes; constraints and indexes stay. */
export async function emptyDatabase(driver: neo4j.Driver): Promise<void> {
  await ask(driver, 'MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS');
}

/** Deletes all nodes, constraints and indexes. */
export async function bareDatabase(driver: neo4j.Driver): Promise<void> {
  await emptyDatabase(driver);
  for (const { name } of await ask(driver, 'SHOW CONSTRAINTS YIELD name')) {
    await ask(driver, `DROP CONSTRAINT \`${name}\` IF EXISTS`);
  }
  for (const { name } of await ask(driver, "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name")) {
    await ask(driver, `DROP INDEX \`${name}\` IF EXISTS`);
  }
}

/** Everything that is in the database: nodes, relationships, constraints and indexes. */
export async function wholeDatabase(driver: neo4j.Driver): Promise<unknown> {
  return {
    nodes: await ask(driver, 'MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties ORDER BY elementId(n)'),
    relationships: await ask(driver, 'MATCH ()-[r]->() RETURN type(r) AS type, properties(r) AS properties'),
    constraints: await ask(driver, 'SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties'),
    indexes: await ask(driver, 'SHOW INDEXES YIELD name, type, labelsOrTypes, properties'),
  };
}
