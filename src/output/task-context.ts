/** What the judgement of one instance's work depends on. Everything here is fixed before its session starts. */
import type { EntityDefinition, MasterSchema, Producer, RelationshipDefinition } from '../../schemas/define.ts';
import type { InstanceRef } from '../../schemas/run-event.ts';
import type { GraphNode } from '../ports.ts';
import type { SourceText } from './source-text.ts';

export interface TaskContext {
  readonly schema: MasterSchema;
  readonly instance: InstanceRef;
  /** Value of the scope attribute for this run (the project id). */
  readonly scope: string;
  /** The node this instance was fanned out for. */
  readonly item?: GraphNode;
  /** Paths of the source files, as evidence names them. */
  readonly sources: readonly string[];
  /**
   * The text of a source file, always the same value for the same path; quotes of a source without one are not verified.
   * Absent = none is.
   */
  readonly sourceText?: (path: string) => SourceText | undefined;
  /** Entities the agent may read: those of the tasks it waits for, and the manifest's `reads`. */
  readonly readable: readonly string[];
}

export function entityOf(schema: MasterSchema, name: string): EntityDefinition | undefined {
  return schema.entities.find((entity) => entity.name === name);
}

/** The producer entries by which `task` creates nodes of `entity`. */
export function producersOf(entity: EntityDefinition, task: string): readonly Producer[] {
  return entity.producers.filter((producer) => producer.task === task);
}

/** Entities that the task hands in. */
export function ownEntities({ schema, instance }: TaskContext): readonly EntityDefinition[] {
  return schema.entities.filter((entity) => producersOf(entity, instance.task).length > 0);
}

export function owns(context: TaskContext, entity: string): boolean {
  return ownEntities(context).some(({ name }) => name === entity);
}

/** Whether nodes of `entity` may stand at an end that a relationship declares; `*` is every entity but the engine's own. */
export function standsAt({ provenance, entities }: MasterSchema, end: string, entity: string): boolean {
  if (end !== '*') return end === entity;
  if (entity === provenance?.entity || entity === provenance?.sourceEntity) return false;
  const producers = entities.find(({ name }) => name === entity)?.producers ?? [];
  return producers.some(({ task }) => !task.startsWith('@'));
}

/** Relationships that start or, when drawn from the other end, stand at nodes of this task. */
export function ownRelationships(context: TaskContext): readonly RelationshipDefinition[] {
  const { provenance, relationships } = context.schema;
  const own = ownEntities(context);
  return relationships.filter(
    ({ type, from }) =>
      type !== provenance?.relationship && own.some(({ name }) => standsAt(context.schema, from, name)),
  );
}

/** Relationships that the agent itself submits: they start at its own nodes and the engine cannot draw them. */
export function submittedRelationships(context: TaskContext): readonly RelationshipDefinition[] {
  return ownRelationships(context).filter(({ link, resolution }) => link === undefined && resolution !== 'late');
}

/**
 * Key attributes that a fan-out instance shares with its item, and the values they must have: an instance writes
 * about its own item only.
 */
export function boundKey(
  { schema, item }: TaskContext,
  entity: EntityDefinition,
): Readonly<Record<string, string | number>> {
  if (!item) return {};
  const names = entityOf(schema, item.entity)?.key.slice(1) ?? [];
  return Object.fromEntries(
    names.flatMap((name, i) => (entity.key.includes(name) ? [[name, item.key[i + 1]!] as const] : [])),
  );
}
