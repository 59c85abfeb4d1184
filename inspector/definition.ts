/**
 * A statechart's definition as plain JSON: its shape, and nothing that it carries.
 *
 * Only the keys named here are read. What may hold data (context, input, output, params, meta) is left out by not being
 * named, and functions become `{type: name}`. The result is a subset of an XState config, so other viewers read it too.
 */

export interface Named {
  readonly type: string;
}

export interface TransitionDefinition {
  /** As written in the chart: `sibling`, `.child`, `#id` or `#id.child`; absent when no state changes. */
  readonly target?: string | readonly string[];
  readonly guard?: Named;
  readonly actions?: readonly Named[];
  readonly reenter?: boolean;
}

export interface InvokeDefinition {
  readonly src: string;
  readonly id?: string;
  readonly onDone?: readonly TransitionDefinition[];
  readonly onError?: readonly TransitionDefinition[];
}

export interface StateDefinition {
  readonly id?: string;
  readonly type?: string;
  readonly history?: string;
  readonly initial?: string;
  readonly description?: string;
  readonly entry?: readonly Named[];
  readonly exit?: readonly Named[];
  readonly invoke?: readonly InvokeDefinition[];
  readonly on?: Readonly<Record<string, readonly TransitionDefinition[]>>;
  readonly after?: Readonly<Record<string, readonly TransitionDefinition[]>>;
  readonly always?: readonly TransitionDefinition[];
  readonly onDone?: readonly TransitionDefinition[];
  readonly states?: Readonly<Record<string, StateDefinition>>;
}

type Loose = Readonly<Record<string, unknown>>;

/** Describes the config of a machine (`machine.config`), nested states included. */
export function describeState(config: unknown): StateDefinition {
  const state = record(config);
  return {
    ...texts(state, ['id', 'type', 'history', 'initial', 'description']),
    ...some('entry', list(state['entry']).map(named)),
    ...some('exit', list(state['exit']).map(named)),
    ...some('invoke', list(state['invoke']).map(describeInvoke)),
    ...(isRecord(state['on']) && { on: mapRecord(state['on'], transitions) }),
    ...(isRecord(state['after']) && { after: mapRecord(state['after'], transitions) }),
    ...some('always', transitions(state['always'])),
    ...some('onDone', transitions(state['onDone'])),
    ...(isRecord(state['states']) && { states: mapRecord(state['states'], describeState) }),
  };
}

function describeInvoke(config: unknown): InvokeDefinition {
  const invoke = record(config);
  return {
    src: typeof invoke['src'] === 'string' ? invoke['src'] : 'inline',
    ...texts(invoke, ['id']),
    ...some('onDone', transitions(invoke['onDone'])),
    ...some('onError', transitions(invoke['onError'])),
  };
}

function transitions(config: unknown): TransitionDefinition[] {
  return list(config).map((item) => {
    if (typeof item === 'string') return { target: item };
    const transition = record(item);
    const targets = list(transition['target']).filter((target) => typeof target === 'string');
    return {
      ...(targets.length > 0 && { target: targets.length === 1 ? targets[0]! : targets }),
      ...(transition['guard'] !== undefined && { guard: { type: guardName(transition['guard']) } }),
      ...some('actions', list(transition['actions']).map(named)),
      ...(transition['reenter'] === true && { reenter: true }),
    };
  });
}

/** `and([a, not(b)])` reads `a and not b`; XState keeps the parts as `guards` of the function. */
function guardName(guard: unknown): string {
  if (typeof guard === 'function') {
    const parts = list((guard as { guards?: unknown }).guards).map(guardName);
    if (guard.name === 'not' && parts.length === 1) return `not ${parts[0]}`;
    if (parts.length > 0) return parts.join(` ${guard.name} `);
  }
  return named(guard).type;
}

function named(thing: unknown): Named {
  if (typeof thing === 'string') return { type: thing };
  if (typeof thing === 'function') return { type: thing.name || 'inline' };
  const { type } = record(thing);
  return { type: typeof type === 'string' ? type : 'inline' };
}

function list(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
}

function isRecord(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function record(value: unknown): Loose {
  return isRecord(value) ? value : {};
}

function mapRecord<T>(value: Loose, map: (item: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, map(item)]));
}

function texts(value: Loose, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    keys.flatMap((key) => (typeof value[key] === 'string' ? [[key, value[key] as string]] : [])),
  );
}

function some<K extends string, T>(key: K, items: readonly T[]): { readonly [key in K]?: readonly T[] } {
  return (items.length > 0 ? { [key]: items } : {}) as { readonly [key in K]?: readonly T[] };
}
