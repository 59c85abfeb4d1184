/** Whether a manifest fits its schema: what tasks create and who produces it, fan-outs, edges, cycles. */
import type { MasterSchema } from '../../schemas/define.ts';
import type { Manifest, ManifestTask } from '../../schemas/manifest.ts';
import { MusterError } from '../errors.ts';
import { deriveTaskGraph } from '../plan/derive.ts';
import { didYouMean, error, type SchemaFinding, warning } from './finding.ts';
import { nearest } from './nearest.ts';

/** Everything that is wrong between manifest and schema, a cycle included; lint the schema on its own first. */
export function lintManifest(schema: MasterSchema, manifest: Manifest): SchemaFinding[] {
  const findings = lintReferences(schema, manifest);
  // Names that are wrong would only be found again.
  return findings.some(({ severity }) => severity === 'error') ? findings : [...findings, ...cycles(schema, manifest)];
}

/** As {@link lintManifest}, without the search for cycles. */
export function lintReferences(schema: MasterSchema, manifest: Manifest): SchemaFinding[] {
  return [
    ...repeatedTasks(manifest),
    ...manifest.tasks.flatMap((task) => lintTask(schema, manifest, task)),
    ...lintProducers(schema, manifest),
    ...lintDependencies(manifest),
  ];
}

function repeatedTasks({ tasks }: Manifest): SchemaFinding[] {
  return tasks.flatMap(({ id }, i) =>
    tasks.findIndex((task) => task.id === id) === i
      ? []
      : [error(`tasks[${i}].id`, `"${id}" is the id of an earlier task; give each task an id of its own`)],
  );
}

function lintTask(schema: MasterSchema, manifest: Manifest, task: ManifestTask): SchemaFinding[] {
  const at = `tasks.${task.id}`;
  const known = schema.entities.map(({ name }) => name);
  const unknown = (name: string, where: string): SchemaFinding =>
    error(
      where,
      `expected an entity of ${schema.name}, got "${name}".${didYouMean(nearest(name, known))} Correct the name`,
    );
  const findings: SchemaFinding[] = [];
  task.creates.forEach((name, i) => {
    const entity = schema.entities.find((one) => one.name === name);
    if (!entity) findings.push(unknown(name, `${at}.creates[${i}]`));
    else if (!entity.producers.some((producer) => producer.task === task.id)) {
      const producers = entity.producers.map((producer) => producer.task).join(', ') || 'nobody';
      findings.push(
        error(
          `${at}.creates[${i}]`,
          `the schema says that ${name} is produced by ${producers}; add "${task.id}" to its producers or take ${name} out`,
        ),
      );
    }
  });
  task.reads?.forEach((name, i) => {
    if (!known.includes(name)) findings.push(unknown(name, `${at}.reads[${i}]`));
  });
  return task.fanOut ? [...findings, ...lintFanOut(schema, manifest, task, unknown)] : findings;
}

function lintFanOut(
  { entities }: MasterSchema,
  manifest: Manifest,
  { id, fanOut }: ManifestTask,
  unknown: (name: string, where: string) => SchemaFinding,
): SchemaFinding[] {
  const at = `tasks.${id}.fanOut.over`;
  const over = fanOut!.over;
  const entity = entities.find(({ name }) => name === over);
  if (!entity) return [unknown(over, at)];
  const tasks = [...new Set(entity.producers.map(({ task }) => task))].filter((producer) =>
    manifest.tasks.some((task) => task.id === producer),
  );
  if (tasks.length === 0) {
    return [
      error(
        at,
        `no task of this manifest produces ${over}; fan out over an entity that one produces, or add that task`,
      ),
    ];
  }
  if (tasks.length > 1) {
    return [
      error(at, `${over} is produced by ${tasks.join(', ')}; fan out over an entity that one task alone produces`),
    ];
  }
  return [];
}

function lintProducers({ entities }: MasterSchema, { tasks }: Manifest): SchemaFinding[] {
  const ids = tasks.map(({ id }) => id);
  return entities.flatMap(({ name, producers }) =>
    [...new Set(producers.map(({ task }) => task))].flatMap((id) => {
      if (id.includes('@')) return [];
      const task = tasks.find((one) => one.id === id);
      if (!task) {
        return [
          error(
            'tasks',
            `the schema says that "${id}" produces ${name}, but there is no such task.${didYouMean(nearest(id, ids))} Add the task or correct the producers of ${name}`,
          ),
        ];
      }
      if (task.creates.includes(name)) return [];
      return [
        error(
          `tasks.${id}.creates`,
          `the schema says that this task produces ${name}; add it, or take the task out of the producers of ${name}`,
        ),
      ];
    }),
  );
}

function lintDependencies({ tasks, dependencies }: Manifest): SchemaFinding[] {
  const ids = tasks.map(({ id }) => id);
  const edges = (['add', 'drop'] as const).flatMap((change) =>
    (dependencies?.[change] ?? []).map((edge, i) => ({ ...edge, change, at: `dependencies.${change}[${i}]` })),
  );
  return edges.flatMap(({ change, at, task, waitsFor }) => {
    const findings = (['task', 'waitsFor'] as const).flatMap((end) => {
      const id = end === 'task' ? task : waitsFor;
      if (ids.includes(id)) return [];
      const close = didYouMean(nearest(id, ids));
      return [
        error(`${at}.${end}`, `expected a task of this manifest, got "${id}".${close} Correct the id or add the task`),
      ];
    });
    const opposite = edges.some((one) => one.change !== change && one.task === task && one.waitsFor === waitsFor);
    if (change === 'add' && opposite) {
      findings.push(error(at, `${task} → ${waitsFor} is added and dropped; take one of the two out`));
    }
    return findings;
  });
}

/** Cycles, and drops without effect: both need the derived graph. */
function cycles(schema: MasterSchema, manifest: Manifest): SchemaFinding[] {
  try {
    return uselessDrops(schema, manifest);
  } catch (thrown) {
    if (thrown instanceof MusterError && thrown.code === 'PLAN_CYCLE') return [error('tasks', thrown.message)];
    throw thrown;
  }
}

function uselessDrops(schema: MasterSchema, manifest: Manifest): SchemaFinding[] {
  const drops = manifest.dependencies?.drop ?? [];
  const { tasks } = deriveTaskGraph(schema, manifest);
  const { drop: _, ...rest } = manifest.dependencies ?? {};
  const hasEdge = (graph: typeof tasks, task: string, waitsFor: string): boolean =>
    graph.some(({ id, waitsFor: edges }) => id === task && edges.some((edge) => edge.task === waitsFor));
  return drops.flatMap(({ task, waitsFor }, i) => {
    const at = `dependencies.drop[${i}]`;
    if (hasEdge(tasks, task, waitsFor)) {
      return [error(at, `${task} fans out over nodes of ${waitsFor} and cannot start without it; take this line out`)];
    }
    let before: typeof tasks;
    try {
      before = deriveTaskGraph(schema, { ...manifest, dependencies: rest }).tasks;
    } catch (thrown) {
      // Without the drops there is a cycle: that is what they are for.
      if (thrown instanceof MusterError && thrown.code === 'PLAN_CYCLE') return [];
      throw thrown;
    }
    if (hasEdge(before, task, waitsFor)) return [];
    return [warning(at, `${task} does not wait for ${waitsFor} anyway; take this line out`)];
  });
}
