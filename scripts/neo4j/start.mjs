// @ts-check
/**
 * `node scripts/neo4j/start.mjs`: a throw-away Neo4j server to try things with, until Ctrl-C. Prints what to put into the
 * environment; the password is this server's alone and dies with it.
 */
import { startNeo4j } from './server.mjs';

const { NEO4J_URI: _, ...env } = process.env;
const answer = await startNeo4j(env);
if ('reason' in answer) {
  console.error(`No Neo4j server can be started here. ${answer.reason}`);
  process.exitCode = 3;
} else {
  const { uri, username, password, origin, close } = answer.server;
  console.log(`# ${origin}; ends with Ctrl-C`);
  console.log(`export NEO4J_URI=${uri} NEO4J_USERNAME=${username} NEO4J_PASSWORD=${password}`);
  // A timer, because nothing else keeps this process alive for certain.
  const alive = setInterval(() => {}, 1 << 30);
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.once(signal, () => {
      clearInterval(alive);
      void close();
    });
  }
}
