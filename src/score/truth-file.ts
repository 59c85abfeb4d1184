/**
 * Reads a graph from the JSON of a truth file or of `muster export --format json`:
 * `{projectId, nodes: [{label, props}], relationships: [{type, from: {label, key}, to}], complete?}`.
 */
import { z } from 'zod';
import type { EntityDefinition, MasterSchema, Properties } from '../../schemas/define.ts';
import { MusterError } from '../errors.ts';
import { type GraphNode, type GraphRelationship, type NodeKey, nodeId } from '../ports.ts';
import { describeIssues } from '../schema/describe-issues.ts';
import { didYouMean } from '../schema/finding.ts';
import type { Truth } from './score.ts';

/** Problems named in one error; the rest is counted. */
const LISTED = 20;
/** Longest part of a wrong value that a message repeats. */
const SHOWN = 60;

const name = z.string().min(1);
const end = z.object({ label: name, key: z.record(z.string(), z.unknown()) });
const file = z.object({
  nodes: z.array(z.object({ label: name, props: z.record(z.string(), z.unknown()) })),
  relationships: z.array(z.object({ type: name, from: end, to: end })),
  complete: z
    .record(z.string(), z.array(z.union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))])))
    .optional(),
});

type Given = z.infer<typeof file>;

/**
 * The truth in `json`, read from `source`. Attributes may be left out; none may be unknown or of the wrong kind.
 * @throws MusterError TRUTH_INVALID with the path of each problem.
 */
export function readTruth(json: unknown, schema: MasterSchema, source: string): Truth {
  const parsed = file.safeParse(json, { reportInput: true });
  if (!parsed.success) throw invalid(source, describeIssues(file, parsed.error));
  const scope = (json as Record<string, unknown>)[schema.scope];
  const { nodes, relationships, complete } = parsed.data;
  const reader = new TruthReader(schema, scope);
  const graph = {
    nodes: nodes.flatMap((node, i) => reader.node(node, `nodes[${i}]`) ?? []),
    relationships: relationships.flatMap((edge, i) => reader.relationship(edge, `relationships[${i}]`) ?? []),
  };
  for (const entity of Object.keys(complete ?? {})) reader.entity(entity, `complete.${entity}`);
  if (reader.problems.length > 0) throw invalid(source, reader.problems);
  return { graph, ...(complete && { complete }) };
}

class TruthReader {
  readonly problems: string[] = [];
  readonly #schema: MasterSchema;
  readonly #scope: unknown;
  readonly #common: readonly string[];
  readonly #known = new Set<string>();

  constructor(schema: MasterSchema, scope: unknown) {
    this.#schema = schema;
    this.#scope = scope;
    this.#common = [schema.scope, ...schema.common.engine];
  }

  node({ label, props }: Given['nodes'][number], path: string): GraphNode | undefined {
    const entity = this.entity(label, `${path}.label`);
    if (!entity) return undefined;
    const key = this.#key(entity, props, `${path}.props`);
    for (const [attribute, value] of Object.entries(props)) {
      this.#attribute(entity, attribute, value, `${path}.props.${attribute}`);
    }
    if (!key) return undefined;
    const node = { entity: label, key, properties: { ...props, [this.#schema.scope]: key[0]! } as Properties };
    this.#known.add(nodeId(node));
    return node;
  }

  relationship({ type, from, to }: Given['relationships'][number], path: string): GraphRelationship | undefined {
    const types = [...new Set(this.#schema.relationships.map((one) => one.type))];
    if (!types.includes(type)) {
      this.problems.push(
        `${path}.type: expected a relationship of the schema, got ${show(type)}.${didYouMean(type, types)}`,
      );
    }
    const ends = [this.#end(from, `${path}.from`), this.#end(to, `${path}.to`)] as const;
    return ends[0] && ends[1] && { type, from: ends[0], to: ends[1] };
  }

  entity(label: string, path: string): EntityDefinition | undefined {
    const names = this.#schema.entities.map((entity) => entity.name);
    const found = this.#schema.entities.find((entity) => entity.name === label);
    if (!found) {
      this.problems.push(`${path}: expected an entity of the schema, got ${show(label)}.${didYouMean(label, names)}`);
    }
    return found;
  }

  #end({ label, key: given }: Given['relationships'][number]['from'], path: string): NodeKey | undefined {
    const entity = this.entity(label, `${path}.label`);
    const key = entity && this.#key(entity, given, `${path}.key`);
    if (!key) return undefined;
    const node = { entity: label, key };
    if (!this.#known.has(nodeId(node))) {
      this.problems.push(`${path}: expected a node of the file, got ${nodeId(node).slice(0, SHOWN)}`);
    }
    return node;
  }

  /** The scope may stand at the node or once for the whole file. */
  #key(entity: EntityDefinition, values: Readonly<Record<string, unknown>>, path: string): NodeKey['key'] | undefined {
    const parts = entity.key.map((attribute) => {
      const value = values[attribute] ?? (attribute === this.#schema.scope ? this.#scope : undefined);
      if (typeof value === 'string' || typeof value === 'number') return value;
      this.problems.push(`${path}.${attribute}: expected a part of the key of ${entity.name}, got ${show(value)}`);
      return undefined;
    });
    return parts.every((part) => part !== undefined) ? parts : undefined;
  }

  #attribute(entity: EntityDefinition, attribute: string, value: unknown, path: string): void {
    if (value === null || value === undefined || this.#common.includes(attribute)) return;
    const shape = { ...this.#schema.common.agent.shape, ...entity.attributes.shape } as Record<string, z.ZodType>;
    const type = Object.hasOwn(shape, attribute) ? shape[attribute] : undefined;
    if (!type) {
      this.problems.push(`${path}: unknown attribute of ${entity.name}.${didYouMean(attribute, Object.keys(shape))}`);
      return;
    }
    const result = type.safeParse(value);
    if (!result.success)
      this.problems.push(`${path}: ${result.error.issues[0]?.message ?? 'wrong'}, got ${show(value)}`);
  }
}

function invalid(source: string, problems: readonly string[]): MusterError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const more = problems.length > LISTED ? [`  and ${problems.length - LISTED} more`] : [];
  return new MusterError(
    'TRUTH_INVALID',
    [
      `expected a truth that fits the schema, got ${count} in ${source}:`,
      ...problems.slice(0, LISTED).map((problem) => `  ${problem}`),
      ...more,
    ].join('\n'),
  );
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
