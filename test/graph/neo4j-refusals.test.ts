import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openNeo4jGraph } from '../../src/graph/neo4j.ts';
import { openNeo4jSource } from '../../src/graph/neo4j-source.ts';
import { openGraph } from '../../src/graph/open-graph.ts';
import { contractSchema } from './contract-schema.ts';
import { ask, auth, bareDatabase, env, rawDriver, server, where, wholeDatabase } from './neo4j-database.ts';

const driver = rawDriver();
beforeEach(() => bareDatabase(driver));
afterAll(async () => {
  await bareDatabase(driver);
  await driver.close();
});

const open = (options: object = {}) =>
  openNeo4jGraph(server.url, { schema: contractSchema, auth, ...where, ...options });

/** What opening rejects with; the test fails when it opens. */
async function refusal(opening: Promise<{ close(): Promise<void> }>): Promise<{ code: string; message: string }> {
  try {
    await (await opening).close();
  } catch (thrown) {
    return thrown as { code: string; message: string };
  }
  throw new Error('the database was opened');
}

/** A server of the test's own on a free port. */
function listen(answer: (socket: Socket) => void): Promise<{ port: number; stop: Server }> {
  return new Promise((resolve) => {
    const stop = createServer(answer).listen(0, '127.0.0.1', () => {
      const address = stop.address();
      resolve({ port: typeof address === 'object' && address !== null ? address.port : 0, stop });
    });
  });
}

/** A user who exists for one test. */
async function withUser(clause: string, run: (user: { username: string; password: string }) => Promise<void>) {
  const user = { username: 'refusals', password: 'first-Password-7' };
  const session = driver.session({ database: 'system' });
  try {
    await session.run(`CREATE OR REPLACE USER refusals SET PASSWORD $password ${clause}`, user);
    await run(user);
  } finally {
    await session.run('DROP USER refusals IF EXISTS');
    await session.close();
  }
}

describe('a server that does not let muster in', () => {
  it('is GRAPH_CREDENTIALS for a wrong password or user, and the password stands nowhere', async () => {
    const before = await wholeDatabase(driver);
    await withUser('CHANGE NOT REQUIRED', async ({ username }) => {
      for (const wrong of [
        { username, password: 'wrong-Secret-1' },
        { username: 'nobody', password: 'wrong-Secret-1' },
      ]) {
        const refused = await refusal(open({ auth: wrong }));
        expect(refused).toMatchObject({ code: 'GRAPH_CREDENTIALS', message: expect.stringMatching(/NEO4J_PASSWORD/) });
        expect(JSON.stringify([refused, refused.message, String(refused)])).not.toContain('wrong-Secret-1');
      }
    });
    expect(await wholeDatabase(driver)).toEqual(before);
  });

  it('is GRAPH_CREDENTIALS with the cure for a password of the first login', async () => {
    await withUser('CHANGE REQUIRED', async (user) => {
      const refused = await refusal(open({ auth: user }));
      expect(refused).toMatchObject({
        code: 'GRAPH_CREDENTIALS',
        message: expect.stringMatching(/must be changed first.*ALTER CURRENT USER SET PASSWORD/),
      });
      expect(refused.message).not.toContain(user.password);
      expect(await refusal(openNeo4jSource(server.url, { auth: user }))).toMatchObject({ code: 'GRAPH_CREDENTIALS' });
    });
  });

  it('says to wait after many wrong passwords', async () => {
    await withUser('CHANGE NOT REQUIRED', async ({ username }) => {
      const refused = [];
      for (let at = 0; at < 6; at += 1) refused.push(await refusal(open({ auth: { username, password: 'wrong' } })));
      expect(refused.every(({ code }) => code === 'GRAPH_CREDENTIALS')).toBe(true);
      expect(refused.at(-1)).toMatchObject({ retryable: true, message: expect.stringMatching(/Wait/) });
    });
  });

  it('is GRAPH_OPEN for a database that does not exist', async () => {
    const refused = await refusal(open({ database: 'no-such-database' }));
    expect(refused).toMatchObject({ code: 'GRAPH_OPEN', message: expect.stringMatching(/NEO4J_DATABASE/) });
  });
});

