/**
 * The OpenCode server in trouble in the middle of a rehearsal: it dies, it hangs, it is restarted by its owner. The same
 * process of muster goes on by itself to the same graph, and nothing that completed runs twice.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../schemas/run-event.ts';
import { isAlive } from '../child-process.ts';
import { committed, type Ended, graphOf, journalOf, muster, workAfterCommit } from './muster-process.ts';
import { EXAMPLE, PASSWORD, type StandingServer, startStandingServer } from './standing-server.ts';

const base = mkdtempSync(join(tmpdir(), 'muster-server-trouble-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

let whole: unknown;
let instances: string[];
beforeAll(async () => {
  const home = join(base, 'undisturbed');
  expect((await muster(['rehearse', '--home', home, '--json'])).code).toBe(0);
  whole = await graphOf(home);
  instances = committed(journalOf(home)).sort();
}, 120_000);

/** Runs the rehearsal and sends its server a signal behind a commit; resolves with the end and the server's process. */
async function rehearse(home: string, signal: NodeJS.Signals, commits: number): Promise<Ended & { pid: number }> {
  let pid = 0;
  let left = commits;
  const ended = await muster(['rehearse', '--home', home, '--json'], (fact) => {
    if (fact.type === 'server.started') pid ||= fact.pid ?? 0;
    if (fact.type === 'commit.ended') left -= 1;
    if (fact.type === 'commit.ended' && left === 0) process.kill(pid, signal);
  });
  return { ...ended, pid };
}

/** `mostLosses`: one, unless the server takes its time to come back, so that it is looked for in vain meanwhile. */
function expectHealed(facts: readonly RunEvent[], mostLosses = 1): void {
  const losses = facts.filter(({ type }) => type === 'run.healing').length;
  expect(losses).toBeGreaterThanOrEqual(1);
  expect(losses).toBeLessThanOrEqual(mostLosses);
  expect(facts.filter(({ type }) => type === 'run.ended')).toMatchObject([{ outcome: 'completed' }]);
  expect(facts.map(({ seq }) => seq)).toEqual(facts.map((_, i) => i + 1));
  expect(workAfterCommit(facts)).toEqual([]);
  expect(committed(facts).sort()).toEqual(instances);
}

/** From the signal to the fact that says so; the signal fell right behind the commit. */
function detectedAfterMs(facts: readonly RunEvent[], commits: number): number {
  const cut = facts.filter(({ type }) => type === 'commit.ended')[commits - 1]!;
  const lost = facts.find(({ type }) => type === 'server.lost')!;
  const afterMs = Date.parse(lost.time) - Date.parse(cut.time);
  console.info(`noticed after ${afterMs} ms`);
  return afterMs;
}

describe('a run whose own server', () => {
  it('is killed goes on with another one, in the same process, to the same graph', async () => {
    const home = join(base, 'killed');
    const { code, err, facts } = await rehearse(home, 'SIGKILL', 4);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expectHealed(facts);
    expect(detectedAfterMs(facts, 4)).toBeLessThan(5_000);
    expect(await graphOf(home)).toEqual(whole);
  }, 120_000);

  it('hangs is noticed within 60 s and the load of the machine, ended for certain, and replaced', async () => {
    const home = join(base, 'hung');
    const { code, err, facts, pid } = await rehearse(home, 'SIGSTOP', 4);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expectHealed(facts);
    expect(detectedAfterMs(facts, 4)).toBeLessThan(75_000);
    expect(isAlive(pid)).toBe(false);
    expect(await graphOf(home)).toEqual(whole);
  }, 240_000);
});

describe('a run on the server of somebody else', () => {
  /** A run to its end, while its owner does with the server what `onFact` says. */
  async function disturbed(
    name: string,
    onFact: (fact: RunEvent, server: StandingServer) => void,
  ): Promise<readonly RunEvent[]> {
    const folder = join(base, name);
    const server = await startStandingServer(folder, { perCallMs: 700 });
    try {
      const home = join(folder, 'muster');
      const options = ['--documents', join(EXAMPLE, 'documents'), '--project', 'BRU2', '--home', home, '--json'];
      const address = ['--model', server.model, '--server', server.url, '--password', PASSWORD];
      const { code, err, facts } = await muster(
        ['run', ...options, ...address],
        (fact) => onFact(fact, server),
        server.environment,
      );
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'completed' });
      expect(workAfterCommit(facts)).toEqual([]);
      expect(committed(facts).sort()).toEqual(instances);
      return facts;
    } finally {
      await server.stop();
    }
  }

  /** Ends the server at the first commit, and starts it again when a fact says so. */
  async function interrupted(name: string, isTime: (fact: RunEvent) => boolean): Promise<readonly RunEvent[]> {
    let killed: Promise<void> | undefined;
    let started: Promise<void> | undefined;
    const facts = await disturbed(name, (fact, server) => {
      if (fact.type === 'commit.ended') killed ??= server.kill();
      if (killed && isTime(fact)) started ??= killed.then(() => server.start());
    });
    await started;
    return facts;
  }

  const typesOf = (facts: readonly RunEvent[]) => facts.map(({ type }) => type);

  it('goes on with its stream when that server is restarted at once', async () => {
    const facts = await interrupted('restarted', (fact) => fact.type === 'stream.lost');
    expect(typesOf(facts)).toContain('stream.reconciled');
    for (const type of ['run.healing', 'attempt.failed']) expect(typesOf(facts)).not.toContain(type);
  }, 240_000);

  it('continues in the same session what somebody aborts there, once more when it happens again', async () => {
    const sessions = new Map<string, string>();
    const aborted: string[] = [];
    const goneOn: string[] = [];
    const times = (list: readonly string[], instance: string) => list.filter((one) => one === instance).length;
    const abort = async ({ url }: StandingServer, instance: string) => {
      aborted.push(instance);
      const authorization = `Basic ${Buffer.from(`opencode:${PASSWORD}`).toString('base64')}`;
      const answer = await fetch(`${url}/session/${sessions.get(instance)}/abort`, {
        method: 'POST',
        headers: { authorization },
      });
      expect(answer.ok).toBe(true);
    };
    const facts = await disturbed('aborted', (fact, server) => {
      if (fact.type === 'session.opened') sessions.set(fact.instance, fact.apiSessionId);
      if (fact.type === 'turn.started' && fact.kind === 'continue') goneOn.push(fact.instance);
      if (fact.type !== 'tool.answered' || !['wbs-extraction', 'pqp-generation'].includes(fact.instance)) return;
      const isAtWork = times(aborted, fact.instance) === times(goneOn, fact.instance);
      if (isAtWork && times(aborted, fact.instance) < 2) void abort(server, fact.instance);
    });
    expect(aborted.sort()).toEqual(['pqp-generation', 'pqp-generation', 'wbs-extraction', 'wbs-extraction']);
    expect(goneOn.sort()).toEqual(aborted);
    for (const type of ['run.healing', 'attempt.failed']) expect(typesOf(facts)).not.toContain(type);
  }, 240_000);

  it('attaches to it again when it was away for longer', async () => {
    const facts = await interrupted('away', (fact) => fact.type === 'run.healing');
    expectHealed(facts, 5);
  }, 240_000);
});
