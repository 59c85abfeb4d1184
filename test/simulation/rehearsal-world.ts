/**
 * The rehearsal of the road upgrade in simulation: its manifest, its documents, and agents that hand in what its script
 * says. Without the quality rules: no engine for Cypher runs here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import schema from '../../schemas/construction/index.ts';
import { manifestSchema } from '../../schemas/manifest.ts';
import type { LoadedManifest } from '../../src/manifest/load.ts';
import { deriveTaskGraph } from '../../src/plan/derive.ts';
import type { Violation } from './observer.ts';
import type { AgentCall, Work } from './simulated-agent.ts';
import { type Plan, World, type WorldEnd } from './world.ts';

/** The project's root, from the built simulation. */
const ROOT = new URL('../../../', import.meta.url);
const EXAMPLE = new URL('examples/road-upgrade/', ROOT);
const MODEL = 'sim/one';

interface Step {
  readonly calls?: readonly { readonly tool: string; readonly arguments?: unknown }[];
}

interface Script {
  readonly instance: string;
  readonly turns?: readonly (readonly Step[])[];
  readonly attempts?: readonly { readonly turns: readonly (readonly Step[])[] }[];
}

export interface Rehearsed {
  readonly plan: Plan;
  readonly calm: WorldEnd;
}

/** The undisturbed run, to which every other one is compared. */
export async function rehearse(): Promise<Rehearsed> {
  const plan: Plan = {
    seed: 1,
    manifest: loaded(),
    project: 'BRU2',
    model: MODEL,
    models: [MODEL],
    documents: documents(),
    work: workOf(scripts()),
    hopeless: new Set(),
    ownServer: false,
    faulty: false,
  };
  return { plan, calm: await new World(plan).run() };
}

/** Kills the run behind a line of its journal, with so many characters of the next line left, and goes on with it. */
export async function killBehind(
  { plan, calm }: Rehearsed,
  line: number,
  torn: number,
  ownServer: boolean,
): Promise<WorldEnd> {
  const end = await new World({ ...plan, ownServer, killAt: { line, torn } }).run();
  return { ...end, violation: end.violation ?? verdict(end, calm) };
}

function verdict(end: WorldEnd, calm: WorldEnd): Violation | undefined {
  if (end.outcome !== 'completed') return { invariant: 'end', message: `the run ended ${end.outcome}` };
  if (end.processes !== 2)
    return { invariant: 'end', message: `${end.processes} processes, expected one death and one resume` };
  if (end.graph !== calm.graph) return { invariant: 'graph', message: 'the graph is not that of the undisturbed run' };
  return undefined;
}

function loaded(): LoadedManifest {
  const manifest = manifestSchema.parse(JSON.parse(text('manifest.json', ROOT)));
  const plain = { ...schema, rules: [] };
  return {
    manifest,
    schema: plain,
    graph: deriveTaskGraph(plain, manifest),
    path: '/project/manifest.json',
    sha256: '0'.repeat(64),
    prompts: Object.fromEntries(manifest.tasks.map(({ id, prompt }) => [id, text(prompt, ROOT)])),
  };
}

function documents(): Readonly<Record<string, string>> {
  const folder = new URL('documents/', EXAMPLE);
  return Object.fromEntries(readdirSync(folder).map((name) => [`documents/${name}`, text(name, folder)]));
}

function scripts(): ReadonlyMap<string, Script> {
  const folder = new URL('rehearsal/', EXAMPLE);
  const files = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'rehearsal.json');
  const found = files.map((name) => JSON.parse(text(name, folder)) as Script);
  return new Map(found.map((script) => [script.instance, script]));
}

/** The first turn as the script has it; each further one of a session does everything once more, so that it is whole. */
function workOf(known: ReadonlyMap<string, Script>): (instance: string, turn: number) => Work {
  return (instance, turn) => {
    const script = known.get(instance);
    const turns = script?.turns ?? script?.attempts?.[0]?.turns ?? [];
    const steps = (turn === 0 ? turns.slice(0, 1) : turns).flat();
    return {
      steps: steps.flatMap(({ calls }) =>
        calls ? [calls.map(({ tool, arguments: given }): AgentCall => ({ tool, arguments: given ?? {} }))] : [],
      ),
    };
  };
}

function text(name: string, folder: URL): string {
  return readFileSync(new URL(name, folder), 'utf8');
}
