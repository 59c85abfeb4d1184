/** A run on a server that outlives it: the sessions go on while nobody listens, and are joined again. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, it } from 'vitest';
import type { RunEvent } from '../../schemas/run-event.ts';
import { findBinary } from '../../src/opencode/binary.ts';
import { startServerProcess } from '../../src/opencode/server-process.ts';
import { loadRehearsal } from '../../src/rehearsal/load-rehearsal.ts';
import { startModelServer } from '../../src/rehearsal/model-server.ts';
import { systemClock } from '../../src/run/system-clock.ts';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'examples/road-upgrade');
const PASSWORD = 'open-sesame';
const base = mkdtempSync(join(tmpdir(), 'muster-attached-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const environment = () => ({
  PATH: process.env['PATH'] ?? '',
  HOME: join(base, 'home'),
  npm_config_offline: 'true',
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  OPENCODE_SERVER_PASSWORD: PASSWORD,
});

function muster(args: readonly string[], killAt: (fact: RunEvent) => boolean = () => false) {
  const child = spawn(process.execPath, [join(ROOT, 'bin/muster.js'), ...args], { env: environment() });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{"seq"') && killAt(JSON.parse(line) as RunEvent)) child.kill('SIGKILL');
  });
  return new Promise<{ code: number | null; err: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, err })),
  );
}

it('joins the turns that still run on a server of somebody else, and takes what ended meanwhile', async () => {
  const rehearsal = await loadRehearsal(join(EXAMPLE, 'rehearsal'));
  const model = await startModelServer({ ...rehearsal, pace: { perCallMs: 2_000, perChunkMs: 0 } }, systemClock);
  const folders = Object.fromEntries(
    ['home', 'data', 'config', 'cache', 'state'].map((name) => [name, join(base, name)]),
  );
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const server = await startServerProcess({
    binary: (await findBinary()).path,
    cwd: base,
    logFile: join(base, 'opencode.log'),
    secrets: [],
    environment: {
      ...environment(),
      XDG_DATA_HOME: folders['data']!,
      XDG_CONFIG_HOME: folders['config']!,
      XDG_CACHE_HOME: folders['cache']!,
      XDG_STATE_HOME: folders['state']!,
      OPENCODE_CONFIG_CONTENT: JSON.stringify(model.config),
    },
  });
  try {
    const runs = join(base, 'muster');
    const args = ['run', '--documents', join(EXAMPLE, 'documents'), '--project', 'BRU2', '--home', runs, '--json'];
    let turns = 0;
    await muster([...args, '--model', model.model, '--server', server.url, '--password', PASSWORD], (fact) => {
      if (fact.type === 'tool.answered') turns += 1;
      return turns === 4;
    });
    const { code, err } = await muster(['resume', '--home', runs, '--json']);
    expect(err).toBe('');
    expect(code).toBe(0);
    const [run] = readdirSync(join(runs, 'runs'));
    const text = readFileSync(join(runs, 'runs', run!, 'journal.jsonl'), 'utf8');
    const facts = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as RunEvent);
    const steps = facts.flatMap((fact) => (fact.type === 'instance.resumed' ? [fact.step] : []));
    expect(steps).toContain('join');
    expect(steps).not.toContain('new-attempt');
    expect(steps).toHaveLength(8);
    expect(facts.filter(({ type }) => type === 'task.settled')).toHaveLength(10);
    expect(facts.filter(({ type }) => type === 'commit.ended')).toHaveLength(22);
    expect(facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'completed' });
    // The journal names the server and no way into it.
    expect(text).toContain(server.url);
    expect(text).not.toContain(PASSWORD);
  } finally {
    await server.stop();
    await model.close();
  }
}, 180_000);
