/** The real OpenCode program against a scripted model: what the adapter promises about starting, tools and confinement. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OpenCodeAgentServer } from '../../src/opencode/agent-server.ts';
import { OpenCodeClient } from '../../src/opencode/client.ts';
import { MessageIds } from '../../src/opencode/message-id.ts';
import { sessionPermissions } from '../../src/opencode/permissions.ts';
import { attachServer, type OpenCodeServer, startServer } from '../../src/opencode/server.ts';
import { MUSTER_TOOLS } from '../../src/opencode/tool-file.ts';
import { isAlive } from '../child-process.ts';
import { promptFor, startScriptedModel, type ToolCall } from '../opencode/scripted-model.ts';

const ids = () => new MessageIds({ now: Date.now, random: Math.random });

let base: string;
let model: Awaited<ReturnType<typeof startScriptedModel>>;
/** Everything the tests may not leave behind. */
const servers: OpenCodeServer[] = [];

/** A run folder inside a user's source tree, with instructions of that tree that must not reach agents. */
function makeRun(name: string, { git = false } = {}) {
  const project = join(base, name);
  const runDir = join(project, '.muster', 'runs', 'run-1');
  const workspaceDir = join(runDir, 'workspace');
  for (const folder of ['documents/deep', 'schemas', 'instances/alpha', 'instances/beta']) {
    mkdirSync(join(workspaceDir, folder), { recursive: true });
  }
  const files = {
    'documents/01.md': 'PASSAGE one',
    'documents/deep/02.md': 'PASSAGE two',
    'schemas/s.md': 'PASSAGE schema',
    'instances/alpha/prompt.md': 'PASSAGE alpha',
    'instances/beta/prompt.md': 'PASSAGE beta',
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(workspaceDir, file), text);
  writeFileSync(join(runDir, 'journal.jsonl'), 'PASSAGE journal');
  writeFileSync(join(project, 'AGENTS.md'), 'INSTRUCTIONS OF THE SOURCE TREE');
  writeFileSync(join(project, 'opencode.json'), '{"agent":{"stranger":{"mode":"primary","description":"x"}}}');
  mkdirSync(join(project, '.opencode', 'tool'), { recursive: true });
  writeFileSync(
    join(project, '.opencode', 'tool', 'stray.js'),
    'export default { description: "x", args: {}, execute: async () => "x" }',
  );
  if (git) execFileSync('git', ['init', '-q', project]);
  return { project, runDir, workspaceDir: realpathSync(workspaceDir) };
}

async function start(
  run: { runDir: string; workspaceDir: string },
  options: Partial<Parameters<typeof startServer>[0]> = {},
) {
  const server = await startServer({ mode: 'isolated', ...run, config: model.config, ...options });
  servers.push(server);
  return server;
}

/** Runs one prompt to its end and returns what became of each tool call. */
async function turn(
  server: OpenCodeServer,
  calls: readonly ToolCall[],
  instance = 'alpha',
  allow: readonly string[] = [],
) {
  const { client } = server;
  const { worktree } = await client.path();
  const { directory } = server;
  const agents = new OpenCodeAgentServer({ client, ids: ids(), abortSafe: server.abortSafe });
  const events = await watch(client);
  const { apiSessionId } = await agents.createSession({
    instance: { id: instance, task: instance },
    attempt: 1,
    title: instance,
    model: 'mock/m1',
    permissions: sessionPermissions({ worktree, directory, instanceDir: `instances/${instance}`, allow }),
  });
  const messageId = agents.newMessageId();
  await agents.prompt({ apiSessionId, messageId, text: promptFor(calls), model: 'mock/m1' });
  const asked = await events.idle(apiSessionId);
  events.close();
  const messages = await client.messages(apiSessionId, 200);
  const parts = messages.flatMap(({ parts }) => parts) as unknown as {
    type: string;
    tool: string;
    state: { status: string; output?: string; error?: string };
  }[];
  const results = parts
    .filter(({ type }) => type === 'tool')
    .map(({ state }) => `${state.status}: ${state.output ?? state.error}`);
  return { apiSessionId, messageId, messages, results, asked };
}

