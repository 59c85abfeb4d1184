/** `muster plan`: what waits for what, and why. */
import { loadManifest } from '../manifest/load.ts';
import { drawPlan, explainTask, planJson, planMermaid } from '../plan/draw.ts';
import { manifestPath } from './package-root.ts';

export async function plan(options: {
  manifest?: string;
  json?: boolean;
  mermaid?: boolean;
  why?: string;
}): Promise<void> {
  const { graph } = await loadManifest(manifestPath(options.manifest));
  const text =
    options.why !== undefined
      ? explainTask(graph, options.why)
      : options.json
        ? planJson(graph)
        : options.mermaid
          ? planMermaid(graph)
          : drawPlan(graph);
  process.stdout.write(`${text.trimEnd()}\n`);
}
