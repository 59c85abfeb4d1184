/** Business keys as agents write them: by name, without the scope. */
import type { EntityDefinition } from '../../schemas/define.ts';
import type { Issue } from '../../schemas/run-event.ts';
import type { NodeKey } from '../ports.ts';
import { originalPath } from './check-passage.ts';
import { entityOf, type TaskContext } from './task-context.ts';
import { cut, isRecord, NAME_SHOWN, show, sizeProblem } from './values.ts';

const UUID = /^\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$/i;

/** Whether a value is a UUID in any common spelling: such a key was generated, not read. */
export function isUuid(value: unknown): boolean {
  return typeof value === 'string' && UUID.test(value.trim());
}

/** A key as text for people: `5.1`, or `ITP-07 / 7`. */
export function keyText({ key }: NodeKey): string {
  return key.slice(1).join(' / ') || String(key[0]);
}

/** The key of an item as one text, the name of a fan-out instance. */
export function itemKeyOf(node: NodeKey): string {
  return node.key.slice(1).join('/');
}

/** What a key says of its node: the values of its key attributes by name. */
export function keyAttributes(
  context: TaskContext,
  { entity, key }: NodeKey,
): Readonly<Record<string, string | number>> {
  const names = entityOf(context.schema, entity)?.key ?? [];
  return Object.fromEntries(names.map((name, i) => [name, key[i]!]));
}

/** Reads a key object such as `{code: "5.1"}`; issues name the parts at fault. */
export function readKey(
  context: TaskContext,
  entity: EntityDefinition,
  value: unknown,
  path: string,
): { readonly key: NodeKey } | { readonly issues: readonly Issue[] } {
  const [scopeName, ...names] = entity.key;
  const form = `{${names.map((name) => `${name}: …`).join(', ')}}`;
  if (!isRecord(value)) {
    return { issues: [{ path, message: `expected the key of a ${entity.name}, ${form}; got ${show(value)}` }] };
  }
  const issues: Issue[] = [];
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    if (name === scopeName) {
      if (value[name] !== context.scope) {
        issues.push({
          path: `${path}.${name}`,
          message: `expected "${context.scope}" or nothing; got ${show(value[name])}`,
        });
      }
      continue;
    }
    issues.push({
      path: `${path}.${cut(name, NAME_SHOWN)}`,
      message: `not a part of the key of ${entity.name}; expected ${form}`,
    });
  }
  // Agents read some documents in a text form, and may name that.
  const isSource = entity.name === context.schema.provenance?.sourceEntity;
  const parts = names.map((name): string | number => {
    const given = isSource ? originalPath(context, value[name]) : value[name];
    const at = `${path}.${name}`;
    if (given === undefined || given === null) {
      issues.push({ path: at, message: `missing; the key of ${entity.name} is ${form}` });
      return '';
    }
    if (isUuid(given)) {
      issues.push({ path: at, message: `expected a business key from the documents; got the UUID ${show(given)}` });
      return '';
    }
    const oversize = sizeProblem(given);
    if (oversize !== undefined) {
      issues.push({ path: at, message: oversize });
      return '';
    }
    const parsed = entity.attributes.shape[name]?.safeParse(given);
    if (!parsed?.success) {
      issues.push({ path: at, message: parsed?.error.issues[0]?.message ?? `got ${show(given)}` });
      return '';
    }
    return parsed.data as string | number;
  });
  return issues.length > 0 ? { issues } : { key: { entity: entity.name, key: [context.scope, ...parts] } };
}
