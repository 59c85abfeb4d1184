/**
 * The sources of a manifest against a real Neo4j server, and a whole run with the real OpenCode server whose scripted
 * agent asks the source, tries to write to it, and looks for credentials with bash.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import neo4j from 'neo4j-driver';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { ManifestSource } from '../../schemas/manifest.ts';
import { Desk } from '../../src/agent-tools/desk.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import { loadRehearsal } from '../../src/rehearsal/load-rehearsal.ts';
import { startModelServer } from '../../src/rehearsal/model-server.ts';
import { startRun } from '../../src/run/run.ts';
import { openSources } from '../../src/run/sources.ts';
import { systemClock } from '../../src/run/system-clock.ts';
import { contextOf } from '../output/library.ts';

const { url, username, password } = inject('neo4j');

/** A user of its own: its name and password stand nowhere else. */
const READER = { username: 'reader-of-standards', password: 'Xq7-reader-secret-9Zk' };
const env = { ...process.env, STANDARDS_USER: READER.username, STANDARDS_PASSWORD: READER.password };
const source: ManifestSource = {
  name: 'standards',
  description: 'Standards and their editions.',
  url,
  usernameEnv: 'STANDARDS_USER',
  passwordEnv: 'STANDARDS_PASSWORD',
};
const ROWS = 'MATCH (s:NormForSourcesTest) RETURN s.code AS code, s.edition AS edition ORDER BY code';
const WRITE = "CREATE (:NormForSourcesTest {code: 'AS 9999'})";

const driver = neo4j.driver(url, neo4j.auth.basic(username, password));
const run = async (text: string, database?: string) =>
  (await driver.executeQuery(text, {}, database === undefined ? {} : { database })).records;

beforeAll(async () => {
  await run("CREATE (:NormForSourcesTest {code: 'AS 1379', edition: '2007'}), (:NormForSourcesTest {code: 'AS 2159'})");
  await run(
    `CREATE OR REPLACE USER \`${READER.username}\` SET PASSWORD '${READER.password}' CHANGE NOT REQUIRED`,
    'system',
  );
});

afterAll(async () => {
  await run('MATCH (s:NormForSourcesTest) DELETE s');
  await run(`DROP USER \`${READER.username}\` IF EXISTS`, 'system');
  await driver.close();
});

const countInServer = async () =>
  (await run('MATCH (s:NormForSourcesTest) RETURN count(s) AS n'))[0]!.get('n').toNumber();

describe('a source on a real server', () => {
  it('answers an agent through its desk, and refuses to be written', async () => {
    const sources = await openSources([source], { env, clock: systemClock });
    const graph = openEmbeddedGraph(':memory:');
    try {
      expect(sources.notes.get('standards')?.labels).toContain('NormForSourcesTest');
      const desk = new Desk({
        context: contextOf('paper'),
        graph,
        runId: 'r',
        sources: sources.byName,
        onAnswer: () => {},
      });
      const rows = await desk.answer('query', { source: 'standards', cypher: ROWS });
      expect(rows).toContain('AS 1379');
      expect(rows).toContain('2007');
      const refused = await desk.answer('query', { source: 'standards', cypher: WRITE }).catch(String);
      expect(refused).not.toContain('AS 1379');
      expect(refused).toMatch(/read/i);
      const wrong = await desk.answer('query', { source: 'standards', cypher: 'MATCH (n RETURN n' }).catch(String);
      for (const text of [rows, refused, wrong]) {
        expect(text).not.toContain(new URL(url).host);
        expect(text).not.toContain(READER.password);
        expect(text).not.toContain(READER.username);
      }
      expect(await countInServer()).toBe(2);
    } finally {
      await sources.close();
      await graph.close();
    }
  });

  it('refuses to be written below the desk too', async () => {
    const sources = await openSources([source], { env, clock: systemClock });
    try {
      const asked = sources.byName.get('standards')!.cypher({ text: WRITE });
      await expect(asked).rejects.toMatchObject({ code: 'CYPHER_REFUSED' });
      expect(await countInServer()).toBe(2);
    } finally {
      await sources.close();
    }
  });

  it('with a wrong password is unavailable, and the password is not told', async () => {
    const wrong = { ...env, STANDARDS_PASSWORD: 'not-the-password-77' };
    const thrown = await openSources([source], { env: wrong, clock: systemClock }).catch((error: Error) => error);
    expect(thrown).toMatchObject({ code: 'SOURCE_UNAVAILABLE', exitCode: 3 });
    expect(String(thrown)).toContain('Check STANDARDS_USER and STANDARDS_PASSWORD');
    expect(String(thrown)).not.toContain('not-the-password-77');
  });

  it('at a port where nobody listens is unavailable', async () => {
    const nowhere = { ...source, url: 'bolt://127.0.0.1:1' };
    await expect(openSources([nowhere], { env, clock: systemClock })).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
    });
  });
});

