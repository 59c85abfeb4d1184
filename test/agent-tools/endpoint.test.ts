import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { Desk } from '../../src/agent-tools/desk.ts';
import { type Endpoint, startEndpoint } from '../../src/agent-tools/endpoint.ts';
import { writeEndpointFile } from '../../src/agent-tools/endpoint-file.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import type { GraphStore } from '../../src/ports.ts';

let endpoint: Endpoint;
let graph: GraphStore;
const answers: string[] = [];
const faults: Error[] = [];

beforeAll(async () => {
  endpoint = await startEndpoint((error) => faults.push(error));
  graph = openEmbeddedGraph(':memory:');
  const desk = new Desk({
    context: {
      schema: construction,
      scope: 'P',
      instance: { id: 'lbs-extraction', task: 'lbs-extraction' },
      sources: ['documents/a.md'],
      readable: ['WBSNode'],
    },
    graph,
    runId: 'r1',
    onAnswer: ({ tool }) => answers.push(tool),
  });
  endpoint.bind('ses_1', desk);
  const wbs = (code: string, name: string) => ({
    entity: 'WBSNode',
    key: ['P', code],
    properties: { projectId: 'P', code, name, level: code.split('.').length, producedBy: 'wbs-extraction' },
  });
  const nodes = [wbs('1', 'Section'), wbs('1.2', 'Second'), wbs('1.10', 'Tenth'), wbs('1.9', 'Ninth')];
  const child = (code: string) => ({
    type: 'CHILD_OF',
    from: { entity: 'WBSNode', key: ['P', code] },
    to: { entity: 'WBSNode', key: ['P', '1'] },
  });
  await graph.commit({ runId: 'r1', task: 'wbs-extraction', nodes, relationships: ['1.2', '1.9', '1.10'].map(child) });
  await graph.commit({
    runId: 'r0',
    task: 'wbs-extraction',
    nodes: [wbs('7', 'From an earlier run')],
    relationships: [],
  });
});
afterAll(async () => {
  await endpoint.close();
  await graph.close();
});

interface Call {
  readonly path?: string;
  readonly token?: string;
  readonly host?: string;
  readonly method?: string;
}

function call(
  body: unknown,
  { path = '/tools/read', token = endpoint.token, host, method = 'POST' }: Call = {},
): Promise<{ status: number; text: string }> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const { port } = new URL(endpoint.url);
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers: { authorization: `Bearer ${token}`, ...(host && { host }) } },
      (response) => {
        let received = '';
        response.on('data', (chunk: Buffer) => (received += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode!, text: (JSON.parse(received) as { text: string }).text }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(text);
  });
}
const read = (given: object) => call({ session: 'ses_1', arguments: given });
const query = (given: object) => call({ session: 'ses_1', arguments: given }, { path: '/tools/query' });

describe('the endpoint behind the agents’ tools', () => {
  it('answers nobody without the token of the run', async () => {
    expect(await call({ session: 'ses_1' }, { token: 'x'.repeat(64) })).toMatchObject({ status: 401 });
    expect(await call({ session: 'ses_1' }, { token: '' })).toMatchObject({ status: 401 });
  });

  it('answers nobody who came by another name (DNS rebinding)', async () => {
    expect(await call({ session: 'ses_1' }, { host: 'evil.example:80' })).toMatchObject({ status: 403 });
  });

  it('knows its callers by session, and tells a stranger that nothing was changed', async () => {
    expect(await call({ session: 'ses_2', arguments: {} })).toMatchObject({
      status: 403,
      text: expect.stringContaining('nothing was changed'),
    });
  });

  it.each([
    ['another path', {}, { path: '/tools/drop' }, 404],
    ['another method', '', { method: 'GET' }, 404],
    ['broken JSON', '{"session":', {}, 400],
    ['no session', {}, {}, 400],
    ['a body over the bound', 'x'.repeat(8 * 1024 * 1024 + 1), {}, 413],
  ] as const)('refuses %s', async (_, body, how, status) => {
    expect((await call(body, how)).status).toBe(status);
    expect(faults).toEqual([]);
  });

  it('reads what upstream tasks of this run committed, in key order, without what muster writes', async () => {
    const { text } = await read({ entity: 'WBSNode' });
    expect(text.split('\n')).toEqual([
      '4 WBSNode:',
      '{"entity":"WBSNode","code":"1","level":1,"name":"Section"}',
      '{"entity":"WBSNode","code":"1.2","level":2,"name":"Second"}',
      '{"entity":"WBSNode","code":"1.9","level":2,"name":"Ninth"}',
      '{"entity":"WBSNode","code":"1.10","level":2,"name":"Tenth"}',
    ]);
    expect((await read({ entity: 'WBSNode', where: { code: '1.9' } })).text).toMatch(/^1 WBSNode:/);
    expect((await read({ entity: 'WBSNode', limit: 2, offset: 1 })).text).toMatch(
      /rows 2 to 3:[\s\S]*1 more: call again with offset 3$/,
    );
  });

  it('refuses to read what the task has no business with, and says what it may read', async () => {
    expect((await read({ entity: 'Party' })).text).toMatch(
      /Refused:\n- entity: expected an entity that this task may read \(WBSNode\)/,
    );
    expect((await read({ entity: 'WBSNode', where: { cod: '1' } })).text).toContain('Did you mean code?');
    expect((await read({ entity: 'WBSNode', limit: -1 })).text).toContain('limit: expected a whole number');
  });

  it('walks relationships in both directions, read-only and bounded', async () => {
    const down = await query({
      start: { entity: 'WBSNode', where: { code: '1' } },
      follow: [{ type: 'CHILD_OF', direction: 'in' }],
    });
    expect(down.text).toMatch(/^3 found:/);
    const up = await query({
      start: { entity: 'WBSNode', where: { code: '1.9' } },
      follow: [{ type: 'CHILD_OF', direction: 'out' }],
    });
    expect(up.text).toContain('"code":"1"');
    const deep = await query({
      start: { entity: 'WBSNode' },
      follow: Array.from({ length: 5 }, () => ({ type: 'CHILD_OF', direction: 'in' })),
    });
    expect(deep.text).toContain('at most 4 steps');
  });

  it('answers the calls of one session one after the other, and tells of each', async () => {
    answers.length = 0;
    await Promise.all([
      read({ entity: 'WBSNode' }),
      call({ session: 'ses_1', arguments: {} }, { path: '/tools/complete' }),
      read({ entity: 'WBSNode' }),
    ]);
    expect(answers.sort()).toEqual(['complete', 'read', 'read']);
  });

  it('tells an agent whose attempt ended while it was judged that it is at work for nobody', async () => {
    let judged = (): void => {};
    const isJudged = new Promise<void>((resolve) => {
      judged = resolve;
    });
    let asked = (): void => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const desk = {
      answer: async () => {
        asked();
        await isJudged;
        return 'accepted 1';
      },
    } as unknown as Desk;
    endpoint.bind('ses_9', desk);
    const late = call({ session: 'ses_9', arguments: {} });
    await isAsked;
    endpoint.unbind('ses_9');
    judged();
    expect(await late).toMatchObject({ status: 403, text: expect.stringContaining('nothing was changed') });
  });

  it('tells the tool file where it is in a file that only this user can read', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'muster-test-')), 'endpoint.json');
    await writeEndpointFile(file, endpoint);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ url: endpoint.url, token: endpoint.token });
  });
});
