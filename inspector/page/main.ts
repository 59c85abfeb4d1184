/** The page: one view of the run, drawn by three panes, at most once for each frame of the screen. */
import type { View } from '../view.ts';
import { ActorList } from './actor-list.ts';
import { ChartPane } from './chart-pane.ts';
import { type ConnectionState, connect } from './connection.ts';
import { byId, setText } from './element.ts';
import { EventList } from './event-list.ts';
import { LastMoves } from './last-move.ts';
import { Stately } from './stately.ts';
import { duration, elapsedMs, stateText, toneOf } from './wording.ts';

const CONNECTION_TEXT: Record<ConnectionState, string> = {
  connecting: 'connecting…',
  live: 'live',
  lost: 'connection lost, trying again…',
  ended: 'muster has closed this page; it shows the end',
  refused: 'not this run’s page any more',
};

let view: View | undefined;
let selected: string | undefined;
let clockOffsetMs = 0;
let stately: Stately | undefined;
let drawn: View | undefined;
let frameAsked = false;

/** Time stands still once nothing can follow. */
let endedAt: number | undefined;

const now = () => endedAt ?? Date.now() + clockOffsetMs;
const moves = new LastMoves();
const chart = new ChartPane(moves);
const events = new EventList((actor) => actors.select(actor));
const actors = new ActorList(byId('actors'), byId('actor-filter'), (actor) => {
  selected = actor.id;
  history.replaceState(null, '', `#${encodeURIComponent(actor.id)}`);
  events.select(actor.id);
  if (view) void chart.show(view, actor, now());
});

connect(new URLSearchParams(location.search).get('token') ?? '', {
  hello(hello) {
    clockOffsetMs = hello.now - Date.now();
    stately ??= new Stately({
      origin: hello.stately,
      replay: () => view!,
      say: (text) => setText(byId('stately-note'), text),
    });
  },
  view(next) {
    view = next;
    moves.clear();
    stately?.again();
    draw();
  },
  traces(traces) {
    for (const trace of traces) moves.apply(trace);
    stately?.send(traces);
    draw();
  },
  state(state) {
    if (state === 'ended') endedAt = now();
    tick();
    const element = byId('connection');
    element.dataset['state'] = state;
    setText(element, CONNECTION_TEXT[state]);
  },
});

function draw(): void {
  if (frameAsked) return;
  frameAsked = true;
  requestAnimationFrame(() => {
    frameAsked = false;
    if (!view) return;
    const fresh = drawn !== view;
    drawn = view;
    actors.update(view, now());
    events.update(view, fresh);
    if (fresh || selected === undefined) selectFirst(view);
    else chart.update(now());
    summarise(view);
  });
}

/** What was selected, or the actor named by the address, or the first. */
function selectFirst({ actors: all }: View): void {
  const wanted = selected ?? decodeURIComponent(location.hash.slice(1));
  const first = all.get(wanted) ?? [...all.values()].find((actor) => actor.chart !== undefined);
  if (first) actors.select(first.id);
}

function summarise({ actors: all }: View): void {
  const root = [...all.values()].find((actor) => actor.parent === undefined && actor.chart !== undefined);
  const element = byId('summary');
  if (!root) return;
  element.dataset['tone'] = toneOf(root);
  setText(element, `${stateText(root)}, ${duration(elapsedMs({ ...root, movedAt: root.startedAt }, now()))}`);
}

/** Brings the times up to date; everything else changes with the traces alone. */
function tick(): void {
  if (!view) return;
  actors.tick(now());
  chart.tick(now());
  summarise(view);
}
setInterval(tick, 1_000);

byId('stately').addEventListener('click', () => stately?.open());
byId('zoom-in').addEventListener('click', () => chart.viewport.zoomIn());
byId('zoom-out').addEventListener('click', () => chart.viewport.zoomOut());
byId('zoom-fit').addEventListener('click', () => chart.viewport.fit());

const KEYS: Record<string, () => void> = {
  '/': () => byId('actor-filter').focus(),
  p: () => events.togglePause(),
  f: () => chart.viewport.fit(),
  '+': () => chart.viewport.zoomIn(),
  '=': () => chart.viewport.zoomIn(),
  '-': () => chart.viewport.zoomOut(),
};
document.addEventListener('keydown', (event) => {
  const writes = event.target instanceof HTMLInputElement && event.target.type === 'search';
  if (writes || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
byId('actors').focus();
