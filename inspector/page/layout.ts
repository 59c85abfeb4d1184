/**
 * Where each state and arrow of a chart stands: sizes from the text, places from elk's layered layout, once per chart.
 * A new state of an actor only changes classes in the drawing, never the layout.
 */
import type { ELK, ElkExtendedEdge, ElkLabel, ElkNode } from 'elkjs/lib/elk-api.js';
import type { Chart, ChartArrow, ChartState } from './chart.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedState extends Box {
  readonly state: ChartState;
}

export interface PlacedArrow {
  readonly arrow: ChartArrow;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly label: Box | undefined;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly states: readonly PlacedState[];
  readonly arrows: readonly PlacedArrow[];
  /** The dots from which the arrows to initial states start. */
  readonly starts: readonly (Box & { readonly points: PlacedArrow['points'] })[];
}

/** The styles of text in the drawing; style.css and the measuring must agree. */
export type TextStyle = 'state' | 'detail' | 'label';

/** Width of a line of text in pixels. */
export type Measure = (text: string, style: TextStyle) => number;

/** A chart that would be drawn smaller than this is not shown whole: its text could not be read. */
export const SCALE_WHOLE_MIN = 0.75;

export const LINE_HEIGHT = { state: 20, detail: 16, label: 16 } as const;
export const PADDING = { x: 12, y: 9 } as const;

// No `considerModelOrder`: with nested states elk 0.12 throws on it.
const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.layered.thoroughness': '40',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.spacing.nodeNodeBetweenLayers': '18',
  'elk.layered.spacing.edgeNodeBetweenLayers': '10',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  'elk.spacing.nodeNode': '20',
  'elk.spacing.edgeNode': '13',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeLabel': '3',
} as const;

/** A tenth smaller, but elk throws on some charts (seen with parallel states); those are drawn without. */
const COMPACT = { 'elk.layered.compaction.postCompaction.strategy': 'EDGE_LENGTH' } as const;

/** Lays a chart out downwards, or to the right when it is drawn larger that way in a pane of this width and height. */
export async function layOut(
  elk: Pick<ELK, 'layout'>,
  chart: Chart,
  measure: Measure,
  pane: { readonly width: number; readonly height: number },
): Promise<Layout> {
  const scale = ({ width, height }: Layout) => Math.min(pane.width / width, pane.height / height);
  const down = await layOutTo('DOWN', elk, chart, measure);
  if (scale(down) >= SCALE_WHOLE_MIN) return down;
  const right = await layOutTo('RIGHT', elk, chart, measure);
  return scale(right) > scale(down) ? right : down;
}

async function layOutTo(direction: 'DOWN' | 'RIGHT', elk: Pick<ELK, 'layout'>, chart: Chart, measure: Measure) {
  // As an argument the options hold for every level; in the graph they would hold for the outermost alone.
  const options = { ...OPTIONS, 'elk.direction': direction };
  // elk writes into the graph: each try gets its own.
  const compact = elk.layout(graphOf(chart, measure), { layoutOptions: { ...options, ...COMPACT } });
  const graph = await compact.catch(() => elk.layout(graphOf(chart, measure), { layoutOptions: options }));
  return read(chart, graph as ElkNode);
}

function graphOf(chart: Chart, measure: Measure): ElkNode {
  return {
    id: 'page',
    layoutOptions: { 'elk.padding': '[top=16,left=16,bottom=16,right=16]' },
    children: [nodeOf(chart, chart.states[0]!, measure)],
    edges: [
      ...chart.arrows.map((arrow) => edgeOf(arrow, measure)),
      ...chart.states.flatMap(({ path, initial }): ElkExtendedEdge[] =>
        initial === undefined ? [] : [{ id: startId(path), sources: [startId(path)], targets: [nodeId(initial)] }],
      ),
    ],
  };
}

function nodeOf(chart: Chart, state: ChartState, measure: Measure): ElkNode {
  const { width, height } = headSize(state, measure);
  if (state.children.length === 0) return { id: nodeId(state.path), width, height };
  const children = chart.states.filter((child) => child.parent === state.path);
  return {
    id: nodeId(state.path),
    layoutOptions: {
      'elk.padding': `[top=${height + 10},left=18,bottom=18,right=18]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${height + 20})`,
    },
    children: [
      ...(state.initial === undefined ? [] : [{ id: startId(state.path), width: 10, height: 10 }]),
      ...children.map((child) => nodeOf(chart, child, measure)),
    ],
  };
}

/** The lines under a state's name. */
export function detailLines({ invokes, internal }: ChartState): string[] {
  return [...invokes.map((name) => `▸ ${name}`), ...internal.map((text) => `↺ ${text}`)];
}

/** The size of name and details; for a compound state that is what stands above its children. */
function headSize(state: ChartState, measure: Measure): { width: number; height: number } {
  const details = detailLines(state);
  const widest = Math.max(measure(state.label, 'state'), ...details.map((line) => measure(line, 'detail')));
  if (state.kind === 'history') return { width: 30, height: 30 };
  return {
    width: Math.ceil(Math.max(64, widest + 2 * PADDING.x)),
    height: 2 * PADDING.y + LINE_HEIGHT.state + details.length * LINE_HEIGHT.detail,
  };
}

function edgeOf(arrow: ChartArrow, measure: Measure): ElkExtendedEdge {
  const lines = arrow.labels.filter((line) => line !== '');
  const label: ElkLabel = {
    text: lines.join('\n'),
    width: Math.ceil(Math.max(0, ...lines.map((line) => measure(line, 'label')))) + 8,
    height: lines.length * LINE_HEIGHT.label + 2,
    layoutOptions: { 'elk.edgeLabels.placement': 'CENTER' },
  };
  return {
    id: arrow.id,
    sources: [nodeId(arrow.from)],
    targets: [nodeId(arrow.to)],
    labels: lines.length > 0 ? [label] : [],
  };
}

function read(chart: Chart, graph: ElkNode): Layout {
  const nodes = new Map<string, ElkNode>();
  const walk = (node: ElkNode) => {
    nodes.set(node.id, node);
    node.children?.forEach(walk);
  };
  walk(graph);
  const edges = new Map((graph.edges ?? []).map((edge) => [edge.id, edge]));
  return {
    width: graph.width ?? 0,
    height: graph.height ?? 0,
    states: chart.states.map((state) => ({ state, ...boxOf(nodes.get(nodeId(state.path))) })),
    arrows: chart.arrows.map((arrow) => {
      const edge = edges.get(arrow.id);
      const label = edge?.labels?.[0];
      return { arrow, points: pointsOf(edge), label: label && boxOf(label) };
    }),
    starts: chart.states
      .filter(({ initial }) => initial !== undefined)
      .map(({ path }) => ({ ...boxOf(nodes.get(startId(path))), points: pointsOf(edges.get(startId(path))) })),
  };
}

function boxOf(shape: { x?: number; y?: number; width?: number; height?: number } | undefined): Box {
  return { x: shape?.x ?? 0, y: shape?.y ?? 0, width: shape?.width ?? 0, height: shape?.height ?? 0 };
}

function pointsOf(edge: ElkExtendedEdge | undefined): PlacedArrow['points'] {
  const section = edge?.sections?.[0];
  return section ? [section.startPoint, ...(section.bendPoints ?? []), section.endPoint] : [];
}

function nodeId(path: string): string {
  return `state:${path}`;
}

function startId(path: string): string {
  return `start:${path}`;
}
