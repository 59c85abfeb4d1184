/**
 * A run whose processes are killed at random moments: muster, or its OpenCode server, with SIGKILL, several times in one
 * run. It goes on by itself after a server's death, and with `muster resume` after its own; it ends with the same graph,
 * and nothing that completed runs twice.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../schemas/run-event.ts';
import { committed, differences, type Ended, graphOf, journalOf, muster, workAfterCommit } from '../muster-process.ts';
import { seeded } from './seeded.ts';

/** Kills in one run; each further one meets a run that was resumed already. */
const KILLS = 3;
/** The CI asks for more. */
const SEEDS = Array.from({ length: Number(process.env['MUSTER_CHAOS_RUNS'] ?? 1) }, (_, i) => i + 1);
/** Most lines that one process writes before it dies; the undisturbed rehearsal writes about 370. */
const LINES_MAX = 150;

const base = mkdtempSync(join(tmpdir(), 'muster-killed-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let whole: readonly string[];
let instances: string[];
let kills = 0;

beforeAll(async () => {
  const home = join(base, 'undisturbed');
  expect((await muster(['rehearse', '--home', home, '--json'])).code).toBe(0);
  whole = await graphOf(home);
  instances = committed(journalOf(home)).sort();
}, 120_000);

const isDone = (facts: readonly RunEvent[]) => {
  const last = facts.at(-1);
  return last?.type === 'run.ended' && last.outcome === 'completed';
};

describe('a run whose processes are killed', () => {
  it.each(SEEDS)(
    `${KILLS} times at random moments ends with the same graph (seed %i)`,
    async (seed) => {
      const chance = seeded(seed);
      const home = join(base, `run-${seed}`);
      const told: string[] = [];

      /** Each victim lives until a random journal line, and then up to 40 ms more, so that kills fall between lines too. */
      const draw = () => ({
        victim: chance.percent(50) ? ('muster' as const) : ('server' as const),
        line: chance.between(1, LINES_MAX),
        delayMs: chance.between(0, 40),
      });
      let left = KILLS;
      let lives = 0;

      /** One process of muster. It outlives its servers, so that it may see several deaths. */
      const live = (args: readonly string[]): Promise<Ended> => {
        let next = draw();
        let lines = 0;
        let serverPid: number | undefined;
        let isDoomed = false;
        return muster(args, (fact, child) => {
          if (fact.type === 'server.started') serverPid = fact.pid;
          lines += 1;
          const { victim, line, delayMs } = next;
          const pid = victim === 'muster' ? child.pid : serverPid;
          if (left === 0 || isDoomed || lines < line || pid === undefined) return;
          isDoomed = true;
          setTimeout(() => {
            isDoomed = false;
            lines = 0;
            next = draw();
            if (victim === 'server') serverPid = undefined;
            if (!kill(pid)) return;
            kills += 1;
            left -= 1;
            told.push(`${victim} ${delayMs} ms after line ${fact.seq} (${fact.type})`);
          }, delayMs);
        });
      };

      for (; lives === 0 || (left > 0 && !isDone(journalOf(home))); lives += 1) {
        await live([lives === 0 ? 'rehearse' : 'resume', '--home', home, '--json']);
      }
      if (!isDone(journalOf(home))) {
        expect(await muster(['resume', '--home', home, '--json']), told.join('; ')).toMatchObject({ code: 0, err: '' });
      }
      console.info(`run ${seed}: killed ${told.join('; ')}`);
      const facts = journalOf(home);
      expect(facts.map(({ seq }) => seq)).toEqual(facts.map((_, i) => i + 1));
      expect(workAfterCommit(facts)).toEqual([]);
      expect(committed(facts).sort()).toEqual(instances);
      const wrong = differences(await graphOf(home), whole);
      expect(wrong, [...told, ...wrong, ...attemptsOf(facts)].join('\n')).toEqual([]);
    },
    240_000,
  );

  it('was killed as often as was meant', () => {
    console.info(`${kills} kills in ${SEEDS.length} runs`);
    // Some end before their moment comes.
    expect(kills).toBeGreaterThanOrEqual(SEEDS.length * (KILLS - 0.5));
  });
});

/** What became of each attempt, without its rows: what a failure that nobody can repeat is understood by. */
const attemptsOf = (facts: readonly RunEvent[]): string[] =>
  facts.filter(({ type }) => !type.startsWith('tool.')).map((fact) => JSON.stringify(fact).slice(0, 300));

/** False when it had ended by itself before its moment came. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw thrown;
  }
}
