/** JSON objects, and how one is laid over another. */

export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `over` wins; objects are merged by key, everything else (arrays too) is replaced whole. */
export function mergeDeep(under: JsonObject, over: JsonObject): JsonObject {
  // A Map, and fromEntries: a key named __proto__ stays data.
  const merged = new Map(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    merged.set(key, isJsonObject(below) && isJsonObject(value) ? mergeDeep(below, value) : value);
  }
  return Object.fromEntries(merged);
}
