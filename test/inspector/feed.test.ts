import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Feed } from '../../inspector/feed.ts';
import type { ActorStatus, StateValue, Trace, TraceEntry } from '../../inspector/trace.ts';
import {
  applyTrace,
  emptyView,
  type FeedMessage,
  freezeView,
  leafPaths,
  recentEvents,
  statePaths,
  thawView,
  type View,
} from '../../inspector/view.ts';

/** Time that passes when the test says so. */
function handTimer() {
  let waiting: (() => void) | undefined;
  return {
    after: (_delayMs: number, run: () => void) => {
      waiting = run;
      return () => {
        waiting = undefined;
      };
    },
    get armed() {
      return waiting !== undefined;
    },
    fire() {
      const run = waiting;
      waiting = undefined;
      run?.();
    },
  };
}

/** What a page would hold: the messages folded as the page folds them. */
function client() {
  let view: View | undefined;
  const kinds: string[] = [];
  return {
    kinds,
    take(text: string) {
      const message = JSON.parse(text) as FeedMessage;
      kinds.push(message.kind);
      if (message.kind === 'view') view = thawView(message.view);
      else for (const trace of message.traces) applyTrace(view!, trace);
    },
    shown: () => comparable(view!),
  };
}

/** All that a page can see. When calls are forgotten is left to each end (view.ts): those kept by both must agree. */
const comparable = (view: View) => {
  const { seq, charts, actors } = freezeView(view);
  return { seq, charts, actors, events: recentEvents(view) };
};

const statuses: readonly ActorStatus[] = ['active', 'active', 'active', 'done', 'error', 'stopped'];
const values: readonly StateValue[] = ['a', 'b', { c: 'd' }, { c: { e: 'f', g: 'h' } }];
const entry = fc.oneof(
  fc.record({ kind: fc.constant('chart' as const), chart: fc.constantFrom('x', 'y'), definition: fc.constant('{}') }),
  fc.record(
    {
      kind: fc.constant('actor' as const),
      actor: fc.nat(20).map(String),
      name: fc.string(),
      chart: fc.constantFrom('x', 'y'),
    },
    { requiredKeys: ['kind', 'actor', 'name'] },
  ),
  fc.record(
    {
      kind: fc.constant('event' as const),
      actor: fc.nat(20).map(String),
      from: fc.nat(20).map(String),
      type: fc.string(),
    },
    { requiredKeys: ['kind', 'actor', 'type'] },
  ),
  fc.record(
    {
      kind: fc.constant('state' as const),
      actor: fc.nat(20).map(String),
      status: fc.constantFrom(...statuses),
      value: fc.constantFrom(...values),
    },
    { requiredKeys: ['kind', 'actor', 'status'] },
  ),
) as fc.Arbitrary<TraceEntry>;
const step = fc.oneof(
  { weight: 12, arbitrary: entry },
  { weight: 2, arbitrary: fc.constant('tick' as const) },
  { weight: 1, arbitrary: fc.constant('join' as const) },
);

describe('the feed', () => {
  it('whoever joins, whenever, ends up with what an observer from the start has', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), fc.integer({ min: 1, max: 12 }), (steps, eventsMax) => {
        const timer = handTimer();
        const feed = new Feed({ after: timer.after, eventsMax });
        const whole = emptyView(eventsMax);
        const clients: ReturnType<typeof client>[] = [];
        let seq = 0;
        for (const next of steps) {
          if (next === 'tick') timer.fire();
          else if (next === 'join') {
            const joined = client();
            feed.join(joined.take);
            clients.push(joined);
          } else {
            const trace: Trace = { seq: ++seq, at: seq * 10, ...next };
            applyTrace(whole, trace);
            feed.push(trace);
          }
        }
        feed.flush();
        const expected = JSON.parse(JSON.stringify(comparable(whole)));
        for (const joined of clients) expect(JSON.parse(JSON.stringify(joined.shown()))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('sends one batch for all that happened in its time, and arms no timer without a client', () => {
    const timer = handTimer();
    const feed = new Feed({ after: timer.after });
    feed.push({ seq: 1, at: 0, kind: 'actor', actor: 'a', name: 'a' });
    expect(timer.armed).toBe(false);
    const page = client();
    const leave = feed.join(page.take);
    for (let seq = 2; seq <= 100; seq++) feed.push({ seq, at: seq, kind: 'event', actor: 'a', type: 't' });
    timer.fire();
    expect(page.kinds).toEqual(['view', 'traces']);
    expect(page.shown().events).toHaveLength(99);
    feed.push({ seq: 101, at: 101, kind: 'event', actor: 'a', type: 't' });
    leave();
    expect(timer.armed).toBe(false);
  });

  it('a burst beyond the bound arrives as the view, not as a longer batch', () => {
    const timer = handTimer();
    const feed = new Feed({ after: timer.after, eventsMax: 50 });
    const page = client();
    feed.join(page.take);
    for (let seq = 1; seq <= 1_000; seq++) feed.push({ seq, at: seq, kind: 'event', actor: 'a', type: 't' });
    timer.fire();
    expect(page.kinds).toEqual(['view', 'view']);
    expect(page.shown().events.map((event) => event.seq)).toEqual(Array.from({ length: 50 }, (_, i) => 951 + i));
  });

  it('keeps all charts and chart actors, the latest events, and no more ended calls than events', () => {
    const view = emptyView(10);
    let seq = 0;
    const put = (entry: TraceEntry) => applyTrace(view, { seq: ++seq, at: seq, ...entry });
    for (let i = 0; i < 500; i++) {
      put({ kind: 'actor', actor: `task${i}`, name: 't', chart: 'task' });
      put({ kind: 'actor', actor: `call${i}`, name: 'c', parent: `task${i}` });
      put({ kind: 'event', actor: `call${i}`, from: `task${i}`, type: 'xstate.init' });
      put({ kind: 'state', actor: `call${i}`, status: 'done' });
      put({ kind: 'state', actor: `task${i}`, status: 'done', value: 'done' });
    }
    const actors = [...view.actors.values()];
    expect(actors.filter((actor) => actor.chart === 'task')).toHaveLength(500);
    expect(actors.filter((actor) => actor.chart === undefined).length).toBeLessThan(20);
    expect(view.events.length).toBeLessThan(20);
    for (const { actor } of recentEvents(view)) expect(view.actors.has(actor)).toBe(true);
  });

  it('remembers where an actor was, since when it is where it is, and when it first moved', () => {
    const view = emptyView(10);
    let seq = 0;
    const put = (at: number, entry: TraceEntry) => applyTrace(view, { seq: ++seq, at, ...entry });
    put(100, { kind: 'actor', actor: 'a', name: 'a', chart: 'c' });
    put(100, { kind: 'state', actor: 'a', status: 'active', value: 'waiting' });
    expect(view.actors.get('a')?.movedAt).toBeUndefined();
    put(200, { kind: 'state', actor: 'a', status: 'active', value: { on: 'x' } });
    put(300, { kind: 'state', actor: 'a', status: 'done', value: 'over' });
    expect(view.actors.get('a')).toMatchObject({
      startedAt: 100,
      movedAt: 200,
      since: 300,
      endedAt: 300,
      status: 'done',
      visited: ['waiting', 'on', 'on.x', 'over'],
    });
  });

  it('reads the paths of nested and parallel values', () => {
    const value = { a: { b: 'c' }, d: 'e', f: {} };
    expect(statePaths(value)).toEqual(['a', 'a.b', 'a.b.c', 'd', 'd.e', 'f']);
    expect(leafPaths(value)).toEqual(['a.b.c', 'd.e', 'f']);
  });
});
