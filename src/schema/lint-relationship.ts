import type { EntityDefinition, KeyPart, MasterSchema, RelationshipDefinition } from '../../schemas/define.ts';
import { didYouMean, type Place } from './finding.ts';
import { lintWhere } from './lint-entity.ts';

const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
/** An end that stands for every entity. */
const EVERY = '*';

type Where = Readonly<Record<string, string>> | undefined;

/** Everything that can be wrong with one relationship by itself or with its ends. */
export function lintRelationship(schema: MasterSchema, relationship: RelationshipDefinition, here: Place): void {
  const { type, from, to, fromWhere, toWhere } = relationship;
  if (!NAME.test(type)) here.error(`expected a type of letters, digits and _, got "${type}". Rename it.`, '.type');
  const source = end(schema, from, fromWhere, here.below('.from'));
  const target = end(schema, to, toWhere, here.below('.to'));
  if (to === EVERY) here.error('"*" may stand on the from-side only. Name the entity, or turn it around.', '.to');
  lintCardinality(schema, relationship, here);
  if (target && (source || from === EVERY)) lintLink(schema, relationship, source, target, here.below('.link'));
  if (isProvenance(schema, relationship)) return;
  lintDrawable(relationship, source, here);
  lintWait(relationship, target, here);
}

/** The entity of an end; undefined when unknown or `*`. Also says when nobody produces what the end is narrowed to. */
function end(schema: MasterSchema, name: string, where: Where, here: Place): EntityDefinition | undefined {
  if (name === EVERY) return undefined;
  const entity = schema.entities.find((one) => one.name === name);
  if (!entity) {
    const names = schema.entities.map((one) => one.name);
    here.error(`expected an entity, got "${name}".${didYouMean(name, names)} Correct it, or add the entity.`);
    return undefined;
  }
  lintWhere(where, entity, here.below('Where'));
  const fits = entity.producers.some((producer) =>
    Object.entries(where ?? {}).every(([attribute, value]) => (producer.where?.[attribute] ?? value) === value),
  );
  if (!fits && entity.producers.length > 0) {
    const wanted = JSON.stringify(where);
    here.error(
      `no producer of ${name} hands in nodes with ${wanted}, so this end stays without a partner. Correct it, or add a producer with that "where".`,
      'Where',
    );
  }
  return entity;
}

function lintCardinality(
  schema: MasterSchema,
  { type, from, cardinality, perSource, required }: RelationshipDefinition,
  here: Place,
): void {
  if (!perSource) return;
  const { min, max, leavesOf } = perSource;
  const single = cardinality === 'n:1' || cardinality === '1:1';
  for (const [name, value] of Object.entries({ min, max })) {
    if (value !== undefined && (!Number.isInteger(value) || value < 0)) {
      here.error(`expected a whole number from 0, got ${value}.`, `.perSource.${name}`);
    }
  }
  if (max !== undefined && min > max) {
    here.error(`expected min (${min}) not above max (${max}). Swap or correct them.`, '.perSource');
  }
  if (single && Math.max(min, max ?? 0) > 1) {
    here.error(
      `${cardinality} allows one edge for each ${from}, perSource asks for up to ${max ?? min}. Write n:m, or correct perSource.`,
      '.perSource',
    );
  }
  if (!required && min > 0) {
    here.error(
      `the relationship is optional, but perSource.min is ${min}. Write required: true, or min: 0.`,
      '.perSource',
    );
  }
  if (leavesOf === undefined) return;
  const trees = schema.relationships.filter((other) => other.from === from && other.to === from);
  if (trees.some((tree) => tree.type === leavesOf)) return;
  const types = trees.map((tree) => tree.type);
  here.error(
    `expected the type of a relationship from ${from} to ${from}, got "${leavesOf}"${types.length > 0 ? ` (there is ${types.join(', ')})` : ''}. Name the one that makes the tree, or remove leavesOf from ${type}.`,
    '.perSource.leavesOf',
  );
}

