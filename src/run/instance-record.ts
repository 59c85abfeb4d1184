/**
 * What an instance was made from, kept beside its work: the fingerprint for a later run to compare with, and the texts
 * under their hashes, so that `muster why` can show the lines that differ.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureError, systemCode } from '../errors.ts';
import { type Fingerprint, fingerprintOf } from '../fingerprint/compare.ts';
import { tasksBefore } from '../fingerprint/decide.ts';
import { instanceParts, type PartSource, type Parts, readableEntities, taskParts } from '../fingerprint/parts.ts';
import { folderFailure } from '../journal/run-folder.ts';
import type { GraphNode, GraphStore } from '../ports.ts';
import { instanceDir } from '../workspace/instance-dir.ts';
import { sha256 } from './started-fact.ts';

/** Nodes of one reading. */
const PAGE = 1000;
/** A longer text is known by its hash only. */
const MAX_TEXT = 200_000;

/** The texts that an instance is made from now: its dependencies have committed. */
export async function presentParts(
  source: PartSource,
  graph: GraphStore,
  runId: string,
  task: string,
  item: GraphNode | undefined,
): Promise<Parts> {
  return instanceParts(taskParts(source, task), item, await upstreamOf(source, graph, runId, task));
}

/** Only what the tasks before it committed: what others write meanwhile comes sooner or later by chance. */
async function upstreamOf(
  source: PartSource,
  graph: GraphStore,
  runId: string,
  task: string,
): Promise<ReadonlyMap<string, readonly GraphNode[]>> {
  const tasks = source.graph.tasks.map(({ id, waitsFor }) => ({ id, waitsFor: waitsFor.map((edge) => edge.task) }));
  const before = tasksBefore(tasks).get(task) ?? new Set();
  const upstream = new Map<string, readonly GraphNode[]>();
  for (const entity of readableEntities(source, task)) {
    const producers = source.schema.entities.find(({ name }) => name === entity)?.producers ?? [];
    if (!producers.some((one) => before.has(one.task))) continue;
    const nodes: GraphNode[] = [];
    for (let offset = 0; ; offset += PAGE) {
      const page = await graph.read({ entity, runId, scope: source.scope, limit: PAGE, offset });
      nodes.push(...page.nodes);
      if (page.nodes.length === 0 || nodes.length >= page.total) break;
    }
    upstream.set(
      entity,
      nodes.filter(({ properties: { producedBy } }) => producedBy === undefined || before.has(String(producedBy))),
    );
  }
  return upstream;
}

/** @param folder the run's folder. */
export async function saveParts(
  folder: { readonly work: string; readonly inputs: string },
  instance: string,
  parts: Parts,
): Promise<void> {
  const file = recordFile(folder.work, instance);
  try {
    await mkdir(dirname(file), { recursive: true });
    await mkdir(folder.inputs, { recursive: true });
    const fingerprint = fingerprintOf(parts, sha256);
    for (const [part, text] of Object.entries(parts)) {
      if (text.length <= MAX_TEXT && !existsSync(join(folder.inputs, fingerprint[part]!)))
        await writeWhole(join(folder.inputs, fingerprint[part]!), text);
    }
    await writeWhole(file, `${JSON.stringify(fingerprint, null, 2)}\n`);
  } catch (thrown) {
    throw folderFailure(file, thrown);
  }
}

/** Undefined when it is not on record. */
export async function readFingerprint(work: string, instance: string): Promise<Fingerprint | undefined> {
  const text = await textOf(recordFile(work, instance));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Fingerprint;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** The text with this hash, as far as it is on record. */
export function readInput(inputs: string, hash: string): Promise<string | undefined> {
  return textOf(join(inputs, /^[0-9a-f]{64}$/.test(hash) ? hash : 'none'));
}

function recordFile(work: string, instance: string): string {
  return join(work, instanceDir(instance), 'fingerprint.json');
}

/** Several instances keep the same text at the same time: each writes its own file aside, the last name given stays. */
async function writeWhole(file: string, text: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}.new`;
  await writeFile(aside, text);
  await rename(aside, file);
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    const error = ensureError(thrown);
    if (systemCode(error) === 'ENOENT') return undefined;
    throw folderFailure(file, error);
  }
}
