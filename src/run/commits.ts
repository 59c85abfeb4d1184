/**
 * Writes the complete work of an instance into the graph.
 *
 * Invariants: D1 what a commit writes is on disk before the graph changes, so that the same can be committed again; J1 so
 * is the line of the journal that announces it.
 */
import type { AttemptRef, Committed } from '../../machines/task-ports.ts';
import type { MasterSchema } from '../../schemas/define.ts';
import type { InstanceRef } from '../../schemas/run-event.ts';
import { type Publication, passagesOf } from '../output/publication.ts';
import type { SourceText } from '../output/source-text.ts';
import type { GraphNode, GraphStore, JournalPort } from '../ports.ts';
import { citedUnits } from '../report/coverage.ts';
import { publicationFile, readPublication, writePublication } from './attempt-files.ts';
import type { TakenUp } from './take-up.ts';
import type { TaskContexts } from './task-contexts.ts';

export interface CommitPorts {
  readonly runId: string;
  readonly schema: MasterSchema;
  /** Texts of the documents, by path. */
  readonly texts: ReadonlyMap<string, SourceText>;
  /** Folder of what attempts have handed in. */
  readonly work: string;
  readonly journal: JournalPort;
  readonly graph: GraphStore;
  readonly contexts: TaskContexts;
  readonly keepInputs: (instance: InstanceRef, item: GraphNode | undefined) => Promise<void>;
}

/** Where the rows of a commit come from. */
export interface CommitSource {
  /** How the instance was taken up from an earlier process. */
  readonly taken: TakenUp | undefined;
  /** What the last review of this process found complete. */
  readonly reviewed: () => Promise<Publication>;
}

export async function commitWork(ports: CommitPorts, ref: AttemptRef, source: CommitSource): Promise<Committed> {
  const { journal, graph, runId, schema, texts, contexts } = ports;
  const { nodes, relationships } = await publicationOf(ports, ref, source);
  await journal.flushed();
  const result = await graph.commit({ runId, task: ref.instance.task, nodes, relationships });
  const entities: Record<string, number> = {};
  for (const { entity } of nodes) entities[entity] = (entities[entity] ?? 0) + 1;
  const items = contexts.knowItems(nodes);
  return { entities, ...result, items, cited: citedUnits(texts, passagesOf(schema, nodes)) };
}

async function publicationOf(
  ports: CommitPorts,
  { instance, attempt }: AttemptRef,
  { taken, reviewed }: CommitSource,
): Promise<Publication> {
  const file = publicationFile(ports.work, instance.id, attempt);
  if (taken?.start.step === 'commit-again' && taken.start.attempt === attempt) {
    if (taken.publication) await keepTakenOver(ports, instance, file, taken.publication);
    const saved = taken.publication ?? (await readPublication(file));
    if (saved) return saved;
  }
  const publication = await reviewed();
  await writePublication(file, publication);
  return publication;
}

/** So that a later run can take over from this one in the same way. */
async function keepTakenOver(
  { contexts, keepInputs }: CommitPorts,
  instance: InstanceRef,
  file: string,
  publication: Publication,
): Promise<void> {
  await keepInputs(instance, contexts.context(instance).item);
  await writePublication(file, publication);
}
