/** One seed: its world, the undisturbed world beside it, and the verdict. */

import type { Violation } from './observer.ts';
import { SeededRandom } from './random.ts';
import {
  drawShape,
  HOPELESS_LIMITS,
  LIMITS,
  MODEL,
  MODELS,
  manifestOf,
  SCOPE,
  type Shape,
  workOf,
} from './small-domain.ts';
import { type Plan, World, type WorldEnd } from './world.ts';

const DOCUMENTS = { 'documents/list.md': '# List\n\nA, B, C and D.\n' };
/** Of worlds, those with an agent that never does its work: there the instance fails, and what waits for it is skipped. */
const HOPELESS_SHARE = 0.06;

export interface SeedEnd extends WorldEnd {
  readonly seed: number;
  readonly shape: Shape;
  readonly hopeless: string | undefined;
  readonly ownServer: boolean;
}

/** Undisturbed worlds by number of items: what is handed in depends on nothing else. */
const undisturbed = new Map<string, WorldEnd>();

export async function runSeed(seed: number): Promise<SeedEnd> {
  const random = new SeededRandom(seed).branch('plan');
  const shape = drawShape(random);
  const ownServer = random.chance(0.5);
  const candidates = ['words', 'places', 'total', ...shape.items.map((item) => `parts[${item}]`)];
  const one = random.pick(candidates);
  const hopeless = random.chance(HOPELESS_SHARE) ? one : undefined;
  const calm = await calmWorld(shape);
  const end = await new World(planOf(seed, shape, { faulty: true, ownServer, hopeless })).run();
  const violation =
    end.violation ?? calm.violation ?? verdict(end, calm, hopeless, shape.items) ?? unreleased(end.journal, shape);
  return { ...end, violation, seed, shape, hopeless, ownServer };
}

async function calmWorld(shape: Shape): Promise<WorldEnd> {
  const name = shape.items.join();
  const known = undisturbed.get(name);
  if (known) return known;
  const end = await new World(planOf(1, shape, { faulty: false, ownServer: false, hopeless: undefined })).run();
  undisturbed.set(name, end);
  if (end.outcome !== 'completed' && !end.violation) {
    const violation = { invariant: 'end', message: `the undisturbed run ended ${end.outcome}` };
    undisturbed.set(name, { ...end, violation });
  }
  return undisturbed.get(name)!;
}

function planOf(
  seed: number,
  shape: Shape,
  {
    faulty,
    ownServer,
    hopeless,
  }: { readonly faulty: boolean; readonly ownServer: boolean; readonly hopeless: string | undefined },
): Plan {
  return {
    seed,
    manifest: manifestOf(shape, hopeless === undefined ? LIMITS : HOPELESS_LIMITS),
    project: SCOPE,
    model: MODEL,
    models: MODELS,
    documents: DOCUMENTS,
    work: workOf(shape),
    hopeless: new Set(hopeless === undefined ? [] : [hopeless]),
    ownServer,
    faulty,
  };
}

/** What a person has to look at goes on only when the last word about it was a release. */
function unreleased(journal: readonly string[], { hold }: Shape): Violation | undefined {
  const released = new Set<string>();
  for (const text of journal) {
    const line = JSON.parse(text) as { type: string; point?: string; instance?: string; seq: number };
    const { type, point = '', instance = '' } = line;
    if (type === 'hold.released') released.add(point);
    else if (type.startsWith('hold.')) released.delete(point);
    const isHeld =
      (type === 'instance.started' && hold === 'before' && instance === 'places' && !released.has('before:places')) ||
      (type === 'commit.started' &&
        ((hold === 'after' && instance === 'outline') || (hold === 'after-parts' && instance.startsWith('parts['))) &&
        !released.has(`after:${instance}`));
    if (isHeld)
      return { invariant: 'hold', message: `line ${line.seq} (${type}) of ${instance}, which nobody released` };
  }
  return undefined;
}

/** The graph equals the undisturbed one, but for what legitimately failed and what waits for it. */
function verdict(
  end: WorldEnd,
  calm: WorldEnd,
  hopeless: string | undefined,
  items: readonly string[],
): Violation | undefined {
  const open = [...calm.outcomes.keys()].filter((id) => end.outcomes.get(id) !== 'completed');
  const planned = ['outline', 'words', 'places', 'total', ...items.map((item) => `parts[${item}]`)].sort().join();
  const ran = [...calm.outcomes.keys()].sort().join();
  if (ran !== planned) return { invariant: 'fan-out', message: `expected the instances ${planned}; got ${ran}` };
  if (hopeless === undefined && open.length > 0) {
    return { invariant: 'end', message: `the run ended ${end.outcome}; not completed: ${open.join(', ')}` };
  }
  if (hopeless === undefined && end.outcome !== 'completed') {
    return { invariant: 'end', message: `every instance completed, and the run ended ${end.outcome}` };
  }
  if (hopeless !== undefined && end.outcomes.get(hopeless) === 'completed') {
    return { invariant: 'end', message: `${hopeless} completed although its agent handed in nothing` };
  }
  const missing = new Set(open.flatMap((id) => calm.published.get(id) ?? []));
  const expected = calm.store.text(missing);
  const got = end.graph;
  if (expected === got) return undefined;
  const [wanted, found] = [new Set(expected.split('\n')), new Set(got.split('\n'))];
  const lost = [...wanted].filter((line) => !found.has(line));
  const extra = [...found].filter((line) => !wanted.has(line));
  return {
    invariant: 'graph',
    message: `${lost.length} lines are missing (${lost.slice(0, 2).join(' | ')}), ${extra.length} are too much (${extra.slice(0, 2).join(' | ')})`,
  };
}
