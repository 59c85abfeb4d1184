/**
 * The Neo4j databases of a manifest, opened for reading, for as long as a run lasts.
 *
 * Owns the connections and the credentials. Does not own what a statement may do (graph/neo4j-source.ts refuses what is
 * not read-only) or who may ask (manifest, attempts.ts). Invariants: a credential leaves this file towards the driver
 * only; an agent hears neither URL nor credential, also not in an error; what was opened is closed, once.
 */
import type { ManifestSource } from '../../schemas/manifest.ts';
import { ensureError, MusterError } from '../errors.ts';
import type { DatabaseNote } from '../output/database-note.ts';
import type { Clock, CypherAnswer, CypherRequest, CypherSource } from '../ports.ts';
import { redactText } from '../redact.ts';

export interface SourceAccess {
  readonly auth: { readonly username: string; readonly password: string };
  readonly database?: string;
}

export interface SourceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Most time until a source has answered; then SOURCE_UNAVAILABLE. Default 10 s. */
  readonly timeLimitMs?: number;
  /** Default: the Neo4j driver. */
  readonly open?: (url: string, access: SourceAccess) => CypherSource | Promise<CypherSource>;
}

export interface Sources {
  /** What agents are told, by name. */
  readonly notes: ReadonlyMap<string, DatabaseNote>;
  /** What agents ask, by name. */
  readonly byName: ReadonlyMap<string, CypherSource>;
  /** Texts that must reach no log: the passwords of the sources, and of a graph that is a database. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

const TIME_LIMIT_MS = 10_000;
/** Labels shown to agents, and the longest; a database may hold anything, also as a label. */
const MAX_LABELS = 60;
const LABEL = /^[\p{L}\p{N}_][\p{L}\p{N}_ :.-]{0,59}$/u;
/** A catalogue answers at once; a sample of nodes does where the procedure is not allowed. */
const LABEL_QUERIES = [
  'CALL db.labels() YIELD label RETURN label ORDER BY label',
  'MATCH (n) WITH n LIMIT 10000 UNWIND labels(n) AS label RETURN DISTINCT label ORDER BY label',
];

/** What an agent may act on; anything else is between muster and the database. */
const FOR_AGENTS: ReadonlySet<string> = new Set(['CYPHER_REFUSED', 'CYPHER_INVALID', 'CYPHER_TIMEOUT']);

/** The names of the environment variables that hold credentials of sources. */
export function credentialVariables(sources: readonly ManifestSource[] = []): readonly string[] {
  return sources
    .flatMap(({ usernameEnv, passwordEnv }) => [usernameEnv, passwordEnv])
    .filter((name) => name !== undefined);
}

/**
 * Opens every source and waits until each has answered.
 * @throws MusterError SOURCE_UNAVAILABLE naming the source, and the variable that is missing; nothing stays open then.
 */
export async function openSources(sources: readonly ManifestSource[] = [], options: SourceOptions): Promise<Sources> {
  const accesses = sources.map((source) => accessOf(source, options.env));
  const opened = await Promise.allSettled(sources.map((source, i) => openOne(source, accesses[i]!, options)));
  const ready = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const close = async () => {
    // A driver that cannot close must not keep a run from ending.
    await Promise.all(ready.map(({ source }) => source.close().catch((thrown: unknown) => void ensureError(thrown))));
  };
  const failed = opened.find((one) => one.status === 'rejected');
  if (failed) {
    await close();
    throw ensureError(failed.reason);
  }
  return {
    notes: new Map(ready.map(({ note }) => [note.name, note])),
    byName: new Map(ready.map(({ note, source, hidden }) => [note.name, guarded(note.name, source, hidden)])),
    secrets: [...accesses.map(({ auth }) => auth?.password), options.env['NEO4J_PASSWORD']].filter(
      (one) => one !== undefined,
    ),
    close,
  };
}

/** What a task may query: all, or the names it lists. */
export function sourcesOf(
  { notes, byName }: Sources,
  names: readonly string[] = [...notes.keys()],
): { readonly notes: readonly DatabaseNote[]; readonly byName: Sources['byName'] } {
  return {
    notes: names.flatMap((name) => notes.get(name) ?? []),
    byName: new Map([...byName].filter(([name]) => names.includes(name))),
  };
}

interface Opened {
  readonly note: DatabaseNote;
  readonly source: CypherSource;
  readonly hidden: readonly string[];
}

type Access = Pick<SourceAccess, 'database'> & { readonly auth?: SourceAccess['auth'] };

function accessOf({ name, usernameEnv, passwordEnv, database }: ManifestSource, env: SourceOptions['env']): Access {
  const read = (variable: string): string => {
    const value = env[variable];
    if (value !== undefined && value !== '') return value;
    throw new MusterError(
      'SOURCE_UNAVAILABLE',
      `expected the credentials of source "${name}" in the environment, got no ${variable}. Set ${usernameEnv} and ${passwordEnv}`,
    );
  };
  const auth =
    usernameEnv !== undefined && passwordEnv !== undefined
      ? { username: read(usernameEnv), password: read(passwordEnv) }
      : undefined;
  return { ...(auth && { auth }), ...(database !== undefined && { database }) };
}

async function openOne(definition: ManifestSource, access: Access, options: SourceOptions): Promise<Opened> {
  const { name, description, url, usernameEnv, passwordEnv } = definition;
  const { clock, timeLimitMs = TIME_LIMIT_MS, open = openNeo4j } = options;
  // A server without authentication takes any credentials.
  const { auth = { username: 'neo4j', password: 'none' }, database } = access;
  const hidden = [
    url,
    new URL(url).host,
    new URL(url).hostname,
    ...(access.auth ? [auth.password, auth.username] : []),
  ];
  let source: CypherSource | undefined;
  const late = { isLate: false };
  const labels = async () => {
    source = await open(url, { auth, ...(database !== undefined && { database }) });
    // Opened after all, and nobody waits for it any more.
    if (!late.isLate) return labelsOf(source, timeLimitMs);
    await source.close();
    return [];
  };
  try {
    return { note: { name, description, labels: await within(labels(), timeLimitMs, clock) }, source: source!, hidden };
  } catch (thrown) {
    late.isLate = true;
    const cause = ensureError(thrown);
    void (source as CypherSource | undefined)?.close().catch(ensureError);
    const isRefused = cause instanceof MusterError && cause.code === 'GRAPH_CREDENTIALS';
    const cure =
      isRefused && usernameEnv !== undefined ? `Check ${usernameEnv} and ${passwordEnv}` : 'Check that it runs';
    // What lies underneath says what happened; the message above it names the variables of the run's own graph. Neither
    // is kept as a cause: a driver's error may hold what it was configured with.
    const reason = cause.cause instanceof Error ? cause.cause.message : cause.message;
    const got = redactText(reason, access.auth ? [auth.password] : []).replace(/[.\s]*$/, '.');
    throw new MusterError(
      'SOURCE_UNAVAILABLE',
      `expected source "${name}" to answer, got: ${got} ${cure}, or take it out of the manifest`,
      { retryable: true },
    );
  }
}

/** The driver is loaded when a manifest has a source. */
async function openNeo4j(url: string, access: SourceAccess): Promise<CypherSource> {
  const { openNeo4jSource } = await import('../graph/neo4j-source.ts');
  return openNeo4jSource(url, access);
}

async function labelsOf(source: CypherSource, timeLimitMs: number): Promise<readonly string[]> {
  const limits = { maxRows: 1_000, timeLimitMs: Math.min(timeLimitMs, 60_000) };
  const [catalogue, sample] = LABEL_QUERIES as [string, string];
  const { rows } = await source.cypher({ text: catalogue, ...limits }).catch((thrown: unknown) => {
    const error = ensureError(thrown);
    const isForbidden = error instanceof MusterError && ['CYPHER_REFUSED', 'CYPHER_INVALID'].includes(error.code);
    if (!isForbidden) throw error;
    return source.cypher({ text: sample, ...limits });
  });
  const labels = rows.flatMap(([label]) => (typeof label === 'string' && LABEL.test(label) ? [label] : []));
  return labels.slice(0, MAX_LABELS);
}

function within<T>(work: Promise<T>, timeLimitMs: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeLimitMs, () =>
      reject(new MusterError('SOURCE_UNAVAILABLE', `no answer within ${timeLimitMs} ms.`)),
    );
    work.then(resolve, reject).finally(cancel);
  });
}

/** A source as agents reach it: its errors name it as they know it, and say nothing of where it is. */
function guarded(name: string, source: CypherSource, hidden: readonly string[]): CypherSource {
  return {
    async cypher(request: CypherRequest): Promise<CypherAnswer> {
      try {
        return await source.cypher(request);
      } catch (thrown) {
        const error = ensureError(thrown);
        if (error instanceof MusterError && FOR_AGENTS.has(error.code)) {
          throw new MusterError(error.code, redactText(error.message, hidden), { retryable: error.retryable });
        }
        throw new MusterError(
          'SOURCE_UNAVAILABLE',
          `the database "${name}" does not answer now; go on without it, or ask again later`,
          { retryable: true },
        );
      }
    },
    // The run closes it; an attempt must not.
    close: () => Promise.resolve(),
  };
}
