/**
 * A run behind a bad network: requests and answers lost, frames delayed, dropped and doubled, the event stream cut and
 * stopped. The graph is the one that a good network gives.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { committed, graphOf, journalOf, muster, workAfterCommit } from '../muster-process.ts';
import { EXAMPLE, PASSWORD, type StandingServer, startStandingServer } from '../standing-server.ts';
import { FAULTS, type Fault, startProxy } from './proxy.ts';
import { seeded } from './seeded.ts';

/** The CI asks for more. */
const SEEDS = Array.from({ length: Number(process.env['MUSTER_CHAOS_NETWORKS'] ?? 2) }, (_, i) => i + 1);

const base = mkdtempSync(join(tmpdir(), 'muster-proxied-'));
const total = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
let server: StandingServer;
let whole: unknown;
let instances: string[];

const run = (home: string, url: string) => [
  ...['run', '--documents', join(EXAMPLE, 'documents'), '--project', 'BRU2', '--home', home, '--json'],
  ...['--model', server.model, '--server', url, '--password', PASSWORD],
];

let folder = 0;
beforeEach(async () => {
  // A server of its own for each run: what one left behind is no fault of the next one's network.
  folder += 1;
  server = await startStandingServer(join(base, `server-${folder}`));
});
afterEach(() => server.stop());
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('a run behind a bad network', () => {
  beforeAll(async () => {
    server = await startStandingServer(join(base, 'server'));
    const home = join(base, 'good');
    expect(await muster(run(home, server.url), undefined, server.environment)).toMatchObject({ code: 0, err: '' });
    whole = await graphOf(home);
    instances = committed(journalOf(home)).sort();
    await server.stop();
  }, 120_000);

  it.each(SEEDS)(
    'ends with the graph of a good one (seed %i)',
    async (seed) => {
      const home = join(base, `bad-${seed}`);
      const proxy = await startProxy({ target: server.url, chance: seeded(seed) });
      const ended = await muster(
        run(home, proxy.url),
        (fact) => void (fact.type === 'stream.connected' && proxy.turnBad()),
        server.environment,
      );
      await proxy.close();
      for (const fault of FAULTS) total[fault] += proxy.counts[fault];
      console.info(`network ${seed}: ${JSON.stringify(proxy.counts)}`);
      const facts = journalOf(home);
      const failures = facts.filter(({ type }) => type === 'attempt.failed');
      expect(ended, JSON.stringify(failures)).toMatchObject({ code: 0, err: '' });
      expect(facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'completed' });
      expect(committed(facts).sort()).toEqual(instances);
      expect(workAfterCommit(facts)).toEqual([]);
      expect(await graphOf(home)).toEqual(whole);
    },
    180_000,
  );

  it('lost requests and frames, delayed both, and cut the stream', () => {
    const lost = total['dropped request'] + total['dropped answer'];
    const delayed = total['delayed request'] + total['delayed frame'];
    for (const count of [lost, delayed, total['dropped frame'], total['doubled frame'], total['cut stream']]) {
      expect(count, JSON.stringify(total)).toBeGreaterThan(0);
    }
  });
});
