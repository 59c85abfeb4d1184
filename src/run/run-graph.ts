/** The graph that a run commits to: where it is, and what stands in it before the first agent does. */
import { resolve } from 'node:path';
import type { MasterSchema, Properties } from '../../schemas/define.ts';
import type { ConvertedDocument } from '../convert/converted.ts';
import { openEmbeddedGraph } from '../graph/embedded.ts';
import { isGraphUrl, type RunFolder } from '../journal/run-paths.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import { engineNode } from '../output/publication.ts';
import { entityOf, type TaskContext } from '../output/task-context.ts';
import type { GraphStore } from '../ports.ts';
import type { SourceDocument } from '../workspace/documents.ts';
import type { RunOptions } from './run-options.ts';

/** Opens the graph at `options.graph`, else of the home, else, for a rehearsal, of the run's folder. @throws as openGraph. */
export async function openRunGraph(
  options: RunOptions,
  folder: RunFolder,
  schema: MasterSchema,
): Promise<{ readonly graph: GraphStore; readonly location: string }> {
  const location = locationOf(options, folder);
  if (!isGraphUrl(location)) return { graph: openEmbeddedGraph(location, { schema }), location };
  // The driver of a graph database is loaded when one is asked for.
  const { openGraph } = await import('../graph/open-graph.ts');
  return { graph: await openGraph(location, { schema, env: options.env ?? process.env }), location };
}

function locationOf({ graph, home, rehearsal }: RunOptions, folder: RunFolder): string {
  if (graph !== undefined) return isGraphUrl(graph) ? graph : resolve(graph);
  return rehearsal === undefined ? resolve(home, 'graph.db') : folder.graph;
}

/** The nodes that the engine itself writes: the scope's own, if the schema has one, and the source files. */
export async function registerSources(
  graph: GraphStore,
  runId: string,
  scope: string,
  { schema }: LoadedManifest,
  documents: readonly SourceDocument[],
  texts: ReadonlyMap<string, ConvertedDocument> = new Map(),
): Promise<void> {
  const { provenance } = schema;
  const engine = '@ingest';
  const context: TaskContext = { schema, scope, instance: { id: engine, task: engine }, sources: [], readable: [] };
  // Every node points at the scope's node from its first commit on; its own task fills it in when it commits.
  const roots = schema.entities
    .filter(({ key }) => key.length === 1)
    .map(({ name }) => ({ entity: name, key: [scope], properties: { [schema.scope]: scope } }));
  const files = provenance
    ? documents.map(({ path, sha256, mediaType }) =>
        engineNode(context, provenance.sourceEntity, {
          path,
          sha256,
          mediaType,
          ...factsOf(schema, provenance.sourceEntity, texts.get(path)),
        }),
      )
    : [];
  await graph.commit({
    runId,
    task: engine,
    nodes: [...roots, ...files.flatMap(({ nodes }) => nodes)],
    relationships: files.flatMap(({ relationships }) => relationships),
  });
}

/** What the conversion found, as far as the schema's entity of a file has attributes for it. */
function factsOf(schema: MasterSchema, entity: string, text: ConvertedDocument | undefined): Properties {
  const shape = entityOf(schema, entity)?.attributes.shape ?? {};
  const { pageCount, textQuality } = text ?? {};
  return Object.fromEntries(
    Object.entries({ pageCount, textQuality }).filter(
      ([name, value]) => value !== undefined && shape[name]?.safeParse(value).success,
    ),
  );
}