/** Every key part of the far end is given, by attributes of the near end that exist. */
function lintLink(
  schema: MasterSchema,
  { from, link }: RelationshipDefinition,
  source: EntityDefinition | undefined,
  target: EntityDefinition,
  here: Place,
): void {
  if (!link) return;
  const forwards = 'to' in link;
  const parts: Readonly<Record<string, KeyPart>> = forwards ? link.to : link.from;
  const far = forwards ? target : source;
  if (!far) {
    here.error(
      `a link that finds the from-end needs one entity there, got "${from}". Write {to: …}, or name the entity.`,
    );
    return;
  }
  const near = forwards ? (source ? [source] : covered(schema)) : [target];
  const key = far.key.filter((part) => part !== schema.scope);
  const missing = key.filter((part) => !(part in parts));
  if (missing.length > 0) {
    here.error(
      `expected all parts of the key of ${far.name} (${key.join(', ')}), ${missing.join(', ')} missing. Say which attribute or constant holds each, or remove the link so that the agent submits the edge.`,
    );
  }
  for (const [name, part] of Object.entries(parts)) {
    if (!key.includes(name)) {
      here.error(
        `"${name}" is no part of the key of ${far.name} (${name === schema.scope ? `"${name}" is implied` : key.join(', ')}).${didYouMean(name, key)} Remove or correct it.`,
      );
    } else if ('constant' in part) {
      lintWhere({ [name]: part.constant }, far, here);
    } else {
      for (const { name: entity, attributes } of near) {
        const names = Object.keys(attributes.shape);
        if (part.attribute in attributes.shape) continue;
        here.error(
          `expected an attribute of ${entity} (${names.join(', ')}), got "${part.attribute}".${didYouMean(part.attribute, names)} Correct it, or add the attribute.`,
        );
      }
    }
  }
}

/** The entities that `*` stands for. */
function covered({ entities, provenance }: MasterSchema): readonly EntityDefinition[] {
  return entities.filter(({ name }) => name !== provenance?.entity && name !== provenance?.sourceEntity);
}

/** A required relationship that neither the engine nor an agent can draw. */
function lintDrawable(
  { from, required, resolution, link }: RelationshipDefinition,
  source: EntityDefinition | undefined,
  here: Place,
): void {
  if (!required || link) return;
  if (resolution === 'late') {
    here.warn(
      'required and resolved late, but without a link: no agent submits it and the engine does not know the other end. Add a link, make it optional, or resolve it by producer.',
    );
  } else if (source?.producers.every(({ task }) => task.startsWith('@'))) {
    here.warn(
      `required, but no agent writes ${from} and there is no link to draw it by. Add a link, or make it optional.`,
    );
  }
}

function isProvenance({ provenance }: MasterSchema, { type, from }: RelationshipDefinition): boolean {
  return type === provenance?.relationship || (type === provenance?.inSource && from === provenance?.entity);
}

/** `producer` means that a task reads what another wrote. */
function lintWait(
  { to, required, resolution }: RelationshipDefinition,
  target: EntityDefinition | undefined,
  here: Place,
): void {
  if (!required || resolution !== 'producer' || !target || target.producers.length === 0) return;
  if (!target.producers.every(({ task }) => task.startsWith('@') && task !== '@all')) return;
  here.warn(
    `no task produces ${to}: the engine registers it before the run, and nothing waits for it. Write "apriori".`,
    '.resolution',
  );
}

/** Two relationships that say the same: declared twice, or once from each side. */
export function lintPairs(schema: MasterSchema, placeOf: (index: number) => Place): void {
  const { relationships } = schema;
  relationships.forEach((one, i) => {
    relationships.slice(i + 1).forEach((other, offset) => {
      const here = placeOf(i + 1 + offset);
      const crossed = one.from === other.to && one.to === other.from && one.from !== one.to;
      if (one.type === other.type && one.from === other.from && one.to === other.to && overlap(one, other)) {
        here.error(
          `declared twice; the first is ${placeOf(i).at}. Remove one, or narrow both with fromWhere or toWhere.`,
        );
      } else if (one.type === other.type && crossed) {
        here.error(
          `declared from both sides: ${one.from} ${one.type} ${one.to} says the same in reverse. Keep the direction in which the required end waits.`,
        );
      } else if (crossed && sameLink(one, other)) {
        here.warn(
          `drawn from the same attributes as ${one.from} ${one.type} ${one.to}, in the other direction. Keep one of them: an edge can be followed both ways.`,
        );
      }
    });
  });
}

function overlap(one: RelationshipDefinition, other: RelationshipDefinition): boolean {
  const meets = (a: Where, b: Where) =>
    Object.entries(a ?? {}).every(([name, value]) => (b?.[name] ?? value) === value);
  return meets(one.fromWhere, other.fromWhere) && meets(one.toWhere, other.toWhere);
}

/** Of two relationships with ends exchanged: whether the same node finds the same other one by the same attributes. */
function sameLink(one: RelationshipDefinition, other: RelationshipDefinition): boolean {
  if (!one.link || !other.link || 'to' in one.link === 'to' in other.link) return false;
  const text = (link: NonNullable<RelationshipDefinition['link']>) =>
    JSON.stringify(Object.entries('to' in link ? link.to : link.from).sort(([a], [b]) => (a < b ? -1 : 1)));
  return text(one.link) === text(other.link);
}
