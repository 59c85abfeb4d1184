/**
 * As task.model.test.ts, for a task with everything that the manifest can add: a provider's gate, another model to fall
 * back to, waits, and a hold point. The paths come from the machine; what is checked is counted from calls and facts.
 */
import { describe, expect, it } from 'vitest';
import type { EventFromLogic, SnapshotFrom } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { taskMachine } from '../../machines/task.ts';
import type { TaskPolicy } from '../../machines/task-answer.ts';
import { DEFAULT_LIMITS, DEFAULT_RETRY, type Limits } from '../../schemas/manifest.ts';
import type { Judgement } from '../../schemas/session-event.ts';
import { type Bench, taskBench } from '../machines/task-bench.ts';

type Snap = SnapshotFrom<typeof taskMachine>;
type Event = EventFromLogic<typeof taskMachine>;
type Step = { readonly name: string; readonly event: Event; readonly walk: (bench: Bench) => Promise<void> };

const LIMITS: Limits = { ...DEFAULT_LIMITS, attempts: 2, repairs: 0 };
const POLICY: TaskPolicy = {
  model: 'a/one',
  retry: { ...DEFAULT_RETRY, fallbackModels: ['b/two'], longestWaitMs: 1_000, patienceMs: 1_200 },
  hold: { reason: 'look', timeoutMs: 5_000 },
};
const CAUSE = { code: 'interrupted', message: 'Ctrl-C' };
const OUTPUTS: Readonly<Record<string, readonly unknown[]>> = {
  enterGate: [undefined],
  openSession: [{ sessionId: 's', apiSessionId: 'ses' }],
  prompt: [undefined],
  review: [
    { complete: true, issues: [] },
    { complete: false, issues: [{ path: 'a', message: 'b' }] },
  ],
  commit: [{ entities: {}, relationships: 0, created: 0, updated: 0, unchanged: 0, items: {} }],
  abort: [undefined],
};
const JUDGEMENTS: readonly [string, Judgement][] = [
  ['candidate', { kind: 'candidate' }],
  ['rate limit', { kind: 'failed', error: 'APIError', message: 'slow', status: 429, retryable: true }],
  ['refused key', { kind: 'failed', error: 'APIError', message: 'no', status: 401, retryable: false }],
  ['quota', { kind: 'failed', error: 'APIError', message: 'insufficient_quota', status: 429, retryable: true }],
];
const RELEASED = { kind: 'released', by: 'Ada' } as const;
const REJECTED = { kind: 'rejected', by: 'Bob', reason: 'no' } as const;

const send = (event: Event) => async (bench: Bench) => bench.send(event as never);
const done = (actorId: string, output: unknown) =>
  ({ type: `xstate.done.actor.${actorId}`, output, actorId }) as never as Event;
const after = (delay: string, state: string) => ({ type: `xstate.after.${delay}.${state}` }) as never as Event;

function steps(snapshot: Snap): Step[] {
  if (snapshot.status !== 'active') return [];
  const at = (state: unknown) => snapshot.matches(state as never);
  const found: Step[] = [];
  const add = (name: string, event: Event, walk: Step['walk'] = send(event)) => found.push({ name, event, walk });
  for (const [id, child] of Object.entries(snapshot.children)) {
    const src = (child as { src?: unknown } | undefined)?.src;
    for (const [i, output] of (OUTPUTS[String(src)] ?? []).entries()) {
      add(`${src} ${i}`, done(id, output), (bench) => bench.answer(src as 'prompt', output));
    }
  }
  if (at('waiting')) add('start', { type: 'task.start' });
  if (at('held')) {
    const decide = (decision: typeof RELEASED | typeof REJECTED) => async (bench: Bench) =>
      bench.send({ type: 'hold.decide', decision });
    add('released', done('hold', RELEASED), decide(RELEASED));
    if (snapshot.context.rejections < 1) add('rejected', done('hold', REJECTED), decide(REJECTED));
    add('expired', done('hold', { kind: 'expired', timeoutMs: 5_000 }), (bench) => bench.advance(5_000));
  }
  if (!at('committing') && !at('aborting')) add('cancel', { type: 'task.cancel', cause: CAUSE });
  if (at({ attempting: 'working' })) {
    for (const [name, judgement] of JUDGEMENTS) {
      add(`turn ends: ${name}`, { type: 'session.turn-ended', messageId: 'm', judgement });
    }
    add('yield', { type: 'task.yield' });
    add('quota wait', { type: 'session.retrying', attempt: 1, message: 'quota', waitMs: 10_000 });
  }
  if (at('yielding')) {
    add('broken off', { type: 'session.turn-ended', messageId: 'm', judgement: { kind: 'aborted', byUs: true } });
    add('never ends', after('abortGrace', 'task.yielding'), (bench) => bench.advance(10_000));
  }
  if (at({ suspended: 'coolingDown' })) {
    add('wait over', after('backOff', 'task.suspended.coolingDown'), (bench) => bench.advance(1_000));
  }
  if (at('aborting')) add('abort unanswered', after('abortGrace', 'task.aborting'), (bench) => bench.advance(10_000));
  if (at('backingOff')) add('back-off over', after('backOff', 'task.backingOff'), (bench) => bench.advance(1_000));
  return found;
}

