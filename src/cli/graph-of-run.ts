/** Opens what a command is to look at: a run's graph, a graph file, or a graph database. */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { MasterSchema } from '../../schemas/define.ts';
import type { RunEvent } from '../../schemas/run-event.ts';
import { ensureError, MusterError } from '../errors.ts';
import { openEmbeddedGraph } from '../graph/embedded.ts';
import { streamJournal } from '../journal/reader.ts';
import { findRun, latestRun } from '../journal/run-folder.ts';
import { graphLocation, isGraphUrl, type RunFolder } from '../journal/run-paths.ts';
import { loadManifest } from '../manifest/load.ts';
import { loadSchemaModule } from '../manifest/schema-module.ts';
import type { GraphStore } from '../ports.ts';
import { manifestPath } from './package-root.ts';

export interface TargetOptions {
  readonly home: string;
  /** The schema, or the module it is the default export of; default: of the manifest. */
  readonly schema?: MasterSchema | string;
  /** Manifest that names the schema; default: the run's own, or as `muster run` chooses it. */
  readonly manifest?: string;
  /** Where the credentials of a graph database are; default the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface OpenedTarget {
  readonly store: GraphStore;
  readonly schema: MasterSchema;
  /** The run's project id; absent for a file or a database, which may hold several. */
  readonly scope?: string;
  /** Absent for a file or a database, which may hold several runs. */
  readonly runId?: string;
  /** `provider/model` of the run. */
  readonly model?: string;
  /** For people: the absolute path of the file, or the URL without credentials. */
  readonly location: string;
  /** Closes the store. */
  close(): Promise<void>;
}

type Started = Extract<RunEvent, { type: 'run.started' }>;

/**
 * Opens a target: nothing or `latest` is the last run; else a run's id or the beginning of it, the path of a graph file,
 * or the URL of a graph database. What has a separator or ends with `.db` is a path; what looks like a run's id is a run.
 *
 * @throws MusterError RUN_NOT_FOUND (no run, unknown, ambiguous), GRAPH_TARGET (no such file), JOURNAL_READ,
 * JOURNAL_CORRUPT, GRAPH_OPEN, and what loading the manifest or reaching the database throws.
 */
export async function openTarget(target: string | undefined, options: TargetOptions): Promise<OpenedTarget> {
  if (target !== undefined && isGraphUrl(target)) return openAt(target, await schemaOf(options), options);
  if (target !== undefined && (await isFile(target))) {
    return openAt(await existing(resolve(target), ''), await schemaOf(options), options);
  }
  const run = target === undefined || target === 'latest' ? latestRun(options.home) : findRun(options.home, target);
  const { folder } = await run;
  const started = await startOf(folder);
  const location = graphLocation(folder, started);
  if (!isGraphUrl(location)) await existing(location, ` of run ${folder.runId}`);
  const schema = await schemaOfRun(started, options);
  return {
    ...(await openAt(location, schema, options)),
    scope: started.projectId,
    runId: folder.runId,
    model: started.model,
  };
}

async function openAt(location: string, schema: MasterSchema, options: TargetOptions): Promise<OpenedTarget> {
  const { env = process.env } = options;
  // The driver of a graph database is loaded when one is asked for.
  const store = isGraphUrl(location)
    ? await (await import('../graph/open-graph.ts')).openGraph(location, { schema, env })
    : openEmbeddedGraph(location, { schema });
  return { store, schema, location: location.replace(/\/\/[^/?#]*@/, '//'), close: () => store.close() };
}

/** Whether the target means a file: it is written as a path, or it is one and no run's id begins so. */
async function isFile(target: string): Promise<boolean> {
  if (/[\\/]|\.db$/i.test(target)) return true;
  // The ids of runs are digits, hyphens and small letters, and begin with the day.
  return !/^\d[\da-z-]*$/.test(target) && (await kindOf(resolve(target))) === 'file';
}

/** An opened file that is missing would be made anew, and an empty graph would pass for the run's. */
async function existing(file: string, whose: string): Promise<string> {
  const kind = await kindOf(file);
  if (kind === 'file') return file;
  throw new MusterError(
    'GRAPH_TARGET',
    `expected the graph file${whose} at ${file}, got ${kind === 'folder' ? 'a folder' : 'no such file'}. Name a run ("muster runs" lists them), a graph file such as ${basename(resolve('graph.db'))}, or a URL such as neo4j://localhost`,
  );
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  const found = await stat(path).catch((thrown: unknown) => void ensureError(thrown));
  return found === undefined ? undefined : found.isDirectory() ? 'folder' : 'file';
}

/** The first fact of the run, and nothing behind it. */
async function startOf(folder: RunFolder): Promise<Started> {
  for await (const event of streamJournal(folder.journal)) {
    if (event.type === 'run.started') return event;
    break;
  }
  throw new MusterError(
    'RUN_NOT_FOUND',
    `expected run ${folder.runId} to have begun, got a journal without its start in ${folder.path}. Name another run; "muster runs" lists them`,
  );
}

/** The schema named by the caller, else of the manifest. */
async function schemaOf({ schema, manifest }: TargetOptions): Promise<MasterSchema> {
  if (typeof schema === 'object') return schema;
  if (schema !== undefined) return loadSchemaModule(schema, process.cwd());
  return (await loadManifest(manifestPath(manifest))).schema;
}

/** As the run's manifest says, which may have been edited since: a schema of another name cannot be the run's. */
async function schemaOfRun(started: Started, options: TargetOptions): Promise<MasterSchema> {
  const schema = await schemaOf({ ...options, manifest: options.manifest ?? started.manifest.path });
  if (schema.name === started.schema.name) return schema;
  throw new MusterError(
    'USAGE',
    `expected the schema "${started.schema.name}" that run ${started.runId} was made with, got "${schema.name}". Name the run's manifest with --manifest`,
  );
}
