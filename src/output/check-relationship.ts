/** One submitted relationship row → a staged relationship, or the issues by path. */
import type { RelationshipDefinition } from '../../schemas/define.ts';
import type { Issue } from '../../schemas/run-event.ts';
import { nearest } from '../schema/nearest.ts';
import type { Checked } from './check-node.ts';
import { keyText, readKey } from './keys.ts';
import type { StagedRelationship } from './submission.ts';
import { boundKey, entityOf, owns, submittedRelationships, type TaskContext } from './task-context.ts';
import { isRecord, show } from './values.ts';

const FIELDS = ['type', 'from', 'to'];

export function checkRelationship(context: TaskContext, value: unknown, path: string): Checked<StagedRelationship> {
  if (!isRecord(value)) {
    return {
      issues: [{ path, message: `expected {type, from: {entity, key}, to: {entity, key}}; got ${show(value)}` }],
    };
  }
  const issues: Issue[] = Object.keys(value)
    .filter((name) => !FIELDS.includes(name))
    .map((name) => ({ path: `${path}.${name}`, message: `unknown field; expected ${FIELDS.join(', ')}` }));
  const definition = definitionOf(context, value, path, issues);
  if (!definition) return { issues };
  const [from, to] = (['from', 'to'] as const).map((end) => {
    const name = definition[end];
    const given = value[end] as Record<string, unknown>;
    const read = readKey(context, entityOf(context.schema, name)!, given['key'], `${path}.${end}.key`);
    if ('issues' in read) issues.push(...read.issues);
    return 'key' in read ? read.key : undefined;
  });
  if (!from || !to || issues.length > 0) return { issues };
  const entity = entityOf(context.schema, definition.from)!;
  for (const [name, bound] of Object.entries(boundKey(context, entity))) {
    if (from.key[entity.key.indexOf(name)] !== bound) {
      issues.push({
        path: `${path}.from.key.${name}`,
        message: `expected ${show(bound)}, the item of this instance; got ${keyText(from)}`,
      });
    }
  }
  return issues.length > 0 ? { issues } : { row: { type: definition.type, from, to } };
}

function definitionOf(
  context: TaskContext,
  value: Record<string, unknown>,
  path: string,
  issues: Issue[],
): RelationshipDefinition | undefined {
  const { type } = value;
  const ends = (['from', 'to'] as const).map((end) => {
    const given = value[end];
    if (isRecord(given) && typeof given['entity'] === 'string') return given['entity'];
    issues.push({ path: `${path}.${end}`, message: `expected {entity, key}; got ${show(given)}` });
    return undefined;
  });
  const mine = submittedRelationships(context);
  const forms = mine.map((one) => `${one.from} ${one.type} ${one.to}`);
  const known = context.schema.relationships.filter((one) => one.type === type);
  if (known.length === 0) {
    const close =
      typeof type === 'string'
        ? nearest(
            type,
            mine.map((one) => one.type),
          )
        : undefined;
    issues.push({
      path: `${path}.type`,
      message: `expected a relationship of this task (${forms.join('; ') || 'it submits none'}); got ${show(type)}${close ? `. Did you mean ${close}?` : ''}`,
    });
    return undefined;
  }
  if (ends.includes(undefined)) return undefined;
  const [from, to] = ends as string[];
  const found = known.find((one) => one.from === from && one.to === to);
  if (found && mine.includes(found)) return found;
  if (found?.link || found?.resolution === 'late') {
    issues.push({
      path,
      message: `muster draws ${from} ${found.type} ${to} by itself from the attributes; do not submit it`,
    });
  } else if (found && !owns(context, found.from)) {
    issues.push({
      path: `${path}.from`,
      message: `${found.from} is not submitted by this task; expected ${forms.join('; ') || 'no relationships'}`,
    });
  } else {
    issues.push({
      path,
      message: `there is no ${from} ${String(type)} ${to}; expected ${forms.join('; ') || 'no relationships'}`,
    });
  }
  return undefined;
}