describe('a run with a source', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-sources-'));
    const files: Record<string, string> = {
      'documents/list.md': '# List\n\nAS 1379\n',
      'prompts/list.md': 'List the standards.\n',
      // From a folder of its own no package can be found.
      'schema.mjs': `import { z } from '${import.meta.resolve('zod')}';
export default {
  name: 'norms', version: '1.0.0', description: 'Standards.', scope: 'projectId',
  entities: [{
    name: 'Standard', description: 'A standard.', key: ['projectId', 'code'],
    attributes: z.strictObject({ code: z.string().regex(/^AS/), edition: z.string().optional() }),
    producers: [{ task: 'list-standards' }],
    examples: { valid: { code: 'AS 1379' }, invalid: { attributes: { code: 'x' }, at: 'code', why: 'AS and a number.' } },
  }],
  relationships: [],
  common: { agent: z.strictObject({}), engine: [] },
};
`,
      'manifest.json': JSON.stringify({
        name: 'norms',
        schema: './schema.mjs',
        sources: [source],
        tasks: [
          {
            id: 'list-standards',
            title: 'Standards',
            prompt: 'prompts/list.md',
            creates: ['Standard'],
            allow: ['bash'],
          },
        ],
      }),
      'rehearsal/rehearsal.json': JSON.stringify({
        name: 'norms',
        description: 'Asks the source.',
        project: 'P1',
        pace: { perCallMs: 0, perChunkMs: 0 },
      }),
      'rehearsal/list-standards.json': JSON.stringify({
        instance: 'list-standards',
        turns: [
          [
            {
              calls: [
                { tool: 'muster_query', arguments: { source: 'standards', cypher: ROWS } },
                { tool: 'muster_query', arguments: { source: 'standards', cypher: WRITE } },
                {
                  tool: 'bash',
                  arguments: { command: 'env; echo "end of env"', description: 'Show the environment' },
                },
              ],
            },
            {
              calls: [
                {
                  tool: 'muster_submit',
                  arguments: { entities: [{ entity: 'Standard', attributes: { code: 'AS 1379', edition: '2007' } }] },
                },
              ],
            },
            { calls: [{ tool: 'muster_complete', arguments: { summary: 'One standard.' } }] },
            { say: 'Done.' },
          ],
        ],
      }),
    };
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  afterEach(() => vi.unstubAllEnvs());

  // A rehearsal's server inherits nothing; a real run's inherits the user's environment but for what is withheld.
  it.each(['rehearsal', 'run'] as const)(
    'a %s leaves no credential in journal, logs, workspace or prompts, and gives agents neither URL nor variables',
    async (kind) => {
      const home = join(folder, kind);
      await mkdir(join(folder, 'user'), { recursive: true });
      const stubs = {
        STANDARDS_USER: READER.username,
        STANDARDS_PASSWORD: READER.password,
        NEO4J_PASSWORD: READER.password,
        PASSED_ON: 'the-environment-is-inherited',
        HOME: join(folder, 'user'),
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        npm_config_offline: 'true',
      };
      for (const [name, value] of Object.entries(stubs)) vi.stubEnv(name, value);
      const script = join(folder, 'rehearsal');
      const model = kind === 'run' ? await startModelServer(await loadRehearsal(script), systemClock) : undefined;
      const configFile = join(folder, 'opencode.json');
      if (model) await writeFile(configFile, JSON.stringify(model.config));
      const started = await startRun({
        musterVersion: '0.0.0',
        manifest: join(folder, 'manifest.json'),
        documents: join(folder, 'documents'),
        home,
        ...(model ? { model: model.model, project: 'P1' } : { rehearsal: script }),
        server: { kind: 'own', ...(model && { configFile }) },
      });
      const { outcome } = await started.ended;
      await model?.close();

      const texts = await textsBelow(home);
      const textOf = (end: string) => [...texts].find(([path]) => path.endsWith(end))?.[1] ?? '';
      expect(outcome, textOf('journal.jsonl')).toBe('completed');
      expect(textOf('instances/list-standards/prompt.md')).toContain(
        '- `standards`: Standards and their editions. Labels: ',
      );
      const log = textOf('attempt-1.events.jsonl');
      // Not the log itself in a failure: it is long.
      expect({
        environment: log.includes('end of env'),
        inherited: log.includes('the-environment-is-inherited'),
        variables: /STANDARDS_(USER|PASSWORD)|NEO4J_/.test(log),
      }).toEqual({ environment: true, inherited: kind === 'run', variables: false });
      // Stands in the database and nowhere else.
      expect(log.includes('AS 2159')).toBe(true);
      expect(await countInServer()).toBe(2);

      expect(texts.size).toBeGreaterThan(8);
      for (const [path, text] of texts) {
        expect(text.includes(READER.password), path).toBe(false);
        expect(text.includes(READER.username), path).toBe(false);
        if (/\/(workspace|logs)\//.test(path)) expect(text.includes(new URL(url).host), path).toBe(false);
      }
    },
  );
});

/**
 * Read anew when a file goes away meanwhile: SQLite's log and index of a closed graph are folded into it at a moment
 * that nobody can name, and what they held must be looked for where it went.
 */
async function textsBelow(home: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  try {
    return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'latin1')] as const)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return textsBelow(home);
    throw error;
  }
}
