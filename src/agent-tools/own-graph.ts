/**
 * What one agent may ask of the run's graph in Cypher: the entities it may read, as this run committed them, and nothing
 * of other projects or runs that share the store.
 *
 * Owns a projection of that part. Invariants: it is made when the first question comes and made anew when the part has
 * changed; questions wait for one another; after close nothing is left open.
 */
import type { MasterSchema } from '../../schemas/define.ts';
import { ensureError } from '../errors.ts';
import type { TaskContext } from '../output/task-context.ts';
import type { CypherAnswer, CypherRequest, CypherSource, GraphSnapshot, GraphStore } from '../ports.ts';
import { readSnapshot } from '../snapshot/snapshot.ts';

/** Makes a graph that answers Cypher from a value; rejects with CYPHER_UNAVAILABLE where the machine has no engine. */
export type Project = (graph: {
  readonly schema: MasterSchema;
  readonly snapshot: GraphSnapshot;
}) => Promise<CypherSource>;

export class OwnGraph {
  readonly #store: GraphStore;
  readonly #scope: { readonly scope: string; readonly runId: string };
  readonly #schema: MasterSchema;
  readonly #project: Project;
  #current: { readonly state: string; readonly source: CypherSource } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ schema, readable, scope }: TaskContext, store: GraphStore, runId: string, project: Project) {
    this.#store = store;
    this.#scope = { scope, runId };
    // Labels that the agent has no business with do not exist for it: an empty answer would mislead.
    this.#schema = { ...schema, entities: schema.entities.filter(({ name }) => readable.includes(name)) };
    this.#project = project;
  }

  cypher(request: CypherRequest): Promise<CypherAnswer> {
    return this.#inTurn(async () => (await this.#source()).cypher(request));
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#current?.source.close();
      this.#current = undefined;
    });
  }

  async #source(): Promise<CypherSource> {
    const snapshot = await readSnapshot(this.#store, { schema: this.#schema, ...this.#scope });
    const state = JSON.stringify(snapshot);
    if (this.#current?.state === state) return this.#current.source;
    await this.#current?.source.close();
    this.#current = undefined;
    const source = await this.#project({ schema: this.#schema, snapshot });
    this.#current = { state, source };
    return source;
  }

  #inTurn<Answer>(run: () => Promise<Answer>): Promise<Answer> {
    const turn = this.#last.then(run);
    this.#last = turn.catch(ensureError);
    return turn;
  }
}
