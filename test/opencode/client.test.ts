import { afterEach, describe, expect, it } from 'vitest';
import { OpenCodeClient } from '../../src/opencode/client.ts';
import { watchHealth } from '../../src/opencode/health-watch.ts';
import { attachServer } from '../../src/opencode/server.ts';
import { MUSTER_TOOLS } from '../../src/opencode/tool-file.ts';
import { checkVersion, warmUp } from '../../src/opencode/warm-up.ts';
import { type Answer, startFakeServer } from './fake-server.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function serve(routes: Record<string, Answer | Answer[]>, timeoutMs = 5_000) {
  const server = await startFakeServer(routes);
  const client = new OpenCodeClient({
    url: server.url,
    directory: '/run/work space',
    password: 'pass-word',
    timeoutMs,
  });
  cleanUps.push(server.close, () => client.close());
  return { server, client };
}

const breakOff: Answer = (response) => response.destroy();
const silent: Answer = () => {};

describe('the client', () => {
  it('names the directory and logs in on every request', async () => {
    const { server, client } = await serve({
      'GET /session/status': [200, {}],
      'POST /permission/per_1/reply': [200, true],
    });
    await client.sessionStatus();
    await client.replyPermission('per_1', 'reject', 'not allowed here');
    const authorization = `Basic ${Buffer.from('opencode:pass-word').toString('base64')}`;
    expect(server.requests).toEqual([
      { operation: 'GET /session/status', directory: '/run/work space', authorization, body: undefined },
      {
        operation: 'POST /permission/per_1/reply',
        directory: '/run/work space',
        authorization,
        body: { reply: 'reject', message: 'not allowed here' },
      },
    ]);
  });

  it('spells the model as sessions and messages want it', async () => {
    const { server, client } = await serve({
      'POST /session': [200, { id: 'ses_1' }],
      'POST /session/ses_1/prompt_async': [204, ''],
    });
    const model = { providerId: 'p', modelId: 'a/b' };
    await client.createSession({ title: 't', permission: [], model, agent: 'build' });
    await client.promptAsync('ses_1', { messageId: 'msg_1', partId: 'prt_1', text: 'x', model, agent: 'build' });
    expect(server.requests.map(({ body }) => body)).toEqual([
      { title: 't', permission: [], agent: 'build', model: { providerID: 'p', id: 'a/b' } },
      {
        messageID: 'msg_1',
        agent: 'build',
        model: { providerID: 'p', modelID: 'a/b' },
        parts: [{ id: 'prt_1', type: 'text', text: 'x' }],
      },
    ]);
  });

  it('tells an answered error with status, name and message, and whether to try again', async () => {
    const { client } = await serve({
      'GET /session/a': [404, { name: 'NotFoundError', data: { message: 'Session not found: a' } }],
      'GET /session/b': [409, { _tag: 'SessionBusyError', message: 'Session is busy: b' }],
      'GET /session/c': [503, ''],
      'GET /session/d': [200, '<html>'],
    });
    await expect(client.session('a')).rejects.toMatchObject({
      code: 'OPENCODE_REQUEST',
      message: 'OpenCode answered GET /session/a with status 404: NotFoundError: Session not found: a',
      status: 404,
      retryable: false,
    });
    await expect(client.session('b')).rejects.toMatchObject({ serverError: 'SessionBusyError', retryable: true });
    await expect(client.session('c')).rejects.toMatchObject({ status: 503, retryable: true, serverError: undefined });
    await expect(client.session('d')).rejects.toMatchObject({ code: 'OPENCODE_REQUEST', retryable: false });
  });

  it('gives up after the time limit', async () => {
    const { client } = await serve({ 'GET /path': silent }, 50);
    await expect(client.path()).rejects.toMatchObject({
      code: 'OPENCODE_REQUEST',
      status: undefined,
      retryable: true,
      message: expect.stringContaining('GET /path within 50 ms'),
    });
  });

  it('tries a request once more when the connection breaks, that for a session too', async () => {
    const { server, client } = await serve({
      'GET /agent': [breakOff, [200, []]],
      'GET /permission': breakOff,
      'POST /session': [breakOff, [200, { id: 'second' }]],
    });
    expect(await client.agents()).toEqual([]);
    await expect(client.pendingPermissions()).rejects.toMatchObject({ code: 'OPENCODE_LOST', retryable: true });
    const session = { title: 't', permission: [], model: { providerId: 'p', modelId: 'm' }, agent: 'build' };
    expect(await client.createSession(session)).toEqual({ id: 'second' });
    expect(server.operations().filter((operation) => operation === 'GET /permission')).toHaveLength(2);
    expect(server.operations().filter((operation) => operation === 'POST /session')).toHaveLength(2);
  });

  it('keeps the password out of everything that it throws', async () => {
    const { server, client } = await serve({
      'GET /path': [401, ''],
      'GET /global/event': [401, ''],
      'GET /agent': breakOff,
    });
    const thrown = await Promise.allSettled([
      client.path(),
      client.agents(),
      client.openEventStream(new AbortController().signal),
      attachServer({ url: server.url.replace('://', '://user:pass-word@'), workspaceDir: '.' }),
      attachServer({ url: 'opencode:pass-word', workspaceDir: '.' }),
    ]);
    for (const result of thrown) {
      expect(result.status).toBe('rejected');
      const { reason } = result as PromiseRejectedResult;
      expect(`${reason.stack}${JSON.stringify(reason)}${reason.cause?.stack}`).not.toMatch(/pass-word|cGFzcy13b3Jk/);
    }
  });

  it('reads the event stream as it comes, and abort ends it', async () => {
    const { client } = await serve({
      'GET /global/event': (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: {"one":1}\n\n');
      },
    });
    const controller = new AbortController();
    const stream = await client.openEventStream(controller.signal);
    const read = (async () => {
      for await (const chunk of stream) {
        expect(new TextDecoder().decode(chunk)).toBe('data: {"one":1}\n\n');
        controller.abort();
      }
    })();
    await expect(read).rejects.toThrow(/abort/i);
  });
});

