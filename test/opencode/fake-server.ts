/** A server on loopback that answers by route as the test says, and keeps what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = readonly [status: number, body: unknown] | ((response: ServerResponse) => void);

export interface FakeRequest {
  /** `GET /path`, query left out. */
  readonly operation: string;
  readonly directory: string | null;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** Routes as `GET /path`; the last answer of a list stays. Anything else is 404. */
export async function startFakeServer(routes: Record<string, Answer | Answer[]>) {
  const requests: FakeRequest[] = [];
  const left = new Map(
    Object.entries(routes).map(([route, answers]) => [route, isList(answers) ? [...answers] : [answers]]),
  );
  const server = createServer(async (request: IncomingMessage, response) => {
    const url = new URL(request.url!, 'http://127.0.0.1');
    let text = '';
    for await (const chunk of request) text += chunk;
    const operation = `${request.method} ${url.pathname}`;
    requests.push({
      operation,
      directory: url.searchParams.get('directory'),
      authorization: request.headers.authorization,
      body: text === '' ? undefined : JSON.parse(text),
    });
    const answers = left.get(operation);
    const answer =
      answers === undefined
        ? ([404, { name: 'NoRoute', data: {} }] as const)
        : answers.length > 1
          ? answers.shift()!
          : answers[0]!;
    if (typeof answer === 'function') return answer(response);
    response.writeHead(answer[0], { 'content-type': 'application/json' });
    response.end(typeof answer[1] === 'string' ? answer[1] : JSON.stringify(answer[1]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    operations: () => requests.map(({ operation }) => operation),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isList(answers: Answer | Answer[]): answers is Answer[] {
  return Array.isArray(answers) && typeof answers[0] !== 'number';
}
