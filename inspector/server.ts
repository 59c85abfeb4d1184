/**
 * The inspector: a page on the loopback interface that shows the actors of a run while they work.
 *
 * Owns: the port, who may look (token, Host), the connections of those who look, and the observer that is handed to
 * XState. Does not own: what is shown (trace.ts, view.ts), or the run: nothing here can hold it up or fail it.
 *
 * Invariants
 * - Listens on 127.0.0.1 only. Page and feed ask for the token; the other files are muster's own code, the same for all.
 * - A request whose Host is not this server's own is refused: a name that resolves to 127.0.0.1 (DNS rebinding) gets
 *   nothing.
 * - A client that does not read is cut at `clientBufferBytes`; its page connects again and gets the view as it is then.
 * - Without `keepOpen` neither the port nor a connection keeps the process alive.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { InspectionEvent } from 'xstate';
import { ensureError, MusterError, systemCode } from '../src/errors.ts';
import { type Asset, pageAssets } from './assets.ts';
import { Feed } from './feed.ts';
import { traceActors } from './trace.ts';

export interface InspectorOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Default: a free one. */
  readonly port?: number;
  /** Keep the process alive until {@link Inspector.close}; default false. */
  readonly keepOpen?: boolean;
  /** Events kept for pages that are opened late; default 5,000. */
  readonly eventsMax?: number;
  /** What a page may leave unread before it is cut; default 8 MiB on top of the last message. */
  readonly clientBufferBytes?: number;
  /** Where the page's button hands the events to, after a click; default https://stately.ai. */
  readonly statelyOrigin?: string;
  /** Folder of the compiled page; default `dist/inspector` of this package. */
  readonly compiled?: string;
}

export interface Inspector {
  /** The page's address with its token, for a person's browser. */
  readonly url: string;
  /** For the `inspect` option of `createActor`; never throws. */
  readonly inspect: (event: InspectionEvent) => void;
  /** Tells the open pages that nothing follows, ends their connections and frees the port. */
  close(): Promise<void>;
}

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  // Not `same-origin`: that would take the handle of the window that the Stately button opens.
  'cross-origin-opener-policy': 'same-origin-allow-popups',
} as const;

const NO_TOKEN = `401: this page belongs to a run of muster and asks for its token.

Open the whole address that muster printed after "inspect:", with everything behind "?token=".
`;

/**
 * Starts serving. Only numbers and names leave the process; see docs/inspection.md.
 *
 * @throws MusterError PORT_TAKEN when `port` is in use, BUG when the page was never compiled
 */
export async function startInspector(options: InspectorOptions): Promise<Inspector> {
  const assets = pageAssets(options.compiled);
  const token = randomBytes(24).toString('base64url');
  const feed = new Feed({
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
    ...(options.eventsMax !== undefined && { eventsMax: options.eventsMax }),
  });
  const stately = options.statelyOrigin ?? 'https://stately.ai';
  const hello = () => JSON.stringify({ stately, now: options.now() });
  const watchers = new Watchers(feed, options.clientBufferBytes ?? 8 * 1024 * 1024, hello);

  const server = createServer((request, response) => {
    answer(request, response, { token, port: addressOf(server).port, assets, watchers });
  });
  if (!options.keepOpen) server.on('connection', (socket) => socket.unref());
  await listen(server, options.port ?? 0);
  if (!options.keepOpen) server.unref();

  return {
    url: `http://127.0.0.1:${addressOf(server).port}/?token=${token}`,
    inspect: unfailing(traceActors((trace) => feed.push(trace), options.now)),
    close: () =>
      new Promise((resolve) => {
        feed.flush();
        watchers.end();
        server.close(() => resolve());
        // A page that does not read its last message must not hold up the end of a run.
        setTimeout(() => server.closeAllConnections(), 250).unref();
      }),
  };
}

/** A defect of the observer ends the observation, not the run: XState would pass the error on to the actor. */
function unfailing(observe: (event: InspectionEvent) => void): (event: InspectionEvent) => void {
  let broken = false;
  return (event) => {
    if (broken) return;
    try {
      observe(event);
    } catch (thrown) {
      broken = true;
      process.emitWarning(`the inspector stopped watching: ${ensureError(thrown).message}`);
    }
  };
}

/** The pages that are open. */
class Watchers {
  readonly #feed: Feed;
  readonly #bufferBytes: number;
  readonly #hello: () => string;
  readonly #open = new Set<ServerResponse>();

  constructor(feed: Feed, bufferBytes: number, hello: () => string) {
    this.#feed = feed;
    this.#bufferBytes = bufferBytes;
    this.#hello = hello;
  }

  add(response: ServerResponse): void {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream', connection: 'close' });
    response.write(`retry: 1000\nevent: hello\ndata: ${this.#hello()}\n\n`);
    this.#open.add(response);
    let lastBytes = 0;
    const leave = this.#feed.join((message) => {
      if (response.destroyed) return;
      if (response.writableLength > this.#bufferBytes + lastBytes) return void response.destroy();
      // A view may be larger than the whole allowance: it must not cut the client that it was just sent to.
      lastBytes = Buffer.byteLength(message);
      response.write(`data: ${message}\n\n`);
    });
    response.on('close', () => {
      leave();
      this.#open.delete(response);
    });
  }

  end(): void {
    for (const response of this.#open) response.end('event: end\ndata: {}\n\n');
  }
}

interface Site {
  readonly token: string;
  readonly port: number;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly watchers: Watchers;
}

function answer(request: IncomingMessage, response: ServerResponse, { token, port, assets, watchers }: Site): void {
  const refuse = (status: number, text: string) => {
    response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' }).end(text);
  };
  if (request.headers.host !== `127.0.0.1:${port}` && request.headers.host !== `localhost:${port}`) {
    return refuse(403, '403: this server answers under its own address only.\n');
  }
  if (request.method !== 'GET') return refuse(405, '405: GET only.\n');
  const [path, query] = splitTarget(request.url ?? '/');
  const asset = assets.get(path);
  if (!asset && path !== '/feed') return refuse(404, '404: there is no such page.\n');
  if ((path === '/' || path === '/feed') && !sameText(new URLSearchParams(query).get('token') ?? '', token)) {
    return refuse(401, NO_TOKEN);
  }
  if (!asset) return watchers.add(response);
  response.writeHead(200, { ...HEADERS, 'content-type': asset.type }).end(asset.body);
}

function splitTarget(target: string): [path: string, query: string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

function sameText(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function addressOf(server: Server): AddressInfo {
  return server.address() as AddressInfo;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (systemCode(error) !== 'EADDRINUSE') return reject(error);
      const message = `port ${port} for the inspector is in use; give another one, or none for a free one`;
      reject(new MusterError('PORT_TAKEN', message, { cause: error }));
    });
    server.listen(port, '127.0.0.1', () => {
      server.removeAllListeners('error');
      // From here on a broken listener costs the page, not the run.
      server.on('error', (error) => process.emitWarning(`the inspector's server: ${error.message}`));
      resolve();
    });
  });
}