/** Opens the stream; `idle` resolves with the asks seen once the session is idle with a finished answer. */
async function watch(client: OpenCodeClient) {
  const controller = new AbortController();
  const stream = await client.openEventStream(controller.signal);
  async function idle(sessionId: string): Promise<string[]> {
    const asked: string[] = [];
    const decoder = new TextDecoder();
    let text = '';
    let isDone = false;
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      const frames = text.split('\n\n');
      text = frames.pop()!;
      for (const frame of frames) {
        const { type, properties } = JSON.parse(frame.slice('data: '.length)).payload;
        if (type === 'permission.asked' || type === 'question.asked') asked.push(type);
        if (properties?.sessionID !== sessionId) continue;
        const { info } = properties;
        if (type === 'message.updated' && info.role === 'assistant') {
          isDone = info.finish === 'stop' || info.error !== undefined;
        }
        if (type === 'session.idle' && isDone) return asked;
      }
    }
    throw new Error('the stream ended before the turn');
  }
  return { idle, close: () => controller.abort() };
}

beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'muster-real-')));
  model = await startScriptedModel();
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await model.close();
  const left = servers.filter(({ pid }) => pid !== undefined && isAlive(pid));
  rmSync(base, { recursive: true, force: true });
  expect(left).toEqual([]);
});

