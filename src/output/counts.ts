/** How many rows of each entity a task owes, and the reasons it gives for none. */
import type { Issue } from '../../schemas/run-event.ts';
import { fits, whereText } from './links.ts';
import type { Submission } from './submission.ts';
import { ownEntities, producersOf, type TaskContext } from './task-context.ts';
import { isRecord, show } from './values.ts';

/** Reasons why an entity with a minimum of 0 has no rows. */
export type NoneReasons = ReadonlyMap<string, string>;

/** Reads `none: [{entity, reason}]` of a complete call. */
export function readNone(context: TaskContext, value: unknown, issues: Issue[]): NoneReasons {
  const reasons = new Map<string, string>();
  if (value === undefined || value === null) return reasons;
  if (!Array.isArray(value)) {
    issues.push({ path: 'none', message: `expected a list of {entity, reason}; got ${show(value)}` });
    return reasons;
  }
  value.forEach((one, i) => {
    const entity = isRecord(one) ? one['entity'] : undefined;
    const reason = isRecord(one) ? one['reason'] : undefined;
    const own = ownEntities(context).find(({ name }) => name === entity);
    if (!own)
      issues.push({ path: `none[${i}].entity`, message: `expected an entity of this task; got ${show(entity)}` });
    else if (typeof reason !== 'string' || reason.trim().length < 10) {
      issues.push({
        path: `none[${i}].reason`,
        message: 'expected the reason in a sentence: what you read, and why there is none',
      });
    } else if (minimum(context, own.name) > 0) {
      issues.push({
        path: `none[${i}].entity`,
        message: `${own.name} cannot be empty: at least ${minimum(context, own.name)} must be submitted`,
      });
    } else reasons.set(own.name, reason);
  });
  return reasons;
}

/** The entities of which the task has handed in too few, or none and no reason. */
export function owedCounts(context: TaskContext, { nodes }: Submission, none: NoneReasons): Issue[] {
  return ownEntities(context).flatMap(({ name, producers: all }): Issue[] => {
    const producers = all.filter(({ task }) => task === context.instance.task);
    const mine = [...nodes.values()].filter(({ entity }) => entity === name);
    const few = producers.flatMap(({ where, min = 1 }): Issue[] => {
      const count = mine.filter(({ attributes }) => fits(attributes, where)).length;
      const which = producers.length > 1 && where ? ` with ${whereText(where)}` : '';
      return count < min
        ? [{ path: name, message: `expected at least ${min}${which}; ${count} submitted so far` }]
        : [];
    });
    if (few.length > 0) return few;
    if (mine.length === 0 && !none.has(name)) {
      const cure = `none: [{entity: "${name}", reason: …}]`;
      return [{ path: name, message: `none submitted; if the documents have none, say so with ${cure}` }];
    }
    if (mine.length > 0 && none.has(name)) {
      const message = `"none" says that the documents have none, and ${mine.length} are submitted; withdraw them, or leave the reason out`;
      return [{ path: name, message }];
    }
    return [];
  });
}

function minimum(context: TaskContext, entity: string): number {
  const definition = ownEntities(context).find(({ name }) => name === entity);
  return Math.max(0, ...(definition ? producersOf(definition, context.instance.task) : []).map(({ min }) => min ?? 1));
}
