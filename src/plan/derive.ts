/**
 * From schema and manifest to the task graph: who waits for whom, and why.
 *
 * Task T waits for task P exactly when T produces E, E has a required relationship of resolution `producer` to F, P
 * produces F and T itself does not produce that F. Both "produces" count with the relationship's `fromWhere` and
 * `toWhere`. A task that fans out also waits for the producer of what it fans out over.
 */
import type { EntityDefinition, MasterSchema, RelationshipDefinition } from '../../schemas/define.ts';
import { DEFAULT_MAX_ITEMS, type Manifest, type ManifestTask } from '../../schemas/manifest.ts';
import { MusterError } from '../errors.ts';
import { findCycle } from './cycle.ts';

export interface DerivedEdge {
  readonly task: string;
  /** The relationships behind the edge, `; ` between them. */
  readonly why: string;
}

export interface DerivedTask {
  readonly id: string;
  readonly title: string;
  /** 1 for a task that waits for nobody. */
  readonly wave: number;
  /** In the order of the manifest. */
  readonly waitsFor: readonly DerivedEdge[];
  readonly creates: readonly string[];
  readonly fanOut?: { readonly over: string; readonly maxItems: number; readonly producer: string };
}

export interface TaskGraph {
  /** In the order of the manifest. */
  readonly tasks: readonly DerivedTask[];
}

type Where = Readonly<Record<string, string>> | undefined;
/** task → task it waits for → reasons */
export type WaitReasons = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/**
 * The task graph of a manifest. The same whatever the order of the schema's relationships.
 *
 * @throws MusterError PLAN_CYCLE when tasks wait for each other; MANIFEST_INVALID when no task produces what a task
 * fans out over, or an edge names an unknown task.
 */
export function deriveTaskGraph(schema: MasterSchema, manifest: Manifest): TaskGraph {
  const fanOuts = fanOutsOf(schema, manifest);
  const reasons = waitReasons(schema, manifest, fanOuts);
  const cycle = findCycle(reasons);
  if (cycle) throw cycleError(cycle, reasons);
  const waves = wavesOf(manifest, reasons);
  return {
    tasks: manifest.tasks.map(({ id, title, creates }) => {
      const fanOut = fanOuts.get(id);
      return {
        id,
        title,
        wave: waves.get(id)!,
        waitsFor: [...reasons.get(id)!].map(([task, why]) => ({ task, why: why.join('; ') })),
        creates,
        ...(fanOut && { fanOut }),
      };
    }),
  };
}

/** How the reason of an edge begins that a fan-out brings. */
export const FANS_OUT = 'fans out over';

/** The producer name of an entity whose nodes come with those of every task. */
const EVERY_TASK = '@all';

/**
 * Tasks that produce nodes of an entity which fit `where`; all of its producers when `where` names a value that splits
 * none of them. `@all` stands for every task in `everyTask`, other names with `@` for the engine, which nobody waits for.
 */
export function producingTasks(
  entity: EntityDefinition | undefined,
  where: Where,
  everyTask: readonly string[] = [],
): readonly string[] {
  if (entity?.producers.some(({ task }) => task === EVERY_TASK)) return everyTask;
  const tasks = (entity?.producers ?? []).filter(({ task }) => !task.startsWith('@'));
  const fitting = tasks.filter((producer) =>
    Object.entries(where ?? {}).every(([name, value]) => (producer.where?.[name] ?? value) === value),
  );
  return [...new Set((fitting.length > 0 ? fitting : tasks).map(({ task }) => task))];
}

/** A relationship in words: `Plan REQUIRED_BY Approval[kind=final]`. */
export function relationshipText({ type, from, fromWhere, to, toWhere }: RelationshipDefinition): string {
  return `${from}${whereText(fromWhere)} ${type} ${to}${whereText(toWhere)}`;
}

function whereText(where: Where): string {
  const parts = Object.entries(where ?? {}).map(([name, value]) => `${name}=${value}`);
  return parts.length > 0 ? `[${parts.join(', ')}]` : '';
}

type FanOuts = ReadonlyMap<string, NonNullable<DerivedTask['fanOut']>>;

function fanOutsOf(schema: MasterSchema, manifest: Manifest): FanOuts {
  return new Map(
    manifest.tasks.flatMap((task) => (task.fanOut ? [[task.id, fanOutOf(schema, manifest, task)] as const] : [])),
  );
}

function fanOutOf(schema: MasterSchema, manifest: Manifest, { id, fanOut }: ManifestTask) {
  const { over, maxItems = DEFAULT_MAX_ITEMS } = fanOut!;
  const entity = schema.entities.find(({ name }) => name === over);
  const producers = producingTasks(entity, undefined).filter((task) => manifest.tasks.some((one) => one.id === task));
  const [producer] = producers;
  // One producer: the items are known when it has committed, all of them at once.
  if (producer !== undefined && producers.length === 1) return { over, maxItems, producer };
  const got = producer === undefined ? 'no task produces' : `${producers.join(', ')} produce`;
  throw new MusterError(
    'MANIFEST_INVALID',
    `tasks (${id}).fanOut.over: expected an entity that exactly one task of this manifest produces; ${got} "${over}". Name another entity, or correct the producers`,
  );
}