describe('a server that is not there', () => {
  it.each(['bolt', 'neo4j'])('is GRAPH_UNREACHABLE at once for %s:// and a closed port', async (scheme) => {
    const { port, stop } = await listen(() => {});
    await new Promise((resolve) => stop.close(resolve));
    const start = performance.now();
    const refused = await refusal(openGraph(`${scheme}://127.0.0.1:${port}`, { schema: contractSchema, env }));
    expect(performance.now() - start).toBeLessThan(6_000);
    const message = expect.stringContaining(`${scheme}://127.0.0.1:${port}`);
    expect(refused).toMatchObject({ code: 'GRAPH_UNREACHABLE', retryable: true, message });
  });

  it('is GRAPH_UNREACHABLE within the limit for a port that takes the connection and says nothing', async () => {
    const sockets: { destroy(): void }[] = [];
    const { port, stop } = await listen((socket) => void sockets.push(socket));
    const start = performance.now();
    const url = `bolt://127.0.0.1:${port}`;
    const refused = await refusal(openNeo4jGraph(url, { schema: contractSchema, auth }));
    expect(refused).toMatchObject({ code: 'GRAPH_UNREACHABLE' });
    expect(performance.now() - start).toBeLessThan(7_000);
    for (const socket of sockets) socket.destroy();
    stop.close();
  });

  it('is GRAPH_UNREACHABLE for a server that speaks something else', async () => {
    const { port, stop } = await listen((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    const url = `bolt://127.0.0.1:${port}`;
    expect(await refusal(openNeo4jGraph(url, { schema: contractSchema, auth }))).toMatchObject({
      code: 'GRAPH_UNREACHABLE',
    });
    stop.close();
  });
});

describe('a database that holds something that collides', () => {
  it.each([
    [
      'a uniqueness constraint on another property',
      'CREATE CONSTRAINT theirs FOR (n:A) REQUIRE n.name IS UNIQUE',
      /"theirs" on A \(name\)/,
    ],
    [
      'a uniqueness constraint on a part of the key',
      'CREATE CONSTRAINT part FOR (n:WBSNode) REQUIRE n.code IS UNIQUE',
      /"part" on WBSNode \(code\)/,
    ],
    [
      'our name on something else',
      'CREATE CONSTRAINT muster_A_key FOR (n:Other) REQUIRE n.x IS UNIQUE',
      /"muster_A_key" on Other \(x\) bears a name/,
    ],
    [
      'our name on an index',
      'CREATE INDEX muster_B_key FOR (n:Other) ON (n.x)',
      /index "muster_B_key" on Other \(x\) bears a name/,
    ],
    [
      'our index name on something else',
      'CREATE INDEX muster_B_order FOR (n:Other) ON (n.x)',
      /index "muster_B_order" on Other/,
    ],
    [
      'an index in the place of the constraint',
      'CREATE INDEX theirs FOR (n:A) ON (n.projectId, n.code)',
      /index "theirs" on A \(projectId, code\)/,
    ],
    [
      'a constraint on relationships',
      'CREATE CONSTRAINT edges FOR ()-[r:NEXT]-() REQUIRE r.musterRunId IS UNIQUE',
      /"edges" on NEXT/,
    ],
    [
      'foreign nodes',
      "UNWIND range(1, 3) AS i CREATE (:B {projectId: 'theirs', code: toString(i)})",
      /3 nodes with the label B .*projectId "theirs", code "1"/,
    ],
    ['a foreign node without the key', 'CREATE (:A {x: 1})', /1 node with the label A .*projectId "-"/],
  ])('is refused, named, and left as it is: %s', async (_, statement, named) => {
    await ask(driver, statement);
    await ask(driver, 'CALL db.awaitIndexes(60)');
    const before = await wholeDatabase(driver);
    expect(await refusal(open())).toMatchObject({ code: 'GRAPH_CLASH', message: expect.stringMatching(named) });
    expect(await wholeDatabase(driver)).toEqual(before);
  });

  it('is named as a whole: every clash in one message', async () => {
    await ask(driver, 'CREATE CONSTRAINT theirs FOR (n:A) REQUIRE n.name IS UNIQUE');
    await ask(driver, 'CREATE (:B {x: 1})');
    const { message } = await refusal(open());
    expect(message).toMatch(/"theirs".*; 1 node with the label B.*Nothing was changed/s);
  });

  it('is opened when what it holds is in nobody’s way', async () => {
    await ask(driver, 'CREATE CONSTRAINT wider FOR (n:A) REQUIRE (n.projectId, n.code, n.x) IS UNIQUE');
    await ask(driver, 'CREATE CONSTRAINT same FOR (n:B) REQUIRE (n.projectId, n.code) IS UNIQUE');
    await ask(driver, 'CREATE CONSTRAINT other FOR (n:Other) REQUIRE n.name IS UNIQUE');
    await ask(driver, 'CREATE INDEX names FOR (n:A) ON (n.name)');
    await ask(driver, "CREATE (:Other {name: 'x'})-[:NEXT]->(:Other {name: 'y'})");
    const store = await open();
    const nodes = ['A', 'B'].map((entity) => ({ entity, key: ['P', '1'], properties: { projectId: 'P', code: '1' } }));
    expect(await store.commit({ runId: 'R', task: 't', nodes, relationships: [] })).toMatchObject({ created: 2 });
    expect(await store.relationships({})).toEqual([]);
    expect(await ask(driver, 'MATCH (n:Other) RETURN count(n) AS n')).toEqual([{ n: 2 }]);
    await store.close();
  });
});

describe('a database that changes under an open graph', () => {
  it('refuses a batch for a constraint that came later, and keeps nothing of it', async () => {
    const store = await open();
    await ask(driver, 'CREATE CONSTRAINT late FOR (n:A) REQUIRE n.name IS UNIQUE');
    const nodes = ['1', '2'].map((code) => ({ entity: 'A', key: ['P', code], properties: { name: 'same' } }));
    const commit = store.commit({ runId: 'R', task: 't', nodes, relationships: [] });
    await expect(commit).rejects.toMatchObject({ code: 'GRAPH_COMMIT', retryable: false });
    expect((await store.read({ entity: 'A' })).total).toBe(0);
    await store.close();
  });

  it('is GRAPH_UNREACHABLE, CYPHER_UNAVAILABLE and a retryable GRAPH_COMMIT when the server goes away', async () => {
    const { port, hostname } = new URL(server.url);
    const sockets: Socket[] = [];
    const proxy = await listen((socket) => {
      const upstream = connect(Number(port), hostname);
      for (const each of [socket, upstream]) sockets.push(each.on('error', () => {}));
      socket.pipe(upstream).pipe(socket);
    });
    const url = `bolt://127.0.0.1:${proxy.port}`;
    const store = await openNeo4jGraph(url, { schema: contractSchema, auth, ...where });
    expect((await store.cypher({ text: 'RETURN 1' })).rows).toEqual([[1]]);
    for (const socket of sockets) socket.destroy();
    proxy.stop.close();
    const node = { entity: 'A', key: ['P', '1'], properties: {} };
    const fails = [
      store.cypher({ text: 'RETURN 1', timeLimitMs: 1_000 }),
      store.read({ entity: 'A' }),
      store.commit({ runId: 'R', task: 't', nodes: [node], relationships: [] }),
    ].map((promise: Promise<unknown>) => promise.then(String, (error: unknown) => error));
    expect(await Promise.all(fails)).toMatchObject([
      { code: 'CYPHER_UNAVAILABLE', retryable: true },
      { code: 'GRAPH_UNREACHABLE', retryable: true },
      { code: 'GRAPH_COMMIT', retryable: true },
    ]);
    await store.close();
  }, 180_000);
});
