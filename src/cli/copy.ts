/** `muster copy`: carries a graph from one store to another, or shows what that would write. */
import { resolve } from 'node:path';
import { MusterError } from '../errors.ts';
import { isGraphUrl } from '../journal/run-paths.ts';
import type { GraphBatch } from '../ports.ts';
import { readSnapshot } from '../snapshot/snapshot.ts';
import { openTarget } from './graph-of-run.ts';
import { visible } from './terminal.ts';

interface CopyOptions {
  readonly to: string;
  readonly home: string;
  readonly manifest?: string;
  readonly dryRun?: boolean;
}

/**
 * Upserts every node and relationship of a run, a graph file or a database into another graph, in one transaction.
 * With `dryRun` it prints the Cypher and the rows that Neo4j would get, and neither needs nor touches a server.
 * @throws MusterError as openTarget and the commit do.
 */
export async function copy(target: string | undefined, options: CopyOptions): Promise<void> {
  const from = await openTarget(target, options);
  try {
    const { schema, scope, runId, store } = from;
    const snapshot = await readSnapshot(store, {
      schema,
      ...(scope !== undefined && { scope }),
      ...(runId !== undefined && { runId }),
    });
    const batch: GraphBatch = { runId: runId ?? 'copy', task: '@copy', ...snapshot };
    if (options.dryRun) {
      const { dryRun } = await import('../graph/neo4j-dry-run.ts');
      process.stdout.write(dryRun(batch, schema, new Date().toISOString()));
      return;
    }
    const { openGraph } = await import('../graph/open-graph.ts');
    const location = isGraphUrl(options.to) ? options.to : resolve(options.to);
    if (location === from.location) {
      throw new MusterError('GRAPH_TARGET', `expected another graph than the one copied, got ${location} for both`);
    }
    const to = await openGraph(location, { schema, env: process.env });
    try {
      const { created, updated, unchanged, relationships } = await to.commit(batch);
      const done = `${snapshot.nodes.length} nodes (${created} created, ${updated} updated, ${unchanged} unchanged), ${relationships} relationships`;
      process.stdout.write(`${visible(from.location)} → ${visible(location)}\n${done}\n`);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}
