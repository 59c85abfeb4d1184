/** Reads a manifest with everything it names: the schema module, the prompts, and the task graph that follows. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { MasterSchema } from '../../schemas/define.ts';
import { type Manifest, manifestSchema } from '../../schemas/manifest.ts';
import type { CypherRule } from '../../schemas/rule.ts';
import { ensureError, MusterError, systemCode } from '../errors.ts';
import { deriveTaskGraph, type TaskGraph } from '../plan/derive.ts';
import { describeIssues } from '../schema/describe-issues.ts';
import { lintManifest } from '../schema/lint-manifest.ts';
import { findJsonFault } from './json-fault.ts';
import { readPrompts } from './prompts.ts';
import { type ImportModule, loadSchemaModule } from './schema-module.ts';

export interface LoadedManifest {
  readonly manifest: Manifest;
  readonly schema: MasterSchema;
  readonly graph: TaskGraph;
  /** Absolute path of the manifest. */
  readonly path: string;
  /** Of the manifest's bytes, hex. */
  readonly sha256: string;
  /** Task id → text of its prompt. */
  readonly prompts: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  /** How the schema module is imported; default `import(url)`. */
  readonly importModule?: ImportModule;
}

/**
 * Reads and checks a manifest; nothing is started or written.
 *
 * @throws MusterError MANIFEST_NOT_FOUND, MANIFEST_NOT_JSON (line and column), MANIFEST_INVALID (every problem by
 * path), SCHEMA_NOT_FOUND, SCHEMA_INVALID, PLAN_CYCLE.
 */
export async function loadManifest(path: string, options: LoadOptions = {}): Promise<LoadedManifest> {
  const file = resolve(path);
  const folder = dirname(file);
  const bytes = await readManifest(file);
  const manifest = parseManifest(bytes, file);
  const own = await loadSchemaModule(manifest.schema, folder, options.importModule);
  const schema = manifest.rules ? { ...own, rules: [...(own.rules ?? []), ...manifest.rules.map(ruleOf)] } : own;
  const { texts, problems } = await readPrompts(manifest, folder);
  const graph = checkedGraph(schema, manifest, problems, file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { manifest, schema, graph, path: file, sha256, prompts: texts };
}

async function readManifest(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (thrown) {
    const cause = ensureError(thrown);
    const code = systemCode(cause);
    const got = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder' : cause.message;
    throw new MusterError(
      'MANIFEST_NOT_FOUND',
      `expected a manifest at ${file}, got ${got}. Name one with --manifest, or leave the option out for the one that comes with muster`,
      { cause },
    );
  }
}

function parseManifest(bytes: Buffer, file: string): Manifest {
  // Some editors begin a file with a byte order mark, which JSON does not know.
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const fault = findJsonFault(text);
  if (fault) {
    const { line, column, message } = fault;
    throw new MusterError('MANIFEST_NOT_JSON', `expected JSON in ${file}, line ${line}, column ${column}: ${message}`);
  }
  const result = manifestSchema.safeParse(JSON.parse(text), { reportInput: true });
  if (result.success) return result.data;
  throw invalid(file, describeIssues(manifestSchema, result.error));
}

function checkedGraph(schema: MasterSchema, manifest: Manifest, problems: readonly string[], file: string): TaskGraph {
  const derived = derive(schema, manifest);
  const errors = lintManifest(schema, manifest)
    .filter(
      ({ severity, message }) => severity === 'error' && !('error' in derived && message === derived.error.message),
    )
    .map(({ at, message }) => `${at}: ${message}`);
  if (errors.length + problems.length > 0) throw invalid(file, [...errors, ...problems]);
  if ('error' in derived) throw derived.error;
  return derived.graph;
}

function derive(schema: MasterSchema, manifest: Manifest): { graph: TaskGraph } | { error: MusterError } {
  try {
    return { graph: deriveTaskGraph(schema, manifest) };
  } catch (thrown) {
    const error = ensureError(thrown);
    if (error instanceof MusterError) return { error };
    throw error;
  }
}

/** Absent and undefined are one to JSON, not to the types. */
function ruleOf(rule: NonNullable<Manifest['rules']>[number]): CypherRule {
  return JSON.parse(JSON.stringify(rule)) as CypherRule;
}

function invalid(file: string, problems: readonly string[]): MusterError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new MusterError(
    'MANIFEST_INVALID',
    [`expected a valid manifest, got ${count} in ${file}:`, ...problems.map((problem) => `  ${problem}`)].join('\n'),
  );
}