const key = ({ value, status, context: c, children }: Snap) =>
  JSON.stringify([
    value,
    status,
    c.attempt,
    c.repair,
    c.rejections,
    c.waits,
    c.models.length,
    c.failure?.class,
    c.cancelled?.code,
    JSON.stringify(c.judgement),
    c.answer?.kind,
    c.session !== undefined,
    // A finished abort of a turn that yields changes nothing else.
    Object.values(children).map((child) => (child as { src?: unknown } | undefined)?.src),
  ]);

const paths = getShortestPaths(
  taskMachine as never,
  {
    input: { instance: { id: 'thing', task: 'thing' }, limits: LIMITS, policy: POLICY },
    events: (snapshot: Snap) => steps(snapshot).map(({ event }) => event),
    serializeState: key,
    serializeEvent: (event: Event) => JSON.stringify(event),
    limit: 60_000,
  } as never,
) as unknown as { state: Snap; steps: { state: Snap; event: Event }[] }[];

const walks = paths.map((path) => {
  const walk = path.steps.slice(1).map((step, i) => {
    const of = steps(path.steps[i]!.state).find(({ event }) => JSON.stringify(event) === JSON.stringify(step.event));
    if (!of) throw new Error(`no step for ${JSON.stringify(step.event)}`);
    return of;
  });
  return { title: walk.map(({ name }) => name).join(' · ') || '(waiting)', walk, end: path.state };
});

/** Counted from calls and facts alone. */
function holds({ calls, facts, output }: Bench): void {
  const count = (type: string) => facts.filter((fact) => fact.type === type).length;
  expect(calls.filter((call) => call === 'openSession').length).toBeLessThanOrEqual(LIMITS.attempts);
  // Nobody works without a place at the gate.
  let isInside = false;
  for (const call of calls) {
    if (call === 'enterGate') isInside = true;
    if (call === 'leaveGate') isInside = false;
    if (call === 'openSession' || call === 'prompt') expect(isInside).toBe(true);
  }
  // No commit without a release of just this work.
  let isReleased = false;
  for (const fact of facts) {
    if (fact.type === 'hold.released') isReleased = true;
    if (fact.type === 'repair.requested' || fact.type === 'attempt.started') isReleased = false;
    if (fact.type === 'commit.started') expect(isReleased).toBe(true);
  }
  const answered = facts.flatMap((fact) => (fact.type === 'failure.answered' ? [fact] : []));
  for (const { cause } of answered) expect(cause.class).toBeDefined();
  expect(answered.filter(({ answer }) => answer.kind === 'fallback-model').length).toBeLessThanOrEqual(1);
  const last = answered.filter(({ answer }) => ['give-up', 'stop-run', 'pause-run'].includes(answer.kind));
  expect(last.length).toBeLessThanOrEqual(1);
  const end = output();
  if (!end) return;
  if (end.outcome.kind === 'failed') expect(last).toHaveLength(1);
  if (end.stop) expect(last[0]?.answer.kind).toBe(end.stop.how);
  if (end.outcome.kind === 'completed') expect(count('commit.ended')).toBe(1);
  const started = count('attempt.started');
  expect(count('attempt.measured')).toBe(started);
  expect(calls.filter((call) => call.startsWith('releaseSession')).length).toBe(started);
  // The place is given back, however it ends.
  expect(calls.lastIndexOf('leaveGate')).toBeGreaterThanOrEqual(calls.lastIndexOf('openSession'));
}

describe('the task machine with gate, fallback and hold, along every shortest path', () => {
  it.each(walks)('$title', async ({ walk, end }) => {
    const bench = taskBench(LIMITS, undefined, { policy: POLICY });
    for (const step of walk) {
      await step.walk(bench);
      holds(bench);
    }
    expect(bench.state()).toEqual(end.value);
    expect(bench.output()?.outcome.kind).toBe(end.output?.outcome.kind);
    expect(bench.output()?.stop?.how).toBe(end.output?.stop?.how);
  });

  it('the model is not dead: every state, every answer and every ending is on some path', () => {
    const seen = new Set(paths.flatMap(({ steps: all }) => all.map(({ state }) => JSON.stringify(state.value))));
    for (const state of ['{"held":"waiting"}', '"yielding"', '{"suspended":"gated"}', '{"suspended":"coolingDown"}']) {
      expect(seen).toContain(state);
    }
    const kinds = new Set(paths.flatMap(({ steps: all }) => all.map(({ state }) => state.context.answer?.kind)));
    expect(paths.some(({ state }) => state.context.rejections > 0)).toBe(true);
    for (const kind of ['fresh-session', 'back-off', 'fallback-model', 'stop-run', 'pause-run', 'give-up']) {
      expect(kinds).toContain(kind);
    }
    const ends = new Set(paths.filter(({ state }) => state.status === 'done').map(({ state }) => state.value));
    expect([...ends].sort()).toEqual(['cancelled', 'done', 'failed']);
    expect(paths.every(({ state }) => state.status === 'done' || steps(state).length > 0)).toBe(true);
    expect(paths.every(({ state }) => state.status !== 'error')).toBe(true);
    expect(paths.length).toBeGreaterThan(300);
  });
});
