import type { EntityDefinition, MasterSchema, Producer } from '../../schemas/define.ts';
import { generatedFormat, isKeyPart, isStorable, isStrict, mayBeAbsent } from './attribute-kind.ts';
import { didYouMean, type Place } from './finding.ts';
import { lintExamples } from './lint-examples.ts';

/** Names become labels and properties of the graph. */
const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

/** Everything that can be wrong with one entity by itself or with its owner. */
export function lintEntity(schema: MasterSchema, entity: EntityDefinition, here: Place): void {
  if (!NAME.test(entity.name)) {
    here.error(`expected a name of letters, digits and _, a letter first; got "${entity.name}". Rename the entity.`);
  }
  lintAttributes(schema, entity, here);
  lintKey(schema, entity, here.below('.key'));
  lintProducers(entity, here.below('.producers'));
  lintOwner(schema, entity, here.below('.ownedBy'));
  lintExamples(schema, entity, here.below('.examples'));
}

function lintAttributes(
  { scope, common, provenance }: MasterSchema,
  { name: entity, attributes }: EntityDefinition,
  here: Place,
): void {
  // No agent hands in a passage as a row of its own, so a passage may have an attribute of the same name.
  const shared = entity === provenance?.entity ? [] : Object.keys(common.agent.shape);
  if (!isStrict(attributes)) {
    here.error(
      'expected z.strictObject, got an object that drops attributes it does not know. Write z.strictObject, so that an agent hears about a misspelt attribute.',
      '.attributes',
    );
  }
  for (const [name, value] of Object.entries(attributes.shape)) {
    const at = `.attributes.${name}`;
    if (!NAME.test(name)) here.error(`expected a name of letters, digits and _; got "${name}". Rename it.`, at);
    if (name === scope) {
      here.error(`"${scope}" is the scope, which the engine writes into every node. Remove the attribute.`, at);
    }
    if (shared.includes(name) || common.engine.includes(name)) {
      here.error(
        `"${name}" is a common attribute, which every entity has already. Rename it here, or take it out of "common".`,
        at,
      );
    }
    if (!isStorable(value)) {
      here.error(
        'expected a text, number, boolean, enumeration or a flat list of these, which is what a graph can hold. Split it into attributes, or make it an entity of its own.',
        at,
      );
    }
  }
}

function lintKey({ scope }: MasterSchema, { name, key, attributes }: EntityDefinition, here: Place): void {
  if (key[0] !== scope) {
    here.error(
      `expected the scope "${scope}" as the first part, got ${key[0] === undefined ? 'an empty key' : `"${key[0]}"`}. Begin the key with "${scope}".`,
    );
  }
  const names = Object.keys(attributes.shape);
  const parts = key.filter((part) => part !== scope);
  if (new Set(key).size !== key.length) {
    here.error(`expected each part once, got ${key.join(', ')}. Remove the repetition.`);
  }
  for (const part of parts) {
    const attribute = attributes.shape[part];
    if (!attribute) {
      here.error(
        `expected an attribute of ${name} (${names.join(', ')}), got "${part}".${didYouMean(part, names)} Correct the key, or add the attribute.`,
      );
      continue;
    }
    const format = generatedFormat(attribute);
    if (format !== undefined) {
      here.error(
        `"${part}" asks for a generated id (${format}). Agents would have to invent it, and two of them never agree: use a code, number or name that the sources print.`,
      );
    } else if (!isKeyPart(attribute)) {
      here.error(`"${part}" must be one text or one number to be a part of a key. Change its type, or leave it out.`);
    }
    if (mayBeAbsent(attribute)) {
      here.error(`"${part}" may be absent; a node without it has no identity. Make it required, without a default.`);
    }
  }
}

function lintProducers({ name, attributes, producers }: EntityDefinition, here: Place): void {
  if (producers.length === 0) {
    here.error(
      `nobody produces ${name}. Name the task that hands it in, "@ingest" when the engine registers it before the run, or remove the entity.`,
    );
  }
  producers.forEach(({ task, min, where }, i) => {
    const at = `[${i}]`;
    if (task === '') here.error('expected a task id, got an empty text.', `${at}.task`);
    if (min !== undefined && (!Number.isInteger(min) || min < 0)) {
      here.error(`expected a whole number from 0, got ${min}.`, `${at}.min`);
    }
    lintWhere(where, { name, attributes }, here.below(`${at}.where`));
  });
  for (const [i, one] of producers.entries()) {
    for (const other of producers.slice(i + 1)) {
      if (apart(one, other)) continue;
      here.error(
        `"${one.task}" and "${other.task}" both produce ${name}, and nothing says which node is whose. Give each a "where" on the same attribute with a value of its own.`,
      );
    }
  }
}

/** Whether some attribute has a different value for each of the two. */
function apart(one: Producer, other: Producer): boolean {
  return Object.entries(one.where ?? {}).some(([name, value]) => (other.where?.[name] ?? value) !== value);
}

/** A `where`: attributes that exist, with values that they can have. */
export function lintWhere(
  where: Readonly<Record<string, string>> | undefined,
  { name: entity, attributes }: Pick<EntityDefinition, 'name' | 'attributes'>,
  here: Place,
): void {
  const names = Object.keys(attributes.shape);
  for (const [name, value] of Object.entries(where ?? {})) {
    const attribute = attributes.shape[name];
    if (!attribute) {
      here.error(
        `expected an attribute of ${entity} (${names.join(', ')}), got "${name}".${didYouMean(name, names)} Correct it, or add the attribute.`,
      );
      continue;
    }
    const parsed = attribute.safeParse(value);
    if (parsed.success) continue;
    const message = parsed.error.issues[0]?.message ?? 'refused';
    here.error(`${entity}.${name} can never be "${value}": ${message}. Correct the value, or allow it there.`);
  }
}

function lintOwner({ entities }: MasterSchema, { name, key, ownedBy }: EntityDefinition, here: Place): void {
  if (ownedBy === undefined) return;
  const owner = entities.find((entity) => entity.name === ownedBy);
  if (!owner) {
    const names = entities.map((entity) => entity.name);
    here.error(`expected an entity, got "${ownedBy}".${didYouMean(ownedBy, names)} Correct it, or add the entity.`);
    return;
  }
  const prefix = owner.key.every((part, i) => key[i] === part);
  if (prefix && key.length > owner.key.length) return;
  here.error(
    `expected the key of ${name} to begin with that of its owner ${ownedBy} (${owner.key.join(', ')}) and to go on, got ${key.join(', ')}. Put the owner's key first, or remove ownedBy.`,
  );
}
