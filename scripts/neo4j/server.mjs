// @ts-check
/**
 * A Neo4j server for tests: one that is named, else one in Docker, else one from the published artifacts on a JDK.
 *
 * Owns: the process that it starts and its data, which live no longer than this process, however it ends. Listens on
 * 127.0.0.1 with authentication on and a password of its own.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import neo4j from 'neo4j-driver';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('.', import.meta.url));
const IMAGE = 'neo4j:5.26-community';
const START_LIMIT_MS = 120_000;
const INSTALL_LIMIT_MS = 600_000;
const FIRST_PASSWORD = 'neo4j';
/** Without the opens the server ends with a LinkageError; it needs no more memory than the tests' graphs. */
const JAVA_OPTIONS = [
  '-Xmx1g',
  '-XX:+UseG1GC',
  '-Dlog4j2.disable.jmx=true',
  ...['java.nio', 'java.io', 'sun.nio.ch'].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
];

/**
 * @typedef {object} TestServer
 * @property {string} uri
 * @property {string} username
 * @property {string} password
 * @property {string} [database] Absent: the home database.
 * @property {string} origin For people: where the server comes from.
 * @property {() => Promise<void>} close Ends what was started, and removes its data.
 */

/**
 * Starts or finds a server. Never rejects: what keeps it from one is the answer.
 *
 * @param {Readonly<Record<string, string | undefined>>} env `NEO4J_URI` with `NEO4J_USERNAME`, `NEO4J_PASSWORD` and
 * `NEO4J_DATABASE` name a server; it must be empty. `MUSTER_NEO4J_CACHE` names the folder for the artifacts (default
 * `muster/neo4j` in `XDG_CACHE_HOME` or `~/.cache`).
 * @returns {Promise<{ server: TestServer } | { reason: string }>}
 */
export async function startNeo4j(env) {
  if (env['NEO4J_URI']) return named(env['NEO4J_URI'], env);
  const reasons = [];
  for (const [name, start] of /** @type {const} */ ([
    ['Docker', inDocker],
    ['JDK and Maven', onJdk],
  ])) {
    try {
      return { server: await start(env) };
    } catch (thrown) {
      reasons.push(`${name}: ${firstLine(thrown)}`);
    }
  }
  return { reason: reasons.join('; ') };
}

/**
 * The tests delete everything, so a database that holds anything is nobody's to use.
 *
 * @param {string} uri
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Promise<{ server: TestServer } | { reason: string }>}
 */
async function named(uri, env) {
  const { NEO4J_USERNAME: username = 'neo4j', NEO4J_PASSWORD: password = '', NEO4J_DATABASE: database } = env;
  const auth = { username, password };
  try {
    const where = database ? { database } : {};
    const [row] = await ask(uri, auth, 'MATCH (n) RETURN count(n) AS nodes', where);
    const rules = await ask(uri, auth, 'SHOW CONSTRAINTS YIELD name', where);
    if (row?.['nodes'] !== 0 || rules.length > 0) {
      return { reason: 'NEO4J_URI names a database that is not empty, and the tests would delete what it holds' };
    }
    return { server: { uri, ...auth, ...where, origin: 'NEO4J_URI', close: async () => {} } };
  } catch (thrown) {
    return { reason: `the server of NEO4J_URI: ${firstLine(thrown)}` };
  }
}

/** @returns {Promise<TestServer>} */
async function inDocker() {
  // A client without an engine answers too, but with an error.
  await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000 });
  const port = await freePort();
  // The container's own end of standard input is the sign that this process is gone.
  const script = '/startup/docker-entrypoint.sh neo4j >/dev/null & cat >/dev/null; kill $!; wait';
  const limits = ['-e', 'NEO4J_server_memory_heap_max__size=1g', '-e', 'NEO4J_dbms_usage__report_enabled=false'];
  const ports = ['-p', `127.0.0.1:${port}:7687`];
  const child = spawn('docker', ['run', '--rm', '-i', ...ports, ...limits, '--entrypoint', 'sh', IMAGE, '-c', script], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  return serve(child, port, `Docker, ${IMAGE}`, () => {});
}

