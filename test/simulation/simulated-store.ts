/**
 * The graph store of the world: nodes and relationships in memory, with the promises of the port (upsert by key, a batch
 * whole or absent, missing ends refused), and its failures before and after the effect.
 *
 * Owns the graph, which outlives muster. The merge of properties is written anew here: what it is checked against must not
 * be what it is made of.
 */
import { MusterError } from '../../src/errors.ts';
import type {
  CommitResult,
  GraphBatch,
  GraphNode,
  GraphRead,
  GraphRelationship,
  GraphStore,
  NodeKey,
  RelationshipRead,
} from '../../src/ports.ts';
import type { Faults } from './faults.ts';
import type { ProcessLife } from './process-life.ts';
import type { SeededRandom } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

interface StoredNode {
  readonly entity: string;
  readonly key: readonly (string | number)[];
  properties: Record<string, unknown>;
  runId: string;
}

interface StoredEdge extends GraphRelationship {
  runId: string;
}

export interface StorePorts {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly life: ProcessLife;
  readonly faults: Faults;
  /** Before a batch takes effect; the observer judges it. Names the instance that commits, as far as it can tell. */
  readonly onCommit: (batch: GraphBatch) => string | undefined;
  /** After it took effect. */
  readonly onCommitted: (batch: GraphBatch, instance: string) => void;
  /** Ends the process now. */
  readonly kill: () => void;
}

export class SimulatedStore {
  readonly nodes = new Map<string, StoredNode>();
  readonly edges = new Map<string, StoredEdge>();
  readonly #ports: StorePorts;

  constructor(ports: StorePorts) {
    this.#ports = ports;
  }

