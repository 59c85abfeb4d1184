/** The small domain of the stores' tests: entities of two key parts, and a few relationship types. */
import { z } from 'zod';
import { defineSchema } from '../../schemas/define.ts';

const ENTITIES = ['A', 'After', 'B', 'Batch', 'Ghost', 'Huge', 'Item', 'Point', 'WBSNode'];
const TYPES = ['AFTER', 'NEXT', 'PART_OF', 'USES'];

export const contractSchema = defineSchema({
  name: 'contract',
  version: '1.0.0',
  description: 'What the stores are tested with.',
  scope: 'projectId',
  entities: ENTITIES.map((name) => ({
    name,
    description: name,
    key: ['projectId', 'code'],
    attributes: z.strictObject({ code: z.string() }),
    producers: [{ task: 'task-a' }],
    examples: { valid: { code: '1' }, invalid: { attributes: { code: 1 }, at: 'code', why: 'a number' } },
  })),
  relationships: TYPES.map((type) => ({
    type,
    from: '*',
    to: '*',
    cardinality: 'n:m',
    required: false,
    resolution: 'apriori',
    meaning: type,
  })),
  common: { agent: z.strictObject({}), engine: [] },
});

/** The key attributes as properties: every node has them beside its others. */
export function keyProperties([projectId, code]: readonly (string | number)[]): Record<string, string | number> {
  return { ...(projectId !== undefined && { projectId }), ...(code !== undefined && { code }) };
}
