/** One submitted entity row → a staged node, or the issues by path. Total: any value gives one or the other. */
import type { EntityDefinition, MasterSchema, Properties } from '../../schemas/define.ts';
import type { Issue } from '../../schemas/run-event.ts';
import { ensureError } from '../errors.ts';
import { checkEvidence } from './check-evidence.ts';
import { isUuid } from './keys.ts';
import type { StagedNode } from './submission.ts';
import { boundKey, entityOf, ownEntities, producersOf, type TaskContext } from './task-context.ts';
import { cut, didYouMean, isRecord, NAME_SHOWN, show, sizeProblem } from './values.ts';

export type Checked<Row> = { readonly row: Row } | { readonly issues: readonly Issue[] };

const FIELDS = ['entity', 'attributes', 'evidence'];

export function checkNode(context: TaskContext, value: unknown, path: string): Checked<StagedNode> {
  if (!isRecord(value)) {
    return { issues: [{ path, message: `expected {entity, attributes, evidence}; got ${show(value)}` }] };
  }
  const issues: Issue[] = Object.keys(value)
    .filter((name) => !FIELDS.includes(name))
    .map((name) => ({
      path: `${path}.${cut(name, NAME_SHOWN)}`,
      message: `unknown field; attributes of the entity go into "attributes", the rest is ${FIELDS.join(', ')}`,
    }));
  const entity = ownEntity(context, value['entity'], `${path}.entity`, issues);
  if (!entity) return { issues };
  const given = value['attributes'];
  if (!isRecord(given)) {
    issues.push({
      path: `${path}.attributes`,
      message: `expected an object with the attributes of ${entity.name}; got ${show(given)}`,
    });
    return { issues };
  }
  const attributes = parseAttributes(context, entity, given, `${path}.attributes`, issues);
  const assumed = attributes[context.schema.provenance?.assumedAttribute ?? ''] === true;
  const evidence = checkEvidence(context, entity, value['evidence'], assumed, `${path}.evidence`, issues);
  if (issues.length > 0) return { issues };
  const key = [context.scope, ...entity.key.slice(1).map((name) => attributes[name] as string | number)];
  return { row: { entity: entity.name, key, attributes, evidence } };
}

function ownEntity(context: TaskContext, name: unknown, path: string, issues: Issue[]): EntityDefinition | undefined {
  const own = ownEntities(context);
  const names = own.map((entity) => entity.name);
  const entity = typeof name === 'string' ? entityOf(context.schema, name) : undefined;
  if (entity && names.includes(entity.name)) return entity;
  const mine = `this task submits ${names.join(', ')}`;
  if (entity?.name === context.schema.provenance?.entity) {
    issues.push({ path, message: `${entity?.name} is written by muster from the "evidence" of each row; ${mine}` });
  } else if (entity) {
    const whose = entity.producers.map(({ task }) => task).join(', ');
    issues.push({ path, message: `${entity.name} belongs to ${whose}; ${mine}` });
  } else {
    issues.push({ path, message: `expected an entity, got ${show(name)}${didYouMean(name, names)}; ${mine}` });
  }
  return undefined;
}

