/** Whether a discriminator names attributes that exist and values that they can have. */
import type { EntityDefinition } from '../../schemas/define.ts';
import { didYouMean, error, type SchemaFinding } from './finding.ts';
import { nearest } from './nearest.ts';

export function lintWhere(
  entity: EntityDefinition,
  where: Readonly<Record<string, string>> | undefined,
  at: string,
): SchemaFinding[] {
  const { shape } = entity.attributes;
  return Object.entries(where ?? {}).flatMap(([name, value]) => {
    const type = shape[name];
    if (!type) {
      const close = nearest(name, Object.keys(shape));
      return [
        error(at, `${entity.name} has no attribute "${name}".${didYouMean(close)} Add it or correct the discriminator`),
      ];
    }
    if (type.safeParse(value).success) return [];
    return [
      error(at, `${entity.name}.${name} can never be "${value}"; correct the value or let the attribute allow it`),
    ];
  });
}
