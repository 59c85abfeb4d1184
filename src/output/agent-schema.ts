/** The texts that tell agents what a schema asks of them; generated, so that prompt and validation cannot disagree. */
import { z } from 'zod';
import type { EntityDefinition, MasterSchema, Properties, RelationshipDefinition } from '../../schemas/define.ts';
import { judgeAttributes } from './check-node.ts';
import { keyText } from './keys.ts';
import { leastOf, whereText } from './links.ts';
import {
  boundKey,
  ownEntities,
  producersOf,
  standsAt,
  submittedRelationships,
  type TaskContext,
} from './task-context.ts';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: JsonSchema;
  readonly description?: string;
  readonly default?: unknown;
}

/** AGENT_SCHEMA.md of one instance: what it owes, in which form, with one good and one bad row each. */
export function renderAgentSchema(context: TaskContext): string {
  const own = ownEntities(context);
  const mine = submittedRelationships(context);
  return `${[
    `# What ${context.instance.id} submits`,
    '',
    `Scope: ${context.schema.scope} is "${context.scope}"; it is filled in for you. Keys are business keys as the documents print them. Do not generate UUIDs: a UUID in a key is refused.`,
    '',
    ...(context.item
      ? [
          `This instance writes about ${context.item.entity} **${keyText(context.item)}** only; its data is in \`item.json\`.`,
          '',
        ]
      : []),
    '## Owed',
    '',
    ...own.map((entity) => `- ${owedLine(context, entity)}`),
    '',
    ...own.flatMap((entity) => renderEntity(context, entity)),
    '## Relationships',
    '',
    ...(mine.length > 0
      ? ['You submit:', '', ...mine.map((definition) => `- ${submittedLine(context.schema, definition)}`), '']
      : ['You submit none.', '']),
    'Muster draws these by itself from the attributes; do not submit them:',
    '',
    ...drawn(context).map((line) => `- ${line}`),
    '',
    ...evidenceRules(context),
    '## What you may read',
    '',
    context.readable.length > 0
      ? `With \`muster_read\`: ${context.readable.join(', ')}.`
      : 'Nothing from the graph: this task works from the documents alone.',
    '',
  ].join('\n')}`;
}

/** The whole schema for people: entities, keys, producers, relationships. */
export function renderMasterSchema(schema: MasterSchema): string {
  return [
    `# Master schema ${schema.name} ${schema.version}`,
    '',
    schema.description,
    '',
    `Every key begins with the scope \`${schema.scope}\`, which comes from the configuration of the run.`,
    '',
    ...schema.entities.flatMap((entity) => [
      `## ${entity.name}`,
      '',
      entity.description,
      '',
      `Key: ${entity.key.map((name) => `\`${name}\``).join(' + ')}. Written by ${entity.producers
        .map(
          ({ task, where, min }) => `${task}${where ? ` (${whereText(where)})` : ''}${min === 0 ? ', optional' : ''}`,
        )
        .join('; ')}.${entity.ownedBy ? ` Owned by ${entity.ownedBy}.` : ''}`,
      '',
      ...attributeTable(entity),
      '',
    ]),
    '## Relationships',
    '',
    '| from | type | to | cardinality | required | resolution | meaning |',
    '|---|---|---|---|---|---|---|',
    ...schema.relationships.map(
      ({ from, type, to, cardinality, required, resolution, meaning, fromWhere, toWhere }) =>
        `| ${from}${fromWhere ? ` (${whereText(fromWhere)})` : ''} | ${type} | ${to}${toWhere ? ` (${whereText(toWhere)})` : ''} | ${cardinality} | ${required ? 'yes' : 'no'} | ${resolution} | ${cell(meaning)} |`,
    ),
    '',
  ].join('\n');
}

function owedLine(context: TaskContext, entity: EntityDefinition): string {
  const [producer] = producersOf(entity, context.instance.task);
  const min = producer?.min ?? 1;
  const where = producer?.where ? ` with ${whereText(producer.where)}` : '';
  const count = min === 0 ? 'as many as the documents have (give a reason if none)' : `at least ${min}`;
  return `**${entity.name}**${where}: ${count}. ${entity.description}`;
}

function renderEntity(context: TaskContext, entity: EntityDefinition): string[] {
  const { valid, invalid } = entity.examples;
  const fixed = { ...boundKey(context, entity), ...producersOf(entity, context.instance.task)[0]?.where };
  return [
    `## ${entity.name}`,
    '',
    `Key: ${
      entity.key
        .slice(1)
        .map((name) => `\`${name}\``)
        .join(' + ') || 'the scope alone: there is one'
    }.${Object.keys(fixed).length > 0 ? ` Here always ${whereText(fixed)}.` : ''}`,
    '',
    ...attributeTable(entity),
    '',
    exampleLine(context, entity, { ...valid, ...fixed }),
    '',
    `Refused at \`${invalid.at}\`: \`${JSON.stringify({ [invalid.at]: invalid.attributes[invalid.at] ?? null })}\`. ${invalid.why}`,
    '',
  ];
}

