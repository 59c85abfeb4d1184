/** `muster schema [task]`: what an agent is told about its task, or the whole master schema. */
import { MusterError } from '../errors.ts';
import { loadManifest } from '../manifest/load.ts';
import { renderAgentSchema, renderMasterSchema } from '../output/agent-schema.ts';
import { nearest } from '../schema/nearest.ts';
import { manifestPath } from './package-root.ts';

export async function schema(task: string | undefined, options: { manifest?: string }): Promise<void> {
  const loaded = await loadManifest(manifestPath(options.manifest));
  if (task === undefined) {
    process.stdout.write(renderMasterSchema(loaded.schema));
    return;
  }
  const known = loaded.graph.tasks.map(({ id }) => id);
  const found = loaded.graph.tasks.find(({ id }) => id === task);
  if (!found) {
    const close = nearest(task, known);
    throw new MusterError(
      'USAGE',
      `expected a task of the manifest (${known.join(', ')}), got "${task}"${close ? `. Did you mean ${close}?` : ''}`,
    );
  }
  const upstream = new Set(found.waitsFor.map((edge) => edge.task));
  const reads = loaded.manifest.tasks.find(({ id }) => id === task)?.reads ?? [];
  const readable = loaded.schema.entities
    .filter(({ name, producers }) => reads.includes(name) || producers.some((one) => upstream.has(one.task)))
    .map(({ name }) => name);
  const context = {
    schema: loaded.schema,
    instance: { id: task, task },
    scope: '<project id>',
    sources: ['documents/…'],
    readable,
  };
  process.stdout.write(renderAgentSchema(context));
}
