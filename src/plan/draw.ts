/** The task graph for people and programs: text, Mermaid, JSON. */
import { MusterError } from '../errors.ts';
import { nearest } from '../schema/nearest.ts';
import type { DerivedTask, TaskGraph } from './derive.ts';

/** Waves, their tasks, and below each what it waits for and why. */
export function drawPlan(graph: TaskGraph): string {
  return wavesOf(graph)
    .flatMap(([wave, tasks]) => [
      `Wave ${wave}`,
      ...tasks.flatMap((task) => [
        `  ${task.id}  ${task.title}${fanOutText(task)}`,
        ...task.waitsFor.map(({ task: other, why }) => `    waits for ${other}: ${why}`),
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
    other.waitsFor.filter((edge) => edge.task === id).map(({ why }) => `  ${other.id}: ${why}`),
  );
  return [
    `${task.id}  ${task.title}`,
    `Wave ${task.wave}${fanOutText(task)}`,
    `Creates ${task.creates.join(', ')}`,
    ...(task.waitsFor.length > 0 ? ['Waits for'] : ['Waits for nobody']),
    ...task.waitsFor.map((edge) => `  ${edge.task}: ${edge.why}`),
    ...(dependants.length > 0 ? ['Waited for by', ...dependants] : ['Nobody waits for it']),
    '',
  ].join('\n');
}

function wavesOf({ tasks }: TaskGraph): [number, DerivedTask[]][] {
  const waves = [...new Set(tasks.map(({ wave }) => wave))].sort((a, b) => a - b);
  return waves.map((wave) => [wave, tasks.filter((task) => task.wave === wave)]);
}

function fanOutText({ fanOut }: DerivedTask): string {
  if (!fanOut) return '';
  return `  (one instance for each ${fanOut.over} of ${fanOut.producer}, at most ${fanOut.maxItems})`;
}

/** Mermaid reads `end` and some other words as syntax, also inside an id. */
function node(id: string): string {
  return `task_${id.replaceAll('-', '_')}`;
}

function label(why: string): string {
  return why.replaceAll('"', '#quot;').replaceAll('\n', ' ').replaceAll('; ', '<br/>');
}
