import { createParser } from 'eventsource-parser';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/ports.ts';
import { type ModelServer, startModelServer } from '../../src/rehearsal/model-server.ts';
import { instanceScriptSchema, REHEARSAL_DEFAULTS, type Rehearsal } from '../../src/rehearsal/script.ts';

/** A clock whose timers fire only when told. */
class ManualClock implements Clock {
  readonly pending = new Set<() => void>();
  #noticed: (() => void)[] = [];

  now(): number {
    return 1_700_000_000_000;
  }

  after(_delayMs: number, run: () => void): () => void {
    this.pending.add(run);
    this.#notice();
    return () => {
      this.pending.delete(run);
      this.#notice();
    };
  }

  fire(): void {
    const due = [...this.pending];
    this.pending.clear();
    for (const run of due) run();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((noticed) => this.#noticed.push(noticed));
  }

  #notice(): void {
    for (const noticed of this.#noticed.splice(0)) noticed();
  }
}

let server: ModelServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(turns: unknown, pace = { perCallMs: 0, perChunkMs: 0 }, clock: Clock = new ManualClock()) {
  const instances = new Map([['alpha', instanceScriptSchema.parse({ instance: 'alpha', turns })]]);
  const rehearsal: Rehearsal = { ...REHEARSAL_DEFAULTS, name: 'n', description: 'd', pace, instances };
  server = await startModelServer(rehearsal, clock);
  return server;
}

const PROMPT = { role: 'user', content: 'Task: alpha\nDo it.' };
const ANSWER = { role: 'assistant', content: 'x' };

interface Ask {
  messages?: object[];
  session?: string;
  model?: string;
  key?: string;
  body?: object;
  signal?: AbortSignal;
}

function ask(
  of: ModelServer,
  { messages = [PROMPT], session = 's1', model = 'scripted', key, body, signal }: Ask = {},
) {
  return fetch(`${of.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key ?? of.key}`, 'x-session-id': session },
    body: JSON.stringify({ model, messages, stream: true, stream_options: { include_usage: true }, ...body }),
    ...(signal ? { signal } : {}),
  });
}

interface Chunk {
  choices: {
    delta: {
      role?: string;
      content?: string;
      tool_calls?: { index: number; id?: string; type?: string; function: { name?: string; arguments: string } }[];
    };
    finish_reason: string | null;
  }[];
  usage?: object;
}

/** What a client of the OpenAI protocol makes of the answer. */
async function gather(response: Response) {
  const data: string[] = [];
  const parser = createParser({ onEvent: (event) => data.push(event.data) });
  parser.feed(await response.text());
  const done = data.at(-1) === '[DONE]';
  const chunks = (done ? data.slice(0, -1) : data).map((text) => JSON.parse(text) as Chunk);
  const choices = chunks.flatMap((chunk) => chunk.choices);
  const calls: { id: string | undefined; name: string | undefined; arguments: string; pieces: number }[] = [];
  for (const piece of choices.flatMap((choice) => choice.delta.tool_calls ?? [])) {
    if (piece.id) calls[piece.index] = { id: piece.id, name: piece.function.name, arguments: '', pieces: 0 };
    const found = calls[piece.index];
    if (!found) throw new Error(`a piece of call ${piece.index} came before its opening`);
    found.arguments += piece.function.arguments;
    found.pieces += 1;
  }
  return {
    text: choices.map((choice) => choice.delta.content ?? '').join(''),
    calls,
    finish: choices.map((choice) => choice.finish_reason).filter((reason) => reason !== null),
    usage: chunks.at(-1)?.usage,
    chunks,
    done,
  };
}

