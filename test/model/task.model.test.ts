/**
 * Every shortest path through the task machine's own graph, walked on the real actor with effects answered by hand.
 *
 * The paths come from the machine, so the machine's guards cannot judge themselves: what is checked after each step is
 * counted by the bench from the calls and facts alone and shares no code with the machine.
 */

import { describe, expect, it } from 'vitest';
import type { EventFromLogic, SnapshotFrom } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { taskMachine } from '../../machines/task.ts';
import { DEFAULT_LIMITS, type Limits } from '../../schemas/manifest.ts';
import { NO_USAGE } from '../../schemas/session-event.ts';
import { type Bench, taskBench } from '../machines/task-bench.ts';

type Snap = SnapshotFrom<typeof taskMachine>;
type Event = EventFromLogic<typeof taskMachine>;
/** One step in words: what happens to the instance. */
type Step = { readonly name: string; readonly event: Event; readonly walk: (bench: Bench) => Promise<void> };

const LIMITS: Limits = { ...DEFAULT_LIMITS, attempts: 2, repairs: 1, steps: 5 };
const OPENED = { sessionId: 's', apiSessionId: 'ses' };
const CAUSE = { code: 'interrupted', message: 'Ctrl-C' };
const COMMITTED = { entities: {}, relationships: 0, created: 0, updated: 0, unchanged: 0, items: {} };
const send = (event: Event) => async (bench: Bench) => bench.send(event as never);

/** The invoked effect of a state with its good and bad answers. */
const EFFECTS: Record<
  string,
  { effect: 'openSession' | 'prompt' | 'review' | 'commit' | 'abort'; outputs: unknown[] }
> = {
  openSession: { effect: 'openSession', outputs: [OPENED] },
  prompt: { effect: 'prompt', outputs: [undefined] },
  review: {
    effect: 'review',
    outputs: [
      { complete: true, issues: [] },
      { complete: false, issues: [{ path: 'a', message: 'b' }] },
    ],
  },
  commit: { effect: 'commit', outputs: [COMMITTED] },
  abort: { effect: 'abort', outputs: [undefined] },
};

const done = (actorId: string, output: unknown) =>
  ({ type: `xstate.done.actor.${actorId}`, output, actorId }) as never as Event;
const error = (actorId: string) =>
  ({ type: `xstate.error.actor.${actorId}`, error: new Error('effect failed'), actorId }) as never as Event;
const after = (delay: string, state: string) => ({ type: `xstate.after.${delay}.${state}` }) as never as Event;

function steps(snapshot: Snap): Step[] {
  if (snapshot.status !== 'active') return [];
  const at = (state: string) => snapshot.matches(state as never);
  const found: Step[] = [];
  const add = (name: string, event: Event, walk: Step['walk'] = send(event)) => found.push({ name, event, walk });
  for (const [id, child] of Object.entries(snapshot.children)) {
    const src = (child as { src?: unknown } | undefined)?.src;
    const known = typeof src === 'string' ? EFFECTS[src] : undefined;
    if (!known) continue;
    // Only the effect of the present state is pending; the others have been stopped.
    for (const [i, output] of known.outputs.entries()) {
      add(`${known.effect} ${i}`, done(id, output), (bench) => bench.answer(known.effect, output));
    }
    add(`${known.effect} fails`, error(id), (bench) => bench.reject(known.effect, new Error('effect failed')));
  }
  if (at('waiting')) {
    add('start', { type: 'task.start' });
    add('skip', { type: 'task.skip', cause: CAUSE });
  }
  if (!at('committing') && !at('aborting')) add('cancel', { type: 'task.cancel', cause: CAUSE });
  if (at('attempting')) {
    add('lost', { type: 'session.lost', reason: 'gone' });
    add('five calls', { type: 'session.usage', usage: { ...NO_USAGE, steps: 5 } });
    add('deadline', after('attempt', 'task.attempting'), (bench) => bench.advance(LIMITS.attemptMs));
  }
  if (
    at('attempting.working') ||
    snapshot.matches({ attempting: 'working' }) ||
    snapshot.matches({ attempting: 'prompting' })
  ) {
    for (const judgement of [
      { kind: 'candidate' },
      { kind: 'loop' },
      { kind: 'failed', error: 'ProviderAuthError', message: 'm', retryable: false },
    ] as const) {
      add(`turn ends ${judgement.kind}`, { type: 'session.turn-ended', messageId: 'm', judgement });
    }
  }
  if (snapshot.matches({ attempting: { working: 'active' } })) {
    add('retrying', { type: 'session.retrying', attempt: 1, message: 'm', waitMs: 100 });
    add('silence', after('stall', 'task.attempting.working.active'), (bench) => bench.advance(LIMITS.stallMs));
  }
  if (snapshot.matches({ attempting: { working: 'retrying' } })) {
    add('retry wait over', after('retryWait', 'task.attempting.working.retrying'), (bench) => bench.advance(100));
  }
  if (at('aborting')) add('abort unanswered', after('abortGrace', 'task.aborting'), (bench) => bench.advance(10_000));
  if (at('backingOff')) add('back-off over', after('backOff', 'task.backingOff'), (bench) => bench.advance(60_000));
  return found;
}

