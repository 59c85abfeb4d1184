/**
 * A graph as a value, held in an embedded engine that answers Cypher.
 *
 * Owns the engine, from the load until close. Does not own what it was made from: it is a picture of one moment, and is
 * made anew when the graph has changed. Invariants: questions are answered one after the other, each in a transaction
 * that can only read; one that ends the engine is answered by its error, and the next finds a new engine with the same
 * picture; close waits for the questions that are under way.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MasterSchema } from '../../schemas/define.ts';
import { columnNames, toLadybug } from '../cypher/ladybug.ts';
import { requireReadOnly } from '../cypher/read-only.ts';
import { ensureError, MusterError } from '../errors.ts';
import type { CypherAnswer, CypherRequest, CypherSource, GraphSnapshot } from '../ports.ts';
import { cypherLimits } from './cypher-limits.ts';
import { Engine, EngineEnded, enginePackage } from './projection-engine.ts';
import { loadTables } from './projection-load.ts';
import { type ProjectionTables, projectionTables } from './projection-tables.ts';
import { toCypherValue } from './projection-values.ts';

export interface ProjectionOptions {
  readonly schema: MasterSchema;
  readonly snapshot: GraphSnapshot;
  /** Where rows are put while they are loaded; default the system's folder for temporary files. */
  readonly dir?: string;
}

/**
 * Loads a graph into the engine, for reading.
 * @throws MusterError CYPHER_UNAVAILABLE where the engine's package is missing or cannot load the graph.
 */
export async function openProjection({ schema, snapshot, dir = tmpdir() }: ProjectionOptions): Promise<CypherSource> {
  const tables = projectionTables(schema, snapshot);
  return new Projection(await loadedEngine(tables, dir), () => loadedEngine(tables, dir));
}

async function loadedEngine(tables: ProjectionTables, dir: string): Promise<Engine> {
  const engine = new Engine(enginePackage());
  let folder: string | undefined;
  try {
    await mkdir(dir, { recursive: true });
    folder = await mkdtemp(join(dir, 'muster-cypher-'));
    await loadTables(engine, folder, tables);
    return engine;
  } catch (thrown) {
    await engine.end();
    const cause = ensureError(thrown);
    throw new MusterError(
      'CYPHER_UNAVAILABLE',
      `The graph could not be loaded into the embedded Cypher engine: ${cause.message}. All else works without it.`,
      { cause },
    );
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

class Projection implements CypherSource {
  readonly #reload: () => Promise<Engine>;
  #engine: Engine;
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(engine: Engine, reload: () => Promise<Engine>) {
    this.#engine = engine;
    this.#reload = reload;
  }

  async cypher(request: CypherRequest): Promise<CypherAnswer> {
    requireReadOnly(request.text);
    if (this.#closed) throw new MusterError('BUG', 'A projection was asked after it was closed.');
    const turn = this.#last.then(() => this.#ask(request));
    this.#last = turn.catch(ensureError);
    return turn;
  }

  close(): Promise<void> {
    this.#closed ??= this.#last.then(() => this.#engine.end());
    return this.#closed;
  }

  async #ask({ text, parameters = {}, ...wanted }: CypherRequest): Promise<CypherAnswer> {
    const limits = cypherLimits({ text, ...wanted });
    const statement = toLadybug(text);
    if (this.#engine.hasEnded) this.#engine = await this.#reload();
    try {
      const { columns, rows, truncated } = await this.#engine.ask(statement, parameters, limits);
      const names = columnNames(text);
      return {
        columns: names?.length === columns.length ? names : columns,
        rows: rows.map((row) => row.map(toCypherValue)),
        truncated,
      };
    } catch (thrown) {
      throw failure(ensureError(thrown), limits.timeLimitMs);
    }
  }
}

const NARROW = 'Narrow it: name labels and keys, bound paths and ranges.';

function failure(cause: Error, timeLimitMs: number): MusterError {
  const why = cause instanceof EngineEnded ? cause.why : undefined;
  if (why === 'late' || /interrupted/i.test(cause.message)) {
    const message = `The Cypher statement took longer than ${timeLimitMs} ms. ${NARROW}`;
    return new MusterError('CYPHER_TIMEOUT', message, { cause });
  }
  if (why === 'memory' || /buffer manager/i.test(cause.message)) {
    const message = `The Cypher statement needs more memory than the embedded engine may use. ${NARROW}`;
    return new MusterError('CYPHER_TIMEOUT', message, { cause });
  }
  if (why === 'fault') {
    const message = `The embedded Cypher engine broke down over the statement (${cause.message}). Put it more simply.`;
    return new MusterError('CYPHER_INVALID', message, { cause });
  }
  const [said = ''] = cause.message.split('\n');
  return new MusterError('CYPHER_INVALID', `The Cypher statement is wrong: ${said.slice(0, 500)}`, { cause });
}
