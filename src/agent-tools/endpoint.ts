/**
 * The local endpoint behind the agents' tools.
 *
 * Owns the socket, its token and the table session → desk. Does not own what a call means (desk.ts). Invariants: it
 * listens on loopback only; a call without the token is refused before its body is read; the caller is the session
 * that the OpenCode server names, never an argument of the model; no input ends the process.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ensureError, MusterError } from '../errors.ts';
import { type Desk, failureText, TOOLS, type Tool } from './desk.ts';

/** Largest call; a larger one is answered with how to split it. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

const NOT_AT_WORK = 'This session does not belong to a task that is at work; nothing was changed.';

export interface Endpoint {
  readonly url: string;
  readonly token: string;
  bind(apiSessionId: string, desk: Desk): void;
  unbind(apiSessionId: string): void;
  close(): Promise<void>;
}

/** Starts listening on a free loopback port. @throws MusterError AGENT_TOOLS when it cannot. */
export async function startEndpoint(onFault: (error: Error) => void): Promise<Endpoint> {
  const token = randomBytes(32).toString('hex');
  const desks = new Map<string, Desk>();
  const server = createServer((request, response) => {
    serve(request, response, token, desks).catch((thrown: unknown) => {
      onFault(ensureError(thrown));
      reply(response, 200, failureText(thrown));
    });
  });
  // An agent may think for minutes between two calls on one kept connection.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  }).catch((thrown: unknown) => {
    const cause = ensureError(thrown);
    throw new MusterError('AGENT_TOOLS', `Cannot listen on 127.0.0.1 for the agents' tools: ${cause.message}.`, {
      cause,
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    bind: (apiSessionId, desk) => void desks.set(apiSessionId, desk),
    unbind: (apiSessionId) => void desks.delete(apiSessionId),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  desks: ReadonlyMap<string, Desk>,
): Promise<void> {
  const host = request.headers.host ?? '';
  if (!/^127\.0\.0\.1:\d+$/.test(host)) return reply(response, 403, 'expected a request to 127.0.0.1');
  if (!sameText(request.headers.authorization ?? '', `Bearer ${token}`)) {
    return reply(response, 401, 'expected the token of this run');
  }
  const tool = /^\/tools\/(\w+)$/.exec(request.url ?? '')?.[1];
  if (request.method !== 'POST' || !TOOLS.includes(tool as Tool)) {
    return reply(response, 404, `expected POST /tools/{${TOOLS.join(',')}}`);
  }
  const body = await readBody(request);
  if (body === undefined) {
    return reply(
      response,
      413,
      `The call is larger than ${MAX_BODY_BYTES / 1024 / 1024} MB. Submit the rows in several calls.`,
    );
  }
  const call = parse(body);
  if (call === undefined) return reply(response, 400, 'expected a JSON object {session, arguments}');
  const desk = desks.get(call.session);
  if (!desk) return reply(response, 403, NOT_AT_WORK);
  const text = await desk.answer(tool as Tool, call.arguments).catch(failureText);
  // It ended meanwhile. Another attempt may have taken the session up: the tool asks again, and that one keeps the rows.
  if (desks.get(call.session) !== desk) return reply(response, 403, NOT_AT_WORK);
  reply(response, 200, text);
}

function parse(body: string): { session: string; arguments: unknown } | undefined {
  try {
    const value = JSON.parse(body) as { session?: unknown; arguments?: unknown } | null;
    return typeof value?.session === 'string' ? { session: value.session, arguments: value.arguments } : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** The whole body, or undefined when it is too large; the rest is then read and dropped, so that the answer arrives. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (bytes > 8 * MAX_BODY_BYTES) break;
  }
  return bytes > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString('utf8');
}

function reply(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify({ text }));
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
