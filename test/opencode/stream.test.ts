import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Frame } from '../../src/opencode/frames.ts';
import {
  openStream,
  type StreamEnd,
  type StreamOptions,
  type StreamSource,
  streamCause,
} from '../../src/opencode/stream.ts';
import { SimulatedClock } from './simulated-clock.ts';

const CONNECTED = 'data: {"payload":{"id":"evt_0","type":"server.connected","properties":{}}}\n\n';
const data = (type: string, properties: object = {}) =>
  `data: ${JSON.stringify({ payload: { type, properties } })}\n\n`;

/** A real server on loopback whose one response the test writes. */
async function startServer() {
  const responses: ServerResponse[] = [];
  const waiting: ((response: ServerResponse) => void)[] = [];
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    const next = waiting.shift();
    if (next) next(response);
    else responses.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const source: StreamSource = {
    open: (signal) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        get({ host: '127.0.0.1', port, path: '/global/event', signal }, resolve).on('error', reject);
      }),
  };
  return {
    source,
    response: () =>
      new Promise<ServerResponse>((resolve) => {
        const one = responses.shift();
        if (one) resolve(one);
        else waiting.push(resolve);
      }),
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function listen(options: Partial<StreamOptions> = {}) {
  const server = await startServer();
  stops.push(server.stop);
  const clock = new SimulatedClock();
  const frames: Frame[] = [];
  const ends: StreamEnd[] = [];
  let proven = 0;
  let wake = (): void => {};
  const stream = openStream({
    source: server.source,
    clock,
    onFrame: (frame) => {
      frames.push(frame);
      wake();
    },
    onProven: () => {
      proven += 1;
    },
    onEnd: (end) => {
      ends.push(end);
      wake();
    },
    ...options,
  });
  stops.push(() => stream.close());
  const until = async (isTrue: () => boolean): Promise<void> => {
    while (!isTrue()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { server, clock, frames, ends, stream, until, proven: () => proven, response: await server.response() };
}

describe('the event stream', () => {
  it('hands on every frame at once, and is proven 250 ms after the server connected', async () => {
    const { response, frames, clock, until, proven } = await listen();
    response.write(CONNECTED + data('session.idle', { sessionID: 'ses_1' }));
    await until(() => frames.length === 2);
    expect(frames.map((frame) => frame.type)).toEqual(['server.connected', 'session.idle']);
    await clock.advance(249);
    expect(proven()).toBe(0);
    await clock.advance(1);
    expect(proven()).toBe(1);
    await clock.advance(5_000);
    expect(proven()).toBe(1);
  });

  it('puts together what arrives in pieces, even in the middle of a character', async () => {
    const { response, frames, until, stream } = await listen();
    const bytes = Buffer.from(CONNECTED + data('note', { text: 'Prüfplan – 検査 ✓ 🏗️' }), 'utf8');
    for (const byte of bytes) {
      response.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => frames.length === 2);
    expect(frames[1]!.properties).toEqual({ text: 'Prüfplan – 検査 ✓ 🏗️' });
    expect(stream.counters).toMatchObject({ bytes: bytes.length, frames: 2, malformed: 0 });
  });

  it('counts and passes over what is not a frame', async () => {
    const { response, frames, until, stream, ends } = await listen();
    response.write(`${CONNECTED}data: {"payload":\n\ndata: null\n\n: comment\n\nnonsense\n\n${data('note')}`);
    await until(() => frames.length === 2);
    expect(frames[1]!.type).toBe('note');
    expect(stream.counters).toMatchObject({ frames: 2, malformed: 2 });
    expect(ends).toEqual([]);
  });

  it('keeps up with a burst that is larger than any socket buffer', async () => {
    const { response, frames, until } = await listen();
    response.write(CONNECTED);
    const text = 'x'.repeat(500);
    for (let at = 0; at < 200; at += 1) {
      response.write(
        Array.from({ length: 100 }, (_, i) => data('message.part.delta', { at: at * 100 + i, text })).join(''),
      );
    }
    await until(() => frames.length === 20_001);
    expect(frames.slice(1).map((frame) => frame.properties['at'])).toEqual(
      Array.from({ length: 20_000 }, (_, at) => at),
    );
  });

  it('ends once when the server ends it', async () => {
    const { response, ends, until, clock } = await listen();
    response.end(CONNECTED);
    await until(() => ends.length === 1);
    expect(ends).toEqual([{ kind: 'ended' }]);
    await clock.advance(60_000);
    expect(ends).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('ends with the cause when the socket breaks', async () => {
    const { response, ends, frames, until } = await listen();
    response.write(CONNECTED);
    await until(() => frames.length === 1);
    response.destroy();
    await until(() => ends.length === 1);
    expect(ends).toMatchObject([{ kind: 'failed', error: { message: expect.any(String) } }]);
    expect(streamCause(ends[0]!)).toMatchObject({ code: 'STREAM_LOST', message: expect.stringContaining('broke') });
  });

  it('ends with the cause when it cannot be opened', async () => {
    const source: StreamSource = { open: () => Promise.reject(new Error('connect ECONNREFUSED')) };
    const ends: StreamEnd[] = [];
    const none = (): void => {};
    openStream({ source, clock: new SimulatedClock(), onFrame: none, onProven: none, onEnd: (end) => ends.push(end) });
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toMatchObject([{ kind: 'failed', error: { message: 'connect ECONNREFUSED' } }]);
  });

  it('is dead after 30 s without a byte, and any byte is life', async () => {
    const { response, ends, frames, until, clock, stream } = await listen();
    response.write(CONNECTED);
    await until(() => frames.length === 1);
    await clock.advance(29_000);
    const before = stream.counters.bytes;
    response.write(': \n');
    while (stream.counters.bytes === before) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(29_999);
    expect(ends).toEqual([]);
    const closed = new Promise((resolve) => response.on('close', resolve));
    await clock.advance(1);
    expect(ends).toEqual([{ kind: 'silent', silentMs: 30_000 }]);
    // The server would buffer for a half-closed socket for ever.
    await closed;
  });

  it('calls nothing after it was closed', async () => {
    const { response, ends, frames, until, clock, stream, proven } = await listen();
    response.write(CONNECTED);
    await until(() => frames.length === 1);
    const closed = new Promise((resolve) => response.on('close', resolve));
    stream.close();
    stream.close();
    response.write(data('note'));
    await closed;
    await clock.advance(60_000);
    expect(ends).toEqual([{ kind: 'closed' }]);
    expect(frames).toHaveLength(1);
    expect(proven()).toBe(0);
  });

  it('hands on nothing after the consumer closed it in the middle of a chunk', async () => {
    const seen: string[] = [];
    const { response, ends, until, stream } = await listen({
      onFrame: (frame) => {
        seen.push(frame.type);
        if (frame.type === 'stop') stream.close();
      },
    });
    response.write(data('a') + data('stop') + data('b'));
    await until(() => ends.length === 1);
    expect(seen).toEqual(['a', 'stop']);
  });
});
