/**
 * The program of the process in which the embedded engine runs: a statement that takes all memory, never ends, or trips
 * over a fault of the engine must not take muster with it. (On 0.20.4 `range(1, 3000000)` takes 3.8 GB, 60 joined nodes
 * are planned for ever, and 800 nested CASEs end the process.)
 *
 * The process is started from the text of {@link engineProgram}, so that it is the same from source and compiled. It
 * ends when muster does, however that ends: its channel closes.
 */
import type { CypherValue } from '../ports.ts';

/** Each is answered by its id; one at a time. */
export type EngineRequest = { readonly id: number } & (
  | {
      /** Runs a statement of our own on the connection that loads. */
      readonly op: 'run';
      readonly statement: string;
    }
  | {
      readonly op: 'ask';
      readonly statement: string;
      readonly parameters: Readonly<Record<string, CypherValue>>;
      readonly maxRows: number;
      readonly timeLimitMs: number;
    }
);

export type EngineReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  /** Said of itself when it holds more than it may; muster then ends it. */
  | { readonly residentBytes: number };

/** An answer in the engine's own values. */
export interface EngineAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  readonly truncated: boolean;
}

/** What of the package's interface is used (version 0.20). */
interface Result {
  hasNext(): boolean;
  getNext(): Promise<Readonly<Record<string, unknown>>>;
  getColumnNames(): Promise<string[]>;
  getColumnDataTypes(): Promise<string[]>;
  close(): void;
}
interface Statement {
  isSuccess(): boolean;
  getErrorMessage(): string;
}
interface Connection {
  query(statement: string): Promise<Result>;
  prepare(statement: string): Promise<Statement>;
  execute(statement: Statement, parameters: Readonly<Record<string, unknown>>): Promise<Result>;
  setQueryTimeout(timeoutMs: number): void;
  close(): Promise<void>;
}
interface Ladybug {
  readonly Database: new (
    file: string,
    bufferBytes: number,
    compressed: boolean,
    readOnly: boolean,
    mostBytes: number,
  ) => object;
  readonly Connection: new (database: object, threads: number) => Connection;
}

/** What the process is told at its start, as JSON. */
export interface EngineStart {
  readonly packagePath: string;
  /** Memory of the engine's pages; a question that needs more is refused. */
  readonly bufferBytes: number;
  /** Address space of the database, a power of 2. */
  readonly databaseBytes: number;
  /** Memory of the process at which it says so. */
  readonly residentBytes: number;
}

/** Runs in the process of its own, made from its text: it may use its arguments and nothing else of this file. */
export function engineProgram(load: (name: string) => unknown, self: NodeJS.Process): void {
  const start = JSON.parse(self.argv[1] ?? '') as EngineStart;
  let opened: { readonly ladybug: Ladybug; readonly database: object; readonly loader: Connection } | undefined;
  const open = () => {
    if (opened) return opened;
    const ladybug = load(start.packagePath) as Ladybug;
    const database = new ladybug.Database(':memory:', start.bufferBytes, true, false, start.databaseBytes);
    opened = { ladybug, database, loader: new ladybug.Connection(database, 1) };
    return opened;
  };
  // The first interrupt of a terminal lets a run finish what it has begun, so it must not end the engine.
  for (const signal of ['SIGINT', 'SIGHUP']) self.on(signal, () => {});
  self.on('disconnect', () => self.kill(self.pid, 'SIGKILL'));
  setInterval(() => {
    const residentBytes = self.memoryUsage.rss();
    if (residentBytes > start.residentBytes) self.send?.({ residentBytes });
  }, 50).unref();

  const read = async (result: Result, maxRows: number): Promise<EngineAnswer> => {
    try {
      const columns = await result.getColumnNames();
      const types = await result.getColumnDataTypes();
      const rows: unknown[][] = [];
      while (rows.length < maxRows && result.hasNext()) {
        const row = await result.getNext();
        const plain = (value: unknown, i: number) =>
          types[i] === 'DATE' && value instanceof Date ? value.toISOString().slice(0, 10) : value;
        rows.push(columns.map((name, i) => plain(row[name], i)));
      }
      return { columns, rows, truncated: result.hasNext() };
    } finally {
      result.close();
    }
  };
  const answer = async (request: EngineRequest): Promise<unknown> => {
    const { ladybug, database, loader } = open();
    if (request.op === 'run') return (await loader.query(request.statement)).close();
    // With several threads some functions on texts give wrong values, once in fifty times (0.20.4).
    const connection = new ladybug.Connection(database, 1);
    try {
      // With zone maps the engine finds no whole number greater than 1.5 (0.20.4): it compares the bits of two types.
      (await connection.query('CALL enable_zone_map=false')).close();
      (await connection.query('BEGIN TRANSACTION READ ONLY')).close();
      connection.setQueryTimeout(request.timeLimitMs);
      const statement = await connection.prepare(request.statement);
      if (!statement.isSuccess()) throw new Error(statement.getErrorMessage());
      return await read(await connection.execute(statement, request.parameters), request.maxRows);
    } finally {
      await connection.close();
    }
  };
  self.on('message', (request: EngineRequest) => {
    answer(request).then(
      (value) => self.send?.({ id: request.id, value }),
      (thrown: unknown) =>
        self.send?.({ id: request.id, error: thrown instanceof Error ? thrown.message : String(thrown) }),
    );
  });
}
