/** Names that someone may have meant. */

/** At most `count` of `names`, the most similar to `wanted` first; equal ones in order of the alphabet. */
export function nearest(wanted: string, names: readonly string[], count = 5): string[] {
  const pairs = pairsOf(wanted);
  return names
    .map((name) => ({ name, score: similarity(pairs, pairsOf(name)) }))
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => name);
}

/** Share of neighbouring letters that both have (Dice): forgiving about parts left out or in another order. */
function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  if (a.size + b.size === 0) return 0;
  let common = 0;
  for (const pair of a) if (b.has(pair)) common += 1;
  return (2 * common) / (a.size + b.size);
}

function pairsOf(name: string): Set<string> {
  const text = name.toLowerCase();
  return new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, index) => text.slice(index, index + 2)));
}
