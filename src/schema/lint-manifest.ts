/** Whether a manifest fits its schema: what tasks create and read, fan-outs, edges added and dropped, cycles. */
import type { MasterSchema } from '../../schemas/define.ts';
import type { Manifest, ManifestTask } from '../../schemas/manifest.ts';
import { ensureError, MusterError } from '../errors.ts';
import { deriveTaskGraph, FANS_OUT, producingTasks, waitReasons } from '../plan/derive.ts';
import { didYouMean, type Place, place, type SchemaFinding } from './finding.ts';
import { lintRules } from './lint-rules.ts';
import { lintSources } from './lint-sources.ts';

/** Everything that is wrong between manifest and schema; lint the schema by itself first. A cycle is found last. */
export function lintManifest(schema: MasterSchema, manifest: Manifest): SchemaFinding[] {
  const findings: SchemaFinding[] = [];
  const { tasks } = manifest;
  tasks.forEach((task, i) => {
    const here = place(findings, `tasks[${i}]`);
    if (tasks.findIndex(({ id }) => id === task.id) !== i) {
      here.error(`"${task.id}" is the id of an earlier task too. Give each task an id of its own.`, '.id');
    }
    lintCreates(schema, task, here);
    lintReads(schema, task, here);
    lintPool(manifest, task, here);
    lintFanOut(schema, manifest, task, here.below('.fanOut.over'));
  });
  lintProducers(schema, manifest, findings);
  lintEdges(manifest, findings);
  lintSources(manifest, findings);
  lintRules(schema, manifest, findings);
  // With wrong names the plan would only repeat what was found.
  if (findings.some(({ severity }) => severity === 'error')) return findings;
  lintDrops(schema, manifest, findings);
  lintCycle(schema, manifest, findings);
  return findings;
}

function lintCreates({ entities }: MasterSchema, { id, creates }: ManifestTask, here: Place): void {
  const names = entities.map(({ name }) => name);
  creates.forEach((name, i) => {
    const at = `.creates[${i}]`;
    const entity = entities.find((one) => one.name === name);
    if (!entity) {
      here.error(`expected an entity, got "${name}".${didYouMean(name, names)} Correct it, or add the entity.`, at);
    } else if (!entity.producers.some(({ task }) => task === id)) {
      const producers = entity.producers.map(({ task }) => `"${task}"`).join(', ') || 'nobody';
      here.error(
        `"${id}" creates ${name}, but by the schema ${producers} does. Add "${id}" to the producers of ${name}, or remove it here.`,
        at,
      );
    }
  });
}

function lintReads({ entities }: MasterSchema, { reads = [] }: ManifestTask, here: Place): void {
  const names = entities.map(({ name }) => name);
  reads.forEach((name, i) => {
    if (names.includes(name)) return;
    here.error(
      `expected an entity, got "${name}".${didYouMean(name, names)} Correct it, or remove it.`,
      `.reads[${i}]`,
    );
  });
}

function lintPool({ pools = {} }: Manifest, { pool }: ManifestTask, here: Place): void {
  if (pool === undefined || pools[pool] !== undefined) return;
  const names = Object.keys(pools);
  here.error(
    `expected a pool of the manifest, got "${pool}".${didYouMean(pool, names)} Add it to "pools" with its number, or remove it here.`,
    '.pool',
  );
}

function lintFanOut({ entities }: MasterSchema, { tasks }: Manifest, { fanOut }: ManifestTask, here: Place): void {
  if (!fanOut) return;
  const { over } = fanOut;
  const entity = entities.find(({ name }) => name === over);
  if (!entity) {
    const names = entities.map(({ name }) => name);
    here.error(`expected an entity, got "${over}".${didYouMean(over, names)} Correct it.`);
    return;
  }
  const producers = producingTasks(entity, undefined).filter((task) => tasks.some(({ id }) => id === task));
  if (producers.length === 1) return;
  const got = producers.length === 0 ? 'no task produces' : `${producers.join(', ')} produce`;
  here.error(
    `expected an entity that exactly one task of this manifest produces; ${got} ${over}. Name another entity, or correct the producers.`,
  );
}

/** What the schema gives a task and the manifest does not. */
function lintProducers({ entities }: MasterSchema, { tasks }: Manifest, findings: SchemaFinding[]): void {
  const ids = tasks.map(({ id }) => id);
  for (const { name, producers } of entities) {
    for (const id of new Set(producers.map(({ task }) => task))) {
      if (id.startsWith('@')) continue;
      const index = ids.indexOf(id);
      if (index < 0) {
        place(findings, 'tasks').error(
          `by the schema "${id}" produces ${name}, and there is no such task.${didYouMean(id, ids)} Add the task, or correct the producers of ${name}.`,
        );
      } else if (!tasks[index]!.creates.includes(name)) {
        place(findings, `tasks[${index}]`).error(
          `by the schema "${id}" produces ${name}. Add ${name} here, or remove "${id}" from the producers of ${name}.`,
          '.creates',
        );
      }
    }
  }
}

function lintEdges({ tasks, dependencies }: Manifest, findings: SchemaFinding[]): void {
  const ids = tasks.map(({ id }) => id);
  for (const change of ['add', 'drop'] as const) {
    dependencies?.[change]?.forEach((edge, i) => {
      const here = place(findings, `dependencies.${change}[${i}]`);
      for (const end of ['task', 'waitsFor'] as const) {
        const id = edge[end];
        if (ids.includes(id)) continue;
        here.error(`expected a task, got "${id}".${didYouMean(id, ids)} Correct it, or add the task.`, `.${end}`);
      }
      const { drop = [] } = dependencies;
      if (change === 'add' && drop.some(({ task, waitsFor }) => task === edge.task && waitsFor === edge.waitsFor)) {
        here.error(`${edge.task} ← ${edge.waitsFor} is added and dropped. Remove one of the two.`);
      }
    });
  }
}

/** Drops that cannot be, and drops of nothing. */
function lintDrops(schema: MasterSchema, manifest: Manifest, findings: SchemaFinding[]): void {
  const { add = [], drop = [] } = manifest.dependencies ?? {};
  const before = waitReasons(schema, { ...manifest, dependencies: { add } });
  drop.forEach(({ task, waitsFor }, i) => {
    const here = place(findings, `dependencies.drop[${i}]`);
    const reasons = before.get(task)?.get(waitsFor);
    if (!reasons) {
      here.warn(`${task} does not wait for ${waitsFor} anyway. Remove this line.`);
    } else if (reasons.some((reason) => reason.startsWith(FANS_OUT))) {
      here.error(`${task} fans out over what ${waitsFor} produces and cannot start without it. Remove this line.`);
    }
  });
}

function lintCycle(schema: MasterSchema, manifest: Manifest, findings: SchemaFinding[]): void {
  try {
    deriveTaskGraph(schema, manifest);
  } catch (thrown) {
    const error = ensureError(thrown);
    if (!(error instanceof MusterError) || error.code !== 'PLAN_CYCLE') throw error;
    // Word for word: whoever derives the graph as well can tell that the two are one fault.
    place(findings, 'tasks').error(error.message);
  }
}
