/**
 * The real orchestrator and its real task actors with hold points, a pool and a budget, along every shortest path of an
 * independent model. As in orchestration.model.test.ts, the model shares no code with plan, policy or machines.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { fromTransition } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { RunRules } from '../../machines/orchestrator-rules.ts';
import { DEFAULT_RETRY } from '../../schemas/manifest.ts';
import { createPlan, type TaskSource } from '../../src/plan/plan.ts';
import { type Orchestration, orchestration } from '../machines/orchestration.ts';

type Status = 'waiting' | 'running' | 'held' | 'completed' | 'failed' | 'skipped' | 'cancelled';
type World = {
  readonly of: Readonly<Record<string, Status>>;
  readonly released: boolean;
  readonly end: 'none' | 'pause' | 'stop' | 'abort';
};
type Event =
  | { type: 'finish'; id: string }
  | { type: 'fail'; id: string }
  | { type: 'refuse key'; id: string }
  | { type: 'release' | 'reject'; point: string }
  | { type: 'spend all'; id: string }
  | { type: 'abort' };

/** `pqp` is looked at before it is committed; `itp` does not start before a person said so; `wbs` and `std` share a pool. */
const NEEDS: Record<string, string[]> = { pqp: [], wbs: [], std: [], itp: ['pqp'] };
const POOL = ['wbs', 'std'];
const HELD_AFTER = 'pqp';
const HELD_BEFORE = 'itp';

const ended = (status: Status) => ['completed', 'failed', 'skipped', 'cancelled'].includes(status);
const isOver = ({ of }: World) => Object.values(of).every(ended);
const met = (of: World['of'], id: string) => NEEDS[id]!.every((need) => of[need] === 'completed');
/** Points that a person can decide at. */
const points = ({ of, released, end }: World): string[] =>
  end !== 'none'
    ? []
    : [
        ...(of[HELD_AFTER] === 'held' ? [`after:${HELD_AFTER}`] : []),
        ...(of[HELD_BEFORE] === 'waiting' && met(of, HELD_BEFORE) && !released ? [`before:${HELD_BEFORE}`] : []),
      ];

function next(world: World, event: Event): World {
  const of: Record<string, Status> = { ...world.of };
  let { released, end } = world;
  switch (event.type) {
    case 'finish':
      of[event.id] = event.id === HELD_AFTER ? 'held' : 'completed';
      break;
    case 'fail':
      of[event.id] = 'failed';
      break;
    case 'refuse key':
      of[event.id] = 'failed';
      end = 'stop';
      break;
    case 'release':
      if (event.point.startsWith('after')) of[HELD_AFTER] = 'completed';
      else released = true;
      break;
    case 'reject':
      of[event.point.slice(event.point.indexOf(':') + 1)] = event.point.startsWith('after') ? 'running' : 'failed';
      break;
    case 'spend all':
      end = 'pause';
      break;
    case 'abort':
      end = 'abort';
  }
  for (const [id, status] of Object.entries(of)) {
    if (status === 'waiting' && NEEDS[id]!.some((need) => ended(of[need]!) && of[need] !== 'completed'))
      of[id] = 'skipped';
  }
  for (const [id, status] of Object.entries(of)) if (end !== 'none' && !ended(status)) of[id] = 'cancelled';
  return { of: end === 'none' ? started(of, released) : of, released, end };
}

function started(of: Record<string, Status>, released: boolean): Record<string, Status> {
  for (const [id, status] of Object.entries(of)) {
    const poolIsFull = POOL.includes(id) && POOL.some((other) => of[other] === 'running');
    if (status !== 'waiting' || !met(of, id) || poolIsFull || (id === HELD_BEFORE && !released)) continue;
    of[id] = 'running';
  }
  return of;
}

const begin: World = {
  of: started({ pqp: 'waiting', wbs: 'waiting', std: 'waiting', itp: 'waiting' }, false),
  released: false,
  end: 'none',
};

const paths = getShortestPaths(
  fromTransition(next as never, begin) as never,
  {
    events: ({ context }: { context: World }): Event[] => {
      if (isOver(context)) return [];
      const running = Object.keys(context.of).filter((id) => context.of[id] === 'running');
      return [
        ...running.flatMap((id): Event[] => [
          { type: 'finish', id },
          { type: 'fail', id },
          { type: 'refuse key', id },
          { type: 'spend all', id },
        ]),
        ...points(context).flatMap((point): Event[] => [
          { type: 'release', point },
          { type: 'reject', point },
        ]),
        { type: 'abort' },
      ];
    },
    serializeState: ({ context }: { context: World }) => JSON.stringify(context),
    serializeEvent: (event: Event) => JSON.stringify(event),
  } as never,
) as unknown as { state: { context: World }; steps: { state: { context: World }; event: Event }[] }[];

