/** A small domain with one of everything: trees, owners, several producers, a fan-out, provenance. */
import { z } from 'zod';
import {
  attribute,
  constant,
  defineSchema,
  type EntityDefinition,
  type MasterSchema,
  type RelationshipDefinition,
} from '../../schemas/define.ts';
import { type Manifest, manifestSchema } from '../../schemas/manifest.ts';

const code = z.string().regex(/^[A-Z]+-\d+$/, 'expected a code such as "A-1"');

export const workshop: MasterSchema = defineSchema({
  name: 'workshop',
  version: '1.0.0',
  description: 'What a workshop builds, from which parts, and how it is inspected.',
  scope: 'orderId',
  entities: [
    {
      name: 'Assembly',
      description: 'Something that is built from parts.',
      key: ['orderId', 'code'],
      attributes: z.strictObject({ code, parentCode: code.optional(), title: z.string() }),
      producers: [{ task: 'design' }],
      examples: {
        valid: { code: 'A-1', title: 'Frame' },
        invalid: { attributes: { code: 'frame', title: 'Frame' }, at: 'code', why: 'A code, not a name.' },
      },
    },
    {
      name: 'Part',
      description: 'Something that is bought or made.',
      key: ['orderId', 'code'],
      attributes: z.strictObject({ code, origin: z.enum(['bought', 'made']), assemblyCode: code.optional() }),
      producers: [
        { task: 'purchasing', where: { origin: 'bought' } },
        { task: 'making', where: { origin: 'made' }, min: 0 },
      ],
      examples: {
        valid: { code: 'P-1', origin: 'made' },
        invalid: { attributes: { code: 'P-1', origin: 'found' }, at: 'origin', why: 'Bought or made.' },
      },
    },
    {
      name: 'Check',
      description: 'The inspection of one assembly.',
      key: ['orderId', 'code'],
      attributes: z.strictObject({ code, tools: z.array(z.string()).optional() }),
      producers: [{ task: 'inspection' }],
      examples: {
        valid: { code: 'A-1', tools: ['gauge'] },
        invalid: { attributes: { code: 1 } as never, at: 'code', why: 'A text.' },
      },
    },
    {
      name: 'Step',
      description: 'One step of a check.',
      key: ['orderId', 'code', 'stepNo'],
      attributes: z.strictObject({ code, stepNo: z.int().min(1), text: z.string() }),
      producers: [{ task: 'inspection' }],
      ownedBy: 'Check',
      examples: {
        valid: { code: 'A-1', stepNo: 1, text: 'Measure the length' },
        invalid: { attributes: { code: 'A-1', stepNo: 0, text: 'Measure' }, at: 'stepNo', why: 'Counted from 1.' },
      },
    },
    {
      name: 'File',
      description: 'A file of the order, registered before the run.',
      key: ['orderId', 'path'],
      attributes: z.strictObject({ path: z.string() }),
      producers: [{ task: '@ingest' }],
      examples: {
        valid: { path: 'documents/order.md' },
        invalid: { attributes: {}, at: 'path', why: 'A file has a path.' },
      },
    },
    {
      name: 'Passage',
      description: 'A passage that supports a node.',
      key: ['orderId', 'sourcePath', 'quoteHash'],
      attributes: z.strictObject({ sourcePath: z.string(), quoteHash: z.string(), confidence: z.number().optional() }),
      producers: [{ task: '@all', min: 0 }],
      examples: {
        valid: { sourcePath: 'documents/order.md', quoteHash: '00ff', confidence: 1 },
        invalid: { attributes: { sourcePath: 'documents/order.md' }, at: 'quoteHash', why: 'Part of the key.' },
      },
    },
  ],
  relationships: [
    relationship('Assembly', 'CHILD_OF', 'Assembly', {
      perSource: { min: 0, max: 1 },
      link: { to: { code: attribute('parentCode') } },
    }),
    relationship('Part', 'FITS', 'Assembly', { cardinality: 'n:m', fromWhere: { origin: 'made' } }),
    relationship('Part', 'ORDERED_FOR', 'Assembly', {
      required: false,
      resolution: 'late',
      link: { to: { code: attribute('assemblyCode') } },
    }),
    relationship('Check', 'OF', 'Assembly', { cardinality: '1:1', link: { to: { code: attribute('code') } } }),
    relationship('Check', 'NEEDS', 'Part', {
      cardinality: 'n:m',
      toWhere: { origin: 'bought' },
      perSource: { min: 1 },
    }),
    relationship('Check', 'HAS_STEP', 'Step', { cardinality: '1:n', link: { from: { code: attribute('code') } } }),
    relationship('*', 'SUPPORTED_BY', 'Passage', { cardinality: 'n:m' }),
    relationship('Passage', 'IN', 'File', {
      resolution: 'apriori',
      link: { to: { path: attribute('sourcePath') } },
    }),
  ],
  common: {
    agent: z.strictObject({ confidence: z.number().default(1), assumed: z.boolean().default(false) }),
    engine: ['producedBy'],
  },
  provenance: {
    entity: 'Passage',
    relationship: 'SUPPORTED_BY',
    sourceEntity: 'File',
    inSource: 'IN',
    assumedAttribute: 'assumed',
  },
});

export const workshopManifest: Manifest = manifestSchema.parse({
  name: 'workshop',
  schema: './workshop.mjs',
  tasks: [
    { id: 'design', title: 'Design', prompt: 'prompts/design.md', creates: ['Assembly'] },
    { id: 'purchasing', title: 'Purchasing', prompt: 'prompts/purchasing.md', creates: ['Part'] },
    { id: 'making', title: 'Making', prompt: 'prompts/making.md', creates: ['Part'] },
    {
      id: 'inspection',
      title: 'Inspection',
      prompt: 'prompts/inspection.md',
      creates: ['Check', 'Step'],
      fanOut: { over: 'Assembly' },
    },
  ],
});

/** A relationship with the commonest values; `overrides` replaces them. */
export function relationship(
  from: string,
  type: string,
  to: string,
  overrides: Partial<RelationshipDefinition> = {},
): RelationshipDefinition {
  return {
    type,
    from,
    to,
    cardinality: 'n:1',
    required: true,
    resolution: 'producer',
    meaning: 'A test.',
    ...overrides,
  };
}

/** The workshop with one entity changed. */
export function withEntity(name: string, change: Partial<EntityDefinition>): MasterSchema {
  return { ...workshop, entities: workshop.entities.map((one) => (one.name === name ? { ...one, ...change } : one)) };
}

/** The workshop with one relationship changed. */
export function withRelationship(from: string, type: string, change: Partial<RelationshipDefinition>): MasterSchema {
  const relationships = workshop.relationships.map((one) =>
    one.from === from && one.type === type ? { ...one, ...change } : one,
  );
  return { ...workshop, relationships };
}

/** The workshop with further relationships. */
export function withMore(...more: readonly RelationshipDefinition[]): MasterSchema {
  return { ...workshop, relationships: [...workshop.relationships, ...more] };
}

/** The manifest with one task changed. */
export function withTask(id: string, change: Partial<Manifest['tasks'][number]>): Manifest {
  return {
    ...workshopManifest,
    tasks: workshopManifest.tasks.map((task) => (task.id === id ? { ...task, ...change } : task)),
  };
}

export { attribute, constant };
