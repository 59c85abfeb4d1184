/** How actors, states, events and times read on the page. */
import { type ActorView, leafPaths } from '../view.ts';

/** How an actor fares, for its colour. */
export type Tone = 'waiting' | 'working' | 'good' | 'bad' | 'quiet';

/** The shortest name that is still clear: `task:itp[ITP-07]` of the chart `task` is `itp[ITP-07]`. */
export function actorName(actor: ActorView): string {
  // XState names a root, and a call without an id, by its session (`x:0`) or its place in the chart (`0.task.opening`).
  const generated = /^(x:)?\d+(\.|$)/.test(actor.name);
  if (generated) return actor.chart ?? actor.src ?? actor.name;
  const prefix = `${actor.chart}:`;
  return actor.chart !== undefined && actor.name.startsWith(prefix) ? actor.name.slice(prefix.length) : actor.name;
}

/** The innermost states: `attempting › working › active`. */
export function stateText({ status, value }: ActorView): string {
  const leaves = value === undefined ? [] : leafPaths(value);
  if (status === 'error' || status === 'stopped') return [...leaves, status].join(' › ').replaceAll('.', ' › ');
  return leaves.length > 0 ? leaves.join(' + ').replaceAll('.', ' › ') : status;
}

export function toneOf(actor: ActorView): Tone {
  if (actor.status === 'error') return 'bad';
  if (actor.status === 'stopped') return 'quiet';
  if (actor.status === 'active') return actor.movedAt === undefined ? 'waiting' : 'working';
  const last = actor.value === undefined ? '' : (leafPaths(actor.value)[0] ?? '');
  if (/fail|error|crash/i.test(last)) return 'bad';
  return /cancel|skip|stop|close/i.test(last) ? 'quiet' : 'good';
}

/** How long it has worked, or worked in all; before it works, how long it has waited. */
export function elapsedMs(actor: ActorView, now: number): number {
  return Math.max(0, (actor.endedAt ?? now) - (actor.movedAt ?? actor.startedAt));
}

export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  const two = (n: number) => String(n).padStart(2, '0');
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** Local time with milliseconds. */
export function clockTime(at: number): string {
  const time = new Date(at);
  const pad = (n: number, width = 2) => String(n).padStart(width, '0');
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}.${pad(time.getMilliseconds(), 3)}`;
}

/** An event of the framework in one word; others as they are. */
export function eventText(type: string): { readonly text: string; readonly framework: boolean } {
  if (!type.startsWith('xstate.')) return { text: type, framework: false };
  const after = /^xstate\.after\.([^.]+)\./.exec(type);
  if (after) return { text: `after ${after[1]}`, framework: true };
  if (type === 'xstate.init') return { text: 'starts', framework: true };
  if (type === 'xstate.stop') return { text: 'stop', framework: true };
  if (type.startsWith('xstate.done.actor.')) return { text: 'done', framework: true };
  if (type.startsWith('xstate.error.actor.')) return { text: 'failed', framework: true };
  return { text: type, framework: true };
}
