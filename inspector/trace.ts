/**
 * What an observer of the actors sees, reduced to names, event types and state values.
 *
 * This is the one adapter between XState's inspection events and everything that shows them: the next major version
 * renames those events, and then this file alone changes. A trace never carries context, input, output or the payload
 * of an event. A snapshot is never serialised: that would cost the size of the whole plan for each settled task.
 */
import type { InspectionEvent } from 'xstate';
import { describeState } from './definition.ts';

export type StateValue = string | { readonly [region: string]: StateValue };

export type ActorStatus = 'active' | 'done' | 'error' | 'stopped';

export type TraceEntry =
  /** Precedes the first actor that runs the chart; once for each chart. `definition` is a StateDefinition as JSON. */
  | { readonly kind: 'chart'; readonly chart: string; readonly definition: string }
  /** `src` is the name under which the parent's chart knows the logic; `chart` is absent for promises and callbacks. */
  | {
      readonly kind: 'actor';
      readonly actor: string;
      readonly name: string;
      readonly src?: string;
      readonly parent?: string;
      readonly chart?: string;
    }
  /** `from` is absent when the event came from outside the actors, or from a timer. */
  | { readonly kind: 'event'; readonly actor: string; readonly from?: string; readonly type: string }
  /** A new state value, or the end of the actor; nothing follows an end. */
  | { readonly kind: 'state'; readonly actor: string; readonly status: ActorStatus; readonly value?: StateValue };

/** `seq` counts from 1 without holes; `at` is in milliseconds, by the clock that was given. */
export type Trace = { readonly seq: number; readonly at: number } & TraceEntry;

/** Longer names (they come from documents) are cut. */
const NAME_MAX = 200;

/** What this file reads of an XState actor; `_parent` and `src` are not in its public types. */
interface Ref {
  readonly id: string;
  readonly sessionId: string;
  readonly _parent?: Ref;
  readonly src?: unknown;
  readonly logic?: { readonly config?: unknown };
}

const ENDED = Symbol('ended');

/**
 * Makes an observer for the `inspect` option of `createActor`.
 *
 * @param emit called synchronously, in order, inside XState's own step: it must be cheap and must not throw
 */
export function traceActors(emit: (trace: Trace) => void, now: () => number): (seen: InspectionEvent) => void {
  let seq = 0;
  const put = (entry: TraceEntry) => emit({ seq: ++seq, at: now(), ...entry });
  /** The last value told, or ENDED. Values are compared by identity: XState keeps the object while nothing changed. */
  const told = new WeakMap<Ref, unknown>();
  const ids = new WeakMap<object, string>();
  const definitions = new Map<string, string>();

  /** The chart's id; a second chart of the same id and another definition becomes `id#2`. `provide` keeps the config. */
  const chartOf = (ref: Ref): string | undefined => {
    const config = configOf(ref);
    if (config === undefined) return undefined;
    const known = ids.get(config);
    if (known !== undefined) return known;
    const definition = JSON.stringify(describeState(config));
    const name = 'id' in config && typeof config.id === 'string' ? config.id : 'machine';
    let chart = name;
    for (let n = 2; definitions.has(chart) && definitions.get(chart) !== definition; n++) chart = `${name}#${n}`;
    ids.set(config, chart);
    if (!definitions.has(chart)) {
      definitions.set(chart, definition);
      put({ kind: 'chart', chart, definition });
    }
    return chart;
  };

  const state = (ref: Ref, status: ActorStatus, value: StateValue | undefined) => {
    const before = told.get(ref);
    if (before === ENDED || (status === 'active' && before === value)) return;
    // T1: the first ending is kept; a done actor that its parent drops afterwards stays done.
    told.set(ref, status === 'active' ? value : ENDED);
    put({ kind: 'state', actor: ref.sessionId, status, ...(value !== undefined && { value }) });
  };

  return (seen) => {
    const ref = seen.actorRef as unknown as Ref;
    if (seen.type === '@xstate.event') {
      const from = seen.sourceRef as unknown as Ref | undefined;
      const { type } = seen.event;
      // What a promise tells itself, its parent hears next as done or failed: a third of all events, and no news.
      if (from === ref && configOf(ref) === undefined) return;
      put({ kind: 'event', actor: ref.sessionId, ...(from && { from: from.sessionId }), type: cut(type) });
      // An actor that crashed has no snapshot event of its own to say so.
      if (from && type.startsWith('xstate.error.actor.')) state(from, 'error', undefined);
    } else if (seen.type === '@xstate.snapshot') {
      const { status, value } = seen.snapshot as { status: ActorStatus; value?: StateValue };
      state(ref, status, value);
    } else if (seen.type === '@xstate.actor') {
      const chart = chartOf(ref);
      put({
        kind: 'actor',
        actor: ref.sessionId,
        name: cut(ref.id),
        ...(typeof ref.src === 'string' && { src: cut(ref.src) }),
        ...(ref._parent && { parent: ref._parent.sessionId }),
        ...(chart !== undefined && { chart }),
      });
    }
  };
}

/** The config of a machine; the `config` of promise and callback logic is a function, and no chart. */
function configOf(ref: Ref): object | undefined {
  const config = ref.logic?.config;
  return typeof config === 'object' && config !== null && 'states' in config ? config : undefined;
}

function cut(text: string): string {
  return text.length > NAME_MAX ? `${text.slice(0, NAME_MAX)}…` : text;
}
