/** Which arrow an actor took last, as far as the traces tell: the state before, the event, the state after. */
import type { Trace } from '../trace.ts';
import { statePaths } from '../view.ts';
import type { Chart } from './chart.ts';

interface Move {
  readonly before: ReadonlySet<string>;
  readonly after: ReadonlySet<string>;
  readonly event: string;
}

export class LastMoves {
  readonly #events = new Map<string, string>();
  readonly #paths = new Map<string, ReadonlySet<string>>();
  readonly #moves = new Map<string, Move>();

  apply(trace: Trace): void {
    if (trace.kind === 'event') this.#events.set(trace.actor, trace.type);
    if (trace.kind !== 'state') return;
    if (trace.value !== undefined) {
      const after = new Set(statePaths(trace.value));
      const before = this.#paths.get(trace.actor);
      if (before) this.#moves.set(trace.actor, { before, after, event: this.#events.get(trace.actor) ?? '' });
      this.#paths.set(trace.actor, after);
    }
    if (trace.status !== 'active') {
      this.#events.delete(trace.actor);
      this.#paths.delete(trace.actor);
    }
  }

  /** Forgets all: after a view that came in one piece, nobody knows how it was reached. */
  clear(): void {
    this.#events.clear();
    this.#paths.clear();
    this.#moves.clear();
  }

  /** The id of the arrow; undefined when the way went over states that no snapshot showed. */
  arrowOf(actor: string, chart: Chart): string | undefined {
    const move = this.#moves.get(actor);
    if (!move) return undefined;
    return chart.arrows.find(
      ({ from, to, events }) =>
        (from === '' || move.before.has(from)) &&
        move.after.has(to) &&
        events.some((descriptor) => matches(descriptor, move.event)),
    )?.id;
  }
}

/** As XState matches: `*`, or a prefix that ends in `.*`. */
function matches(descriptor: string, event: string): boolean {
  if (descriptor === '*' || descriptor === event) return true;
  return descriptor.endsWith('.*') && event.startsWith(descriptor.slice(0, -1));
}
