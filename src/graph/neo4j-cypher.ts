/** Runs somebody's read-only statement on Neo4j, within its limits of rows and time. */
import { requireReadOnly } from '../cypher/read-only.ts';
import { ensureError } from '../errors.ts';
import type { CypherAnswer, CypherRequest, CypherValue } from '../ports.ts';
import { cypherLimits } from './cypher-limits.ts';
import type { Neo4jConnection } from './neo4j-connection.ts';
import { cypherFailure, timedOut, unavailable } from './neo4j-failure.ts';
import { fromNeo4j, toParameter } from './neo4j-values.ts';

/** Rows that the server sends at a time. */
const FETCH_ROWS = 1_000;

/** @throws CYPHER_REFUSED, CYPHER_INVALID, CYPHER_TIMEOUT or CYPHER_UNAVAILABLE. */
export async function runCypher(connection: Neo4jConnection, request: CypherRequest): Promise<CypherAnswer> {
  requireReadOnly(request.text);
  const { maxRows, timeLimitMs } = cypherLimits(request);
  const session = connection.session('READ', Math.min(maxRows + 1, FETCH_ROWS));
  let begun = false;
  const answer = session.executeRead(
    async (transaction) => {
      begun = true;
      const result = transaction.run(
        request.text,
        toParameter(request.parameters ?? {}) as Readonly<Record<string, unknown>>,
      );
      const columns = await result.keys();
      const rows: CypherValue[][] = [];
      for await (const record of result) {
        // Leaving the loop tells the server that nobody wants the rest.
        if (rows.length === maxRows) return { columns: [...columns], rows, truncated: true };
        rows.push(columns.map((column) => fromNeo4j(record.get(column))));
      }
      return { columns: [...columns], rows, truncated: false };
    },
    { timeout: timeLimitMs },
  );
  // The server looks at its clock only now and then, and the driver may be in the middle of its retries.
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(begun ? timedOut(timeLimitMs) : unavailable(connection.shown, `no answer within ${timeLimitMs} ms`));
    }, timeLimitMs);
  });
  try {
    return await Promise.race([answer, late]);
  } catch (thrown) {
    throw cypherFailure(connection.shown, thrown, timeLimitMs);
  } finally {
    clearTimeout(timer);
    // Closing stops a statement that still runs; nobody needs to wait for that.
    void answer.catch(ensureError);
    void session.close().catch(ensureError);
  }
}
