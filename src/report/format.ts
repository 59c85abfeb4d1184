/** Numbers and times as people read them. */

/** `850 ms`, `12.4 s`, `3 min 05 s`, `1 h 12 min`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return '';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(seconds / 3_600)} h ${String(Math.floor((seconds % 3_600) / 60)).padStart(2, '0')} min`;
}

/** `1,234,567`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Four decimals below one unit, two above: prices of single model calls are small. */
export function money(value: number): string {
  return value === 0 ? '0' : value < 1 ? value.toFixed(4) : value.toFixed(2);
}

/** `2 Party, 1 Project` in descending number. */
export function tally(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([name, n]) => `${n} ${name}`)
    .join(', ');
}
