/**
 * What the traces amount to: charts, actors with their last state, and the latest events.
 *
 * One fold for both ends. The server keeps a view so that whoever joins late gets it whole; the page folds what follows
 * with the same function. Invariant: thaw(freeze(view)) followed by the traces after `view.seq` equals the fold of all.
 *
 * Bounds: every chart and every actor that runs a chart is kept (there are as many as the plan has instances); the
 * latest `eventsMax` events, and as many ended actors without a chart (calls that a chart made), are kept. An event in
 * view never names a forgotten call, because each call brings at least one event of its own.
 */
import type { ActorStatus, StateValue, Trace } from './trace.ts';

export type EventTrace = Extract<Trace, { kind: 'event' }>;

/** One actor as it stands. */
export interface ActorView {
  readonly id: string;
  readonly name: string;
  readonly src?: string;
  readonly parent?: string;
  readonly chart?: string;
  readonly startedAt: number;
  status: ActorStatus;
  value?: StateValue;
  /** When it entered the state in which it is. */
  since: number;
  /** When it first left its initial state; absent before. */
  movedAt?: number;
  endedAt?: number;
  /** Paths (`attempting.working`) of all states it was seen in, in order of the first visit. */
  readonly visited: string[];
}

export interface View {
  /** The last trace that is part of this view; 0 before the first. */
  seq: number;
  readonly eventsMax: number;
  readonly charts: Map<string, string>;
  readonly actors: Map<string, ActorView>;
  /** At most twice `eventsMax`, cut rarely; read it through {@link recentEvents}. */
  events: EventTrace[];
  /** Ended actors without a chart, oldest first. */
  endedCalls: string[];
}

/** A view as JSON. */
export interface FrozenView {
  readonly seq: number;
  readonly eventsMax: number;
  readonly charts: readonly (readonly [chart: string, definition: string])[];
  readonly actors: readonly ActorView[];
  readonly events: readonly EventTrace[];
  readonly endedCalls: readonly string[];
}

/** One message of the feed; a view replaces everything that came before it. */
export type FeedMessage =
  | { readonly kind: 'view'; readonly view: FrozenView }
  | { readonly kind: 'traces'; readonly traces: readonly Trace[] };

export function emptyView(eventsMax: number): View {
  return { seq: 0, eventsMax, charts: new Map(), actors: new Map(), events: [], endedCalls: [] };
}

/** Takes the next trace into the view, in place; amortised constant time. */
export function applyTrace(view: View, trace: Trace): void {
  view.seq = trace.seq;
  switch (trace.kind) {
    case 'chart':
      view.charts.set(trace.chart, trace.definition);
      return;
    case 'actor': {
      const { actor: id, name, src, parent, chart, at } = trace;
      view.actors.set(id, {
        id,
        name,
        ...(src !== undefined && { src }),
        ...(parent !== undefined && { parent }),
        ...(chart !== undefined && { chart }),
        startedAt: at,
        since: at,
        status: 'active',
        visited: [],
      });
      return;
    }
    case 'event':
      view.events.push(trace);
      if (view.events.length >= 2 * view.eventsMax) view.events = recentEvents(view);
      return;
    case 'state': {
      const actor = view.actors.get(trace.actor);
      if (actor) applyState(view, actor, trace);
    }
  }
}

function applyState(view: View, actor: ActorView, trace: Extract<Trace, { kind: 'state' }>): void {
  if (actor.value !== undefined) actor.movedAt ??= trace.at;
  if (trace.value !== undefined) {
    actor.value = trace.value;
    for (const path of statePaths(trace.value)) if (!actor.visited.includes(path)) actor.visited.push(path);
  }
  actor.since = trace.at;
  actor.status = trace.status;
  if (trace.status === 'active') return;
  actor.endedAt = trace.at;
  if (actor.chart !== undefined) return;
  view.endedCalls.push(actor.id);
  if (view.endedCalls.length < 2 * view.eventsMax) return;
  const forgotten = view.endedCalls.splice(0, view.endedCalls.length - view.eventsMax);
  for (const id of forgotten) view.actors.delete(id);
}

/** The latest `eventsMax` events, oldest first. */
export function recentEvents(view: View): EventTrace[] {
  return view.events.slice(-view.eventsMax);
}

export function freezeView(view: View): FrozenView {
  return {
    seq: view.seq,
    eventsMax: view.eventsMax,
    charts: [...view.charts],
    actors: [...view.actors.values()],
    events: recentEvents(view),
    endedCalls: view.endedCalls,
  };
}

/** The frozen view's objects become part of the new view: give it parsed JSON, or a copy. */
export function thawView(frozen: FrozenView): View {
  return {
    seq: frozen.seq,
    eventsMax: frozen.eventsMax,
    charts: new Map(frozen.charts),
    actors: new Map(frozen.actors.map((actor) => [actor.id, actor])),
    events: [...frozen.events],
    endedCalls: [...frozen.endedCalls],
  };
}

/** All states that are active in a value, outermost first: `{a: 'b'}` → `['a', 'a.b']`. */
export function statePaths(value: StateValue, prefix = ''): string[] {
  if (typeof value === 'string') return value === '' ? [] : [prefix + value];
  return Object.entries(value).flatMap(([key, inner]) => [prefix + key, ...statePaths(inner, `${prefix}${key}.`)]);
}

/** The innermost active states: `{a: {b: {}}}` → `['a.b']`; one for each region of a parallel state. */
export function leafPaths(value: StateValue, prefix = ''): string[] {
  if (typeof value === 'string') return value === '' ? [] : [prefix + value];
  return Object.entries(value).flatMap(([key, inner]) => {
    const leaves = leafPaths(inner, `${prefix}${key}.`);
    return leaves.length > 0 ? leaves : [prefix + key];
  });
}