describe('a server of our own', { timeout: 30_000 }, () => {
  let run: ReturnType<typeof makeRun>;
  let server: OpenCodeServer;
  beforeAll(async () => {
    run = makeRun('shared', { git: true });
    server = await start(run);
  });
  beforeEach(() => {
    model.requests.length = 0;
  });

  it('is ready with the version, the model and the five tools, and has no git root to search', async () => {
    expect(server).toMatchObject({ version: '1.18.33', owned: true, directory: run.workspaceDir });
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await server.warm(['mock/m1'])).toEqual({ worktree: '/' });
    await server.abortSafe;
    expect(await server.client.toolIds()).toEqual(expect.arrayContaining([...MUSTER_TOOLS]));
  });

  it('takes nothing from the source tree that the run folder lies in', async () => {
    expect((await server.client.agents()).map(({ name }) => name)).not.toContain('stranger');
    expect(await server.client.toolIds()).not.toContain('stray');
    await turn(server, []);
    expect(model.requests.length).toBe(1);
    expect(JSON.stringify(model.requests)).not.toContain('INSTRUCTIONS OF THE SOURCE TREE');
  });

  it('names the nearest models when the one asked for does not exist', async () => {
    await expect(server.warm(['mock/m1-min'])).rejects.toMatchObject({
      code: 'MODEL_UNKNOWN',
      message: expect.stringMatching(/mock\/m1-min.*mock\/m1-mini, mock\/m1$/),
    });
    await expect(server.warm(['anthropic/claude'])).rejects.toThrow(/no provider "anthropic" here, it has mock/);
  });

  it('carries a submission to the endpoint with the id of the calling session', async () => {
    const calls: { path: string; authorization: string | undefined; body: unknown }[] = [];
    const endpoint = createServer(async (request: IncomingMessage, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      calls.push({ path: request.url!, authorization: request.headers.authorization, body: JSON.parse(text) });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ text: 'rows[0].code: expected "4.2"' }));
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
    writeFileSync(join(run.runDir, 'endpoint.json'), JSON.stringify({ url, token: 'endpoint-token' }));
    try {
      const entities = [{ entity: 'WBSNode', attributes: { code: '4.2' } }];
      const [one, two] = await Promise.all([
        turn(server, [['muster_submit', { entities, relationships: [] }]]),
        turn(server, [['muster_read', { entity: 'WBSNode', where: null, limit: null, offset: null }]], 'beta'),
      ]);
      expect(one.results).toEqual(['completed: rows[0].code: expected "4.2"']);
      expect(calls.find(({ path }) => path === '/tools/submit')).toEqual({
        path: '/tools/submit',
        authorization: 'Bearer endpoint-token',
        body: { session: one.apiSessionId, call: expect.any(String), arguments: { entities, relationships: [] } },
      });
      expect(calls.find(({ path }) => path === '/tools/read')?.body).toEqual({
        session: two.apiSessionId,
        call: expect.any(String),
        arguments: { entity: 'WBSNode' },
      });
    } finally {
      rmSync(join(run.runDir, 'endpoint.json'));
      await new Promise((resolve) => endpoint.close(resolve));
    }
  });

  it('tells the agent when the run that it belongs to has ended', async () => {
    const { results } = await turn(server, [['muster_complete', { summary: 's', none: null }]]);
    expect(results).toEqual([
      expect.stringMatching(/^error: the run that this session belongs to has ended \(ENOENT\)/),
    ]);
  });

  it('offers reading and the muster tools, and nothing that changes or leaves the workspace', async () => {
    await turn(server, []);
    const offered = model.requests[0]!.body.tools!.map((tool) => tool.function.name).sort();
    expect(offered).toEqual(['glob', 'grep', 'read', ...MUSTER_TOOLS].sort());
    const complete = model.requests[0]!.body.tools!.find((tool) => tool.function.name === 'muster_complete')!;
    expect(complete.function.parameters).toMatchObject({
      required: ['summary', 'none'],
      properties: { none: { anyOf: [{ type: 'array' }, { type: 'null' }] } },
    });
  });

  it('lets an agent read documents, schemas and its own folder, and refuses the rest without asking anybody', async () => {
    const inside = [
      'documents/01.md',
      'documents/deep/02.md',
      'documents',
      'schemas/s.md',
      'instances/alpha/prompt.md',
    ];
    const outside = [
      'instances/beta/prompt.md',
      'documents/../instances/beta/prompt.md',
      '.',
      '.opencode/tool/muster.js',
      '../journal.jsonl',
      join(run.project, 'AGENTS.md'),
      '/etc/hostname',
    ];
    const read = (filePath: string): ToolCall => ['read', { filePath }];
    const { results, asked } = await turn(server, [
      ...[...inside, ...outside].map(read),
      ['glob', { pattern: '*', path: '..' }],
      ['grep', { pattern: 'PASSAGE', path: run.project }],
      ['grep', { pattern: '.', path: '/etc/hostname' }],
      ['bash', { command: 'cat ../journal.jsonl', description: 'x' }],
      ['write', { filePath: 'documents/01.md', content: 'x' }],
      ['question', {}],
    ]);
    expect(results.slice(0, inside.length).every((result) => result.startsWith('completed:'))).toBe(true);
    const refused = results.slice(inside.length);
    expect(refused.length).toBe(outside.length + 6);
    for (const result of refused) {
      expect(result).toMatch(
        /^error: (The user has specified a rule which prevents|Model tried to call unavailable tool)/,
      );
    }
    expect(asked).toEqual([]);
    expect(await server.client.pendingPermissions()).toEqual([]);
    expect(await server.client.pendingQuestions()).toEqual([]);
  });

  it('lets a task that may edit write in its own folder only', async () => {
    const write = (filePath: string): ToolCall => [
      'write',
      { filePath: join(run.workspaceDir, filePath), content: 'x' },
    ];
    const calls = [write('instances/beta/x.md'), write('documents/x.md'), write('instances/alpha/notes.md')];
    const { results } = await turn(server, calls, 'alpha', ['edit']);
    expect(results.map((result) => result.split(':')[0])).toEqual(['error', 'error', 'completed']);
    expect(existsSync(join(run.workspaceDir, 'documents/x.md'))).toBe(false);
  });

  it('takes the same prompt twice as one, and its message ids sort with ours', async () => {
    const { client } = server;
    const { apiSessionId, messageId, messages } = await turn(server, []);
    const agents = new OpenCodeAgentServer({ client, ids: ids(), abortSafe: server.abortSafe });
    await agents.prompt({ apiSessionId, messageId, text: promptFor([]), model: 'mock/m1' });
    const again = await client.messages(apiSessionId);
    expect(again.map(({ info }) => info.id)).toEqual(messages.map(({ info }) => info.id));
    expect(again[0]!.parts).toHaveLength(1);
    expect(messageId < messages[1]!.info.id && messages[1]!.info.id < agents.newMessageId()).toBe(true);
    expect(model.requests).toHaveLength(1);
  });

  it('tells history, status and sessions in the shapes that the gap reader expects', async () => {
    const { client } = server;
    const { apiSessionId, messages } = await turn(server, []);
    const rows = (await client.history({ [apiSessionId]: 0 })).filter((row) => row.aggregate_id === apiSessionId);
    expect(rows[0]).toEqual({
      id: expect.stringMatching(/^evt_/),
      aggregate_id: apiSessionId,
      seq: 1,
      type: expect.stringMatching(/\.1$/),
      data: expect.any(Object),
    });
    expect(await client.sessionStatus()).not.toHaveProperty(apiSessionId);
    expect(await client.session(apiSessionId)).toMatchObject({ id: apiSessionId, directory: server.directory });
    const answer = messages[1]!.info.id;
    expect(await client.message(apiSessionId, answer)).toMatchObject({ info: { id: answer, role: 'assistant' } });
  });

  it('turns both envelopes of the server into one error, retryable or not', async () => {
    const { client } = server;
    await expect(client.session('ses_0000000000000000')).rejects.toMatchObject({
      code: 'OPENCODE_REQUEST',
      status: 404,
      serverError: 'NotFoundError',
      retryable: false,
    });
    await expect(client.replyPermission('per_unknown', 'reject')).rejects.toMatchObject({
      status: 404,
      serverError: 'PermissionNotFoundError',
    });
    await expect(client.rejectQuestion('que_unknown')).rejects.toMatchObject({ status: 404 });
    await expect(client.session('foo')).rejects.toMatchObject({ status: 500, retryable: true });
    // Port 9 (discard): nobody listens there.
    const nobody = new OpenCodeClient({ url: 'http://127.0.0.1:9', directory: '/', password: 'none' });
    await expect(nobody.health()).rejects.toMatchObject({ code: 'OPENCODE_LOST', retryable: true });
    await nobody.close();
  });

  it('holds an abort back until it can do no harm', async () => {
    const agents = new OpenCodeAgentServer({ client: server.client, ids: ids(), abortSafe: server.abortSafe });
    await agents.abort('ses_0000000000000000');
    let release!: () => void;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isDone = false;
    const early = new OpenCodeAgentServer({ client: server.client, ids: ids(), abortSafe: held });
    const abort = early.abort('ses_0000000000000000').then(() => {
      isDone = true;
    });
    await server.client.health();
    expect(isDone).toBe(false);
    release();
    await abort;
  });

  it('can be attached to, in a workspace of another run; a wrong password is named', async () => {
    const other = makeRun('attached');
    const password = passwordOf(server);
    const attached = await attachServer({ url: server.url, password, workspaceDir: other.workspaceDir });
    servers.push(attached);
    expect(attached).toMatchObject({
      owned: false,
      version: '1.18.33',
      url: server.url,
      directory: other.workspaceDir,
    });
    expect(await attached.warm(['mock/m1'])).toEqual({ worktree: '/' });
    await attached.stop();
    expect(await server.client.health()).toMatchObject({ healthy: true });

    const wrong = attachServer({ url: server.url, password: 'not-the-password', workspaceDir: other.workspaceDir });
    const error = await wrong.then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ code: 'OPENCODE_REQUEST', status: 401 });
    expect(String(error)).not.toContain('not-the-password');
    expect(String(error)).toContain('password');
  });

  it('keeps its password out of its log and its answers', () => {
    const password = passwordOf(server);
    expect(password.length).toBeGreaterThan(20);
    expect(readFileSync(join(run.runDir, 'server', 'opencode.log'), 'utf8')).not.toContain(password);
  });
});

