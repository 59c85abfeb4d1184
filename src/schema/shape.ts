/** The form of a master schema: what a module must export before lint can look at its meaning. */
import { z } from 'zod';
import type { MasterSchema } from '../../schemas/define.ts';
import { cypherRule } from '../../schemas/rule.ts';
import { isZodObject } from './attribute-kind.ts';
import { describeIssues } from './describe-issues.ts';

const text = z.string().min(1);
const zodObject = z.custom<z.ZodObject>(isZodObject, { error: 'expected a Zod 4 object, such as z.strictObject({…})' });
const zodType = z.custom<z.ZodType>(
  (value) => typeof (value as { safeParse?: unknown } | null)?.safeParse === 'function',
  {
    error: 'expected a Zod 4 schema',
  },
);
const where = z.record(z.string(), z.string());
const properties = z.record(z.string(), z.unknown());

const producer = z.strictObject({ task: text, where: where.optional(), min: z.number().optional() });

const entity = z.strictObject({
  name: text,
  description: text,
  key: z.array(text),
  attributes: zodObject,
  refined: zodType.optional(),
  producers: z.array(producer),
  ownedBy: text.optional(),
  examples: z.strictObject({
    valid: properties,
    invalid: z.strictObject({ attributes: properties, at: z.string(), why: text }),
  }),
});

const keyParts = z.record(
  z.string(),
  z.union([z.strictObject({ attribute: text }), z.strictObject({ constant: z.string() })], {
    error: 'expected attribute("…") or constant("…")',
  }),
);

const relationship = z.strictObject({
  type: text,
  from: text,
  to: text,
  fromWhere: where.optional(),
  toWhere: where.optional(),
  cardinality: z.enum(['1:1', 'n:1', '1:n', 'n:m']),
  perSource: z.strictObject({ min: z.number(), max: z.number().optional(), leavesOf: text.optional() }).optional(),
  required: z.boolean(),
  resolution: z.enum(['apriori', 'late', 'producer']),
  link: z
    .union([z.strictObject({ to: keyParts }), z.strictObject({ from: keyParts })], {
      error: 'expected {to: …} or {from: …} with an attribute("…") or constant("…") for each key part',
    })
    .optional(),
  along: z
    .array(z.string().regex(/^[<>]\w+$/, 'expected ">TYPE" or "<TYPE"'))
    .min(1)
    .optional(),
  meaning: text,
});

const pairSource = z.union(
  [z.strictObject({ relationship: text }), z.strictObject({ entity: text, listAttribute: text })],
  {
    error: 'expected {relationship} or {entity, listAttribute}',
  },
);

const scoring = z.strictObject({
  lists: z.array(
    z.strictObject({
      name: text,
      entity: text,
      where: where.optional(),
      key: z.array(text),
      attributes: z.array(text),
    }),
  ),
  pairs: z.array(z.strictObject({ name: text, pairs: pairSource, extractionFrom: pairSource.optional() })),
  owners: z.array(
    z.strictObject({
      entity: text,
      sets: z.array(
        z.strictObject({
          name: text,
          along: z.array(text).min(1),
          where: where.optional(),
          element: z.array(z.strictObject({ attribute: text, compare: z.enum(['norm', 'exact']) })).min(1),
          skipEmpty: z.boolean().optional(),
        }),
      ),
    }),
  ),
});

const qualityRule = z.union([
  cypherRule,
  cypherRule.omit({ cypher: true, also: true }).extend({ check: z.custom((value) => typeof value === 'function') }),
]);

const masterSchema = z.strictObject({
  name: text,
  version: text,
  description: text,
  scope: text,
  entities: z.array(entity).min(1),
  relationships: z.array(relationship),
  common: z.strictObject({ agent: zodObject, engine: z.array(text) }),
  provenance: z
    .strictObject({ entity: text, relationship: text, sourceEntity: text, inSource: text, assumedAttribute: text })
    .optional(),
  rules: z.array(qualityRule).optional(),
  scoring: scoring.optional(),
});

/** What keeps a value from being a master schema, one line for each problem; empty when it is one. */
export function shapeFaults(value: unknown): string[] {
  const result = masterSchema.safeParse(value, { reportInput: true });
  return result.success ? [] : describeIssues(masterSchema, result.error);
}

/** Whether {@link shapeFaults} has nothing to say. */
export function isMasterSchema(value: unknown): value is MasterSchema {
  return shapeFaults(value).length === 0;
}
