/**
 * The scripted model behind OpenCode's OpenAI-compatible provider: a server on loopback that answers as a script says.
 *
 * Owns: its listening socket, and the answers on the way with their pace. Does not own: what is answered
 * (scripted-model.ts), nor the truth of it: what a scripted model submits is judged like any model's work.
 *
 * Invariants:
 * - M1 the same request gets the same answer, however often it is sent; only failing steps are counted down.
 * - M2 when a caller leaves, nothing of its answer stays behind: no timer, no open step.
 * - M3 it listens on 127.0.0.1 only, and answers only to the key of this start.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ensureError, MusterError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { answerChunks } from './answer-stream.ts';
import { type ChatRequest, chatRequestSchema } from './cue.ts';
import type { Rehearsal, Step } from './script.ts';
import { type Asked, ScriptedModel } from './scripted-model.ts';

/** Provider id under which OpenCode knows the scripted model. */
export const REHEARSAL_PROVIDER = 'rehearsal';

/** Largest request body; a longer conversation is answered with 413. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Idle time of a kept connection: agents work between two calls, and a connection cut meanwhile would look like a fault. */
const KEEP_ALIVE_MS = 120_000;

export interface ModelServer {
  /** Base URL, `/v1` included. */
  readonly url: string;
  readonly key: string;
  /** `rehearsal/<model>`, as a prompt names it. */
  readonly model: string;
  /** Fragment for OPENCODE_CONFIG_CONTENT: the provider, its models and prices. Holds the key: never log it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Calls so far. */
  asked(): Asked;
  /** Breaks off every answer and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts the scripted model on a free port of 127.0.0.1.
 *
 * @throws MusterError PORT_TAKEN when the loopback interface gives no port
 */
export async function startModelServer(rehearsal: Rehearsal, clock: Clock): Promise<ModelServer> {
  const key = randomBytes(24).toString('hex');
  const model = new ScriptedModel(rehearsal);
  const server = createServer((request, response) => {
    serve(request, response, { rehearsal, clock, model, key }).catch((thrown: unknown) => {
      const error = ensureError(thrown);
      if (response.headersSent) response.destroy(error);
      else refuse(response, 500, error.message);
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((listening, failed) => {
    server.once('error', (cause) => {
      const message = `expected a free port on 127.0.0.1, got: ${cause.message}; check that the loopback interface is up`;
      failed(new MusterError('PORT_TAKEN', message, { cause }));
    });
    server.listen(0, '127.0.0.1', listening);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return {
    url,
    key,
    model: `${REHEARSAL_PROVIDER}/${rehearsal.model}`,
    config: providerConfig(rehearsal, url, key),
    asked: () => model.asked(),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

function providerConfig(rehearsal: Rehearsal, baseURL: string, apiKey: string): Record<string, unknown> {
  const limit = { context: 200_000, output: 32_000 };
  const small = `${rehearsal.model}-small`;
  return {
    model: `${REHEARSAL_PROVIDER}/${rehearsal.model}`,
    small_model: `${REHEARSAL_PROVIDER}/${small}`,
    enabled_providers: [REHEARSAL_PROVIDER],
    provider: {
      [REHEARSAL_PROVIDER]: {
        npm: '@ai-sdk/openai-compatible',
        name: 'Rehearsal (scripted, no language model)',
        options: { baseURL, apiKey },
        models: {
          [rehearsal.model]: { name: rehearsal.name, tool_call: true, limit, cost: rehearsal.pricePerMillion },
          [small]: { name: `${rehearsal.name}, titles`, limit },
        },
      },
    },
  };
}

interface Stage {
  readonly rehearsal: Rehearsal;
  readonly clock: Clock;
  readonly model: ScriptedModel;
  readonly key: string;
}

async function serve(request: IncomingMessage, response: ServerResponse, stage: Stage): Promise<void> {
  if (!carriesKey(request, stage.key)) {
    return refuse(response, 401, 'expected the key of this rehearsal as a bearer token');
  }
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
    return refuse(response, 404, `expected POST /v1/chat/completions, got ${request.method} ${request.url}`);
  }
  const body = await readBody(request);
  if (body === undefined) return refuse(response, 413, `expected at most ${MAX_BODY_BYTES} bytes`);
  const chat = parseChat(body);
  if (!chat?.stream) return refuse(response, 400, 'expected a chat-completions request with "stream": true');

  const session = request.headers['x-session-id'];
  const { step, position } = stage.model.answer(chat, typeof session === 'string' ? session : '');
  const { pace, tokensPerCall } = stage.rehearsal;
  await pause(stage.clock, pace.perCallMs, response);
  if (response.destroyed) return;
  if (step.error) return refuse(response, step.error.status, step.error.message, step.error.retryAfterS);
  const chunks = answerChunks(step, {
    id: `chatcmpl-${position}`,
    model: chat.model,
    created: Math.floor(stage.clock.now() / 1000),
    callPrefix: `call_${position}`,
    ...(chat.stream_options?.include_usage ? { usage: tokensPerCall } : {}),
  });
  await send(chunks, step, response, () => pause(stage.clock, pace.perChunkMs, response));
}

async function send(
  chunks: readonly object[],
  step: Step,
  response: ServerResponse,
  beat: () => Promise<void>,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  for (const chunk of chunks) {
    if (response.destroyed) return;
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    await beat();
  }
  // A hanging step stays open: the caller's leaving, or close(), ends it.
  if (!step.hang) response.end('data: [DONE]\n\n');
}

/** M2: resolves after the delay, or at once when the caller leaves, and leaves no timer behind. */
function pause(clock: Clock, delayMs: number, response: ServerResponse): Promise<void> {
  if (delayMs === 0 || response.destroyed) return Promise.resolve();
  return new Promise((resume) => {
    const left = () => {
      cancel();
      resume();
    };
    const cancel = clock.after(delayMs, () => {
      response.off('close', left);
      resume();
    });
    response.once('close', left);
  });
}

function carriesKey(request: IncomingMessage, key: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const expected = Buffer.from(`Bearer ${key}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The body as text, or undefined when it is larger than allowed. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseChat(text: string): ChatRequest | undefined {
  try {
    return chatRequestSchema.safeParse(JSON.parse(text)).data;
  } catch (thrown) {
    // Answered as a bad request: a syntax error tells the caller nothing that the status does not.
    ensureError(thrown);
    return undefined;
  }
}

function refuse(response: ServerResponse, status: number, message: string, retryAfterS?: number): void {
  const retryAfter = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  response.writeHead(status, { 'content-type': 'application/json', ...retryAfter });
  const type = status === 429 ? 'rate_limit_error' : 'rehearsal';
  response.end(JSON.stringify({ error: { message, type, code: status } }));
}
