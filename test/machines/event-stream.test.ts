import { describe, expect, it } from 'vitest';
import { type AnyActorRef, createActor, fromCallback, fromPromise, SimulatedClock } from 'xstate';
import { type ConnectionEvent, eventStreamMachine } from '../../machines/event-stream.ts';
import type { RunFact } from '../../schemas/run-event.ts';
import type { SessionEvent } from '../../schemas/session-event.ts';
import { turnOfLoop } from './task-bench.ts';

const CUT = { code: 'STREAM_LOST', message: 'socket closed' };

function streamBench(connectionsMax = 8) {
  const facts: RunFact[] = [];
  const open = new Set<number>();
  let most = 0;
  let connections = 0;
  let tell: (event: ConnectionEvent) => void = () => {};
  const gaps: { resolve(frames: number): void; reject(error: unknown): void }[] = [];
  const clock = new SimulatedClock();
  const actor = createActor(
    eventStreamMachine.provide({
      actions: { record: (_, fact) => void facts.push(fact) },
      actors: {
        connection: fromCallback<ConnectionEvent, { connection: number }>(({ sendBack }) => {
          const id = ++connections;
          open.add(id);
          most = Math.max(most, open.size);
          tell = sendBack as never;
          return () => void open.delete(id);
        }) as never,
        reconcile: fromPromise<number, { connection: number }>(
          () => new Promise((resolve, reject) => gaps.push({ resolve, reject })),
        ),
      },
    }),
    { clock, input: { connectionsMax } },
  ).start();
  return {
    facts,
    gaps,
    say: async (event: ConnectionEvent) => {
      tell(event);
      await turnOfLoop();
    },
    advance: async (ms: number) => {
      clock.increment(ms);
      await turnOfLoop();
    },
    closeGap: async (frames: number) => {
      gaps.at(-1)!.resolve(frames);
      await turnOfLoop();
    },
    failGap: async () => {
      gaps.at(-1)!.reject(new Error('history did not answer'));
      await turnOfLoop();
    },
    connections: () => connections,
    mostAtOnce: () => most,
    state: () => actor.getSnapshot(),
    close: () => actor.send({ type: 'stream.close' }),
    openNow: () => open.size,
    deliver: (to: AnyActorRef, event: SessionEvent) => actor.send({ type: 'stream.deliver', to, event }),
  };
}

describe('the event stream', () => {
  it('is live when the first subscription is proven, without a gap to close', async () => {
    const bench = streamBench();
    expect(bench.state().matches({ connected: 'proving' })).toBe(true);
    await bench.say({ type: 'stream.proven' });
    expect(bench.state().matches({ connected: 'live' })).toBe(true);
    expect(bench.gaps).toHaveLength(0);
  });

  it('after a cut it reconnects and closes the gap before it is live again (S1)', async () => {
    const bench = streamBench();
    await bench.say({ type: 'stream.proven' });
    await bench.say({ type: 'stream.ended', cause: CUT });
    expect(bench.state().matches('backingOff')).toBe(true);
    await bench.advance(250);
    await bench.say({ type: 'stream.proven' });
    expect(bench.state().matches({ connected: 'closingGap' })).toBe(true);
    await bench.closeGap(7);
    expect(bench.state().matches({ connected: 'live' })).toBe(true);
    expect(bench.facts.map(({ type }) => type)).toEqual([
      'stream.connected',
      'stream.lost',
      'stream.connected',
      'stream.reconciled',
    ]);
  });

  it('a hole in a sequence on a living connection is closed like a gap', async () => {
    const bench = streamBench();
    await bench.say({ type: 'stream.proven' });
    await bench.say({ type: 'stream.gap' });
    expect(bench.gaps).toHaveLength(1);
    await bench.say({ type: 'stream.gap' });
    expect(bench.gaps).toHaveLength(2);
    await bench.closeGap(1);
    expect(bench.state().matches({ connected: 'live' })).toBe(true);
    expect(bench.connections()).toBe(1);
  });

  it('a gap that cannot be closed counts as a lost connection', async () => {
    const bench = streamBench();
    await bench.say({ type: 'stream.proven' });
    await bench.say({ type: 'stream.gap' });
    await bench.failGap();
    expect(bench.state().matches('backingOff')).toBe(true);
    expect(bench.openNow()).toBe(0);
  });

  it('holds one connection at a time through any number of cuts', async () => {
    const bench = streamBench(50);
    for (let i = 0; i < 20; i++) {
      await bench.say({ type: 'stream.ended', cause: CUT });
      await bench.advance(30_000);
    }
    expect(bench.connections()).toBe(21);
    expect(bench.mostAtOnce()).toBe(1);
  });

  it('gives up with the last cause after the allowed number of failures in a row', async () => {
    const bench = streamBench(3);
    for (let i = 0; i < 3; i++) {
      await bench.say({ type: 'stream.ended', cause: CUT });
      await bench.advance(30_000);
    }
    expect(bench.state().value).toBe('failed');
    expect(bench.state().output).toEqual({ cause: CUT });
    expect(bench.connections()).toBe(3);
  });

  it('being live again forgets earlier failures', async () => {
    const bench = streamBench(2);
    await bench.say({ type: 'stream.proven' });
    for (let i = 0; i < 5; i++) {
      await bench.say({ type: 'stream.ended', cause: CUT });
      await bench.advance(30_000);
      await bench.say({ type: 'stream.proven' });
      await bench.closeGap(0);
    }
    expect(bench.state().matches({ connected: 'live' })).toBe(true);
  });

  it('delivers a session’s events to its task actor in order, also while it reconnects (R2)', async () => {
    const bench = streamBench();
    const heard: string[] = [];
    const task = createActor(
      fromCallback<SessionEvent>(({ receive }) => receive(({ type }) => void heard.push(type))),
    ).start();
    bench.deliver(task, { type: 'session.started', messageId: 'm' });
    await bench.say({ type: 'stream.ended', cause: CUT });
    bench.deliver(task, { type: 'session.activity' });
    await bench.advance(250);
    bench.deliver(task, { type: 'session.turn-ended', messageId: 'm', judgement: { kind: 'candidate' } });
    expect(heard).toEqual(['session.started', 'session.activity', 'session.turn-ended']);
  });

  it('closes its connection when it is told to', async () => {
    const bench = streamBench();
    bench.close();
    expect(bench.state().value).toBe('closed');
    expect(bench.openNow()).toBe(0);
  });
});
