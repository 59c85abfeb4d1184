/** The order of prompts and aborts of one session, which travel on connections of their own. */
import { describe, expect, it } from 'vitest';
import { OpenCodeAgentServer } from '../../src/opencode/agent-server.ts';
import type { OpenCodeClient } from '../../src/opencode/client.ts';
import { MessageIds } from '../../src/opencode/message-id.ts';

const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));
const request = { apiSessionId: 'ses_1', messageId: 'msg_1', text: 'go', model: 'a/one' };

function bench() {
  const asked: string[] = [];
  const answers: { resolve(): void; reject(error: Error): void }[] = [];
  const client = {
    promptAsync: (id: string) => {
      asked.push(`prompt ${id}`);
      return new Promise<void>((resolve, reject) => answers.push({ resolve, reject }));
    },
    abort: async (id: string) => void asked.push(`abort ${id}`),
  } as unknown as OpenCodeClient;
  const ids = new MessageIds({ now: () => 0, random: () => 0.5 });
  return { asked, answers, server: new OpenCodeAgentServer({ client, ids, abortSafe: Promise.resolve() }) };
}

describe('an abort', () => {
  it.each(['resolve', 'reject'] as const)(
    'is sent at once, and again when a prompt that was on its way has been answered (%s)',
    async (how) => {
      const { server, asked, answers } = bench();
      const prompted = server.prompt(request).catch(() => {});
      const aborted = server.abort('ses_1');
      await turnOfLoop();
      expect(asked).toEqual(['prompt ses_1', 'abort ses_1']);
      answers[0]?.[how](new Error('reset'));
      await Promise.all([prompted, aborted]);
      expect(asked).toEqual(['prompt ses_1', 'abort ses_1', 'abort ses_1']);
    },
  );

  it('is sent once when the prompt was answered before, or belongs to another session', async () => {
    const { server, asked, answers } = bench();
    const prompted = server.prompt(request);
    await server.abort('ses_2');
    answers[0]?.resolve();
    await prompted;
    await server.abort('ses_1');
    expect(asked).toEqual(['prompt ses_1', 'abort ses_2', 'abort ses_1']);
  });
});
