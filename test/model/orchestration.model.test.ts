/**
 * The real orchestrator and its real task actors, along every shortest path of an independent model of a run.
 *
 * The model is a page of its own: who needs whom, who may start, what a failure skips. It shares no code with the plan
 * or the machines, so a gate that is wrong in both places would have to be made wrong twice.
 */

import { afterEach, describe, expect, it } from 'vitest';
import { fromTransition } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { createPlan, type TaskSource } from '../../src/plan/plan.ts';
import { type Orchestration, orchestration } from '../machines/orchestration.ts';

type Status = 'waiting' | 'running' | 'completed' | 'failed' | 'skipped' | 'cancelled';
type World = { readonly of: Readonly<Record<string, Status>>; readonly mode: 'run' | 'drain' | 'abort' };
type Event =
  | { type: 'finish'; id: string; how: 'complete' | 'fail' }
  | { type: 'drain' }
  | { type: 'abort' }
  | { type: 'lose' };

/** id → the ids it needs; `itp[…]` come into being when pqp completes. */
const NEEDS: Record<string, string[]> = { wbs: [], pqp: [], std: [], lbs: ['wbs'] };
const ITEMS = { 'itp[A]': ['pqp', 'wbs', 'std'], 'itp[B]': ['pqp', 'wbs', 'std'] };
const CONCURRENCY = 2;

const ended = (status: Status) => !['waiting', 'running'].includes(status);

/** The model: what must be true after each event, written out by hand. */
function next(world: World, event: Event): World {
  const of: Record<string, Status> = { ...world.of };
  let { mode } = world;
  if (event.type === 'finish') {
    of[event.id] = event.how === 'complete' ? 'completed' : 'failed';
    // Items of a fan-out that was skipped before they were known never come into being.
    const hopeless = ITEMS['itp[A]'].some((need) => ended(of[need]!) && of[need] !== 'completed');
    if (event.id === 'pqp' && event.how === 'complete' && mode === 'run' && !hopeless) {
      for (const id of Object.keys(ITEMS)) of[id] = 'waiting';
    }
  } else if (event.type === 'drain' && mode === 'run') {
    mode = 'drain';
  } else {
    mode = 'abort';
  }
  const needs: Record<string, string[]> = { ...NEEDS, ...ITEMS };
  for (const [id, status] of Object.entries(of)) {
    if (status === 'waiting' && mode !== 'run') of[id] = 'cancelled';
    if (status === 'running' && mode === 'abort') of[id] = 'cancelled';
  }
  for (const [id, status] of Object.entries(of)) {
    if (status !== 'waiting') continue;
    if (needs[id]!.some((need) => ended(of[need]!) && of[need] !== 'completed')) of[id] = 'skipped';
  }
  return { of: mode === 'run' ? started(of, needs) : of, mode };
}

function started(of: Record<string, Status>, needs: Record<string, string[]>): Record<string, Status> {
  for (const [id, status] of Object.entries(of)) {
    const running = Object.values(of).filter((other) => other === 'running').length;
    if (status === 'waiting' && running < CONCURRENCY && needs[id]!.every((need) => of[need] === 'completed')) {
      of[id] = 'running';
    }
  }
  return of;
}

const begin: World = {
  of: started({ wbs: 'waiting', pqp: 'waiting', std: 'waiting', lbs: 'waiting' }, NEEDS),
  mode: 'run',
};
const over = ({ of }: World) => Object.values(of).every(ended);

const paths = getShortestPaths(
  fromTransition(next as never, begin) as never,
  {
    events: ({ context }: { context: World }): Event[] => {
      if (over(context)) return [];
      const running = Object.keys(context.of).filter((id) => context.of[id] === 'running');
      return [
        ...running.flatMap((id): Event[] => [
          { type: 'finish', id, how: 'complete' },
          { type: 'finish', id, how: 'fail' },
        ]),
        { type: 'drain' },
        { type: 'abort' },
        { type: 'lose' },
      ];
    },
    serializeState: ({ context }: { context: World }) => JSON.stringify(context),
    serializeEvent: (event: Event) => JSON.stringify(event),
  } as never,
) as unknown as { state: { context: World }; steps: { state: { context: World }; event: Event }[] }[];

