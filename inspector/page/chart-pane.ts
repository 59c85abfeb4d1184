/** The statechart of the selected actor: laid out once for each chart, lit anew with each state. */
import type { ELK } from 'elkjs/lib/elk-api.js';
import type { StateDefinition } from '../definition.ts';
import { type ActorView, leafPaths, statePaths, type View } from '../view.ts';
import { type Chart, readChart } from './chart.ts';
import { type Drawing, drawChart, textMeasure } from './drawing.ts';
import { byId, html, setText } from './element.ts';
import type { LastMoves } from './last-move.ts';
import { layOut } from './layout.ts';
import { Viewport } from './viewport.ts';
import { actorName, duration, elapsedMs, stateText, toneOf } from './wording.ts';

interface Drawn {
  readonly definition: string;
  readonly chart: Chart;
  readonly drawing: Drawing;
}

export class ChartPane {
  readonly viewport: Viewport;
  readonly #canvas = byId('canvas');
  readonly #notice = byId('notice');
  readonly #subject = byId('subject');
  readonly #position = byId('position');
  readonly #times = byId('times');
  readonly #calls = byId('calls');
  /** By definition: a page that is connected again meets the same charts. */
  readonly #drawn = new Map<string, Promise<Drawn>>();
  readonly #moves: LastMoves;
  #view: View | undefined;
  #actor: ActorView | undefined;
  #shown: Drawn | undefined;
  #litState = '';

  constructor(moves: LastMoves) {
    this.#moves = moves;
    this.viewport = new Viewport(this.#canvas);
  }

  async show(view: View, actor: ActorView, now: number): Promise<void> {
    this.#view = view;
    this.#actor = actor;
    this.#litState = '';
    const definition = actor.chart === undefined ? undefined : view.charts.get(actor.chart);
    // Never one actor's words over another's chart.
    if (this.#shown?.definition !== definition) this.#clear('Drawing the chart…');
    this.update(now);
    if (actor.chart === undefined || definition === undefined) return this.#say('This actor has no chart.');
    try {
      const drawing = this.#drawn.get(definition) ?? this.#draw(actor.chart, definition);
      this.#drawn.set(definition, drawing);
      const drawn = await drawing;
      // Meanwhile another actor may have been picked.
      if (this.#actor !== actor) return;
      this.#say('');
      if (this.#shown !== drawn) this.viewport.show(drawn.drawing);
      this.#shown = drawn;
      this.update(now);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      if (this.#actor === actor) this.#clear(`This chart cannot be drawn: ${reason}`);
    }
  }

  #clear(notice: string): void {
    this.#shown = undefined;
    this.viewport.clear();
    this.#say(notice);
  }

  /** Brings words and lights to the actor's state. */
  update(now: number): void {
    const actor = this.#actor;
    if (!actor) return;
    setText(this.#subject, actorName(actor));
    this.#subject.title = actor.name;
    setText(this.#position, stateText(actor));
    this.#position.dataset['tone'] = toneOf(actor);
    this.tick(now);
    this.#paintCalls(actor);
    if (!this.#shown || !actor.value) return;
    const { chart, drawing } = this.#shown;
    const state = JSON.stringify([actor.id, actor.value, actor.status, actor.since]);
    if (state === this.#litState) return;
    this.#litState = state;
    drawing.light({
      active: new Set(statePaths(actor.value)),
      visited: new Set(actor.visited),
      taken: this.#moves.arrowOf(actor.id, chart),
      tone: toneOf(actor),
    });
    this.viewport.follow(drawing.boxOf(leafPaths(actor.value)[0] ?? ''));
  }

  tick(now: number): void {
    const actor = this.#actor;
    if (!actor) return;
    const whole = duration(elapsedMs(actor, now));
    const here = duration(Math.max(0, now - actor.since));
    setText(
      this.#times,
      actor.status !== 'active'
        ? `took ${whole}`
        : actor.movedAt === undefined
          ? `for ${here}`
          : `for ${here}, at work ${whole}`,
    );
  }

  #draw(chart: string, definition: string): Promise<Drawn> {
    const read = readChart(JSON.parse(definition) as StateDefinition, chart);
    return engine().then(async (elk) => {
      const layout = await layOut(elk, read, textMeasure(), this.viewport.size);
      return { definition, chart: read, drawing: drawChart(layout) };
    });
  }

  /** What the actor is calling right now. */
  #paintCalls(actor: ActorView): void {
    const calls = [...(this.#view?.actors.values() ?? [])]
      .filter(({ parent, chart, status }) => parent === actor.id && chart === undefined && status === 'active')
      .map(actorName);
    const text = calls.join('\n');
    if (this.#calls.dataset['text'] === text) return;
    this.#calls.dataset['text'] = text;
    this.#calls.replaceChildren(
      ...(calls.length > 0 ? ['Calling ', ...calls.map((name) => html('code', {}, name))] : []),
    );
  }

  #say(text: string): void {
    setText(this.#notice, text);
    this.#notice.hidden = text === '';
  }
}

let loading: Promise<ELK> | undefined;

/** The layout engine: 1.5 MB, loaded with the first chart. */
function engine(): Promise<ELK> {
  loading ??= new Promise((resolve, reject) => {
    const script = html('script', { src: '/elk.js' });
    script.addEventListener('load', () => resolve(new (window as unknown as { ELK: new () => ELK }).ELK()));
    script.addEventListener('error', () => reject(new Error('the layout engine did not load')));
    document.head.append(script);
  });
  return loading;
}
