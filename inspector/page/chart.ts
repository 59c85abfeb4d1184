/** A chart's definition as a drawing needs it: a flat list of states and the arrows between them. */
import type { Named, StateDefinition, TransitionDefinition } from '../definition.ts';

export type StateKind = 'atomic' | 'compound' | 'parallel' | 'final' | 'history';

export interface ChartState {
  /** `attempting.working`; the root is `''`. */
  readonly path: string;
  readonly label: string;
  readonly kind: StateKind;
  readonly parent: string | undefined;
  /** Path of the child in which it starts. */
  readonly initial: string | undefined;
  readonly children: readonly string[];
  /** What it calls while it is active. */
  readonly invokes: readonly string[];
  /** Events that it takes without leaving. */
  readonly internal: readonly string[];
  /** Entry and exit actions and the description, a line each. */
  readonly notes: readonly string[];
}

export interface ChartArrow {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** A line for each event (or condition) that takes this way. */
  readonly labels: readonly string[];
  /** The descriptors of the events, as in the definition; '' for an `always`. */
  readonly events: readonly string[];
  readonly notes: readonly string[];
}

export interface Chart {
  /** Parents before their children; the first is the root. */
  readonly states: readonly ChartState[];
  readonly arrows: readonly ChartArrow[];
}

interface Trigger {
  readonly event: string;
  readonly text: string;
  readonly transition: TransitionDefinition;
}

interface Place {
  readonly path: string;
  readonly parent: string | undefined;
  readonly definition: StateDefinition;
}

export function readChart(root: StateDefinition, name: string): Chart {
  const places: Place[] = [];
  const walk = (path: string, parent: string | undefined, definition: StateDefinition) => {
    places.push({ path, parent, definition });
    for (const [key, child] of Object.entries(definition.states ?? {})) walk(join(path, key), path, child);
  };
  walk('', undefined, root);
  const paths = new Set(places.map((place) => place.path));
  const ids = new Map(places.flatMap(({ path, definition }) => (definition.id ? [[definition.id, path]] : [])));

  const arrows = new Map<string, { from: string; to: string; labels: string[]; events: string[]; notes: string[] }>();
  const states = places.map((place): ChartState => {
    const { path, parent, definition } = place;
    const internal: string[] = [];
    const ignored: string[] = [];
    for (const { event, text, transition } of triggers(definition)) {
      const note = actionNote(text, transition.actions);
      const targets = [transition.target ?? []].flat();
      if (targets.length === 0) {
        // Without actions it only forbids that a parent takes the event.
        (transition.actions ? internal : ignored).push(event || 'always');
      }
      for (const target of targets) {
        const to = resolve(target, place, paths, ids);
        if (to === undefined) {
          internal.push(`${text} → ${target}`);
          continue;
        }
        const id = `${path}→${to}`;
        const arrow = arrows.get(id) ?? { from: path, to, labels: [], events: [], notes: [] };
        arrow.labels.push(text);
        arrow.events.push(event);
        if (note) arrow.notes.push(note);
        arrows.set(id, arrow);
      }
    }
    const children = Object.keys(definition.states ?? {}).map((key) => join(path, key));
    const initial = definition.initial === undefined ? undefined : join(path, definition.initial);
    return {
      path,
      label: path === '' ? name : path.slice(path.lastIndexOf('.') + 1),
      kind: kindOf(definition),
      parent,
      initial: initial !== undefined && paths.has(initial) ? initial : undefined,
      children,
      invokes: (definition.invoke ?? []).map((invoke) => invoke.src),
      internal: [...new Set(internal.map(eventLabel))],
      notes: [
        ...(definition.description ? [definition.description] : []),
        ...actionNotes('on entry', definition.entry),
        ...actionNotes('on exit', definition.exit),
        ...(ignored.length > 0 ? [`ignores ${ignored.join(', ')}`] : []),
      ],
    };
  });
  return { states, arrows: [...arrows].map(([id, arrow]) => ({ id, ...arrow })) };
}

/** Everything that can move a state on, in the order in which XState asks. */
function* triggers(state: StateDefinition): Generator<Trigger> {
  const each = function* (event: string, text: string, transitions: readonly TransitionDefinition[] = []) {
    for (const [index, transition] of transitions.entries()) {
      const last = index > 0 && index === transitions.length - 1;
      const when = transition.guard ? ` [${transition.guard.type}]` : last ? ' [else]' : '';
      yield { event, text: `${text}${when}`.trim(), transition };
    }
  };
  yield* each('', state.always?.length === 1 && !state.always[0]?.guard ? 'always' : '', state.always);
  for (const [event, transitions] of Object.entries(state.on ?? {})) yield* each(event, event, transitions);
  for (const [delay, transitions] of Object.entries(state.after ?? {})) {
    yield* each(`xstate.after.${delay}.*`, `after ${delayText(delay)}`, transitions);
  }
  for (const { src, id, onDone, onError } of state.invoke ?? []) {
    yield* each(`xstate.done.actor.${id ?? '*'}`, `${src} done`, onDone);
    yield* each(`xstate.error.actor.${id ?? '*'}`, `${src} failed`, onError);
  }
  yield* each('xstate.done.state.*', 'done', state.onDone);
}

/** As XState resolves a target: `.child`, `#id`, `#id.child`, or a sibling and what is in it. */
function resolve(
  target: string,
  { path, parent }: Place,
  paths: ReadonlySet<string>,
  ids: ReadonlyMap<string, string>,
): string | undefined {
  let found: string;
  if (target.startsWith('.')) {
    found = join(path, target.slice(1));
  } else if (target.startsWith('#')) {
    const whole = target.slice(1);
    const dot = whole.indexOf('.');
    // An id may hold dots itself: the whole text is tried first.
    const base = ids.get(whole) ?? (dot < 0 ? undefined : ids.get(whole.slice(0, dot)));
    if (base === undefined) return undefined;
    found = ids.has(whole) ? base : join(base, whole.slice(dot + 1));
  } else {
    found = join(parent ?? '', target);
  }
  return paths.has(found) ? found : undefined;
}

function kindOf(state: StateDefinition): StateKind {
  if (state.type === 'final' || state.type === 'parallel' || state.type === 'history') return state.type;
  return Object.keys(state.states ?? {}).length > 0 ? 'compound' : 'atomic';
}

/** An event that stays inside, without the condition: `after abortGrace`, `server.ended`. */
function eventLabel(event: string): string {
  const after = /^xstate\.after\.(.*)\.\*$/.exec(event);
  return after ? `after ${delayText(after[1]!)}` : event;
}

function delayText(delay: string): string {
  const ms = Number(delay);
  if (!Number.isFinite(ms)) return delay;
  return ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`;
}

function actionNote(text: string, actions: readonly Named[] | undefined): string | undefined {
  return actions && `${text || 'always'} / ${actions.map((action) => action.type).join(', ')}`;
}

function actionNotes(when: string, actions: readonly Named[] | undefined): string[] {
  return actions ? [`${when}: ${actions.map((action) => action.type).join(', ')}`] : [];
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
