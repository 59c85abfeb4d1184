/** Properties of a node as the store keeps them: JSON text with sorted names, so that equal properties are equal texts. */
import type { Properties, PropertyValue } from '../../schemas/define.ts';

/**
 * The stored text after `change` is applied to it: null removes a property, undefined leaves it, a list is replaced.
 * @throws TypeError naming the property whose value neither store can hold (a nested object, NaN, a list with a gap).
 */
export function applyChange(stored: string | undefined, change: Properties): string {
  const merged = new Map<string, unknown>(stored === undefined ? [] : Object.entries(JSON.parse(stored)));
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) continue;
    if (value === null) {
      merged.delete(name);
      continue;
    }
    if (!isPropertyValue(value)) {
      throw new TypeError(`property "${name}": expected text, a finite number, a boolean or a flat list of these`);
    }
    merged.set(name, value);
  }
  const names = [...merged.keys()].sort();
  // fromEntries defines own properties, so a property named __proto__ is data and stays data.
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, merged.get(name)])));
}

function isPropertyValue(value: unknown): value is PropertyValue {
  return Array.isArray(value) ? Array.from(value).every(isScalar) : isScalar(value);
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}
