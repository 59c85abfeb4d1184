/**
 * What a Zod schema says about an attribute, read from its definition, so that a schema built with another copy of
 * Zod 4 is understood as well.
 */
import type { z } from 'zod';

/** The parts of Zod 4's definitions that lint looks at. */
interface Definition {
  readonly type?: string;
  readonly format?: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly checks?: readonly { readonly _zod?: { readonly def?: { readonly format?: string } } }[];
}

/** Formats of texts that a program made up: no person ever used one to name a thing. */
const GENERATED = new Set(['uuid', 'guid', 'cuid', 'cuid2', 'ulid', 'nanoid', 'xid', 'ksuid']);

const SCALARS = new Set(['string', 'number', 'boolean', 'enum', 'literal', 'template_literal']);

function definitionOf(schema: z.ZodType | undefined): Definition {
  return ((schema as { _zod?: { def?: unknown } } | undefined)?._zod?.def ?? {}) as Definition;
}

/** The definition below `optional`, `default`, `readonly`, `pipe` and the like. */
function core(schema: z.ZodType | undefined): Definition {
  const definition = definitionOf(schema);
  const inner = definition.innerType ?? definition.in;
  return inner === undefined ? definition : core(inner);
}

/** Whether the value is a Zod object, of whichever copy of Zod 4. */
export function isZodObject(value: unknown): value is z.ZodObject {
  return definitionOf(value as z.ZodType).type === 'object';
}

/** Whether an attribute that the object does not name is refused, not dropped in silence. */
export function isStrict(object: z.ZodObject): boolean {
  return definitionOf(definitionOf(object).catchall).type === 'never';
}

/** The format by which ids are generated (`uuid`, `ulid`…), when the attribute asks for one. */
export function generatedFormat(schema: z.ZodType): string | undefined {
  const { format, checks = [] } = core(schema);
  return [format, ...checks.map((check) => check._zod?.def?.format)].find((one) => one && GENERATED.has(one));
}

/** Whether a store can hold the attribute: a scalar or a flat list of scalars. */
export function isStorable(schema: z.ZodType): boolean {
  const { type = '', element } = core(schema);
  return SCALARS.has(type) || (type === 'array' && SCALARS.has(core(element).type ?? ''));
}

/** Whether the attribute can be a part of a key: one text or one number. */
export function isKeyPart(schema: z.ZodType): boolean {
  const { type = '' } = core(schema);
  return SCALARS.has(type) && type !== 'boolean';
}

/** Whether `undefined` passes: optional, or with a default. */
export function mayBeAbsent(schema: z.ZodType): boolean {
  return schema.safeParse(undefined).success;
}

/** Field names of the object at a path inside a schema of objects and lists; none where the path leads elsewhere. */
export function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let current: z.ZodType | undefined = schema;
  for (const part of path) {
    const { element, shape } = core(current);
    current = typeof part === 'number' ? element : shape?.[String(part)];
  }
  return Object.keys(core(current).shape ?? {});
}

/** What a store keeps for an attribute; `text` where a list of literals or a union leaves it open. */
export interface StoredKind {
  readonly scalar: 'text' | 'number' | 'boolean';
  readonly isList: boolean;
}

export function storedKind(schema: z.ZodType): StoredKind {
  const { type = '', element } = core(schema);
  const scalar = type === 'array' ? (core(element).type ?? '') : type;
  return { scalar: scalar === 'number' || scalar === 'boolean' ? scalar : 'text', isList: type === 'array' };
}