const task = (id: string, waitsFor: string[], wave: number): TaskSource => ({
  id,
  wave,
  waitsFor: waitsFor.map((need) => ({ task: need, why: 'test' })),
});
const tasks: TaskSource[] = [
  task('wbs', [], 1),
  task('pqp', [], 1),
  task('std', [], 1),
  task('lbs', ['wbs'], 2),
  { ...task('itp', ['pqp', 'wbs', 'std'], 3), fanOut: { over: 'Requirement', maxItems: 5, producer: 'pqp' } },
];
const walks = paths.map((path) => ({
  title:
    path.steps
      .slice(1)
      .map(({ event }) => (event.type === 'finish' ? `${event.id} ${event.how}s` : event.type))
      .join(' · ') || '(start)',
  path,
}));

async function walk(run: Orchestration, event: Event): Promise<void> {
  if (event.type === 'finish') {
    await run.finish(event.id, event.how, event.id === 'pqp' ? { Requirement: ['A', 'B'] } : {});
  } else if (event.type === 'lose') await run.loseServer();
  else await run[event.type]();
}

function agrees(run: Orchestration, world: World): void {
  const actual = Object.fromEntries(Object.values(run.plan().instances).map(({ id, status }) => [id, status]));
  expect(actual).toEqual(world.of);
}

/** Counted from the facts and the sessions alone. */
function holds(run: Orchestration): void {
  const committed = new Set<string>();
  const settled = new Map<string, number>();
  const needs: Record<string, string[]> = { ...NEEDS, ...ITEMS };
  let running = 0;
  for (const fact of run.facts) {
    if (fact.type === 'commit.ended') committed.add(fact.instance);
    if (fact.type === 'instance.started') {
      running++;
      expect(needs[fact.instance]!.every((need) => committed.has(need))).toBe(true);
      expect(running).toBeLessThanOrEqual(CONCURRENCY);
    }
    if (fact.type === 'instance.settled') {
      settled.set(fact.instance, (settled.get(fact.instance) ?? 0) + 1);
      if (fact.outcome.kind !== 'skipped' && run.sessions.has(fact.instance)) running--;
      if (fact.outcome.kind === 'completed') expect(committed.has(fact.instance)).toBe(true);
    }
  }
  expect(Math.max(0, ...settled.values())).toBeLessThanOrEqual(1);
  expect(Math.max(0, ...run.sessions.values())).toBeLessThanOrEqual(2);
}

describe('the orchestrator, along every shortest path of the model of a run', () => {
  let run: Orchestration | undefined;
  afterEach(() => run?.stop());

  it.each(walks)('$title', async ({ path }) => {
    run = await orchestration(createPlan(tasks, 'ready'), {
      concurrency: CONCURRENCY,
      limits: { attempts: 2 },
      drainGraceMs: 3_600_000,
    });
    agrees(run, begin);
    for (const step of path.steps.slice(1)) {
      await walk(run, step.event);
      holds(run);
    }
    agrees(run, path.state.context);
    expect(run.outcome() !== undefined).toBe(over(path.state.context));
    if (over(path.state.context)) {
      expect(run.open()).toEqual([]);
      expect(run.facts.at(-1)?.type).toBe('run.ended');
      const { of } = path.state.context;
      const complete = of['itp[A]'] !== undefined && Object.values(of).every((status) => status === 'completed');
      expect(run.outcome() === 'completed').toBe(complete);
    }
  });

  it('the model is not dead: every kind of ending of an instance is on some path', () => {
    const kinds = new Set(paths.flatMap(({ state }) => Object.values(state.context.of)));
    expect([...kinds].sort()).toEqual(['cancelled', 'completed', 'failed', 'running', 'skipped', 'waiting']);
    expect(paths.length).toBeGreaterThan(100);
  });
});
