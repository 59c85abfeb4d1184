/** The sequence of events between actors: newest at the bottom, filtered, and still while paused. */
import { type EventTrace, recentEvents, type View } from '../view.ts';
import { byId, html, setText } from './element.ts';
import { actorName, clockTime, eventText } from './wording.ts';

/** Rows in the document; older ones are counted, not drawn. */
const ROWS_MAX = 400;

export class EventList {
  readonly #list = byId<HTMLOListElement>('events');
  readonly #count = byId('events-count');
  readonly #pause = byId<HTMLButtonElement>('pause');
  readonly #filter = byId<HTMLInputElement>('event-filter');
  readonly #onlySelected = byId<HTMLInputElement>('only-selected');
  readonly #hideCalls = byId<HTMLInputElement>('hide-calls');
  readonly #onPick: (actor: string) => void;
  #view: View | undefined;
  #selected: string | undefined;
  #paused = false;
  /** The last event that was looked at. */
  #seq = 0;

  constructor(onPick: (actor: string) => void) {
    this.#onPick = onPick;
    this.#pause.addEventListener('click', () => this.togglePause());
    for (const input of [this.#filter, this.#onlySelected, this.#hideCalls]) {
      input.addEventListener('input', () => this.#redraw());
    }
    this.#filter.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.#filter.value = '';
      this.#redraw();
    });
    this.#list.addEventListener('click', (event) => {
      const actor = (event.target as Element).closest('button')?.dataset['actor'];
      if (actor) this.#onPick(actor);
    });
  }

  /** Shows what came since the last call; `fresh` when the view is another one. */
  update(view: View, fresh: boolean): void {
    this.#view = view;
    if (fresh) return this.#redraw();
    if (!this.#paused) this.#append(recentSince(view, this.#seq));
    this.#say();
  }

  select(actor: string): void {
    this.#selected = actor;
    if (this.#onlySelected.checked) this.#redraw();
  }

  togglePause(): void {
    this.#paused = !this.#paused;
    this.#pause.setAttribute('aria-pressed', String(this.#paused));
    setText(this.#pause, this.#paused ? 'Resume' : 'Pause');
    if (this.#view) this.update(this.#view, false);
  }

  #redraw(): void {
    if (!this.#view) return;
    // While paused the list ends where it stood.
    const last = this.#paused ? this.#seq : Number.POSITIVE_INFINITY;
    this.#seq = 0;
    this.#list.replaceChildren();
    this.#append(recentEvents(this.#view).filter((event) => event.seq <= last));
    if (this.#paused) this.#seq = Math.min(last, this.#view.seq);
    this.#say();
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  #append(events: readonly EventTrace[]): void {
    const view = this.#view;
    const last = events.at(-1);
    if (!view || !last) return;
    this.#seq = last.seq;
    const rows = events.filter((event) => this.#shows(event)).slice(-ROWS_MAX);
    if (rows.length === 0) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    const atEnd = scrollTop + clientHeight >= scrollHeight - 40;
    this.#list.append(...rows.map((event) => this.#row(event)));
    for (let extra = this.#list.childElementCount - ROWS_MAX; extra > 0; extra--)
      this.#list.firstElementChild?.remove();
    // Whoever scrolled up is reading.
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }

  #say(): void {
    const view = this.#view;
    if (!view) return;
    if (this.#paused) {
      const waiting = recentSince(view, this.#seq).length;
      return setText(this.#count, waiting > 0 ? `${waiting} new` : 'paused');
    }
    const drawn = this.#list.childElementCount;
    setText(this.#count, drawn === ROWS_MAX ? `latest ${ROWS_MAX} of ${recentEvents(view).length}` : `${drawn}`);
  }

  #shows({ actor, from, type }: EventTrace): boolean {
    const view = this.#view!;
    if (this.#onlySelected.checked && actor !== this.#selected && from !== this.#selected) return false;
    if (this.#hideCalls.checked && (!hasChart(view, actor) || (from !== undefined && !hasChart(view, from))))
      return false;
    const wanted = this.#filter.value.trim().toLowerCase();
    if (wanted === '') return true;
    const text = `${this.#name(from)} ${this.#name(actor)} ${type} ${eventText(type).text}`.toLowerCase();
    return wanted.split(/\s+/).every((word) => text.includes(word));
  }

  #row({ seq, at, actor, from, type }: EventTrace): HTMLLIElement {
    const { text, framework } = eventText(type);
    const to = this.#end(actor);
    const way =
      from === actor
        ? [html('span', { class: 'itself', title: 'to itself' }, '↺'), to]
        : [
            from === undefined ? html('span', { class: 'outside' }, 'outside') : this.#end(from),
            html('span', { class: 'to' }, '→'),
            to,
          ];
    return html(
      'li',
      { 'data-seq': String(seq) },
      html('span', { class: framework ? 'type framework' : 'type', title: type }, text),
      html('time', { datetime: new Date(at).toISOString() }, clockTime(at)),
      html('span', { class: 'way' }, ...way),
    );
  }

  /** One end of an event; an actor with a chart can be picked. */
  #end(actor: string): HTMLElement {
    const name = this.#name(actor);
    const picks = this.#view !== undefined && hasChart(this.#view, actor);
    return picks
      ? html('button', { type: 'button', 'data-actor': actor, title: name, tabindex: '-1' }, name)
      : html('span', { class: 'call', title: name }, name);
  }

  #name(id: string | undefined): string {
    if (id === undefined) return 'outside';
    const actor = this.#view?.actors.get(id);
    return actor ? actorName(actor) : id;
  }
}

function hasChart(view: View, actor: string): boolean {
  return view.actors.get(actor)?.chart !== undefined;
}

/** Walks back from the end: a batch is short, the list is long. */
function recentSince({ events }: View, seq: number): EventTrace[] {
  let at = events.length;
  while (at > 0 && events[at - 1]!.seq > seq) at--;
  return events.slice(at);
}
