/** A seed in words: what went wrong in it, what muster wrote last, what did not hold, and how to see it again. */
import type { SeedEnd } from './seed.ts';

const LINES = 15;
const WIDTH = 220;

export function replayOf(end: SeedEnd): string {
  const { seed, violation, shape, ownServer, hopeless, injected, journal } = end;
  return [
    `seed ${seed} breaks ${violation?.invariant}: ${violation?.message}`,
    `  world: ${shape.items.length} items, gating ${shape.gating}, concurrency ${shape.concurrency}, hold ${shape.hold}, ${ownServer ? 'a server of its own' : 'a server that runs'}${hopeless === undefined ? '' : `, nothing from ${hopeless}`}`,
    '  what went wrong, in order:',
    ...injected.map(({ atMs, kind, detail }) => `    ${(atMs / 1000).toFixed(3).padStart(10)} s  ${kind}: ${detail}`),
    '  last lines of the journal:',
    ...journal.slice(-LINES).map((line) => `    ${line.slice(0, WIDTH)}`),
    `  again: npm run simulate -- --seeds 1 --seed ${seed}   (everything: --trace)`,
  ].join('\n');
}

/** Everything that the seed did: equal runs are equal texts. */
export function traceOf(end: SeedEnd): string {
  const { injected, journal, outcome, processes, steps, virtualMs, graph } = end;
  return [
    ...injected.map(({ atMs, kind, detail }) => `${atMs} ${kind} ${detail}`),
    ...journal,
    `outcome ${outcome}, ${processes} processes, ${steps} steps, ${virtualMs} ms`,
    graph,
    end.violation ? replayOf(end) : 'no violation',
    '',
  ].join('\n');
}
