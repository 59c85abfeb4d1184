/** The list of actors that run a chart, in groups by chart: name, state, time; one of them is selected. */
import type { ActorView, View } from '../view.ts';
import { html, setText } from './element.ts';
import { actorName, duration, elapsedMs, stateText, type Tone, toneOf } from './wording.ts';

interface Row {
  readonly actor: ActorView;
  readonly option: HTMLElement;
  readonly state: HTMLElement;
  readonly time: HTMLElement;
  /** What the search looks in. */
  readonly text: string;
}

interface Group {
  readonly element: HTMLElement;
  readonly tally: HTMLElement;
  readonly rows: Row[];
}

export class ActorList {
  readonly #list: HTMLElement;
  readonly #filter: HTMLInputElement;
  readonly #onSelect: (actor: ActorView) => void;
  readonly #groups = new Map<string, Group>();
  #rows = new Map<string, Row>();
  #selected: string | undefined;

  constructor(list: HTMLElement, filter: HTMLInputElement, onSelect: (actor: ActorView) => void) {
    this.#list = list;
    this.#filter = filter;
    this.#onSelect = onSelect;
    list.addEventListener('keydown', (event) => this.#key(event));
    list.addEventListener('click', (event) => {
      const id = (event.target as Element).closest('[role=option]')?.getAttribute('data-actor');
      if (id) this.select(id);
    });
    filter.addEventListener('input', () => this.#applyFilter());
    filter.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        filter.value = '';
        this.#applyFilter();
      }
      if (event.key === 'Enter' || event.key === 'ArrowDown') {
        event.preventDefault();
        list.focus();
        const shown = this.#shown();
        if (shown[0] && !shown.some((row) => row.actor.id === this.#selected)) this.select(shown[0].actor.id);
      }
    });
  }

  /** Brings the list to the view: new rows, states, the tally of each group. */
  update(view: View, now: number): void {
    if ([...this.#rows].some(([id, row]) => view.actors.get(id) !== row.actor)) this.#clear();
    for (const actor of view.actors.values()) {
      if (actor.chart === undefined) continue;
      this.#paint(this.#rows.get(actor.id) ?? this.#addRow(actor, actor.chart), now);
    }
    for (const { rows, tally, element } of this.#groups.values()) {
      element.hidden = rows.every((row) => row.option.hidden);
      paintTally(tally, rows);
    }
    this.#order();
  }

  /** Brings the times of living actors up to date. */
  tick(now: number): void {
    for (const row of this.#rows.values()) {
      if (row.actor.status === 'active') setText(row.time, duration(elapsedMs(row.actor, now)));
    }
  }

  select(id: string): void {
    const row = this.#rows.get(id);
    if (!row) return;
    const before = this.#selected === undefined ? undefined : this.#rows.get(this.#selected);
    before?.option.setAttribute('aria-selected', 'false');
    this.#selected = id;
    row.option.setAttribute('aria-selected', 'true');
    row.option.scrollIntoView({ block: 'nearest' });
    this.#list.setAttribute('aria-activedescendant', row.option.id);
    this.#onSelect(row.actor);
  }

  /** The one of its kind (orchestrator, server) stands before the many. */
  #order(): void {
    const groups = this.#ordered();
    if (groups.every(({ element }, index) => this.#list.children[index] === element)) return;
    this.#list.replaceChildren(...groups.map(({ element }) => element));
  }

  #ordered(): Group[] {
    const groups = [...this.#groups.values()];
    for (const { element, rows } of groups) element.classList.toggle('single', rows.length === 1);
    return [...groups.filter(({ rows }) => rows.length === 1), ...groups.filter(({ rows }) => rows.length !== 1)];
  }

  #clear(): void {
    this.#groups.clear();
    this.#rows = new Map();
    this.#list.replaceChildren();
  }

  #addRow(actor: ActorView, chart: string): Row {
    const name = actorName(actor);
    const state = html('span', { class: 'state-text' });
    const time = html('span', { class: 'time' });
    const option = html(
      'div',
      {
        role: 'option',
        id: `actor-${actor.id}`,
        'data-actor': actor.id,
        'aria-selected': String(actor.id === this.#selected),
        title: actor.name,
      },
      html('span', { class: 'dot', 'aria-hidden': 'true' }),
      html('span', { class: 'name' }, name),
      time,
      state,
    );
    const row: Row = { actor, option, state, time, text: `${name} ${actor.name}`.toLowerCase() };
    this.#rows.set(actor.id, row);
    const group = this.#groups.get(chart) ?? this.#addGroup(chart);
    group.rows.push(row);
    group.element.append(option);
    option.hidden = !this.#matches(row);
    return row;
  }

  #addGroup(chart: string): Group {
    const tally = html('span', { class: 'tally' });
    const title = html('div', { class: 'group-title', role: 'presentation' }, html('span', {}, chart), tally);
    const element = html('div', { role: 'group', 'aria-label': chart }, title);
    const group = { element, tally, rows: [] };
    this.#groups.set(chart, group);
    this.#list.append(element);
    return group;
  }

  #paint({ actor, option, state, time }: Row, now: number): void {
    const tone = toneOf(actor);
    if (option.dataset['tone'] !== tone) option.dataset['tone'] = tone;
    setText(state, stateText(actor));
    setText(time, duration(elapsedMs(actor, now)));
  }

  #matches({ text }: Row): boolean {
    return text.includes(this.#filter.value.trim().toLowerCase());
  }

  #applyFilter(): void {
    for (const row of this.#rows.values()) row.option.hidden = !this.#matches(row);
    for (const { element, rows } of this.#groups.values()) element.hidden = rows.every((row) => row.option.hidden);
  }

  #shown(): Row[] {
    return this.#ordered().flatMap(({ rows }) => rows.filter((row) => !row.option.hidden));
  }

  #key(event: KeyboardEvent): void {
    const rows = this.#shown();
    const at = rows.findIndex((row) => row.actor.id === this.#selected);
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const row = rows[Math.min(rows.length - 1, Math.max(0, to))];
    if (row) this.select(row.actor.id);
  }
}

const TALLY: readonly (readonly [Tone, string])[] = [
  ['working', 'working'],
  ['waiting', 'waiting'],
  ['good', 'done'],
  ['bad', 'failed'],
  ['quiet', 'ended without work'],
];

/** A dot and a number for each way to fare, without the zeros; in words for those who hover or listen. */
function paintTally(tally: HTMLElement, rows: readonly Row[]): void {
  const counts = TALLY.map(
    ([tone, words]) => [tone, words, rows.filter((row) => row.option.dataset['tone'] === tone).length] as const,
  ).filter(([, , count]) => count > 0);
  const words = counts.map(([, text, count]) => `${count} ${text}`).join(', ');
  if (tally.title === words) return;
  tally.title = words;
  tally.replaceChildren(
    ...counts.map(([tone, text, count]) =>
      html(
        'span',
        { 'data-tone': tone, 'aria-label': `${count} ${text}` },
        html('span', { class: 'dot' }),
        String(count),
      ),
    ),
  );
}
