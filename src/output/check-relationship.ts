/** One submitted relationship row → a staged relationship, or the issues by path. */
import type { RelationshipDefinition } from '../../schemas/define.ts';
import type { Issue } from '../../schemas/run-event.ts';
import type { Checked } from './check-node.ts';
import { keyAttributes, readKey } from './keys.ts';
import type { StagedRelationship } from './submission.ts';
import { boundKey, entityOf, owns, standsAt, submittedRelationships, type TaskContext } from './task-context.ts';
import { cut, didYouMean, isRecord, NAME_SHOWN, show } from './values.ts';

const FIELDS = ['type', 'from', 'to'];

export function checkRelationship(context: TaskContext, value: unknown, path: string): Checked<StagedRelationship> {
  if (!isRecord(value)) {
    return {
      issues: [{ path, message: `expected {type, from: {entity, key}, to: {entity, key}}; got ${show(value)}` }],
    };
  }
  const issues: Issue[] = Object.keys(value)
    .filter((name) => !FIELDS.includes(name))
    .map((name) => ({
      path: `${path}.${cut(name, NAME_SHOWN)}`,
      message: `unknown field; expected ${FIELDS.join(', ')}`,
    }));
  const definition = definitionOf(context, value, path, issues);
  if (!definition) return { issues };
  const [from, to] = (['from', 'to'] as const).map((end) => {
    const given = value[end] as Record<string, unknown>;
    const read = readKey(
      context,
      entityOf(context.schema, String(given['entity']))!,
      given['key'],
      `${path}.${end}.key`,
    );
    if ('issues' in read) issues.push(...read.issues);
    return 'key' in read ? read.key : undefined;
  });
  if (!from || !to || issues.length > 0) return { issues };
  for (const [end, node] of [
    ['from', from],
    ['to', to],
  ] as const) {
    const entity = entityOf(context.schema, node.entity)!;
    // The far end may be another task's node; an instance's own nodes are about its own item only.
    const bound = owns(context, entity.name) ? boundKey(context, entity) : {};
    const where = definition[`${end}Where`] ?? {};
    const known = keyAttributes(context, node);
    for (const [name, wanted] of Object.entries({ ...where, ...bound })) {
      if (!(name in known) || known[name] === wanted) continue;
      const why = name in bound ? ', the item of this instance' : '';
      issues.push({
        path: `${path}.${end}.key.${name}`,
        message: `expected ${show(wanted)}${why}; got ${show(known[name])}`,
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
    const types = mine.map((one) => one.type);
    issues.push({
      path: `${path}.type`,
      message: `expected a relationship of this task (${forms.join('; ') || 'it submits none'}); got ${show(type)}${didYouMean(type, types)}`,
    });
    return undefined;
  }
  if (ends.includes(undefined)) return undefined;
  const [from, to] = ends as string[];
  const forThese = (one: RelationshipDefinition) => standsAt(context.schema, one.from, from!) && one.to === to;
  const submitted = owns(context, from!) ? mine.filter((one) => one.type === type && forThese(one)) : [];
  // Narrowed apart: the one that the keys do not contradict, where keys say anything about it.
  const meant = submitted.find((one) => !contradicted(one, value)) ?? submitted[0];
  if (meant) return meant;
  const found = known.find(forThese);
  if (found?.link || found?.resolution === 'late') {
    issues.push({
      path,
      message: `muster draws ${from} ${found.type} ${to} by itself from the attributes; do not submit it`,
    });
  } else if (found && !owns(context, from!)) {
    issues.push({
      path: `${path}.from`,
      message: `${from} is not submitted by this task; expected ${forms.join('; ') || 'no relationships'}`,
    });
  } else {
    issues.push({
      path,
      message: `there is no ${from} ${String(type)} ${to}; expected ${forms.join('; ') || 'no relationships'}`,
    });
  }
  return undefined;
}

/** Whether the keys as written already say that an end does not have the values that narrow it. */
function contradicted(definition: RelationshipDefinition, value: Record<string, unknown>): boolean {
  return (['from', 'to'] as const).some((end) => {
    const given = value[end];
    const key = isRecord(given) && isRecord(given['key']) ? given['key'] : {};
    return Object.entries(definition[`${end}Where`] ?? {}).some(
      ([name, wanted]) => Object.hasOwn(key, name) && key[name] !== wanted,
    );
  });
}
