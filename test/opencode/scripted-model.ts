/** An OpenAI-compatible model on loopback that makes the tool calls its prompt names, one for each model call. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ModelRequest {
  /** The session, as the server's header tells it. */
  readonly session: string;
  readonly body: {
    readonly messages: readonly { readonly role: string; readonly content: unknown; readonly tool_call_id?: string }[];
    readonly tools?: readonly {
      readonly function: { readonly name: string; readonly description: string; readonly parameters: object };
    }[];
  };
}

export type ToolCall = readonly [tool: string, args: object];

const MARK = 'CALLS:';

/** The prompt that makes the model call these tools in turn, and then answer "done". */
export function promptFor(calls: readonly ToolCall[]): string {
  return `${MARK}${JSON.stringify(calls)}`;
}

export async function startScriptedModel() {
  const requests: ModelRequest[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text) as ModelRequest['body'];
    requests.push({ session: String(request.headers['x-session-id'] ?? ''), body });
    const said = body.messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content)));
    const prompt = body.messages.findLastIndex(({ role }, index) => role === 'user' && said[index]!.includes(MARK));
    const calls = prompt < 0 ? [] : callsIn(body.messages[prompt]!.content);
    const answered = body.messages.slice(prompt + 1).filter(({ role }) => role === 'tool').length;
    const next = calls[answered];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (delta: object, finish: string | null = null) =>
      response.write(
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm1', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
      );
    send({ role: 'assistant' });
    if (next !== undefined && body.tools) {
      const call = { name: next[0], arguments: JSON.stringify(next[1]) };
      send({ tool_calls: [{ index: 0, id: `call_${requests.length}`, type: 'function', function: call }] });
      send({}, 'tool_calls');
    } else {
      send({ content: 'done' });
      send({}, 'stop');
    }
    response.end('data: [DONE]\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const limit = { context: 200_000, output: 8_000 };
  return {
    requests,
    /** Configuration of the server under test. */
    config: {
      model: 'mock/m1',
      small_model: 'mock/m1',
      enabled_providers: ['mock'],
      provider: {
        mock: {
          npm: '@ai-sdk/openai-compatible',
          name: 'Mock',
          options: { baseURL, apiKey: 'key-of-the-scripted-model' },
          models: { m1: { name: 'M1', tool_call: true, limit }, 'm1-mini': { name: 'M1 mini', limit } },
        },
      },
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function callsIn(content: unknown): ToolCall[] {
  const text =
    typeof content === 'string' ? content : (content as { text?: string }[]).map((p) => p.text ?? '').join('');
  return JSON.parse(text.slice(text.indexOf(MARK) + MARK.length)) as ToolCall[];
}
