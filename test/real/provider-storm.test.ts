/**
 * Fifty sessions of the real OpenCode binary and a provider that refuses most calls for a while: the calls are counted
 * where they arrive.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadRehearsal } from '../../src/rehearsal/load-rehearsal.ts';
import { type ModelServer, startModelServer } from '../../src/rehearsal/model-server.ts';
import { systemClock } from '../../src/run/system-clock.ts';
import { type Ended, muster } from './muster-process.ts';
import { type Step, thingsProject, work } from './things-project.ts';

const INSTANCES = 50;
/** Time of a call, and calls of an instance beside those that hand its work in: together longer than the trouble. */
const CALL_MS = 2_500;
const READS = 10;
/** After the first call. */
const TROUBLE_FROM_MS = 10_000;
const TROUBLE_TO_MS = 30_000;
const REFUSED_PERCENT = 90;
/** The number at work was halved once or twice by then. */
const SETTLED_MS = 5_000;
const WINDOW_MS = 5_000;

const base = mkdtempSync(join(tmpdir(), 'muster-storm-'));

/** The provider's door: counts calls, and refuses most of them while there is trouble. */
interface Door {
  readonly url: string;
  /** When each call came, in milliseconds since the first one. */
  readonly callsMs: number[];
  refused: number;
  close(): Promise<void>;
}

async function openDoor(model: ModelServer): Promise<Door> {
  let firstMs: number | undefined;
  const door = { callsMs: [] as number[], refused: 0 };
  const server: Server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    firstMs ??= performance.now();
    const atMs = performance.now() - firstMs;
    door.callsMs.push(atMs);
    const isTrouble = atMs >= TROUBLE_FROM_MS && atMs < TROUBLE_TO_MS;
    if (isTrouble && door.callsMs.length % 100 < REFUSED_PERCENT) {
      door.refused += 1;
      incoming.resume();
      outgoing.writeHead(429, { 'content-type': 'application/json', 'retry-after': '2' });
      outgoing.end(JSON.stringify({ error: { message: 'Rate limit reached', type: 'rate_limit_error', code: 429 } }));
      return;
    }
    const { method, headers } = incoming;
    const onward = request(`${model.url}${incoming.url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return Object.assign(door, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  });
}

describe('fifty sessions and a provider that refuses nine of ten calls for twenty seconds', () => {
  let model: ModelServer;
  let door: Door;
  let ended: Ended;

  beforeAll(async () => {
    const reads: Step[] = Array.from({ length: READS }, (_, offset) => ({
      calls: [{ tool: 'read', arguments: { filePath: 'documents/notes.md', offset } }],
    }));
    const ids = Array.from({ length: INSTANCES }, (_, n) => `thing${n}`);
    const tasks = Object.fromEntries(ids.map((id) => [id, { turns: [[...reads, ...work(id)]] }]));
    const folder = join(base, 'project');
    thingsProject(folder, tasks, { concurrency: INSTANCES }, CALL_MS);
    model = await startModelServer(await loadRehearsal(join(folder, 'script')), systemClock);
    door = await openDoor(model);
    const config = join(base, 'opencode.json');
    writeFileSync(config, JSON.stringify(model.config).replaceAll(model.url, door.url));
    const user = join(base, 'user');
    mkdirSync(user);
    ended = await muster(
      [
        ...['run', '--manifest', join(folder, 'manifest.json'), '--documents', join(folder, 'documents')],
        ...['--project', 'P1', '--home', join(base, 'home'), '--json'],
        ...['--model', model.model, '--opencode-config', config],
      ],
      undefined,
      { PATH: process.env['PATH'] ?? '', HOME: user, npm_config_offline: 'true', OPENCODE_DISABLE_MODELS_FETCH: '1' },
    );
  }, 400_000);

  afterAll(async () => {
    await door.close();
    await model.close();
    rmSync(base, { recursive: true, force: true });
  });

  const perSecond = (fromMs: number, toMs: number) =>
    (door.callsMs.filter((at) => at >= fromMs && at < toMs).length * 1_000) / (toMs - fromMs);

  it('all finish, and none fails', () => {
    expect(ended).toMatchObject({ code: 0, err: '' });
    const settled = ended.facts.filter(({ type }) => type === 'instance.settled');
    expect(settled).toHaveLength(INSTANCES);
    expect(settled.map((fact) => (fact as { outcome: { kind: string } }).outcome.kind)).not.toContain('failed');
    const types = ended.facts.map(({ type }) => type);
    expect(types).toContain('provider.slowed');
    expect(types).not.toContain('attempt.failed');
  });

  it('calls fall when it begins to refuse, and rise again when it stops', () => {
    const windows = (fromMs: number, toMs: number) =>
      Array.from({ length: Math.floor((toMs - fromMs) / WINDOW_MS) }, (_, n) =>
        perSecond(fromMs + n * WINDOW_MS, fromMs + (n + 1) * WINDOW_MS),
      );
    const before = Math.max(...windows(0, TROUBLE_FROM_MS));
    const during = windows(TROUBLE_FROM_MS + SETTLED_MS, TROUBLE_TO_MS);
    const after = Math.max(...windows(TROUBLE_TO_MS, door.callsMs.at(-1)!));
    const told = `before ${before}, during ${during.join(' ')}, after ${after} calls per second; ${door.refused} refused`;
    console.info(told);
    expect(Math.max(...during), told).toBeLessThan(before / 2);
    expect(after, told).toBeGreaterThan(2 * Math.max(...during));
  });
});
