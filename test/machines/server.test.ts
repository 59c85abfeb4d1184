import { describe, expect, it } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { type StartedServer, serverMachine } from '../../machines/server.ts';
import type { Cause, RunFact } from '../../schemas/run-event.ts';
import { MusterError } from '../../src/errors.ts';
import { turnOfLoop } from './task-bench.ts';

type Effect = 'start' | 'warm' | 'watch' | 'stop';
const STARTED: StartedServer = { version: '1.18.33', owned: true, url: 'http://127.0.0.1:1' };

function serverBench() {
  const calls: Effect[] = [];
  const facts: RunFact[] = [];
  const pending = new Map<Effect, { resolve(value: unknown): void; reject(error: unknown): void }>();
  const effect = <T>(name: Effect) =>
    fromPromise<T>(() => {
      calls.push(name);
      return new Promise<T>((resolve, reject) => pending.set(name, { resolve: resolve as never, reject }));
    });
  const actor = createActor(
    serverMachine.provide({
      actions: { record: (_, fact) => void facts.push(fact) },
      actors: {
        start: effect<StartedServer>('start'),
        warm: effect<void>('warm'),
        watch: effect<Cause>('watch'),
        stop: effect<void>('stop'),
      },
    }),
  ).start();
  return {
    calls,
    facts,
    state: () => actor.getSnapshot(),
    stop: () => actor.send({ type: 'server.stop' }),
    answer: async (name: Effect, value?: unknown) => {
      pending.get(name)!.resolve(value);
      await turnOfLoop();
    },
    reject: async (name: Effect, error: unknown) => {
      pending.get(name)!.reject(error);
      await turnOfLoop();
    },
  };
}

describe('the server', () => {
  it('is ready only after it was started and warmed', async () => {
    const bench = serverBench();
    await bench.answer('start', STARTED);
    expect(bench.state().value).toBe('warming');
    await bench.answer('warm');
    expect(bench.state().value).toBe('ready');
    expect(bench.facts).toEqual([{ type: 'server.started', ...STARTED }]);
  });

  it('is stopped, and says so, when it is told to', async () => {
    const bench = serverBench();
    await bench.answer('start', STARTED);
    await bench.answer('warm');
    bench.stop();
    await bench.answer('stop');
    expect(bench.state().value).toBe('stopped');
    expect(bench.facts.at(-1)).toEqual({ type: 'server.stopped' });
  });

  it('a stop during the start waits for the process, so that it can be stopped', async () => {
    const bench = serverBench();
    bench.stop();
    expect(bench.state().value).toBe('starting');
    await bench.answer('start', STARTED);
    expect(bench.calls).toEqual(['start', 'stop']);
    await bench.answer('stop');
    expect(bench.state().value).toBe('stopped');
  });

  it('ends as failed with the cause when the start or the warm-up fails, and cleans up after both', async () => {
    for (const failing of ['start', 'warm'] as const) {
      const bench = serverBench();
      if (failing === 'warm') await bench.answer('start', STARTED);
      await bench.reject(failing, new MusterError('MODEL_UNKNOWN', 'no such model'));
      await bench.answer('stop');
      expect(bench.state().value).toBe('failed');
      expect(bench.state().output).toEqual({ cause: { code: 'MODEL_UNKNOWN', message: 'no such model' } });
    }
  });

  it('a server that dies while it is looked over is lost, not wrong', async () => {
    const bench = serverBench();
    await bench.answer('start', STARTED);
    await bench.reject('warm', new MusterError('OPENCODE_LOST', 'the connection failed'));
    await bench.answer('stop');
    expect(bench.facts.map(({ type }) => type)).toEqual(['server.started', 'server.lost', 'server.stopped']);
  });

  it('a loss while ready is recorded with its cause', async () => {
    const bench = serverBench();
    await bench.answer('start', STARTED);
    await bench.answer('warm');
    await bench.answer('watch', { code: 'OPENCODE_LOST', message: 'the process ended with code 137' });
    await bench.answer('stop');
    expect(bench.state().value).toBe('failed');
    expect(bench.facts.map(({ type }) => type)).toEqual(['server.started', 'server.lost', 'server.stopped']);
  });
});
