/** Judges a node as the engine does: its own attributes and rules, and apart from them the common ones. */

import { construction } from '../../../schemas/construction/index.ts';
import type { EntityDefinition } from '../../../schemas/define.ts';

export interface Fault {
  /** Dotted path, or the unknown attributes' names. */
  readonly at: string;
  readonly message: string;
}

export function entityNamed(name: string): EntityDefinition {
  const found = construction.entities.find((entity) => entity.name === name);
  if (!found) throw new Error(`no entity ${name}`);
  return found;
}

const commonNames = Object.keys(construction.common.agent.shape);

/** What is wrong with the attributes that an agent would submit; empty = accepted. */
export function judgeNode(entity: EntityDefinition, attributes: object): Fault[] {
  const own = Object.fromEntries(Object.entries(attributes).filter(([name]) => !commonNames.includes(name)));
  const shared = Object.fromEntries(Object.entries(attributes).filter(([name]) => commonNames.includes(name)));
  return [[entity.refined ?? entity.attributes, own] as const, [construction.common.agent, shared] as const].flatMap(
    ([schema, value]) => {
      const result = schema.safeParse(value);
      if (result.success) return [];
      return result.error.issues.map((issue) => ({
        at: issue.code === 'unrecognized_keys' ? issue.keys.join(',') : issue.path.join('.'),
        message: issue.message,
      }));
    },
  );
}
