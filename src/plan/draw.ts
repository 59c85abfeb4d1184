/** The task graph for people and programs: text, Mermaid, JSON. */
import { MusterError } from '../errors.ts';
import { nearest } from '../schema/nearest.ts';
import type { DerivedEdge, DerivedTask, TaskGraph } from './derive.ts';

/** Waves, their tasks with what they create, and below each task what it waits for and why. */
export function drawPlan(graph: TaskGraph): string {
  const names = graph.tasks.flatMap(({ id, waitsFor }) => [id.length, ...waitsFor.map(({ task }) => task.length + 4)]);
  const width = Math.max(...names) + 2;
  return wavesOf(graph)
    .flatMap(([wave, tasks]) => [
      `Wave ${wave}`,
      ...tasks.flatMap(({ id, creates, fanOut, waitsFor }) => [
        `  ${id.padEnd(width)}${creates.join(', ')}`,
        ...(fanOut ? [`  ${''.padEnd(width)}${fanOutText(fanOut)}`] : []),
        ...waitsFor.flatMap(({ task, why }) => columns(`  ${`  ← ${task}`.padEnd(width)}`, why)),
      ]),
      '',
    ])
    .join('\n');
}

/** A Mermaid flowchart; arrows point from what comes first to what waits for it. */
export function planMermaid(graph: TaskGraph): string {
  const lines = ['flowchart LR'];
  for (const [wave, tasks] of wavesOf(graph)) {
    lines.push(`  subgraph wave${wave} ["Wave ${wave}"]`);
    for (const { id, fanOut } of tasks) {
      // Two edges of the box say: many of these.
      lines.push(fanOut ? `    ${node(id)}[["${id} × ${fanOut.over}"]]` : `    ${node(id)}["${id}"]`);
    }
    lines.push('  end');
  }
  for (const { id, waitsFor } of graph.tasks) {
    for (const { task, why } of waitsFor) lines.push(`  ${node(task)} -- "${label(why)}" --> ${node(id)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The graph as JSON text, two spaces deep, newline at the end. */
export function planJson(graph: TaskGraph): string {
  return `${JSON.stringify(graph, null, 2)}\n`;
}

/**
 * One task in words: what it creates, what it waits for and why, and what waits for it.
 *
 * @throws MusterError USAGE for an unknown id, with the nearest one.
 */
export function explainTask(graph: TaskGraph, id: string): string {
  const task = graph.tasks.find((one) => one.id === id);
  if (!task) {
    const ids = graph.tasks.map((one) => one.id);
    const close = nearest(id, ids);
    throw new MusterError(
      'USAGE',
      `expected a task of this plan, got "${id}". ${close ? `Did you mean ${close}? ` : ''}The plan has ${ids.join(', ')}.`,
    );
  }
  const dependants = graph.tasks.flatMap((other) =>
    other.waitsFor.filter((edge) => edge.task === id).map(({ why }) => ({ task: other.id, why })),
  );
  const list = (edges: readonly DerivedEdge[]) => {
    const width = Math.max(...edges.map((edge) => edge.task.length)) + 2;
    return edges.flatMap((edge) => columns(`  ${edge.task.padEnd(width)}`, edge.why));
  };
  return [
    `${task.id}: ${task.title}`,
    `Wave ${task.wave}${task.fanOut ? `, ${fanOutText(task.fanOut)}` : ''}`,
    `Creates ${task.creates.join(', ')}`,
    ...(task.waitsFor.length > 0 ? ['Waits for', ...list(task.waitsFor)] : ['Waits for nobody']),
    ...(dependants.length > 0 ? ['Waited for by', ...list(dependants)] : ['Nobody waits for it']),
    '',
  ].join('\n');
}

/** One line for each reason, the first behind `head`. */
function columns(head: string, why: string): string[] {
  return why.split('; ').map((reason, i) => (i === 0 ? head : ' '.repeat(head.length)) + reason);
}

function wavesOf({ tasks }: TaskGraph): [number, DerivedTask[]][] {
  const waves = [...new Set(tasks.map(({ wave }) => wave))].sort((a, b) => a - b);
  return waves.map((wave) => [wave, tasks.filter((task) => task.wave === wave)]);
}

function fanOutText({ over, producer, maxItems }: NonNullable<DerivedTask['fanOut']>): string {
  return `one instance for each ${over} that ${producer} commits, at most ${maxItems}`;
}

/** Mermaid reads `end` and some other words as syntax, also inside an id. */
function node(id: string): string {
  return `task_${id.replaceAll('-', '_')}`;
}

function label(why: string): string {
  const signs: Readonly<Record<string, string>> = { '#': '#35;', '"': '#quot;', '<': '#lt;', '>': '#gt;' };
  const escaped = (reason: string) => reason.replaceAll(/[#"<>]/g, (sign) => signs[sign]!).replaceAll(/\s+/g, ' ');
  return why.split('; ').map(escaped).join('<br/>');
}
