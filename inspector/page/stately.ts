/**
 * Hands the traces to the Stately inspector in a window of the person's own browser.
 *
 * Owns: the window it opened and what is posted to it. Invariants:
 * - Nothing leaves before a person presses the button.
 * - Posts to one origin only, so a window that moved elsewhere gets nothing; listens to that window of that origin only.
 * - Carries names, event types and state values; context is always empty.
 *
 * The objects are those of @statelyai/inspect, whose own browser adapter posts to any origin. They are typed against
 * the package: when its protocol changes, this file no longer compiles.
 */
import type {
  StatelyActorEvent,
  StatelyEventEvent,
  StatelyInspectionEvent,
  StatelySnapshotEvent,
} from '@statelyai/inspect';
import type { Trace } from '../trace.ts';
import { recentEvents, type View } from '../view.ts';

/** Version of @statelyai/inspect whose protocol this is. */
const PROTOCOL = '0.7.2';
/** The receiving page says hello when it has loaded; after this long it will not. */
const ANSWER_MS = 5_000;

export interface StatelyBridge {
  readonly origin: string;
  /** Everything so far. */
  replay(): View;
  /** Tells what the person should know. */
  say(text: string): void;
}

export class Stately {
  readonly #bridge: StatelyBridge;
  #popup: Window | null = null;
  #connected = false;
  #rootId: string | undefined;
  #charts: ReadonlyMap<string, string> = new Map();

  constructor(bridge: StatelyBridge) {
    this.#bridge = bridge;
    // A window that was reloaded says hello again, and gets everything again.
    window.addEventListener('message', (message: MessageEvent<unknown>) => {
      if (message.origin !== bridge.origin || message.source !== this.#popup || this.#popup === null) return;
      if ((message.data as { type?: unknown } | null)?.type === '@statelyai.connected') this.#replay();
    });
  }

  /** Call it from a click only: it opens a window. */
  open(): void {
    const { origin, say } = this.#bridge;
    this.#connected = false;
    this.#popup = window.open(`${origin}/inspect`, 'muster-stately');
    if (!this.#popup) return say('The browser blocked the window; allow pop-ups for this page.');
    say(`Waiting for ${new URL(origin).host}…`);
    setTimeout(() => {
      if (!this.#connected) say(`No answer from ${new URL(origin).host} after 5 s.`);
    }, ANSWER_MS);
  }

  /** Follows: every trace after the view that was replayed. */
  send(traces: readonly Trace[]): void {
    if (!this.#connected) return;
    if (this.#popup?.closed) {
      this.#connected = false;
      return this.#bridge.say('');
    }
    for (const trace of traces) this.#post(trace);
  }

  /** The view was replaced: what came in between is in it, and nowhere else. */
  again(): void {
    if (this.#connected) this.#replay();
  }

  #replay(): void {
    const view = this.#bridge.replay();
    const actors = [...view.actors.values()];
    this.#charts = view.charts;
    this.#rootId = actors.find((actor) => actor.parent === undefined)?.id;
    this.#connected = true;
    this.#bridge.say('Connected to the Stately inspector.');
    const past = { seq: view.seq };
    for (const { id, name, parent, chart, startedAt } of actors) {
      this.#post({
        ...past,
        at: startedAt,
        kind: 'actor',
        actor: id,
        name,
        ...opt('parent', parent),
        ...opt('chart', chart),
      });
    }
    for (const event of recentEvents(view)) this.#post(event);
    for (const { id, status, value, since } of actors) {
      this.#post({ ...past, at: since, kind: 'state', actor: id, status, ...(value !== undefined && { value }) });
    }
  }

  #post(trace: Trace): void {
    const event = this.#translate(trace);
    if (event) this.#popup?.postMessage(event, this.#bridge.origin);
  }

  #translate(trace: Trace): StatelyInspectionEvent | undefined {
    if (trace.kind === 'chart') return undefined;
    const base = {
      _version: PROTOCOL,
      id: String(trace.seq),
      createdAt: String(trace.at),
      rootId: this.#rootId,
      sessionId: trace.actor,
    };
    switch (trace.kind) {
      case 'actor': {
        this.#rootId ??= trace.actor;
        const definition = trace.chart === undefined ? undefined : this.#charts.get(trace.chart);
        return {
          ...base,
          type: '@xstate.actor',
          name: trace.name,
          parentId: trace.parent,
          definition: definition ?? JSON.stringify({ id: trace.name }),
          snapshot: { status: 'active' },
        } satisfies StatelyActorEvent;
      }
      case 'event':
        return {
          ...base,
          type: '@xstate.event',
          rootId: this.#rootId ?? trace.actor,
          sourceId: trace.from,
          event: { type: trace.type },
        } satisfies StatelyEventEvent;
      case 'state':
        return {
          ...base,
          type: '@xstate.snapshot',
          rootId: this.#rootId ?? trace.actor,
          event: { type: '' },
          snapshot: snapshotOf(trace),
        } satisfies StatelySnapshotEvent;
    }
  }
}

function snapshotOf({ status, value }: Extract<Trace, { kind: 'state' }>): StatelySnapshotEvent['snapshot'] {
  const shown = { status, value, context: {}, output: undefined, error: undefined };
  return shown as StatelySnapshotEvent['snapshot'];
}

function opt<K extends string>(key: K, value: string | undefined): { readonly [key in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: string };
}