/**
 * For each task what it waits for and why, cycles included; in the order of the manifest.
 *
 * @throws MusterError MANIFEST_INVALID, as {@link deriveTaskGraph}.
 */
export function waitReasons(
  schema: MasterSchema,
  manifest: Manifest,
  fanOuts: FanOuts = fanOutsOf(schema, manifest),
): WaitReasons {
  const reasons = new Map(manifest.tasks.map(({ id }) => [id, new Map<string, string[]>()]));
  const add = (task: string, waitsFor: string, why: string): void => {
    const of = reasons.get(task);
    if (!of || !reasons.has(waitsFor)) return;
    const known = of.get(waitsFor) ?? [];
    if (!known.includes(why)) of.set(waitsFor, [...known, why].sort());
  };
  const entities = new Map(schema.entities.map((entity) => [entity.name, entity]));
  const everyTask = manifest.tasks.map(({ id }) => id);
  for (const relationship of schema.relationships) {
    const { from, to, required, resolution, cardinality } = relationship;
    if (!required || resolution !== 'producer' || from === '*' || to === schema.provenance?.entity) continue;
    const targets = producingTasks(entities.get(to), relationship.toWhere, everyTask);
    for (const task of producingTasks(entities.get(from), relationship.fromWhere, everyTask)) {
      // Its own nodes are enough: this is why four plans with sections of their own do not wait for each other.
      if (targets.includes(task)) continue;
      for (const target of targets) add(task, target, `${relationshipText(relationship)}, required, ${cardinality}`);
    }
  }
  for (const { task, waitsFor } of manifest.dependencies?.drop ?? []) reasons.get(task)?.delete(waitsFor);
  for (const { task, waitsFor, reason } of manifest.dependencies?.add ?? []) {
    for (const id of [task, waitsFor]) if (!reasons.has(id)) throw unknownTask(id);
    add(task, waitsFor, reason);
  }
  // Last, because this edge cannot be dropped: the items are not known before it.
  for (const [task, { over, producer }] of fanOuts) add(task, producer, `${FANS_OUT} ${over}`);
  // In the order of the manifest, so that the order of the schema's relationships shows nowhere, not even in a cycle.
  return new Map(
    [...reasons].map(([task, of]) => [
      task,
      new Map(everyTask.flatMap((id) => (of.has(id) ? [[id, of.get(id)!] as const] : []))),
    ]),
  );
}

function unknownTask(id: string): MusterError {
  return new MusterError(
    'MANIFEST_INVALID',
    `dependencies.add: expected ids of tasks of this manifest, got "${id}"; correct the id or add the task`,
  );
}

/**
 * 1 + the largest wave that a task waits for. A fan-out stands behind the last wave that needs no fan-out, because
 * how many sessions it means is known only then; a task that waits for a fan-out stands behind it.
 */
function wavesOf(manifest: Manifest, reasons: WaitReasons): ReadonlyMap<string, number> {
  const fansOut = new Set(manifest.tasks.filter(({ fanOut }) => fanOut).map(({ id }) => id));
  const dynamic = new Map<string, boolean>();
  const needsFanOut = (id: string): boolean => {
    const known = dynamic.get(id) ?? (fansOut.has(id) || [...reasons.get(id)!.keys()].some(needsFanOut));
    dynamic.set(id, known);
    return known;
  };
  const waves = new Map<string, number>();
  let lastStatic = 0;
  const waveOf = (id: string): number => {
    const known = waves.get(id);
    if (known !== undefined) return known;
    const wave = Math.max(fansOut.has(id) ? lastStatic : 0, ...[...reasons.get(id)!.keys()].map(waveOf)) + 1;
    waves.set(id, wave);
    return wave;
  };
  const ids = manifest.tasks.map(({ id }) => id);
  lastStatic = Math.max(0, ...ids.filter((id) => !needsFanOut(id)).map(waveOf));
  for (const id of ids) waveOf(id);
  return waves;
}

function cycleError(cycle: readonly string[], reasons: WaitReasons): MusterError {
  const steps = cycle.slice(0, -1).map((task, i) => {
    const next = cycle[i + 1]!;
    return `  ${task} waits for ${next}: ${reasons.get(task)!.get(next)!.join('; ')}`;
  });
  return new MusterError(
    'PLAN_CYCLE',
    [
      `expected tasks that can be put in an order, got a cycle: ${cycle.join(' → ')}`,
      ...steps,
      'Turn one of these relationships around, make it optional or resolve it late in the schema, or take an edge out with dependencies.drop in the manifest.',
    ].join('\n'),
  );
}