function parseAttributes(
  context: TaskContext,
  entity: EntityDefinition,
  given: Record<string, unknown>,
  path: string,
  issues: Issue[],
): Properties {
  const { scope: scopeName, common } = context.schema;
  const own: Record<string, unknown> = {};
  const shared: Record<string, unknown> = {};
  let isWhole = true;
  for (const [name, value] of Object.entries(given)) {
    // Models write null for "nothing to say": the same as leaving the attribute out.
    if (value === null || value === undefined) continue;
    const at = `${path}.${cut(name, NAME_SHOWN)}`;
    const oversize = sizeProblem(value);
    if (oversize !== undefined) {
      issues.push({ path: at, message: oversize });
      isWhole = false;
    } else if (name === scopeName) {
      if (value !== context.scope)
        issues.push({ path: at, message: `expected "${context.scope}" or nothing; got ${show(value)}` });
    } else if (common.engine.includes(name)) {
      issues.push({ path: at, message: 'written by muster; leave it out' });
    } else if (Object.hasOwn(entity.attributes.shape, name)) {
      own[name] = value;
    } else if (Object.hasOwn(common.agent.shape, name)) {
      shared[name] = value;
    } else {
      const known = [...Object.keys(entity.attributes.shape), ...Object.keys(common.agent.shape)];
      issues.push({ path: at, message: `${entity.name} has no such attribute${didYouMean(name, known)}` });
    }
  }
  // What was left out above would be reported once more, as missing.
  if (!isWhole) return {};
  for (const name of entity.key.slice(1)) {
    if (isUuid(own[name])) {
      issues.push({
        path: `${path}.${name}`,
        message: `expected a business key from the documents; got the UUID ${show(own[name])}`,
      });
    }
  }
  const judged = judgeAttributes(context.schema, entity, { ...own, ...shared });
  if (!judged.success) {
    for (const issue of judged.issues) issues.push({ path: pathOf(path, issue.path), message: issue.message });
    return {};
  }
  const { attributes } = judged;
  checkWhere(context, entity, attributes, path, issues);
  for (const [name, value] of Object.entries(boundKey(context, entity))) {
    if (attributes[name] !== value) {
      issues.push({
        path: `${path}.${name}`,
        message: `expected ${show(value)}, the item of this instance; got ${show(attributes[name])}`,
      });
    }
  }
  return attributes;
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What the schema itself says of a row's attributes, own and common; a rule of the schema that throws is a fault too. */
export function judgeAttributes(
  { common }: MasterSchema,
  entity: EntityDefinition,
  given: Readonly<Record<string, unknown>>,
):
  | { readonly success: true; readonly attributes: Properties }
  | { readonly success: false; readonly issues: readonly Fault[] } {
  const isOwn = (name: string) => Object.hasOwn(entity.attributes.shape, name);
  const pick = (which: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(given).filter(([name]) => which(name)));
  const issues: Fault[] = [];
  let attributes: Properties = {};
  for (const [type, value] of [
    [entity.refined ?? entity.attributes, pick(isOwn)],
    [common.agent, pick((name) => !isOwn(name))],
  ] as const) {
    try {
      const result = type.safeParse(value);
      if (result.success) attributes = { ...attributes, ...(result.data as Properties) };
      else issues.push(...result.error.issues);
    } catch (thrown) {
      const { message } = ensureError(thrown);
      issues.push({ path: [], message: `a rule of the schema failed (${message}); it is no fault of the row` });
    }
  }
  return issues.length > 0 ? { success: false, issues } : { success: true, attributes };
}

/** Several tasks may produce an entity; the discriminator says which nodes are this one's. */
function checkWhere(
  context: TaskContext,
  entity: EntityDefinition,
  attributes: Properties,
  path: string,
  issues: Issue[],
): void {
  const producers = producersOf(entity, context.instance.task);
  const fits = producers.some(({ where }) =>
    Object.entries(where ?? {}).every(([name, value]) => attributes[name] === value),
  );
  if (fits) return;
  for (const [name, value] of Object.entries(producers[0]?.where ?? {})) {
    if (attributes[name] === value) continue;
    const whose = entity.producers.find(({ where }) => where?.[name] === attributes[name])?.task;
    issues.push({
      path: `${path}.${name}`,
      message: `expected "${value}"; got ${show(attributes[name])}${whose ? `, which is for ${whose}` : ''}`,
    });
  }
}

/** `attributes.rows[3].code`. */
export function pathOf(base: string, parts: readonly PropertyKey[]): string {
  return parts.reduce<string>(
    (path, part) => (typeof part === 'number' ? `${path}[${part}]` : `${path}.${String(part)}`),
    base,
  );
}
