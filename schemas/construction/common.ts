import { z } from 'zod';
import type { CommonAttributes } from '../define.ts';
import { flag } from './kinds/attribute.ts';
import { number } from './kinds/number.ts';

/** What every node has beside its own attributes. */
export const common: CommonAttributes = {
  agent: z.strictObject({
    confidence: number('How sure you are of this node, 0 to 1; below 0.6 a person reviews it', '', {
      min: 0,
      max: 1,
    }).default(1),
    assumed: flag('True when no passage supports the node; it then has no evidence').default(false),
  }),
  engine: ['producedBy', 'createdAt', 'updatedAt', 'reviewStatus'],
};
