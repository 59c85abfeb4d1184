import { describe, expect, it } from 'vitest';
import {
  and,
  assign,
  createActor,
  type DoneActorEvent,
  type ErrorActorEvent,
  fromCallback,
  fromPromise,
  not,
  SimulatedClock,
  setup,
  spawnChild,
} from 'xstate';
import { describeState } from '../../inspector/definition.ts';
import { type Trace, traceActors } from '../../inspector/trace.ts';
import { liveRun } from './live-run.ts';

const SECRET = 'sk-do-not-show-me';
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A parent that invokes one child, spawns others, and hears how they end. */
const child = setup({
  types: { input: {} as { key: string }, context: {} as { key: string }, events: {} as { type: 'go' | 'crash' } },
  actors: {
    call: fromPromise<string, string>(async ({ input }) => input),
    listen: fromCallback(() => () => {}),
  },
  actions: {
    explode: () => {
      throw new Error(SECRET);
    },
  },
}).createMachine({
  id: 'child',
  context: ({ input }) => input,
  initial: 'idle',
  invoke: { src: 'listen' },
  states: {
    idle: { on: { go: 'calling', crash: { actions: 'explode' } } },
    calling: { invoke: { src: 'call', input: ({ context }) => context.key, onDone: 'over' } },
    over: { type: 'final' },
  },
  output: ({ context }) => context.key,
});
const parent = setup({
  types: {
    context: {} as { secret: string; n: number },
    events: {} as
      | { type: 'spawn' | 'count'; key?: string }
      | DoneActorEvent<string, string>
      | ErrorActorEvent<unknown, string>,
  },
  actors: { child },
}).createMachine({
  id: 'parent',
  context: { secret: SECRET, n: 0 },
  initial: 'open',
  states: {
    open: {
      on: {
        spawn: { actions: spawnChild('child', { id: 'second', input: { key: SECRET } }) },
        count: { actions: assign({ n: ({ context }) => context.n + 1 }) },
        'xstate.done.actor.*': {},
        'xstate.error.actor.*': {},
      },
      invoke: { id: 'first', src: 'child', input: { key: SECRET } },
    },
  },
});

function watched() {
  const traces: Trace[] = [];
  let now = 1_000;
  const observe = traceActors(
    (trace) => traces.push(trace),
    () => now++,
  );
  return { traces, observe };
}
const brief = (trace: Trace): string => {
  switch (trace.kind) {
    case 'chart':
      return `chart ${trace.chart}`;
    case 'actor':
      return `actor ${trace.name}${trace.chart ? ` of ${trace.chart}` : ''}`;
    case 'event':
      return `event ${trace.type}`;
    case 'state':
      return `${trace.status} ${JSON.stringify(trace.value)}`;
  }
};

