/** A run that goes on builds on what it committed: that must still stand in the graph as its own. */
import { MusterError } from '../errors.ts';
import type { RunFolder } from '../journal/run-paths.ts';
import { type GraphStore, nodeId } from '../ports.ts';
import { publicationFile, readPublication } from './attempt-files.ts';
import type { Resumed } from './run-inputs.ts';

/**
 * Looks whether another run has written over what this one committed. With `force` it is committed again as it was, in
 * the order of the first commits; instances of which no publication is on disk are passed over.
 *
 * @throws MusterError GRAPH_OVERWRITTEN
 */
export async function ensureCommitted(
  graph: GraphStore,
  { runId, work }: RunFolder,
  { known, force }: Pick<Resumed, 'known' | 'force'>,
): Promise<void> {
  const overwritten: string[] = [];
  for (const id of known.endOrder) {
    const instance = known.instances.get(id);
    if (!instance?.committed) continue;
    const publication = await readPublication(publicationFile(work, id, instance.committed.attempt));
    if (!publication) continue;
    const { nodes, relationships } = publication;
    const own = await graph.existing(nodes, runId);
    if (own.size >= new Set(nodes.map(nodeId)).size) continue;
    overwritten.push(id);
    if (force) await graph.commit({ runId, task: instance.ref.task, nodes, relationships });
  }
  if (overwritten.length === 0 || force) return;
  throw new MusterError(
    'GRAPH_OVERWRITTEN',
    `expected the graph to hold what ${runId} committed, another run has written over nodes of ${overwritten.join(', ')} since. Start a new run, or write them again as they were with "muster resume ${runId} --force"`,
  );
}
