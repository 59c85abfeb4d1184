import { describe, expect, it } from 'vitest';
import type { SessionEvent } from '../../schemas/session-event.ts';
import { RequestError } from '../../src/opencode/request-error.ts';
import { loadTrace, type ReplayOptions, replay } from './replay.ts';

/** The stream is cut after `from` and proven again before `to`; then the gap is closed. */
async function withGap(name: string, from: number, to: number) {
  const trace = loadTrace(name);
  let frames = 0;
  const options: ReplayOptions = {
    deliver: ({ line, frame }) => (line > from && line < to ? [] : [frame]),
    afterMs: 0,
    atEnd: async (world) => {
      frames = await world.closeGap();
    },
  };
  const world = await replay(trace.slice(0, to - 1), options);
  return { world, frames, judgements: [...world.ended.values()].flat().map((ending) => ending.judgement.kind) };
}

describe('closing a gap', () => {
  it('finds a turn that ended meanwhile, without waiting', async () => {
    const { world, frames, judgements } = await withGap('text-with-title', 30, 102);
    expect(judgements).toEqual(['candidate']);
    expect(frames).toBeGreaterThan(5);
    expect(world.router.seqs()).toEqual({
      [world.sessions[0]!.id]: Math.max(...world.server.rows.map((row) => row.seq)),
    });
  });

  it('follows a compaction that happened meanwhile', async () => {
    expect((await withGap('compaction-auto', 20, 106)).judgements).toEqual(['candidate']);
  });

  it('finds an ask that came meanwhile, tells it once, and leaves the turn open', async () => {
    const { world, judgements } = await withGap('permission-unanswered-then-abort', 20, 24);
    expect(world.asks).toMatchObject([{ kind: 'permission', subject: 'external_directory: /etc/*' }]);
    await world.closeGap();
    expect(world.asks).toHaveLength(1);
    expect(judgements).toEqual([]);
  });

  it('finds children that were born meanwhile, and their asks', async () => {
    const { world, judgements } = await withGap('permission-child-session-asks', 20, 51);
    expect(world.asks).toMatchObject([{ sessionId: world.sessions[0]!.id, subject: 'bash: echo child' }]);
    expect(judgements).toEqual([]);
  });

  it('reads the messages of sessions that stopped only', async () => {
    const running = await withGap('text-with-title', 20, 80);
    expect(running.world.server.calls.filter((call) => call === 'messages')).toEqual([]);
    const stopped = await withGap('text-with-title', 20, 102);
    expect(stopped.world.server.calls.filter((call) => call === 'messages')).toHaveLength(1);
  });

  it('names every known session, so that the history returns what is missing and no more', async () => {
    const { world } = await withGap('two-directories-tools', 300, 301);
    expect(await world.server.history(world.router.seqs())).toEqual([]);
    expect(await world.closeGap()).toBe(0);
  });

  it('rejects with the error of the client, and closes the gap when called again', async () => {
    const world = await replay(loadTrace('text-with-title'), {
      deliver: ({ line, frame }) => (line === 7 || line === 8 ? [] : [frame]),
      afterMs: 0,
    });
    const { history } = world.server;
    world.server.history = () => Promise.reject(new Error('no answer'));
    const before = world.router.seqs();
    await expect(world.closeGap()).rejects.toThrow('no answer');
    expect(world.router.seqs()).toEqual(before);
    world.server.history = history;
    await world.closeGap();
    expect(world.router.seqs()).not.toEqual(before);
    expect(world.gaps).toHaveLength(1);
  });

  it('tells only the session that the server does not know any more, and judges the others', async () => {
    const told: SessionEvent[] = [];
    const options: ReplayOptions = {
      deliver: ({ line, frame }) => (line > 30 && line < 102 ? [] : [frame]),
      afterMs: 0,
      atEnd: async (world) => {
        world.router.register(
          'ses_gone',
          (event) => void told.push(event),
          () => {},
        );
        world.router.expectTurn('ses_gone', { messageId: 'msg_gone' });
        const messages = world.server.messages.bind(world.server);
        world.server.messages = (id) =>
          id === 'ses_gone'
            ? Promise.reject(new RequestError('no such session', { status: 404, retryable: false }))
            : messages(id);
        await world.closeGap();
      },
    };
    const world = await replay(loadTrace('text-with-title').slice(0, 101), options);
    expect(told).toEqual([{ type: 'session.lost', reason: expect.stringContaining('does not know the session') }]);
    expect([...world.ended.values()].flat().map((ending) => ending.judgement.kind)).toEqual(['candidate']);
  });
});
