/** Properties of a node as the store keeps them: JSON text with sorted names, so that equal properties are equal texts. */
import type { Properties, PropertyValue } from '../../schemas/define.ts';

/**
 * The stored text after `change` is applied to it: null removes a property, undefined leaves it, a list is replaced.
 * The change must have passed {@link assertStorable}.
 */
export function applyChange(stored: string | undefined, change: Properties): string {
  const merged = new Map<string, unknown>(stored === undefined ? [] : Object.entries(JSON.parse(stored)));
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) continue;
    if (value === null) merged.delete(name);
    else merged.set(name, value);
  }
  const names = [...merged.keys()].sort();
  // fromEntries defines own properties, so a property named __proto__ is data and stays data.
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, merged.get(name)])));
}

/**
 * @throws TypeError naming the property that one of the stores cannot hold: a nested object, NaN, a list with a gap or of
 * several kinds, an empty name or one with NUL.
 */
export function assertStorable(change: Properties): void {
  for (const [name, value] of Object.entries(change)) {
    if (name === '' || name.includes('\u0000')) {
      throw new TypeError(`property ${JSON.stringify(name)}: expected a name that is not empty and has no NUL`);
    }
    if (value === undefined || value === null || isPropertyValue(value)) continue;
    throw new TypeError(
      `property "${name}": expected text, a finite number, a boolean or a flat list of one kind of these`,
    );
  }
}

/** One kind, because Neo4j keeps a list as an array of one type. */
function isPropertyValue(value: unknown): value is PropertyValue {
  if (!Array.isArray(value)) return isScalar(value);
  return Array.from(value).every((each) => isScalar(each) && typeof each === typeof value[0]);
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}