const key = ({ value, status, context }: Snap) =>
  JSON.stringify([
    value,
    status,
    context.attempt,
    context.repair,
    context.turn > 1,
    context.failure?.cause.code,
    context.failure?.retryable,
    context.cancelled?.code,
    context.judgement?.kind,
    context.session !== undefined,
  ]);

const paths = getShortestPaths(
  taskMachine as never,
  {
    input: { instance: { id: 'thing', task: 'thing' }, limits: LIMITS },
    events: (snapshot: Snap) => steps(snapshot).map(({ event }) => event),
    serializeState: key,
    serializeEvent: (event: Event) => JSON.stringify(event),
    limit: 20_000,
  } as never,
) as unknown as { state: Snap; steps: { state: Snap; event: Event }[] }[];

function nameOf(state: Snap, event: Event): Step {
  const step = steps(state).find((candidate) => JSON.stringify(candidate.event) === JSON.stringify(event));
  if (!step) throw new Error(`no step for ${JSON.stringify(event)}`);
  return step;
}

const walks = paths.map((path) => {
  // step.state is the state after its event; the first step is the initial one.
  const walk = path.steps.slice(1).map((step, i) => nameOf(path.steps[i]!.state, step.event));
  return { title: walk.map(({ name }) => name).join(' · ') || '(waiting)', walk, end: path.state };
});

function holds(bench: Bench): void {
  const { calls, facts } = bench;
  const output = bench.output();
  const count = (call: string) => calls.filter((made) => made.startsWith(call)).length;
  const attempts = count('openSession');
  expect(attempts).toBeLessThanOrEqual(LIMITS.attempts);
  // R1: no prompt before its session has a route.
  let routes = 0;
  let sessions = 0;
  for (const call of calls) {
    if (call === 'openSession') sessions = 1;
    if (call.startsWith('addRoute')) routes++;
    if (call === 'prompt') expect(routes).toBeGreaterThanOrEqual(sessions);
  }
  // At most one work prompt and `repairs` repairs in one session.
  expect(count('prompt')).toBeLessThanOrEqual(attempts * (1 + LIMITS.repairs));
  // T2: completed only through a commit that ended.
  if (output?.outcome.kind === 'completed') {
    expect(facts.filter(({ type }) => type === 'commit.ended')).toHaveLength(1);
    expect(facts.filter(({ type }) => type === 'turn.ended').length).toBeGreaterThan(0);
  } else {
    expect(facts.filter(({ type }) => type === 'commit.ended')).toHaveLength(0);
  }
  if (output) {
    // Each attempt is measured and released once; nothing that was opened is left behind.
    const started = facts.filter(({ type }) => type === 'attempt.started').length;
    expect(facts.filter(({ type }) => type === 'attempt.measured')).toHaveLength(started);
    expect(count('releaseSession')).toBe(started);
    const failed = facts.filter(({ type }) => type === 'attempt.failed').length;
    expect(failed).toBe(output.outcome.kind === 'completed' ? started - 1 : started);
    if (output.outcome.kind === 'failed') expect(output.outcome.cause.code).not.toBe('');
  }
}

describe('the task machine, along every shortest path', () => {
  it.each(walks)('$title', async ({ walk, end }) => {
    const bench = taskBench(LIMITS);
    for (const step of walk) {
      await step.walk(bench);
      holds(bench);
    }
    expect(bench.state()).toEqual(end.value);
    expect(bench.output()?.outcome.kind).toBe(end.output?.outcome.kind);
  });

  it('the model is not dead: every ending is reached and no open state is without a way on', () => {
    const ends = new Set(paths.filter(({ state }) => state.status === 'done').map(({ state }) => state.value));
    expect([...ends].sort()).toEqual(['cancelled', 'done', 'failed', 'skipped']);
    const stopsALoop = ({ state }: { readonly state: Snap }) =>
      state.matches({ attempting: { validating: 'stopping' } });
    expect(paths.some(({ steps: all }) => all.some(stopsALoop))).toBe(true);
    expect(paths.every(({ state }) => state.status === 'done' || steps(state).length > 0)).toBe(true);
    expect(paths.every(({ state }) => state.status !== 'error')).toBe(true);
    expect(paths.length).toBeGreaterThan(100);
  });
});
