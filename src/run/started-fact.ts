/** The first line of a journal: what the run is made of, and what a later process needs to go on with it. */
import { createHash } from 'node:crypto';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { RunFact } from '../../schemas/run-event.ts';
import { type Fingerprint, fingerprintOf } from '../fingerprint/compare.ts';
import { type PartSource, taskParts } from '../fingerprint/parts.ts';
import { graphRecord, type RunFolder } from '../journal/run-paths.ts';
import { toolFileSource } from '../opencode/tool-file.ts';
import { journalRecord } from './document-records.ts';
import type { Inputs } from './run-inputs.ts';
import type { RunOptions } from './run-options.ts';

/** The journal's own version: raised when a reader that must understand every fact could not. */
export const JOURNAL_FORMAT = 1;

export function startedFact(
  options: RunOptions,
  inputs: Inputs,
  folder: RunFolder,
  location: string,
  against?: string,
): Extract<RunFact, { type: 'run.started' }> {
  const { loaded, documents, texts, rehearsal, project, model } = inputs;
  const { manifest, schema, graph } = loaded;
  return {
    type: 'run.started',
    format: JOURNAL_FORMAT,
    runId: folder.runId,
    musterVersion: options.musterVersion,
    projectId: project,
    manifest: { name: manifest.name, path: loaded.path, sha256: loaded.sha256 },
    schema: { name: schema.name, version: schema.version },
    graph: graphRecord(folder, location),
    documents: documents.map((document) => journalRecord(document, texts.get(document.path))),
    model,
    rehearsal: rehearsal !== undefined,
    gating: manifest.gating,
    concurrency: options.concurrency ?? manifest.concurrency,
    tasks: graph.tasks.map(({ id, wave, waitsFor, fanOut }) => ({
      id,
      wave,
      waitsFor,
      ...(fanOut && { fanOutOver: fanOut.over }),
    })),
    given: givenOf(options, loaded.path, folder, against),
    inputs: taskFingerprints(inputs),
  };
}

/** What the fingerprints of a run are taken from. */
export function partSource({ loaded, documents, project, model }: Inputs): PartSource {
  const { schema, manifest, graph, prompts } = loaded;
  return { schema, manifest, graph, prompts, documents, model, scope: project, tools: toolFileSource() };
}

export function taskFingerprints(inputs: Inputs): Readonly<Record<string, Fingerprint>> {
  const source = partSource(inputs);
  return Object.fromEntries(
    inputs.loaded.manifest.tasks.map(({ id }) => [id, fingerprintOf(taskParts(source, id), sha256)]),
  );
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function givenOf(options: RunOptions, manifest: string, folder: RunFolder, against: string | undefined) {
  const { documents, rehearsal, server, selective } = options;
  const from = (path: string) => {
    const way = relative(folder.path, resolve(path));
    return isAbsolute(way) ? way : way.split(sep).join('/');
  };
  return {
    manifest: from(manifest),
    documents: from(documents),
    ...(rehearsal !== undefined && { rehearsal: from(rehearsal) }),
    ...(server.kind === 'attached' && { serverUrl: withoutCredentials(server.url) }),
    ...(server.kind === 'own' && server.binary !== undefined && { opencode: server.binary }),
    ...(selective && { selection: selective.selection }),
    ...(against !== undefined && { against }),
    ...(server.kind === 'own' && server.configFile !== undefined && { opencodeConfig: from(server.configFile) }),
  };
}

function withoutCredentials(url: string): string {
  if (!URL.canParse(url)) return '';
  return new URL(url).origin;
}
