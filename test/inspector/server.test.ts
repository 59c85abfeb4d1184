import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createActor, type InspectionEvent, setup } from 'xstate';
import { type Inspector, type InspectorOptions, startInspector } from '../../inspector/server.ts';
import { buildPage } from './build-page.ts';

const machine = setup({}).createMachine({
  id: 'lamp',
  initial: 'off',
  on: { press: '.on' },
  states: { off: {}, on: {} },
});

let page: ReturnType<typeof buildPage>;
beforeAll(() => {
  page = buildPage();
});
afterAll(() => page.remove());

const open: Inspector[] = [];
const readers: Reader[] = [];
async function start(options: Partial<InspectorOptions> = {}): Promise<Inspector & { origin: string; token: string }> {
  const inspector = await startInspector({ now: () => 7, compiled: page.folder, ...options });
  open.push(inspector);
  const { origin, searchParams } = new URL(inspector.url);
  return { ...inspector, origin, token: searchParams.get('token')! };
}
afterEach(async () => {
  for (const inspector of open.splice(0)) await inspector.close();
  for (const { socket, closed } of readers.splice(0)) {
    socket.destroy();
    await closed;
  }
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}
function ask(url: string, { method = 'GET', host }: { method?: string; host?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { method, agent: false, ...(host !== undefined && { headers: { host } }) }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });
}

interface Reader {
  readonly socket: Socket;
  readonly seen: { text: string; bytes: number };
  readonly closed: Promise<void>;
  until(done: () => boolean): Promise<void>;
}

/** A raw reader of the feed: what arrived, and a promise of the end. */
function read({ origin, token }: { origin: string; token: string }): Reader {
  const { host, port } = new URL(origin);
  const socket: Socket = connect(Number(port), '127.0.0.1');
  socket.write(`GET /feed?token=${token} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const seen = { text: '', bytes: 0 };
  socket.on('data', (chunk) => {
    seen.bytes += chunk.length;
    if (seen.text.length < 100_000) seen.text += chunk.toString();
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const until = async (done: () => boolean) => {
    while (!done()) await new Promise<void>((resolve) => socket.once('data', () => resolve()));
  };
  const reader = { socket, seen, closed, until };
  readers.push(reader);
  return reader;
}

describe('who may look', () => {
  it('page and feed ask for the token; without it there is a sentence and no data', async () => {
    const { origin, token, url } = await start();
    expect((await ask(url)).status).toBe(200);
    for (const query of ['', '?token=', `?token=${token.slice(1)}`, `?token=${token}x`, `?Token=${token}`]) {
      for (const path of ['/', '/feed']) {
        const { status, body } = await ask(`${origin}${path}${query}`);
        expect([path, query, status]).toEqual([path, query, 401]);
        expect(body).toContain('asks for its token');
        expect(body).not.toContain(token);
      }
    }
  });

  it('another token for every run', async () => {
    expect((await start()).token).not.toBe((await start()).token);
  });

  it('refuses every Host but its own, token or not', async () => {
    const { origin, url } = await start();
    const { port } = new URL(origin);
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', '127.0.0.1:1', `[::1]:${port}`]) {
      expect((await ask(url, { host })).status).toBe(403);
    }
    expect((await ask(url, { host: `localhost:${port}` })).status).toBe(200);
  });

  it('answers GET only, and only for its own files', async () => {
    const { origin, url } = await start();
    expect((await ask(url, { method: 'POST' })).status).toBe(405);
    for (const path of ['/server.js', '/package.json', '/page/', '/page/main.d.ts', '/page//main.js', '//view.js']) {
      expect((await ask(origin + path)).status).toBe(404);
    }
    for (const path of ['/page/main.js', '/view.js', '/elk.js', '/page/style.css', '/page/icon.svg']) {
      expect((await ask(origin + path)).status).toBe(200);
    }
  });

  it('every answer forbids other origins, frames, sniffing, referrers and caches', async () => {
    const { origin, url } = await start();
    for (const target of [url, `${origin}/`, `${origin}/nothing`, `${origin}/page/main.js`]) {
      expect((await ask(target)).headers).toMatchObject({
        'content-security-policy': expect.stringMatching(
          /^default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'$/,
        ),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
    }
  });

  it('a port that is taken is told by name', async () => {
    const { origin } = await start();
    await expect(start({ port: Number(new URL(origin).port) })).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  });

  it('a page that was never compiled is told with the cure', async () => {
    await expect(start({ compiled: '/nowhere' })).rejects.toThrow(/npm run build/);
  });
});

describe('the feed over HTTP', () => {
  it('says hello, then everything so far, then what follows', async () => {
    const inspector = await start({ statelyOrigin: 'http://127.0.0.1:9' });
    const lamp = createActor(machine, { inspect: inspector.inspect }).start();
    const reader = read(inspector);
    await reader.until(() => reader.seen.text.includes('"kind":"view"'));
    expect(reader.seen.text).toContain('event: hello\ndata: {"stately":"http://127.0.0.1:9","now":7}');
    expect(reader.seen.text).toContain('"value":"off"');
    lamp.send({ type: 'press' });
    await reader.until(() => reader.seen.text.includes('"kind":"traces"'));
    expect(reader.seen.text).toContain('"value":"on"');
  });

  it('close tells the open pages that it is over, ends them, and frees the port', async () => {
    const inspector = await start();
    createActor(machine, { inspect: inspector.inspect }).start();
    const reader = read(inspector);
    await reader.until(() => reader.seen.text.includes('"kind":"view"'));
    await inspector.close();
    await reader.closed;
    expect(reader.seen.text.includes('event: end\ndata: {}\n\n')).toBe(true);
    await expect(ask(inspector.url)).rejects.toThrow(/ECONNREFUSED/);
    await inspector.close();
  });

  it('a page that does not read is cut; others go on', async () => {
    const inspector = await start({ clientBufferBytes: 64 * 1024 });
    const type = 'x'.repeat(190);
    const lamp = createActor(machine, { inspect: inspector.inspect }).start();
    const [slow, good] = [read(inspector), read(inspector)];
    await slow.until(() => slow.seen.text.includes('"kind":"view"'));
    slow.socket.pause();
    // More than the buffers of both ends can hold.
    for (let sent = 0; sent < 25_000_000; ) {
      const before = good.seen.bytes;
      for (let i = 0; i < 4_900; i++) lamp.send({ type } as never);
      await good.until(() => good.seen.bytes > before + 500_000);
      sent += good.seen.bytes - before;
    }
    slow.socket.resume();
    await slow.closed;
    expect(slow.seen.bytes).toBeLessThan(good.seen.bytes / 2);
    expect(good.socket.closed).toBe(false);
  });

  it('keeps no process alive, with a page open, unless it was asked to', async () => {
    // Node lists only what holds the event loop.
    const held = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
    const inspector = await start();
    const reader = read(inspector);
    await reader.until(() => reader.seen.text.includes('"kind":"view"'));
    reader.socket.unref();
    expect(held()).toEqual([]);
    await start({ keepOpen: true });
    expect(held()).toEqual(['TCPServerWrap']);
  });

  it('an observer that meets something it cannot read stops watching, and never throws into the run', async () => {
    const { inspect } = await start();
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const broken = { type: '@xstate.snapshot', actorRef: {}, snapshot: undefined } as unknown as InspectionEvent;
    expect(() => inspect(broken)).not.toThrow();
    expect((await warned).message).toMatch(/inspector stopped watching/);
    expect(() => inspect(broken)).not.toThrow();
  });
});
