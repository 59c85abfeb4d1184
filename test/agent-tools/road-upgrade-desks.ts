/** The sample project at the agents' desks: its documents, the contexts of its tasks, and its rehearsals played. */
import { join } from 'node:path';
import construction from '../../schemas/construction/index.ts';
import { Desk, TOOLS, type Tool } from '../../src/agent-tools/desk.ts';
import { convertDocuments } from '../../src/convert/convert.ts';
import type { ConvertedDocument } from '../../src/convert/converted.ts';
import { openProjection } from '../../src/graph/projection.ts';
import { loadManifest } from '../../src/manifest/load.ts';
import type { TaskContext } from '../../src/output/task-context.ts';
import type { GraphNode, GraphStore } from '../../src/ports.ts';
import { loadRehearsal } from '../../src/rehearsal/load-rehearsal.ts';
import { judgeOf } from '../../src/run/judge.ts';
import { registerSources } from '../../src/run/run-graph.ts';
import { findDocuments, type SourceDocument } from '../../src/workspace/documents.ts';

const ROOT = join(import.meta.dirname, '../..');
export const EXAMPLE = join(ROOT, 'examples/road-upgrade');
export const SCOPE = 'BRU2';
const UPSTREAM: Readonly<Record<string, readonly string[]>> = {
  'lbs-extraction': ['WBSNode'],
  'itp-generation': ['ITPRequirement', 'WBSNode', 'Standard', 'ControlPoint', 'ManagementPlan'],
};

let documents: Promise<readonly SourceDocument[]> | undefined;
export function exampleDocuments(): Promise<readonly SourceDocument[]> {
  documents ??= findDocuments(join(EXAMPLE, 'documents'));
  return documents;
}

let texts: Promise<ReadonlyMap<string, ConvertedDocument>> | undefined;
export function exampleTexts(): Promise<ReadonlyMap<string, ConvertedDocument>> {
  texts ??= exampleDocuments().then(convertDocuments);
  return texts;
}

export async function exampleContext(id: string, item?: GraphNode): Promise<TaskContext> {
  const task = id.split('[')[0]!;
  const itemKey = /\[(.*)\]/.exec(id)?.[1];
  const converted = await exampleTexts();
  return {
    schema: construction,
    scope: SCOPE,
    instance: { id, task, ...(itemKey !== undefined && { itemKey }) },
    ...(item && { item }),
    sources: (await exampleDocuments()).map(({ path }) => path),
    sourceText: (path) => converted.get(path),
    readable: UPSTREAM[task] ?? [],
  };
}

/** Writes what the engine itself writes before the first agent starts. */
export async function ingestExample(graph: GraphStore, runId: string): Promise<void> {
  const loaded = await loadManifest(join(ROOT, 'manifest.json'));
  await registerSources(graph, runId, SCOPE, loaded, await exampleDocuments(), await exampleTexts());
}

export interface Played {
  /** Answers of the tools, by instance. */
  readonly answers: ReadonlyMap<string, readonly string[]>;
  /** What is owed by instances that did not complete. */
  readonly open: readonly string[];
}

/** Plays the tool calls of a script of the example, instance after instance, and commits what comes of them. */
export async function playRehearsal(graph: GraphStore, folder: string): Promise<Played> {
  const runId = 'r';
  await ingestExample(graph, runId);
  const rehearsal = await loadRehearsal(join(EXAMPLE, folder));
  const depth = (id: string) => (id.startsWith('itp-') ? 2 : id.startsWith('lbs-') ? 1 : 0);
  const ids = [...rehearsal.instances.keys()].sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
  const items = new Map<string, GraphNode>();
  const answers = new Map<string, string[]>();
  const open: string[] = [];
  for (const id of ids) {
    const context = await exampleContext(id, items.get(/\[(.*)\]/.exec(id)?.[1] ?? ''));
    const judge = judgeOf(context, graph, runId);
    const desk = new Desk({
      context,
      graph,
      runId,
      project: openProjection,
      ...(judge && { judge }),
      onAnswer: () => {},
    });
    const told: string[] = [];
    answers.set(id, told);
    for (const step of rehearsal.instances.get(id)!.attempts.at(-1)!.turns.flat()) {
      for (const { tool, arguments: given } of step.calls ?? []) {
        const name = tool.replace(/^muster_/, '');
        if (tool.startsWith('muster_') && TOOLS.includes(name as Tool))
          told.push(await desk.answer(name as Tool, given));
      }
    }
    const review = await desk.review();
    if (!review.complete) {
      open.push(`${id}: ${review.issues.map(({ path, message }) => `${path}: ${message}`).join(' | ')}`);
      continue;
    }
    const { nodes, relationships } = await desk.publication();
    await graph.commit({ runId, task: context.instance.task, nodes, relationships });
    await desk.close();
    for (const node of nodes) if (node.entity === 'ITPRequirement') items.set(String(node.key[1]), node);
  }
  return { answers, open };
}
