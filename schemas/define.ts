/**
 * The vocabulary in which a domain describes what its agents produce.
 *
 * A domain is a value: entities (a Zod object, a business key, who produces them) and relationships (cardinality,
 * resolution, how the engine draws them). The engine derives the plan, the agents' instructions, validation and the
 * graph's constraints from this value alone; it knows no entity by name.
 */
import type { z } from 'zod';
import type { QualityRule } from './rule.ts';
import type { Scoring } from './scoring.ts';

/** A scalar or a flat list of scalars: what both stores can hold as a property. */
export type PropertyValue = string | number | boolean | readonly string[] | readonly number[];
export type Properties = Readonly<Record<string, PropertyValue | null | undefined>>;

/** One task that creates nodes of an entity. */
export interface Producer {
  /** Task id of the manifest, or a name with `@` for the engine itself (`@ingest`, `@all`). */
  readonly task: string;
  /** Which nodes are this task's when an entity has several producers: attribute → the value that is theirs. */
  readonly where?: Readonly<Record<string, string>>;
  /**
   * How many nodes the task must hand in before it may complete; default 1. With 0 the task may complete without any,
   * if it gives a reason: silence is not an answer.
   */
  readonly min?: number;
}

export interface EntityExamples {
  /** Attributes an agent would write (the scope key and engine attributes left out); must pass. */
  readonly valid: Properties;
  /** One that must be refused, with the attribute at fault. */
  readonly invalid: { readonly attributes: Properties; readonly at: string; readonly why: string };
}

export interface EntityDefinition {
  readonly name: string;
  /** One sentence for people and agents. */
  readonly description: string;
  /** Attribute names that identify a node, the scope attribute first. Values are business keys, never UUIDs. */
  readonly key: readonly string[];
  /** All attributes that an agent may write; a `strictObject`, without the scope attribute and common attributes. */
  readonly attributes: z.ZodObject;
  /**
   * The same object with rules that concern several attributes at once (`.superRefine`); default `attributes`.
   * Issues must name the path of the attribute at fault.
   */
  readonly refined?: z.ZodType;
  readonly producers: readonly Producer[];
  /** Entity whose key is a prefix of this one's: the node lives and dies with it. */
  readonly ownedBy?: string;
  readonly examples: EntityExamples;
}

/**
 * How a key is known: `apriori` before the run, `late` from the text and linked after the run, `producer` by reading
 * the nodes another task wrote. Only a required `producer` relationship makes a task wait.
 */
export type Resolution = 'apriori' | 'late' | 'producer';

/** Where a part of the other end's key comes from: an attribute of the node at hand, or a constant. */
export type KeyPart = { readonly attribute: string } | { readonly constant: string };

/**
 * A relationship that the engine draws by itself because a node's attributes hold the key of the other end.
 * `to`: the from-node knows its target; `from`: the to-node knows its source. The scope attribute is implied. If any
 * attribute is absent no edge is drawn; an attribute that holds a list draws one edge for each element.
 */
export type Link =
  | { readonly to: Readonly<Record<string, KeyPart>> }
  | { readonly from: Readonly<Record<string, KeyPart>> };

export interface RelationshipDefinition {
  readonly type: string;
  /** Entity name, or `*` for every entity but the provenance entity, its source entity and the engine's own. */
  readonly from: string;
  readonly to: string;
  /** Narrows an end to the nodes with these attribute values. */
  readonly fromWhere?: Readonly<Record<string, string>>;
  readonly toWhere?: Readonly<Record<string, string>>;
  readonly cardinality: '1:1' | 'n:1' | '1:n' | 'n:m';
  /** Edges that each from-node needs; default `{min: required ? 1 : 0}`, max 1 for `1:1` and `n:1`. */
  readonly perSource?: {
    readonly min: number;
    readonly max?: number;
    /** The minimum binds only nodes that no other node points at by this relationship type (leaves of a tree). */
    readonly leavesOf?: string;
  };
  readonly required: boolean;
  readonly resolution: Resolution;
  /** Present when the engine draws the edge; absent when the agent submits it. */
  readonly link?: Link;
  /**
   * For a late relationship without a key of its own: the path of relationship types that leads from the from-node to
   * the to-node, `>TYPE` along the arrow and `<TYPE` against it. The engine draws an edge to every end of the path.
   */
  readonly along?: readonly string[];
  readonly meaning: string;
}

/** Attributes that every entity has beside its own. */
export interface CommonAttributes {
  /** Written by agents; merged into every entity's object. Each must be optional or have a default. */
  readonly agent: z.ZodObject;
  /** Written by the engine only; a submission that holds one is refused. */
  readonly engine: readonly string[];
}

/** Where the facts that support a node are kept: the engine writes these nodes from the `evidence` of a submission. */
export interface Provenance {
  /** Entity of a passage; key: scope, source, locator, hash of the quote. */
  readonly entity: string;
  /** Relationship from any node to its passages. */
  readonly relationship: string;
  /** Entity of a source file, registered before the run; key: scope and path. */
  readonly sourceEntity: string;
  /** Relationship from a passage to its source file. */
  readonly inSource: string;
  /** Attribute that marks a node as concluded without a passage; excludes evidence. */
  readonly assumedAttribute: string;
}

export interface MasterSchema {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Attribute that is the first part of every key and comes from configuration (`projectId`). */
  readonly scope: string;
  readonly entities: readonly EntityDefinition[];
  readonly relationships: readonly RelationshipDefinition[];
  readonly common: CommonAttributes;
  readonly provenance?: Provenance;
  /** What must hold for the graph; default nothing beyond its form. */
  readonly rules?: readonly QualityRule[];
  /** What of the domain is scored against a truth; default every entity of a task and every relationship agents submit. */
  readonly scoring?: Scoring;
}

/** Types the value of a schema module's default export; returns it as it is. Lint it with `muster doctor`. */
export function defineSchema(schema: MasterSchema): MasterSchema {
  return schema;
}

export function attribute(name: string): KeyPart {
  return { attribute: name };
}

export function constant(value: string): KeyPart {
  return { constant: value };
}