/** The example with what is fixed for this instance put in; when that is no row of this task, only its form is shown. */
function exampleLine(context: TaskContext, entity: EntityDefinition, attributes: Properties): string {
  const text = JSON.stringify({ entity: entity.name, attributes, ...exampleEvidence(context) });
  const fits = judgeAttributes(context.schema, entity, attributes).success;
  return fits ? `Good: \`${text}\`` : `The form, with values of another task (not all fit yours): \`${text}\``;
}

/** So that a row in the form of the example is accepted. */
function exampleEvidence({ schema, sources }: TaskContext): object {
  if (!schema.provenance) return {};
  const source = sources[0] ?? 'documents/…';
  return { evidence: [{ source, locator: 'p1 cl 1', quote: '<the words of the document>' }] };
}

function attributeTable(entity: EntityDefinition): string[] {
  const { properties = {}, required = [] } = jsonSchema(entity.attributes);
  return [
    '| attribute | type | required | what it is |',
    '|---|---|---|---|',
    ...Object.entries(properties).map(
      ([name, property]) =>
        `| ${name} | ${cell(typeText(property))} | ${required.includes(name) ? 'yes' : 'no'} | ${cell(property.description ?? '')} |`,
    ),
  ];
}

function drawn(context: TaskContext): string[] {
  const own = ownEntities(context);
  const { provenance, relationships } = context.schema;
  const isOwn = (end: string) => own.some(({ name }) => standsAt(context.schema, end, name));
  const lines = relationships
    .filter(({ link, from, to, type }) => link && type !== provenance?.inSource && isOwn('to' in link ? from : to))
    .map((definition) => {
      const { from, type, to, link, resolution } = definition;
      const parts = Object.values('to' in link! ? link.to : link!.from);
      const names = parts.flatMap((part) => ('attribute' in part ? [part.attribute] : []));
      const how = names.length > 0 ? ` from \`${names.join('`, `')}\`` : '';
      const when = resolution === 'late' ? ', after the run' : '';
      // Where a row leads to by its own attributes its table says; how many must lead to it is said here only.
      const min = 'from' in link! && isOwn(from) ? leastOf(definition) : 0;
      const least = min > 0 ? `; at least ${min} for each ${from}` : '';
      return { text: `${type} ${to}${how}${when}${least}`, from };
    });
  const byText = new Map<string, string[]>();
  for (const { text, from } of lines) byText.set(text, [...(byText.get(text) ?? []), from]);
  return [...byText].map(([text, froms]) => `${froms.join(', ')} ${text}`);
}

function evidenceRules({ schema, sources }: TaskContext): string[] {
  const { provenance } = schema;
  if (!provenance) return [];
  return [
    '## Evidence',
    '',
    `Every row carries \`evidence\`: a list of \`{source, locator, quote, attribute?, confidence?}\`. \`source\` is the path of a document as listed below, \`locator\` a place in it ("p3 cl 4.2", "p2 Table 3.1", "L120-L126"), \`quote\` a verbatim passage of 3-500 characters, \`attribute\` the one attribute it supports (leave it out for the whole row). Each quote is compared with the document: what does not stand there, or not at the place named, is refused. A row that no passage supports has \`${provenance.assumedAttribute}: true\` in its attributes and no evidence.`,
    '',
    ...sources.map((source) => `- ${source}`),
    '',
  ];
}

function submittedLine(schema: MasterSchema, definition: RelationshipDefinition): string {
  const { from, type, to, toWhere, meaning, perSource, cardinality } = definition;
  const key = (name: string) => {
    const parts = schema.entities.find((entity) => entity.name === name)?.key.slice(1) ?? [];
    return `{entity: "${name}", key: {${parts.map((part) => `${part}: …`).join(', ')}}}`;
  };
  const min = leastOf(definition);
  const leaf = perSource?.leavesOf ? ' without others below it' : '';
  const least = min > 0 ? `; at least ${min} for each ${from}${leaf}` : '';
  const which = toWhere ? `; only ${to} with ${whereText(toWhere)}` : '';
  return `\`{type: "${type}", from: ${key(from)}, to: ${key(to)}}\` (${cardinality}${least}${which}). ${meaning}`;
}

function jsonSchema(of: z.ZodType): JsonSchema {
  return z.toJSONSchema(of, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

function typeText({ type, enum: values, const: only, items }: JsonSchema): string {
  if (only !== undefined) return JSON.stringify(only);
  if (values) return values.map((value) => String(value)).join(' \\| ');
  if (type === 'array') return `list of ${items ? typeText(items) : 'anything'}`;
  return Array.isArray(type) ? type.join(' or ') : String(type ?? 'any');
}

function cell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/(?<!\\)\|/g, '\\|');
}
