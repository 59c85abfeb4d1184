/** Stands in for `undici`: a pool whose connections lead to the simulated server. */
import { universe } from '../universe.ts';

interface Wanted {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export class Pool {
  #isDestroyed = false;
  /** What to break off when it is destroyed. */
  readonly #open = new Set<AbortController>();

  async request(wanted: Wanted): Promise<object> {
    if (this.#isDestroyed) throw destroyed();
    const { network } = universe();
    const { method, path, query = {}, headers, body, signal } = wanted;
    const controller = new AbortController();
    this.#open.add(controller);
    if (signal?.aborted) controller.abort(signal.reason);
    signal?.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
    if (path === '/global/event') return { statusCode: 200, body: await network.openStream(controller.signal) };
    const sent = {
      method,
      path,
      query,
      authorization: headers['authorization'],
      body: body === undefined ? undefined : (JSON.parse(body) as unknown),
    };
    const { status, body: answer } = await network.request(sent, controller.signal);
    this.#open.delete(controller);
    return { statusCode: status, body: { text: async () => (answer === undefined ? '' : JSON.stringify(answer)) } };
  }

  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    for (const controller of this.#open) controller.abort(destroyed());
  }
}

function destroyed(): Error {
  return Object.assign(new Error('The client is destroyed'), { code: 'UND_ERR_DESTROYED' });
}