  /** A connection of the present process. */
  open(): GraphStore {
    const { life } = this.#ports;
    let last: Promise<unknown> = Promise.resolve();
    return {
      commit: (batch) => {
        const turn = last.then(() => life.answer(() => this.#commit(batch)));
        last = turn.catch(() => undefined);
        return turn;
      },
      existing: (keys, runId) => life.answer(() => this.#soon('existing', () => this.#existing(keys, runId))),
      read: (query) => life.answer(() => this.#soon(`read ${query.entity}`, () => this.#read(query))),
      relationships: (query) => life.answer(() => this.#relationships(query)),
      cypher: () => Promise.reject(new MusterError('CYPHER_UNAVAILABLE', 'the simulation has no engine for Cypher')),
      close: () => life.answer(() => last.then(() => undefined)),
    };
  }

  /** The whole graph as one text: equal graphs are equal texts. */
  text(without: ReadonlySet<string> = new Set()): string {
    const nodes = [...this.nodes]
      .filter(([id]) => !without.has(id))
      .map(([id, { properties }]) => `${id} ${JSON.stringify(sorted(properties))}`);
    const edges = [...this.edges]
      .filter(([, { from, to }]) => !without.has(idOf(from)) && !without.has(idOf(to)))
      .map(([id]) => id);
    return [...nodes.sort(), ...edges.sort()].join('\n');
  }

  async #commit(batch: GraphBatch): Promise<CommitResult> {
    const { time, random, faults, kill, life } = this.#ports;
    await time.wait(random.between(1, 30));
    if (!life.isAlive) return new Promise(() => {});
    const who = this.#ports.onCommit(batch) ?? '';
    const name = `${batch.task} of ${who || 'the engine'}`;
    if (faults.strikes('store-refuses', name, who)) {
      throw new MusterError('GRAPH_COMMIT', 'the batch could not be written: simulated', { retryable: true });
    }
    // The engine's own batches end the whole run: the disk is full for one instance at a time here.
    if (faults.strikes('store-full', name)) throw new MusterError('DISK_FULL', 'no space left: simulated');
    const result = this.#write(batch);
    if (who !== '') this.#ports.onCommitted(batch, who);
    if (faults.strikes('store-kill', name)) {
      kill();
      return new Promise(() => {});
    }
    await time.wait(random.between(0, 10));
    if (faults.strikes('store-answer-lost', name, who)) {
      throw new MusterError('GRAPH_COMMIT', 'it is not known whether the batch was written: simulated', {
        retryable: true,
      });
    }
    return result;
  }

  #write({ runId, nodes, relationships }: GraphBatch): CommitResult {
    const count = { created: 0, updated: 0, unchanged: 0 };
    const added = new Map(nodes.map((node) => [idOf(node), node]));
    for (const { type, from, to } of relationships) {
      for (const end of [from, to]) {
        if (this.nodes.has(idOf(end)) || added.has(idOf(end))) continue;
        throw new MusterError('GRAPH_COMMIT', `${type}: no node ${idOf(end)}. Nothing of the batch was written.`);
      }
    }
    for (const node of nodes) {
      const known = this.nodes.get(idOf(node));
      const before = known && JSON.stringify(sorted(known.properties));
      const properties: Record<string, unknown> = { ...known?.properties };
      for (const [name, value] of Object.entries(node.properties)) {
        if (value === null) delete properties[name];
        else if (value !== undefined) properties[name] = value;
      }
      this.nodes.set(idOf(node), { entity: node.entity, key: node.key, properties, runId });
      if (before === undefined) count.created += 1;
      else if (before === JSON.stringify(sorted(properties))) count.unchanged += 1;
      else count.updated += 1;
    }
    for (const edge of relationships) this.edges.set(edgeId(edge), { ...edge, runId });
    return { ...count, relationships: new Set(relationships.map(edgeId)).size };
  }

  /** Reads at once, or after a while: an agent's call may outlive its session. */
  async #soon<T>(what: string, read: () => T): Promise<T> {
    const { faults, random, time } = this.#ports;
    if (faults.strikes('store-slow', what)) await time.wait(random.between(100, 15_000));
    return read();
  }

  #mayFail(what: string): void {
    if (!this.#ports.faults.strikes('store-read-fails', what)) return;
    const isForNow = this.#ports.random.chance(0.5);
    const code = isForNow ? 'GRAPH_UNREACHABLE' : 'GRAPH_OPEN';
    throw new MusterError(code, `expected to read the graph, got a failure: simulated (${what})`, {
      retryable: isForNow,
    });
  }

  #existing(keys: readonly NodeKey[], runId?: string): ReadonlySet<string> {
    this.#mayFail('existing');
    return new Set(
      keys.map(idOf).filter((id) => {
        const node = this.nodes.get(id);
        return node !== undefined && (runId === undefined || node.runId === runId);
      }),
    );
  }

  #read(query: GraphRead): { readonly nodes: readonly GraphNode[]; readonly total: number } {
    this.#mayFail(`read ${query.entity}`);
    const { entity, where = {}, runId, scope, limit = 200, offset = 0 } = query;
    const found = [...this.nodes.values()]
      .filter(
        (node) =>
          node.entity === entity &&
          (runId === undefined || node.runId === runId) &&
          (scope === undefined || node.key[0] === scope) &&
          Object.entries(where).every(([name, value]) => node.properties[name] === value),
      )
      .sort((a, b) => compareKeys(a.key, b.key));
    const nodes = found.slice(offset, offset + Math.min(limit, 1000)).map(({ entity: of, key, properties }) => ({
      entity: of,
      key,
      properties: structuredClone(properties) as never,
    }));
    return { nodes, total: found.length };
  }

  #relationships(query: RelationshipRead): readonly GraphRelationship[] {
    const { type, from, to, scope, runId, limit, offset = 0 } = query;
    const found = [...this.edges.values()]
      .filter(
        (edge) =>
          (type === undefined || edge.type === type) &&
          (from === undefined || idOf(edge.from) === idOf(from)) &&
          (to === undefined || idOf(edge.to) === idOf(to)) &&
          (scope === undefined || edge.from.key[0] === scope) &&
          (runId === undefined || edge.runId === runId),
      )
      .sort((a, b) => (edgeId(a) < edgeId(b) ? -1 : 1))
      .map(({ type: of, from: start, to: end }) => ({ type: of, from: start, to: end }));
    return found.slice(offset, limit === undefined ? undefined : offset + limit);
  }
}

export function idOf({ entity, key }: NodeKey): string {
  return `${entity}${JSON.stringify(key)}`;
}

function edgeId({ type, from, to }: GraphRelationship): string {
  return `(${idOf(from)})-[${type}]->(${idOf(to)})`;
}

function sorted(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function compareKeys(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [left, right] = [a[at] ?? '', b[at] ?? ''];
    if (left === right) continue;
    if (typeof left === 'number' && typeof right === 'number') return left - right;
    return String(left) < String(right) ? -1 : 1;
  }
  return 0;
}
