import { z } from 'zod';
import { show } from './expected.ts';

type Strict<Shape extends z.core.$ZodLooseShape> = z.ZodObject<Shape, z.core.$strict>;

/** The attributes of an entity; an attribute that it does not have is refused by name. */
export function attributesOf<Shape extends z.core.$ZodLooseShape>(entity: string, shape: Shape): Strict<Shape> {
  const names = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return `expected an object with the attributes of ${entity}: ${names}`;
      const unknown = issue.keys.map(show).join(', ');
      return `${unknown}: no such attribute of ${entity}; its attributes are ${names}`;
    },
  });
}

/** Says that the node breaks a rule, at the attribute to be corrected. */
export type Refuse<Name extends string> = (attribute: Name, message: string) => void;

/**
 * Adds rules over several attributes at once. They run even when other attributes are wrong, so that an agent hears
 * everything in one answer: `node` then holds only the attributes that are right by themselves, and a refusal of an
 * attribute that is already refused is dropped.
 */
export function withRules<Shape extends z.core.$ZodLooseShape>(
  attributes: Strict<Shape>,
  rules: (node: Partial<z.output<Strict<Shape>>>, refuse: Refuse<keyof Shape & string>) => void,
): Strict<Shape> {
  return attributes.superRefine(
    (value, context) => {
      const refused = new Set(context.issues.map((issue) => issue.path?.[0]));
      const right = Object.entries(value).filter(([name, held]) => held !== undefined && !refused.has(name));
      rules(Object.fromEntries(right) as Partial<z.output<Strict<Shape>>>, (name, message) => {
        if (refused.has(name)) return;
        context.addIssue({ code: 'custom', path: [name], message });
      });
    },
    { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
  );
}