const tasks: TaskSource[] = Object.entries(NEEDS).map(([id, needs]) => ({
  id,
  wave: 1 + needs.length,
  waitsFor: needs.map((task) => ({ task, why: 'test' })),
}));
const policy = { model: 'a/one', retry: DEFAULT_RETRY };
const rules: RunRules = {
  policies: {
    ...Object.fromEntries(tasks.map(({ id }) => [id, policy])),
    pqp: { ...policy, hold: { reason: 'read it' } },
  },
  holdBefore: { itp: { reason: 'price it' } },
  pools: { small: 1 },
  poolOf: { wbs: 'small', std: 'small' },
  budget: { cost: 100 },
};

async function walk(run: Orchestration, event: Event): Promise<void> {
  switch (event.type) {
    case 'finish':
      return run.finish(event.id, 'complete');
    case 'fail':
      return run.finish(event.id, 'fail');
    case 'refuse key':
      return run.endTurn(event.id, { kind: 'failed', error: 'APIError', message: 'no', status: 401, retryable: false });
    case 'release':
      return run.decide(event.point, { kind: 'released', by: 'Ada' });
    case 'reject':
      return run.decide(event.point, { kind: 'rejected', by: 'Bob', reason: 'no' });
    case 'spend all':
      return run.spend(event.id, { cost: 100 });
    case 'abort':
      return run.abort();
  }
}

/** What is on record tells the same: who is held runs as far as the plan goes. */
function agrees(run: Orchestration, { of }: World): void {
  const actual = Object.fromEntries(Object.values(run.plan().instances).map(({ id, status }) => [id, status]));
  const expected = Object.fromEntries(
    Object.entries(of).map(([id, status]) => [id, status === 'held' ? 'running' : status]),
  );
  expect(actual).toEqual(expected);
}

function holds(run: Orchestration): void {
  const decided = new Set<string>();
  let small = 0;
  for (const fact of run.facts) {
    if (fact.type === 'hold.released') decided.add(fact.point);
    if (fact.type === 'repair.requested') decided.delete(`after:${fact.instance}`);
    if (fact.type === 'commit.started' && fact.instance === HELD_AFTER) expect(decided).toContain('after:pqp');
    if (fact.type === 'instance.started' && fact.instance === HELD_BEFORE) expect(decided).toContain('before:itp');
    if (fact.type === 'instance.started' && POOL.includes(fact.instance)) expect(++small).toBeLessThanOrEqual(1);
    if (fact.type === 'instance.settled' && POOL.includes(fact.instance)) small = Math.max(0, small - 1);
  }
}

const walks = paths.map((path) => ({
  title:
    path.steps
      .slice(1)
      .map(({ event }) => `${'id' in event ? event.id : 'point' in event ? event.point : ''} ${event.type}`.trim())
      .join(' · ') || '(start)',
  path,
}));
const OUTCOME = { pause: 'paused', stop: 'failed', abort: 'cancelled' } as const;

describe('the orchestrator with holds, a pool and a budget, along every shortest path of the model', () => {
  let run: Orchestration | undefined;
  afterEach(() => run?.stop());

  it.each(walks)('$title', async ({ path }) => {
    run = await orchestration(createPlan(tasks, 'ready'), { limits: { attempts: 1 }, rules });
    agrees(run, begin);
    for (const step of path.steps.slice(1)) {
      await walk(run, step.event);
      holds(run);
    }
    const world = path.state.context;
    agrees(run, world);
    expect(run.outcome() !== undefined).toBe(isOver(world));
    if (!isOver(world)) return;
    expect(run.open()).toEqual([]);
    if (world.end !== 'none') expect(run.outcome()).toBe(OUTCOME[world.end]);
    else expect(run.outcome()).toBe(Object.values(world.of).every((s) => s === 'completed') ? 'completed' : 'failed');
    expect(run.facts.filter(({ type }) => type === 'run.paused')).toHaveLength(world.end === 'pause' ? 1 : 0);
  });

  it('the model is not dead', () => {
    const kinds = new Set(paths.flatMap(({ state }) => Object.values(state.context.of)));
    expect([...kinds].sort()).toEqual(['cancelled', 'completed', 'failed', 'held', 'running', 'skipped', 'waiting']);
    expect(new Set(paths.map(({ state }) => state.context.end))).toEqual(new Set(['none', 'pause', 'stop', 'abort']));
    expect(paths.length).toBeGreaterThan(100);
  });
});