const ready: Record<string, Answer | Answer[]> = {
  'GET /global/health': [200, { healthy: true, version: '1.18.34' }],
  'GET /config/providers': [200, { providers: [{ id: 'p', models: { m: {} } }] }],
  'GET /agent': [200, [{ name: 'build' }]],
  'GET /experimental/tool/ids': [200, ['read', ...MUSTER_TOOLS]],
  'GET /path': [200, { worktree: '/' }],
  'POST /instance/dispose': [200, true],
};
const wanted = { models: ['p/m'], agent: 'build' };

describe('warming up', () => {
  it('asks for the providers first and allows aborts only then', async () => {
    const { server, client } = await serve(ready);
    let askedBefore: string[] = [];
    const onWarm = () => {
      askedBefore = server.operations();
    };
    expect(await warmUp(client, { ...wanted, onWarm })).toEqual({ worktree: '/' });
    expect(askedBefore).toEqual(['GET /config/providers']);
    expect(server.operations()).toEqual([
      'GET /config/providers',
      'GET /agent',
      'GET /experimental/tool/ids',
      'GET /path',
    ]);
  });

  it('never allows aborts when the instance could not be made', async () => {
    const { client } = await serve({ ...ready, 'GET /config/providers': [500, ''] });
    let isWarm = false;
    const onWarm = () => {
      isWarm = true;
    };
    await expect(warmUp(client, { ...wanted, onWarm })).rejects.toMatchObject({ status: 500 });
    expect(isWarm).toBe(false);
  });

  it('heals a poisoned instance once', async () => {
    const answer: Answer[] = [[503, ''], ready['GET /config/providers'] as Answer];
    const { server, client } = await serve({ ...ready, 'GET /config/providers': answer });
    await warmUp(client, wanted);
    expect(server.operations().slice(0, 3)).toEqual([
      'GET /config/providers',
      'POST /instance/dispose',
      'GET /config/providers',
    ]);
  });

  it('says that a server is lost whose instance stays poisoned', async () => {
    const { client } = await serve({ ...ready, 'GET /config/providers': [503, ''] });
    await expect(warmUp(client, wanted)).rejects.toMatchObject({
      code: 'OPENCODE_LOST',
      message: expect.stringMatching(/poisoned.*restart the server/),
    });
  });

  it('names the tools and the agent that are missing', async () => {
    const { client } = await serve({ ...ready, 'GET /experimental/tool/ids': [200, ['muster_read']] });
    await expect(warmUp(client, wanted)).rejects.toMatchObject({
      code: 'AGENT_TOOLS',
      message: expect.stringContaining('/run/work space/.opencode/tool, missing: muster_submit, muster_withdraw'),
    });
    const other = await serve({ ...ready, 'GET /agent': [200, [{ name: 'plan' }]] });
    await expect(warmUp(other.client, wanted)).rejects.toThrow(/agent "build", the server has plan/);
  });

  it('limits how long it waits for the tools', async () => {
    const { client } = await serve({ ...ready, 'GET /experimental/tool/ids': silent });
    await expect(warmUp(client, wanted, { toolsMs: 50 })).rejects.toThrow(/tool\/ids within 50 ms/);
  });

  it('waits for health through errors of a server that is not up yet', async () => {
    const { client } = await serve({
      ...ready,
      'GET /global/health': [[503, ''], silent, ready['GET /global/health'] as Answer],
    });
    expect(await checkVersion(client, { probeMs: 50 })).toBe('1.18.34');
  });

  it('refuses another version, a wrong password and a server that never answers', async () => {
    const { client } = await serve({ 'GET /global/health': [200, { healthy: true, version: '2.2.0' }] });
    await expect(checkVersion(client)).rejects.toMatchObject({ code: 'OPENCODE_VERSION' });
    const locked = await serve({ 'GET /global/health': [401, ''] });
    await expect(checkVersion(locked.client)).rejects.toMatchObject({ status: 401 });
    expect(locked.server.requests).toHaveLength(1);
    const dead = await serve({ 'GET /global/health': silent });
    await expect(checkVersion(dead.client, { healthMs: 150, probeMs: 50 })).rejects.toMatchObject({
      code: 'OPENCODE_START',
    });
  });
});

describe('a server that is not our process', () => {
  it('is gone after three looks in a row without an answer', async () => {
    const answers = [true, false, false, true, false, false, false];
    const client = {
      health: async () => {
        if (answers.shift()) return { healthy: true, version: '1.18.33' };
        throw new Error('refused');
      },
    };
    const cause = await watchHealth(client, 'http://127.0.0.1:1', new AbortController().signal, { everyMs: 1 });
    expect(cause).toMatchObject({ code: 'OPENCODE_LOST', message: expect.stringContaining('refused') });
    expect(answers).toEqual([]);
  });
});
