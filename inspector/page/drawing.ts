/** A laid-out chart as SVG. What changes while an actor moves are classes only. */
import { svg } from './element.ts';
import {
  type Box,
  detailLines,
  type Layout,
  LINE_HEIGHT,
  PADDING,
  type PlacedArrow,
  type PlacedState,
} from './layout.ts';
import type { Tone } from './wording.ts';

export interface Lit {
  /** Paths of the states in which the actor is. */
  readonly active: ReadonlySet<string>;
  /** Paths of the states in which it was. */
  readonly visited: ReadonlySet<string>;
  /** The arrow it took last. */
  readonly taken: string | undefined;
  /** How the actor fares: the colour of the state in which it is. */
  readonly tone: Tone;
}

export interface Drawing {
  readonly root: SVGSVGElement;
  readonly width: number;
  readonly height: number;
  light(lit: Lit): void;
  boxOf(path: string): Box | undefined;
}

const CORNER = 6;

export function drawChart(layout: Layout): Drawing {
  const states = new Map(layout.states.map((placed) => [placed.state.path, drawState(placed)]));
  const arrows = new Map(layout.arrows.map((placed) => [placed.arrow.id, drawArrow(placed)]));
  const root = svg(
    'svg',
    { class: 'statechart', role: 'img', 'aria-label': 'Statechart' },
    svg('defs', {}, ...['arrowhead', 'arrowhead-taken'].map(arrowhead)),
    svg('g', {}, ...states.values()),
    svg('g', {}, ...layout.starts.map(drawStart), ...[...arrows.values()].map(({ line }) => line)),
    svg('g', {}, ...[...arrows.values()].flatMap(({ label }) => (label ? [label] : []))),
  );
  const boxes = new Map(layout.states.map(({ state, ...box }) => [state.path, box]));
  return {
    root,
    width: layout.width,
    height: layout.height,
    light({ active, visited, taken, tone }) {
      root.dataset['tone'] = tone;
      for (const [path, group] of states) {
        group.classList.toggle('active', active.has(path));
        group.classList.toggle('visited', visited.has(path));
      }
      for (const [id, { line, label }] of arrows) {
        line.classList.toggle('taken', id === taken);
        line.setAttribute('marker-end', id === taken ? 'url(#arrowhead-taken)' : 'url(#arrowhead)');
        label?.classList.toggle('taken', id === taken);
      }
    },
    boxOf: (path) => boxes.get(path),
  };
}

function drawState({ state, x, y, width, height }: PlacedState): SVGGElement {
  const group = svg('g', { class: `state ${state.kind}${state.path === '' ? ' root' : ''}`, 'data-path': state.path });
  if (state.notes.length > 0) group.append(svg('title', {}, state.notes.join('\n')));
  if (state.kind === 'history') {
    group.append(
      svg('circle', { cx: x + width / 2, cy: y + height / 2, r: 13 }),
      svg('text', { class: 'name', x: x + width / 2, y: y + height / 2 + 5, 'text-anchor': 'middle' }, 'H'),
    );
    return group;
  }
  group.append(svg('rect', { class: 'body', x, y, width, height, rx: 8 }));
  if (state.kind === 'final') {
    group.append(svg('rect', { class: 'inner', x: x + 3, y: y + 3, width: width - 6, height: height - 6, rx: 5.5 }));
  }
  const centred = state.children.length === 0;
  const textX = centred ? x + width / 2 : x + PADDING.x;
  const anchor = centred ? 'middle' : 'start';
  let baseline = y + PADDING.y + LINE_HEIGHT.state - 5;
  group.append(svg('text', { class: 'name', x: textX, y: baseline, 'text-anchor': anchor }, state.label));
  for (const line of detailLines(state)) {
    baseline += LINE_HEIGHT.detail;
    group.append(svg('text', { class: 'detail', x: textX, y: baseline, 'text-anchor': anchor }, line));
  }
  return group;
}

function drawArrow({ arrow, points, label }: PlacedArrow): { line: SVGPathElement; label: SVGGElement | undefined } {
  const line = svg('path', {
    class: 'arrow',
    d: roundedPath(points),
    'marker-end': 'url(#arrowhead)',
    'data-id': arrow.id,
  });
  if (!label) return { line, label: undefined };
  const lines = arrow.labels.filter((text) => text !== '');
  const group = svg('g', { class: 'label' });
  if (arrow.notes.length > 0) group.append(svg('title', {}, arrow.notes.join('\n')));
  group.append(svg('rect', { x: label.x, y: label.y, width: label.width, height: label.height, rx: 3 }));
  for (const [index, text] of lines.entries()) {
    const y = label.y + (index + 1) * LINE_HEIGHT.label - 3;
    group.append(svg('text', { x: label.x + label.width / 2, y, 'text-anchor': 'middle' }, ...labelSpans(text)));
  }
  return { line, label: group };
}

/** The guard is set apart from the event. */
function labelSpans(text: string): SVGTSpanElement[] {
  const at = text.indexOf('[');
  if (at < 0) return [svg('tspan', {}, text)];
  return [svg('tspan', {}, text.slice(0, at)), svg('tspan', { class: 'guard' }, text.slice(at))];
}

function drawStart({ x, y, width, height, points }: Layout['starts'][number]): SVGGElement {
  return svg(
    'g',
    { class: 'start' },
    svg('circle', { cx: x + width / 2, cy: y + height / 2, r: width / 2 }),
    svg('path', { class: 'arrow', d: roundedPath(points), 'marker-end': 'url(#arrowhead)' }),
  );
}

/** Right angles with rounded corners. */
function roundedPath(points: PlacedArrow['points']): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let path = `M${first.x} ${first.y}`;
  let from = first;
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1];
    if (!next) {
      path += `L${point.x} ${point.y}`;
      break;
    }
    const radius = Math.min(CORNER, distance(from, point) / 2, distance(point, next) / 2);
    const start = towards(point, from, radius);
    const end = towards(point, next, radius);
    path += `L${start.x} ${start.y}Q${point.x} ${point.y} ${end.x} ${end.y}`;
    from = point;
  }
  return path;
}

type Point = PlacedArrow['points'][number];

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function towards(from: Point, to: Point, length: number): Point {
  const whole = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * length) / whole, y: from.y + ((to.y - from.y) * length) / whole };
}

function arrowhead(id: string): SVGMarkerElement {
  return svg(
    'marker',
    {
      id,
      viewBox: '0 0 8 8',
      refX: 7,
      refY: 4,
      markerWidth: 8,
      markerHeight: 8,
      markerUnits: 'userSpaceOnUse',
      orient: 'auto',
    },
    svg('path', { d: 'M0.5 0.5 7.5 4 0.5 7.5Z' }),
  );
}

/** Measures text in the fonts that style.css gives to the drawing. */
export function textMeasure(): (text: string, style: 'state' | 'detail' | 'label') => number {
  const context = document.createElement('canvas').getContext('2d');
  const probe = svg('svg', { class: 'statechart probe' });
  document.body.append(probe);
  const fonts = new Map(
    (['state', 'detail', 'label'] as const).map((style) => {
      const text = svg('text', { class: style === 'state' ? 'name' : 'detail' }, 'x');
      const group = svg('g', { class: style === 'label' ? 'label' : 'state' }, text);
      probe.append(group);
      const { fontWeight, fontSize, fontFamily } = getComputedStyle(text);
      return [style, `${fontWeight} ${fontSize} ${fontFamily}`] as const;
    }),
  );
  probe.remove();
  return (text, style) => {
    if (!context) return text.length * 7;
    context.font = fonts.get(style)!;
    return context.measureText(text).width;
  };
}
