/**
 * `muster run`, the path of a real model, on the real binary: with the user's own OpenCode configuration, and attached
 * to a server that runs already. The model behind both is scripted, reached as any OpenAI-compatible provider is.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBinary } from '../../src/opencode/binary.ts';
import { startServerProcess } from '../../src/opencode/server-process.ts';
import { loadRehearsal } from '../../src/rehearsal/load-rehearsal.ts';
import { type ModelServer, startModelServer } from '../../src/rehearsal/model-server.ts';
import { systemClock } from '../../src/run/system-clock.ts';
import { type Ended, muster, ROOT } from './muster-process.ts';

const EXAMPLE = join(ROOT, 'examples/road-upgrade');
const base = mkdtempSync(join(tmpdir(), 'muster-test-'));
const user = join(base, 'user');

afterAll(() => rmSync(base, { recursive: true, force: true }));

/** What is left of the caller's environment: a user with an empty home of their own. */
const environment = (): Record<string, string> => {
  mkdirSync(user, { recursive: true });
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: user,
    npm_config_offline: 'true',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
  };
};

const run = (home: string, args: readonly string[]): Promise<Ended> =>
  muster(
    ['run', '--documents', join(EXAMPLE, 'documents'), '--project', 'BRU2', '--home', home, '--json', ...args],
    undefined,
    environment(),
  );

describe('muster run', () => {
  let model: ModelServer;
  let config: string;
  beforeAll(async () => {
    // A script of its own for each run: attempts are counted by session.
    model = await startModelServer(await loadRehearsal(join(EXAMPLE, 'rehearsal')), systemClock);
    config = join(base, 'opencode.json');
    writeFileSync(config, JSON.stringify(model.config));
  });
  afterAll(() => model.close());

  it('runs to the end with a provider from --opencode-config, and keeps the graph in the home', async () => {
    const home = join(base, 'home');
    const { code, err, facts } = await run(home, ['--model', model.model, '--opencode-config', config]);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(facts[0]).toMatchObject({ type: 'run.started', rehearsal: false, model: model.model });
    expect(facts.filter(({ type }) => type === 'task.settled')).toHaveLength(10);
    expect(existsSync(join(home, 'graph.db'))).toBe(true);
    // The key of the provider went to the server's environment and nowhere else.
    for (const name of ['journal.jsonl', 'logs/app.jsonl', 'report.json', 'server/opencode.log']) {
      const runId = (facts[0] as { runId: string }).runId;
      expect(readFileSync(join(home, 'runs', runId, name), 'utf8')).not.toContain(model.key);
    }
  }, 180_000);

  it('names the models there are when the server does not know the one asked for, and stops before any session', async () => {
    const { code, err, facts } = await run(join(base, 'home-2'), [
      '--model',
      'rehearsal/scriptd',
      '--opencode-config',
      config,
    ]);
    expect(err).toMatch(/rehearsal\/scripted.*\[MODEL_UNKNOWN\]/s);
    expect(code).toBe(2);
    expect(facts.filter(({ type }) => type === 'session.opened')).toEqual([]);
    expect(facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'failed', cause: { code: 'MODEL_UNKNOWN' } });
  }, 120_000);

  it('attaches to a server that runs already, does its work there, and leaves it running', async () => {
    const { path } = await findBinary();
    const home = join(base, 'server');
    for (const name of ['home', 'data', 'config', 'cache', 'state']) mkdirSync(join(home, name), { recursive: true });
    const server = await startServerProcess({
      binary: path,
      cwd: home,
      logFile: join(home, 'opencode.log'),
      secrets: [],
      environment: {
        ...environment(),
        HOME: join(home, 'home'),
        XDG_DATA_HOME: join(home, 'data'),
        XDG_CONFIG_HOME: join(home, 'config'),
        XDG_CACHE_HOME: join(home, 'cache'),
        XDG_STATE_HOME: join(home, 'state'),
        OPENCODE_SERVER_PASSWORD: 'open-sesame',
        OPENCODE_CONFIG_CONTENT: JSON.stringify(model.config),
      },
    });
    try {
      const wrong = await run(join(base, 'home-3'), [
        '--model',
        model.model,
        '--server',
        server.url,
        '--password',
        'wrong',
      ]);
      expect(wrong.code).not.toBe(0);
      expect(wrong.err).toMatch(/password|401/i);
      const right = await run(join(base, 'home-4'), [
        '--model',
        model.model,
        '--server',
        server.url,
        '--password',
        'open-sesame',
      ]);
      expect(right.err).toBe('');
      expect(right.code).toBe(0);
      expect(right.facts.find(({ type }) => type === 'server.started')).toMatchObject({
        owned: false,
        url: server.url,
      });
      expect(JSON.stringify(right.facts)).not.toContain('open-sesame');
      expect(existsSync(`/proc/${server.pid}`)).toBe(true);
    } finally {
      await server.stop();
    }
    expect(existsSync(`/proc/${server.pid}`)).toBe(false);
  }, 240_000);
});