/** The password stands in the process's environment and nowhere else. */
function passwordOf(server: OpenCodeServer): string {
  const environment = readFileSync(`/proc/${server.pid}/environ`, 'utf8').split('\0');
  const entry = environment.find((line) => line.startsWith('OPENCODE_SERVER_PASSWORD='))!;
  return entry.slice(entry.indexOf('=') + 1);
}

describe('the life of the process', { timeout: 30_000 }, () => {
  const started: OpenCodeServer[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((server) => server.stop()));
  });

  it('stop ends the server and a shell that an agent started in it', async () => {
    const run = makeRun('stopped');
    const server = await start(run);
    started.push(server);
    await server.warm(['mock/m1']);
    const { client } = server;
    const { id } = await client.createSession({
      title: 't',
      permission: [{ permission: '*', pattern: '*', action: 'allow' }],
      model: { providerId: 'mock', modelId: 'm1' },
      agent: 'build',
    });
    const pidFile = join(run.workspaceDir, 'shell.pid');
    const text = promptFor([['bash', { command: `echo $$ > ${pidFile}; sleep 600`, description: 'x' }]]);
    const [messageId, partId] = [ids().message(), ids().message().replace('msg', 'prt')];
    await client.promptAsync(id, {
      messageId,
      partId,
      text,
      model: { providerId: 'mock', modelId: 'm1' },
      agent: 'build',
    });
    const shell = await until(() => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0));
    expect(isAlive(shell)).toBe(true);

    let isGone = false;
    server.gone.then(() => {
      isGone = true;
    });
    await server.stop();
    expect(isAlive(server.pid!)).toBe(false);
    await until(() => !isAlive(shell));
    expect(execFileSync('ps', ['-A', '-o', 'args'], { encoding: 'utf8' })).not.toContain(`orphan-guard ${server.pid}`);
    expect(isGone).toBe(false);
    await expect(client.health()).rejects.toThrow();
  });

  it('an abort straight after warming up poisons nothing', async () => {
    const server = await start(makeRun('aborted'));
    started.push(server);
    await server.warm(['mock/m1']);
    const agents = new OpenCodeAgentServer({ client: server.client, ids: ids(), abortSafe: server.abortSafe });
    const session = { instance: { id: 'a', task: 'a' }, attempt: 1, title: 'a', model: 'mock/m1', permissions: [] };
    const { apiSessionId } = await agents.createSession(session);
    const prompt = { apiSessionId, messageId: agents.newMessageId(), text: promptFor([]), model: 'mock/m1' };
    await agents.prompt(prompt);
    await agents.abort(apiSessionId);
    const { messages } = await turn(server, []);
    expect(messages[1]!.info).toMatchObject({ role: 'assistant', finish: 'stop' });
  });

  it('a server that is killed is told as gone', async () => {
    const server = await start(makeRun('killed'));
    started.push(server);
    process.kill(server.pid!, 'SIGKILL');
    expect(await server.gone).toEqual({ code: 'OPENCODE_LOST', message: expect.stringContaining('signal SIGKILL') });
    await expect(server.client.providers()).rejects.toMatchObject({ code: 'OPENCODE_LOST', retryable: true });
  });

  it('a port that is taken is named, and nothing is started', async () => {
    const holder = createTcpServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    await expect(start(makeRun('port'), { port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(String(port)),
    });
    await new Promise((resolve) => holder.close(resolve));
  });

  it('a configuration of the wrong type is named by its path', async () => {
    const run = makeRun('config');
    const configFile = join(run.project, 'extra.json');
    writeFileSync(configFile, '{"default_agent": 5}');
    const server = await start(run, { configFile });
    started.push(server);
    await expect(server.warm(['mock/m1'])).rejects.toMatchObject({
      code: 'OPENCODE_CONFIG_INVALID',
      message: expect.stringMatching(/--opencode-config.*default_agent: Expected string/),
    });
  });

  it("in user mode it reads the user's providers and credentials, and keeps database and state in the run", async () => {
    const run = makeRun('user');
    const home = join(base, 'home-of-a-user');
    const data = join(home, '.local', 'share', 'opencode');
    const config = join(home, '.config', 'opencode');
    for (const folder of [data, config]) mkdirSync(folder, { recursive: true });
    const { provider } = model.config;
    const { apiKey: _, ...options } = provider.mock.options;
    writeFileSync(
      join(config, 'opencode.json'),
      JSON.stringify({ provider: { mock: { ...provider.mock, options } }, permission: 'allow' }),
    );
    writeFileSync(join(config, 'AGENTS.md'), 'INSTRUCTIONS OF THE USER');
    writeFileSync(join(data, 'auth.json'), JSON.stringify({ mock: { type: 'api', key: 'key-of-the-user' } }));
    const environment = {
      PATH: process.env['PATH'],
      HOME: home,
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      npm_config_offline: 'true',
      NEO4J_PASSWORD: 'graph-password',
      HTTP_PROXY: 'http://127.0.0.1:9',
    };
    const server = await start(run, { mode: 'user', config: {}, environment });
    started.push(server);
    await server.warm(['mock/m1']);
    const { results } = await turn(server, [
      ['read', { filePath: 'documents/01.md' }],
      ['bash', { command: 'true', description: 'x' }],
    ]);
    expect(results.map((result) => result.split(':')[0])).toEqual(['completed', 'error']);
    expect(JSON.stringify(model.requests)).not.toContain('INSTRUCTIONS OF THE USER');
    expect(existsSync(join(run.runDir, 'server', 'opencode.db'))).toBe(true);
    expect(existsSync(join(data, 'opencode.db'))).toBe(false);
    expect(readFileSync(join(data, 'auth.json'), 'utf8')).toContain('key-of-the-user');
    expect(readFileSync(`/proc/${server.pid}/environ`, 'utf8')).not.toContain('graph-password');
  });
});

async function until<Value>(look: () => Value): Promise<NonNullable<Value>> {
  for (;;) {
    const seen = look();
    if (seen) return seen;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
