/**
 * The projection of a store, made anew when a question comes after a change.
 *
 * Owns the projection of the latest version that was asked about. Invariants: questions at one version share one
 * load; an older projection is closed when its last question is answered.
 */
import type { MasterSchema } from '../../schemas/define.ts';
import { ensureError } from '../errors.ts';
import type { CypherAnswer, CypherRequest, CypherSource, GraphStore } from '../ports.ts';
import { readSnapshot } from '../snapshot/snapshot.ts';
import { openProjection } from './projection.ts';

export class ProjectionCache {
  readonly #store: Pick<GraphStore, 'read' | 'relationships'>;
  readonly #schema: MasterSchema;
  readonly #version: () => string;
  #current: { readonly version: string; readonly source: Promise<CypherSource> } | undefined;
  readonly #closing = new Set<Promise<unknown>>();

  constructor(store: Pick<GraphStore, 'read' | 'relationships'>, schema: MasterSchema, version: () => string) {
    this.#store = store;
    this.#schema = schema;
    this.#version = version;
  }

  async cypher(request: CypherRequest): Promise<CypherAnswer> {
    const version = this.#version();
    if (this.#current?.version !== version) {
      const former = this.#current?.source;
      const source = this.#load();
      this.#current = { version, source };
      // A load that failed is tried again by the next question.
      source.catch(() => {
        if (this.#current?.source === source) this.#current = undefined;
      });
      if (former) this.#retire(former);
    }
    return (await this.#current!.source).cypher(request);
  }

  async close(): Promise<void> {
    if (this.#current) this.#retire(this.#current.source);
    this.#current = undefined;
    await Promise.all(this.#closing);
  }

  #retire(source: Promise<CypherSource>): void {
    const closing = source.then((old) => old.close()).catch(ensureError);
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }

  async #load(): Promise<CypherSource> {
    const snapshot = await readSnapshot(this.#store, { schema: this.#schema });
    return openProjection({ schema: this.#schema, snapshot });
  }
}