describe('the trace of actors', () => {
  it('tells charts, actors, events and states in order, the chart before its first actor', async () => {
    const { traces, observe } = watched();
    const actor = createActor(parent, { inspect: observe }).start();
    const first = actor.getSnapshot().children['first'];
    first?.send({ type: 'go' });
    await turn();
    actor.send({ type: 'spawn' });
    const told = traces.filter(({ kind }) => kind !== 'event').map(brief);
    expect(told).toEqual(
      [
        'chart parent',
        'actor x:0 of parent',
        'chart child',
        'actor first of child',
        'actor 0.child',
        'active "idle"',
        'active "open"',
        'actor 0.child.calling',
        'active "calling"',
        // The callback is stopped with its chart; the promise ends after its parent took the news.
        'stopped undefined',
        'done "over"',
        'done undefined',
        'actor second of child',
        'actor 0.child',
        'active "idle"',
      ].map((line, index) => (index === 1 ? expect.stringMatching(/^actor x:\d+ of parent$/) : line)),
    );
    expect(traces.map(({ seq }) => seq)).toEqual(traces.map((_, index) => index + 1));
    expect(traces.map(({ at }) => at)).toEqual(traces.map((_, index) => 1_000 + index));
  });

  it('carries no context, input, output, params, or payload of an event', async () => {
    const { traces, observe } = watched();
    const actor = createActor(parent, { inspect: observe }).start();
    actor.send({ type: 'count', key: SECRET });
    actor.send({ type: 'spawn', key: SECRET });
    actor.getSnapshot().children['first']?.send({ type: 'go' });
    await turn();
    const run = await liveRun(observe, ['ITP-01'], SECRET);
    await run.endTurn('pqp-generation', 'complete');
    await run.endTurn('itp-generation[ITP-01]', 'repair');
    await run.interrupt();
    run.stop();
    expect(traces.length).toBeGreaterThan(150);
    expect(JSON.stringify(traces)).not.toContain(SECRET);
  });

  it('shows a change of context alone as no new state', () => {
    const { traces, observe } = watched();
    const actor = createActor(parent, { inspect: observe }).start();
    const before = traces.filter(({ kind }) => kind === 'state').length;
    for (let i = 0; i < 5; i++) actor.send({ type: 'count' });
    expect(traces.filter(({ kind }) => kind === 'state')).toHaveLength(before);
  });

  it('a crash is an end, and the first end is kept', () => {
    const { traces, observe } = watched();
    const actor = createActor(parent, { inspect: observe });
    actor.subscribe({ error: () => {} });
    actor.start();
    const crashed = actor.getSnapshot().children['first']!;
    crashed.send({ type: 'crash' });
    actor.stop();
    const ends = traces.flatMap((trace) =>
      trace.kind === 'state' && trace.actor === crashed.sessionId && trace.status !== 'active' ? [trace.status] : [],
    );
    expect(ends).toEqual(['error']);
  });

  it('a chart is told once, however many actors run it and whatever is provided to it', () => {
    const { traces, observe } = watched();
    for (let i = 0; i < 3; i++) createActor(child.provide({}), { inspect: observe, input: { key: 'k' } }).start();
    expect(traces.filter(({ kind }) => kind === 'chart')).toHaveLength(1);
  });

  it('two charts of one id are two charts', () => {
    const { traces, observe } = watched();
    for (const state of ['a', 'b', 'b']) {
      const machine = setup({}).createMachine({ id: 'twin', initial: state, states: { [state]: {} } });
      createActor(machine, { inspect: observe }).start();
    }
    expect(traces.flatMap((trace) => (trace.kind === 'actor' ? [trace.chart] : []))).toEqual([
      'twin',
      'twin#2',
      'twin#2',
    ]);
  });

  it('a timer is an event from the actor to itself; what a promise tells itself is left out', async () => {
    const { traces, observe } = watched();
    const clock = new SimulatedClock();
    const machine = setup({ actors: { call: fromPromise(async () => {}) } }).createMachine({
      initial: 'a',
      states: { a: { invoke: { src: 'call' }, after: { 50: 'b' } }, b: {} },
    });
    createActor(machine, { inspect: observe, clock }).start();
    await turn();
    clock.increment(50);
    const events = traces.flatMap((trace) => (trace.kind === 'event' ? [trace] : []));
    expect(events.map(({ type }) => type.replaceAll(/\(machine\)|machine/g, ''))).toEqual([
      'xstate.init',
      'xstate.init',
      expect.stringContaining('xstate.done.actor'),
      expect.stringContaining('xstate.after.50'),
    ]);
    expect(events.at(-1)?.from).toBe(events.at(-1)?.actor);
  });
});

describe('the definition of a chart', () => {
  it('keeps the shape and names the functions', () => {
    const inline = () => {};
    const described = describeState({
      id: 'm',
      initial: 'a',
      context: { SECRET },
      meta: { SECRET },
      output: SECRET,
      entry: ['log', { type: 'record', params: { SECRET } }, inline],
      on: { '*': { actions: assign({}) }, 'a.*': [{ guard: and(['x', not('y')]), target: '.a' }, '.b'], no: {} },
      states: {
        a: {
          invoke: { src: 'call', id: 'c', input: { SECRET }, onDone: 'b', onError: { target: '#m.b' } },
          after: { 1000: 'b' },
          always: { guard: () => true, target: 'b' },
        },
        b: { type: 'final', output: SECRET },
      },
    });
    expect(JSON.stringify(described)).not.toContain(SECRET);
    expect(described).toEqual({
      id: 'm',
      initial: 'a',
      entry: [{ type: 'log' }, { type: 'record' }, { type: 'inline' }],
      on: {
        '*': [{ actions: [{ type: 'assign' }] }],
        'a.*': [{ target: '.a', guard: { type: 'x and not y' } }, { target: '.b' }],
        no: [{}],
      },
      states: {
        a: {
          invoke: [{ src: 'call', id: 'c', onDone: [{ target: 'b' }], onError: [{ target: '#m.b' }] }],
          after: { 1000: [{ target: 'b' }] },
          always: [{ target: 'b', guard: { type: 'guard' } }],
        },
        b: { type: 'final' },
      },
    });
  });
});
