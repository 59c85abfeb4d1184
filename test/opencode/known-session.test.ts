import { describe, expect, it } from 'vitest';
import { readKnownSession } from '../../src/opencode/known-session.ts';
import type { GapSource, MessageReading } from '../../src/opencode/reconcile.ts';
import { RequestError } from '../../src/opencode/request-error.ts';

const user = (id: string): MessageReading => ({ info: { id, role: 'user', sessionID: 's' }, parts: [] });
const reply = (id: string, parentID: string, more: object): MessageReading => ({
  info: { id, role: 'assistant', sessionID: 's', parentID, tokens: { input: 5, output: 1 }, cost: 1, ...more },
  parts: [],
});
const done = { finish: 'stop', time: { created: 1, completed: 2 } };

function read(
  messages: readonly MessageReading[] | Error,
  status: Record<string, { type: string }> = {},
  messageId?: string,
) {
  const client = {
    sessionStatus: async () => status,
    pendingPermissions: async () => [],
    pendingQuestions: async () => [],
    messages: async () => {
      if (messages instanceof Error) throw messages;
      return messages;
    },
  } as unknown as GapSource;
  return readKnownSession(client, '/w', 's', messageId);
}

describe('what the server knows of a session of an earlier process', () => {
  it('is that it ended its turn, with the judgement of a live turn and its usage', async () => {
    const { server, usage } = await read([user('m1'), reply('m2', 'm1', done)], {}, 'm1');
    expect(server).toEqual({ kind: 'idle', judgement: { kind: 'candidate' } });
    expect(usage).toMatchObject({ inputTokens: 5, cost: 1, steps: 1 });
  });

  it('is that it was cut off when its last answer is not completed', async () => {
    expect((await read([user('m1'), reply('m2', 'm1', {})], {}, 'm1')).server).toEqual({
      kind: 'idle',
      judgement: { kind: 'interrupted' },
    });
  });

  it('is that it was cut off when it died between two calls of its model', async () => {
    const step = { finish: 'tool-calls', time: { created: 1, completed: 2 } };
    const failed = { type: 'tool', messageID: 'm2', state: { status: 'error', error: 'no such file' } };
    const refused = {
      ...failed,
      state: { status: 'error', error: 'The user rejected permission to use this specific tool call.' },
    };
    const told = {
      ...failed,
      state: {
        status: 'error',
        error:
          'The user rejected permission to use this specific tool call with the following feedback: nobody is there',
      },
    };
    const judged = async (parts: readonly object[]) => {
      const { server } = await read([user('m1'), { ...reply('m2', 'm1', step), parts }], {}, 'm1');
      return server;
    };
    for (const parts of [[], [failed], [told]]) {
      expect(await judged(parts)).toEqual({ kind: 'idle', judgement: { kind: 'interrupted' } });
    }
    // It ended where something was refused: that is no accident.
    expect(await judged([failed, refused])).toEqual({ kind: 'idle', judgement: { kind: 'rejected' } });
  });

  it('is that it was aborted', async () => {
    const error = { name: 'MessageAbortedError', data: { message: 'aborted' } };
    expect((await read([user('m1'), reply('m2', 'm1', { error })], {}, 'm1')).server).toMatchObject({
      judgement: { kind: 'aborted' },
    });
  });

  it('is that it is at work', async () => {
    expect((await read([user('m1')], { s: { type: 'busy' } }, 'm1')).server).toEqual({ kind: 'busy' });
    expect((await read([user('m1')], { s: { type: 'retry' } }, 'm1')).server).toEqual({ kind: 'busy' });
  });

  it('is that it calls its model for ever, although it is at work', async () => {
    const endless = { finish: 'unknown', time: { created: 1, completed: 2 } };
    const messages = [user('m1'), reply('m2', 'm1', endless), reply('m3', 'm1', endless)];
    expect((await read(messages, { s: { type: 'busy' } }, 'm1')).server).toEqual({
      kind: 'busy',
      judgement: { kind: 'loop' },
    });
  });

  it('is that the last prompt never arrived, although an earlier one was answered', async () => {
    expect((await read([user('m1'), reply('m2', 'm1', done)], {}, 'm3')).server).toEqual({ kind: 'idle' });
    expect((await read([], {}, undefined)).server).toEqual({ kind: 'idle' });
  });

  it('is nothing when the session is unknown; any other failure is one', async () => {
    expect((await read(new RequestError('no session', { status: 404, retryable: false }), {}, 'm1')).server).toEqual({
      kind: 'gone',
    });
    await expect(read(new RequestError('overload', { status: 500, retryable: true }), {}, 'm1')).rejects.toThrow(
      'overload',
    );
  });
});