/**
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Promise<TestServer>}
 */
async function onJdk(env) {
  await run('javac', ['-version'], { timeout: 30_000 }).catch(() => {
    throw new Error('no JDK (javac) on the PATH');
  });
  const classes = await installed(env);
  const folder = mkdtempSync(join(tmpdir(), 'muster-neo4j-'));
  try {
    const port = await freePort();
    const path = [join(classes, 'lib', '*'), classes].join(process.platform === 'win32' ? ';' : ':');
    const child = spawn('java', [...JAVA_OPTIONS, '-cp', path, 'Neo4jForTests', folder, String(port)], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    return await serve(child, port, 'JDK and Maven artifacts', () => rmSync(folder, { recursive: true, force: true }));
  } catch (thrown) {
    rmSync(folder, { recursive: true, force: true });
    throw thrown;
  }
}

/**
 * The folder with `lib/` and the launcher's class; made once for each version of the two files beside this one.
 *
 * @param {Readonly<Record<string, string | undefined>>} env
 */
async function installed(env) {
  const caches =
    env['MUSTER_NEO4J_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'muster', 'neo4j');
  const sources = ['pom.xml', 'Neo4jForTests.java'];
  const hash = createHash('sha256');
  for (const name of sources) hash.update(readFileSync(join(HERE, name)));
  const folder = join(caches, hash.digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;
  await run('mvn', ['-v'], { timeout: 30_000 }).catch(() => {
    throw new Error('no Maven (mvn) on the PATH, and no artifacts in the cache yet');
  });
  mkdirSync(caches, { recursive: true });
  // Beside its place and moved there when it is whole, so that an interrupted or a second install spoils nothing.
  const draft = mkdtempSync(join(caches, 'draft-'));
  try {
    for (const name of sources) copyFileSync(join(HERE, name), join(draft, name));
    const options = { cwd: draft, timeout: INSTALL_LIMIT_MS, maxBuffer: 16 << 20 };
    await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], options);
    await run('javac', ['-cp', join('lib', '*'), '-d', '.', 'Neo4jForTests.java'], options);
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

/**
 * Waits until the server lets us in, and changes the password of the first login.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @param {number} port
 * @param {string} origin
 * @param {() => void} clean
 * @returns {Promise<TestServer>}
 */
async function serve(child, port, origin, clean) {
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-4000);
  });
  child.stdin?.on('error', () => {});
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => {
    child.once('error', (error) => {
      stderr += error.message;
      resolve();
    });
    child.once('close', () => resolve());
  });
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  const close = async () => {
    child.stdin?.end();
    // A container takes its time; what does not go by itself is killed.
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(timer);
    clean();
  };
  const uri = `bolt://127.0.0.1:${port}`;
  const username = 'neo4j';
  const password = randomBytes(18).toString('base64url');
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      const change = 'ALTER CURRENT USER SET PASSWORD FROM $first TO $password';
      const parameters = { first: FIRST_PASSWORD, password };
      await ask(uri, { username, password: FIRST_PASSWORD }, change, { database: 'system', parameters });
      return { uri, username, password, origin, close };
    } catch (thrown) {
      if (gone || Date.now() > deadline) {
        await close();
        throw new Error(gone ? `the server ended: ${stderr.trim()}` : `no answer in time: ${firstLine(thrown)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/**
 * @param {string} uri
 * @param {{ username: string; password: string }} auth
 * @param {string} text
 * @param {{ database?: string; parameters?: Record<string, unknown> }} [options]
 * @returns {Promise<Record<string, unknown>[]>}
 */
async function ask(uri, { username, password }, text, { database, parameters } = {}) {
  const driver = neo4j.driver(uri, neo4j.auth.basic(username, password), {
    connectionTimeout: 5_000,
    disableLosslessIntegers: true,
    telemetryDisabled: true,
  });
  const session = driver.session(database ? { database } : {});
  try {
    const { records } = await session.run(text, parameters);
    return records.map((record) => record.toObject());
  } finally {
    await session.close();
    await driver.close();
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** @param {unknown} thrown */
function firstLine(thrown) {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Command failed'));
  return (lines[0] ?? text).trim();
}
