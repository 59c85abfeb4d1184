import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { neo4jAddress, neo4jEnvironment } from '../../src/graph/neo4j-environment.ts';
import { openGraph } from '../../src/graph/open-graph.ts';
import { contractSchema } from './contract-schema.ts';

function refusal(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (thrown) {
    return thrown as { code: string; message: string };
  }
  throw new Error('it was accepted');
}

describe('the address of a graph database', () => {
  it.each([
    ['neo4j://localhost', 'neo4j://localhost'],
    ['neo4j+s://graph.example.org:7688/', 'neo4j+s://graph.example.org:7688'],
    ['bolt://[::1]:7687', 'bolt://[::1]:7687'],
    ['bolt+ssc://10.0.0.1', 'bolt+ssc://10.0.0.1'],
    ['neo4j://localhost?policy=europe', 'neo4j://localhost'],
  ])('%s is shown as %s', (url, shown) => {
    expect(neo4jAddress(url)).toEqual({ url, shown });
  });

  it.each([
    'neo4j://neo4j:SECRET@localhost',
    'bolt://:SECRET@localhost',
    'neo4j+s://SECRET@localhost:7687',
    'neo4j://a b:SECRET@',
    'neo4j://localhost?password=SECRET',
    'neo4j://localhost?access_token=SECRET',
    'http://neo4j:SECRET@localhost',
    'neo4j://localhost:SECRET',
    'neo4j://localhost/SECRET',
    'bolt://localhost#SECRET',
  ])('%s is refused, and the message keeps the secret', (url) => {
    const { code, message } = refusal(() => neo4jAddress(url));
    expect(code).toBe('GRAPH_TARGET');
    expect(message).not.toContain('SECRET');
  });

  it('no text with credentials in front of the host gets through or into a message', () => {
    const secret = fc.string({ minLength: 6, maxLength: 20 }).filter((text) => !/^[a-z:/\s]*$/i.test(text));
    fc.assert(
      fc.property(fc.constantFrom('neo4j', 'bolt+s', 'BOLT'), secret, (scheme, password) => {
        const { code, message } = refusal(() => neo4jAddress(`${scheme}://neo4j:${password}@localhost`));
        expect(code).toBe('GRAPH_TARGET');
        expect(message).not.toContain(password);
      }),
    );
  });
});

describe('the credentials of a graph database', () => {
  it('come from the environment, with the user neo4j and the home database by default', () => {
    expect(neo4jEnvironment({ NEO4J_PASSWORD: 'p' })).toEqual({ auth: { username: 'neo4j', password: 'p' } });
    const env = { NEO4J_USERNAME: 'u', NEO4J_PASSWORD: 'p', NEO4J_DATABASE: 'd' };
    expect(neo4jEnvironment(env)).toEqual({ auth: { username: 'u', password: 'p' }, database: 'd' });
    const empty = { NEO4J_USERNAME: '', NEO4J_PASSWORD: 'p', NEO4J_DATABASE: '' };
    expect(neo4jEnvironment(empty)).toEqual({ auth: { username: 'neo4j', password: 'p' } });
  });

  it.each([{}, { NEO4J_PASSWORD: '' }, { NEO4J_USERNAME: 'u' }])(
    'are asked for when there is no password: %j',
    (env) => {
      expect(refusal(() => neo4jEnvironment(env))).toMatchObject({
        code: 'GRAPH_CREDENTIALS',
        message: expect.stringContaining('NEO4J_PASSWORD'),
      });
    },
  );
});

describe('opening a graph by its target', () => {
  it('opens a file for a path', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'muster-graph-'));
    const store = await openGraph(join(folder, 'graph.db'), { schema: contractSchema, env: {} });
    const node = { entity: 'A', key: ['P', '1'], properties: {} };
    expect(await store.commit({ runId: 'R', task: 't', nodes: [node], relationships: [] })).toMatchObject({
      created: 1,
    });
    await store.close();
    await rm(folder, { recursive: true });
  });

  it('refuses a URL with a password before it looks for anything else', async () => {
    const open = (target: string) => openGraph(target, { schema: contractSchema, env: {} });
    await expect(open('neo4j://u:SECRET@localhost')).rejects.toMatchObject({ code: 'GRAPH_TARGET' });
    await expect(open('https://localhost')).rejects.toMatchObject({ code: 'GRAPH_TARGET' });
    await expect(open('neo4j://localhost')).rejects.toMatchObject({ code: 'GRAPH_CREDENTIALS' });
  });
});