describe('the scripted model server', () => {
  it('streams text in chunks with one finish reason and the usage last', async () => {
    const say = 'Reading the contract particulars, then the quality requirements of the works.';
    const of = await start([[{ say }]]);
    const response = await ask(of);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const answer = await gather(response);
    expect(answer.text).toBe(say);
    expect(answer.chunks.length).toBeGreaterThan(4);
    expect(answer.chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(answer.finish).toEqual(['stop']);
    expect(answer.usage).toEqual({ prompt_tokens: 6000, completion_tokens: 400, total_tokens: 6400 });
    expect(answer.done).toBe(true);
  });

  it('sends no usage to a caller that did not ask for it', async () => {
    const of = await start([[{ say: 'x' }]]);
    const answer = await gather(await ask(of, { body: { stream_options: undefined } }));
    expect(answer.usage).toBeUndefined();
    expect(answer.finish).toEqual(['stop']);
  });

  it('reassembles tool calls exactly, long arguments in several pieces', async () => {
    const rows = Array.from({ length: 200 }, (_, row) => ({ code: `5.${row}`, name: `Wörk "package" 😀 ${row}\n` }));
    const calls = [
      { tool: 'read', arguments: { filePath: 'documents/a.md' } },
      { tool: 'muster_submit', arguments: { entities: rows } },
    ];
    const of = await start([[{ say: 'Both.', calls }]]);
    const answer = await gather(await ask(of));
    expect(answer.calls.map((call) => [call.name, JSON.parse(call.arguments)])).toEqual(
      calls.map((call) => [call.tool, call.arguments]),
    );
    expect(answer.calls[1]?.pieces).toBeGreaterThan(5);
    expect(new Set(answer.calls.map((call) => call.id)).size).toBe(2);
    expect(answer.finish).toEqual(['tool_calls']);
  });

  it('sends broken arguments as they stand', async () => {
    const of = await start([[{ calls: [{ tool: 'read', rawArguments: '{"filePath": "docu' }] }]]);
    expect((await gather(await ask(of))).calls[0]?.arguments).toBe('{"filePath": "docu');
  });

  it('gives the same answer to a request sent again, and the next one to a longer conversation', async () => {
    const of = await start([[{ calls: [{ tool: 'read', arguments: {} }] }, { say: 'second' }], [{ say: 'repaired' }]]);
    const first = await gather(await ask(of));
    expect(await gather(await ask(of))).toEqual(first);
    expect((await gather(await ask(of, { messages: [PROMPT, ANSWER] }))).text).toBe('second');
    expect((await gather(await ask(of))).calls).toEqual(first.calls);
    const repair = [PROMPT, ANSWER, ANSWER, PROMPT];
    expect((await gather(await ask(of, { messages: repair }))).text).toBe('repaired');
  });

  it('makes tool-call ids that differ between the steps and turns of a session', async () => {
    const of = await start([
      [{ calls: [{ tool: 'read', arguments: {} }] }, { calls: [{ tool: 'read', arguments: {} }] }],
    ]);
    const conversations = [[PROMPT], [PROMPT, ANSWER], [PROMPT, ANSWER, PROMPT], [PROMPT, ANSWER, PROMPT, ANSWER]];
    const ids = [];
    for (const messages of conversations) ids.push((await gather(await ask(of, { messages }))).calls[0]?.id);
    expect(new Set(ids).size).toBe(4);
  });

  it('takes the second session of an instance for its second attempt', async () => {
    const attempts = [{ turns: [[{ say: 'first' }]] }, { turns: [[{ say: 'second' }]] }];
    const instances = new Map([['alpha', instanceScriptSchema.parse({ instance: 'alpha', attempts })]]);
    const pace = { perCallMs: 0, perChunkMs: 0 };
    const rehearsal: Rehearsal = { ...REHEARSAL_DEFAULTS, name: 'n', description: 'd', pace, instances };
    server = await startModelServer(rehearsal, new ManualClock());
    const said = async (session: string) => (await gather(await ask(server!, { session }))).text;
    expect([await said('s1'), await said('s2'), await said('s1'), await said('s2')]).toEqual([
      'first',
      'second',
      'first',
      'second',
    ]);
  });

  it('refuses with 429 and retry-after once, then answers', async () => {
    const of = await start([
      [{ error: { status: 429, message: 'Rate limit reached', retryAfterS: 1 } }, { say: 'ok' }],
    ]);
    const refused = await ask(of);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({ error: { message: 'Rate limit reached' } });
    expect((await gather(await ask(of))).text).toBe('ok');
    // Another session is another attempt, and meets the busy provider again.
    expect((await ask(of, { session: 's2' })).status).toBe(429);
  });

  it('ends a stream without a finish reason when the script says so', async () => {
    const of = await start([[{ say: 'and then', finish: 'none' }]]);
    const answer = await gather(await ask(of));
    expect(answer).toMatchObject({ text: 'and then', finish: [], done: true });
  });

  it('reports a length limit', async () => {
    const of = await start([[{ say: 'cut', finish: 'length' }]]);
    expect((await gather(await ask(of))).finish).toEqual(['length']);
  });

  it('keeps a hanging answer open until the caller leaves, and serves others meanwhile', async () => {
    const of = await start([[{ say: 'wait', hang: true }], [{ say: 'fine' }]]);
    const leaving = new AbortController();
    const hanging = await ask(of, { signal: leaving.signal });
    const reader = hanging.body!.getReader();
    await reader.read();
    expect((await gather(await ask(of, { messages: [PROMPT, ANSWER, PROMPT] }))).text).toBe('fine');
    leaving.abort();
    await expect(reader.read()).rejects.toThrow();
  });

  it('breaks off a hanging answer when it is closed', async () => {
    const of = await start([[{ hang: true }]]);
    const hanging = await ask(of);
    const text = hanging.text();
    const closed = of.close();
    await expect(text).rejects.toThrow();
    await closed;
    server = undefined;
  });

  it('leaves no timer behind when the caller leaves before the first byte', async () => {
    const clock = new ManualClock();
    const of = await start([[{ say: 'late' }]], { perCallMs: 250, perChunkMs: 5 }, clock);
    const leaving = new AbortController();
    const asking = ask(of, { signal: leaving.signal });
    await clock.until(() => clock.pending.size === 1);
    leaving.abort();
    await expect(asking).rejects.toThrow();
    await clock.until(() => clock.pending.size === 0);
  });

  it('paces the first byte and every chunk by the clock', async () => {
    const clock = new ManualClock();
    const of = await start([[{ say: 'x' }]], { perCallMs: 250, perChunkMs: 5 }, clock);
    let arrived = false;
    const answer = ask(of).then((response) => {
      arrived = true;
      return gather(response);
    });
    await clock.until(() => clock.pending.size === 1);
    expect(arrived).toBe(false);
    let beats = 0;
    for (let over = false; !over; beats += 1) {
      clock.fire();
      const next = clock.until(() => clock.pending.size === 1).then(() => false);
      over = await Promise.race([next, answer.then(() => true)]);
    }
    // The first byte, then each of the four chunks: role, text, finish, usage.
    expect(beats).toBe(5);
    expect((await answer).text).toBe('x');
  });

  it('answers title calls and instances without a script in a few words, and ends the turn', async () => {
    const of = await start([[{ say: 'scripted' }]]);
    const title = await gather(
      await ask(of, { model: 'scripted-small', messages: [{ role: 'user', content: 'Title' }] }),
    );
    expect(title).toMatchObject({ text: 'Rehearsal', finish: ['stop'] });
    const unknown = await gather(await ask(of, { messages: [{ role: 'user', content: 'Task: beta[B/1]\n' }] }));
    expect(unknown.text).toContain('No rehearsal script exists for beta[B/1]');
    expect(unknown.text).toContain('beta.B%2F1.json');
    expect(unknown.finish).toEqual(['stop']);
    await gather(await ask(of));
    expect(of.asked()).toEqual({ byInstance: { alpha: 1 }, other: 2 });
  });

  it('closes the turn when it is asked beyond the last step', async () => {
    const of = await start([[{ say: 'only' }]]);
    expect((await gather(await ask(of, { messages: [PROMPT, ANSWER] }))).finish).toEqual(['stop']);
  });

  it('refuses callers without its key, other routes, and requests that are no chat stream', async () => {
    const of = await start([[{ say: 'x' }]]);
    expect((await ask(of, { key: 'wrong' })).status).toBe(401);
    expect((await fetch(`${of.url}/models`, { headers: { authorization: `Bearer ${of.key}` } })).status).toBe(404);
    expect((await ask(of, { body: { stream: false } })).status).toBe(400);
    expect((await ask(of, { body: { messages: 'x' } })).status).toBe(400);
  });

  it('offers a provider that OpenCode can be configured with, prices included', async () => {
    const of = await start([[{ say: 'x' }]]);
    expect(new URL(of.url).hostname).toBe('127.0.0.1');
    expect(of.model).toBe('rehearsal/scripted');
    expect(of.config).toMatchObject({
      model: 'rehearsal/scripted',
      small_model: 'rehearsal/scripted-small',
      enabled_providers: ['rehearsal'],
      provider: {
        rehearsal: {
          npm: '@ai-sdk/openai-compatible',
          options: { baseURL: of.url, apiKey: of.key },
          models: { scripted: { tool_call: true, cost: { input: 1, output: 5 } } },
        },
      },
    });
  });
});
