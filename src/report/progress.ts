/** What a person watching the run is told: one line for each change of state, drawn from the event and the view. */

import type { RunEvent } from '../../schemas/run-event.ts';
import { checkLine } from '../rules/check.ts';
import { count, duration } from './format.ts';
import { entityCount, type InstanceView, type RunView, repairCount } from './run-view.ts';

/** How a line is meant, so that the terminal can choose a colour and a sign. */
export type Tone = 'info' | 'start' | 'good' | 'warn' | 'bad' | 'quiet';

export interface ProgressLine {
  /** Since the run started. */
  readonly elapsedMs: number;
  readonly tone: Tone;
  /** What the line is about: an instance id, `server`, `stream`, `run`. */
  readonly subject: string;
  readonly state: string;
  readonly detail: string;
}

/** What cannot be quoted, told at the start: an agent cannot find what it cannot read. */
function warnings({ documents }: Extract<RunEvent, { type: 'run.started' }>): string {
  const all = documents.flatMap(({ path, warnings: of = [] }) => of.map((warning) => `${path}: ${warning}`));
  const more = all.length > 3 ? `; and ${all.length - 3} more` : '';
  return all.length > 0 ? `  WARNING ${all.slice(0, 3).join('; ')}${more}` : '';
}

/** The line for `event`, with `view` as it is after the event; undefined for events that change no state. */
export function progressLine(view: RunView, event: RunEvent): ProgressLine | undefined {
  const line = (tone: Tone, subject: string, state: string, detail = ''): ProgressLine => ({
    elapsedMs: Math.max(0, Date.parse(event.time) - Date.parse(view.startedAt || event.time)),
    tone,
    subject,
    state,
    detail,
  });
  if (followsFromLoss(event)) return undefined;
  switch (event.type) {
    case 'run.started':
      return line(
        'info',
        'run',
        'started',
        `${event.runId}  project ${event.projectId}  ${event.tasks.length} tasks  ${event.documents.length} documents  model ${event.model}${warnings(event)}`,
      );
    case 'run.resumed':
      return line(
        'info',
        'run',
        'resumed',
        `${view.runId}  ${plural(completedCount(view), 'instance')} completed before${event.changes.length > 0 ? `, from here with changed inputs: ${event.changes.join('; ')}` : ''}`,
      );
    case 'instance.decided':
      return event.decision === 'take-over'
        ? line('quiet', event.instance, 'taken over', `from ${event.against}`)
        : line('info', event.instance, 'runs again', event.causes.join('; '));
    case 'instance.resumed':
      // Without an attempt of this run a selective one decided about it, and said so.
      if (event.attempt === 0 || view.instances[event.instance]?.attempts.length === 0) return undefined;
      return line(
        'info',
        event.instance,
        'resumed',
        `attempt ${event.attempt}: ${RESUMED[event.step]}${event.cause ? `: ${event.cause.message}` : ''}`,
      );
    case 'server.started':
      return line('info', 'server', event.owned ? 'started' : 'attached', `OpenCode ${event.version} at ${event.url}`);
    case 'server.lost':
      return line('bad', 'server', 'lost', event.cause.message);
    case 'server.stopped':
      return line('quiet', 'server', 'stopped');
    case 'stream.connected':
      return line('quiet', 'event stream', event.connection === 1 ? 'connected' : 'reconnected');
    case 'stream.lost':
      return line('warn', 'event stream', 'lost', event.cause.message);
    case 'stream.reconciled':
      return line('info', 'event stream', 'reconciled', `${event.frames} frames from history`);
    case 'task.expanded':
      return line('info', event.task, 'expanded', `${event.instances.length} instances`);
    case 'instance.started':
      return line('start', event.instance, 'started', `wave ${event.wave}`);
    case 'repair.requested':
      return line(
        'warn',
        event.instance,
        'repairing',
        `repair ${event.repair}: ${plural(event.issues.length, 'issue')}${event.issues[0] ? `, first ${event.issues[0].path}: ${event.issues[0].message}` : ''}`,
      );
    case 'failure.answered':
      // What ends the instance is told with its end.
      return event.answer.kind === 'repair' || event.answer.kind === 'give-up'
        ? undefined
        : line(
            'warn',
            event.instance,
            event.answer.kind,
            `${event.cause.class ?? event.cause.code}${event.answer.model === undefined ? '' : ` ${event.answer.model}`}: ${event.answer.reason}`,
          );
    case 'turn.yielded':
      return line('quiet', event.instance, 'yielding', 'the provider asked for fewer calls; it goes on later');
    case 'provider.slowed':
      return line(
        'warn',
        event.provider,
        'slowed',
        `at most ${plural(event.limit, 'session')} at once, none for ${duration(event.waitMs)}: ${event.message}`,
      );
    case 'provider.recovered':
      return line('good', event.provider, 'recovered');
    case 'hold.opened':
      return line('warn', event.of, 'held', `${event.reason}  (muster release ${view.runId} "${event.point}")`);
    case 'hold.released':
      return line(
        'good',
        event.point,
        'released',
        `by ${event.by}${event.reason === undefined ? '' : `: ${event.reason}`}`,
      );
    case 'hold.rejected':
      return line('warn', event.point, 'rejected', `by ${event.by}: ${event.reason}`);
    case 'hold.expired':
      return line('bad', event.point, 'expired', `nobody decided within ${duration(event.timeoutMs)}: denied`);
    case 'run.paused':
      return line('warn', 'run', 'paused', event.cause.message);
    case 'ask.answered':
      return line('warn', event.instance, `${event.kind} answered`, `${event.subject}: ${event.reply}`);
    case 'attempt.failed':
      return event.retryInMs === undefined
        ? undefined
        : line('warn', event.instance, 'retrying', `in ${duration(event.retryInMs)}: ${event.cause.message}`);
    case 'instance.settled':
      return settled(view.instances[event.instance], event, line);
    case 'task.settled':
      // A task with instances of its own was told by them.
      return event.outcome.kind === 'completed' || view.instances[event.task]
        ? undefined
        : line(
            event.outcome.kind === 'failed' ? 'bad' : 'warn',
            event.task,
            event.outcome.kind,
            event.outcome.cause.message,
          );
    case 'run.checked': {
      const { blocker, error, warning } = event.counts;
      const tone = blocker > 0 ? 'bad' : error + warning > 0 || event.unjudged ? 'warn' : 'good';
      const drawn =
        event.lateRelationships > 0 ? `; ${plural(event.lateRelationships, 'relationship')} drawn late` : '';
      return line(tone, 'rules', 'checked', `${checkLine(event)}${drawn}`);
    }
    case 'run.interrupted':
      return line(
        'warn',
        'run',
        event.how === 'drain' ? 'draining' : 'aborting',
        event.how === 'drain'
          ? `${event.reason}: nothing new starts, running tasks may finish; again to abort`
          : event.reason,
      );
    case 'run.healing':
      return line(
        'warn',
        'run',
        'healing',
        `goes on in ${duration(event.waitMs)} (loss ${event.loss} of ${event.lossesMax} in a row): ${event.cause.message}`,
      );
    case 'run.ended':
      return line(
        event.outcome === 'completed' ? 'good' : event.outcome === 'paused' ? 'warn' : 'bad',
        'run',
        event.outcome,
        event.cause ? event.cause.message : '',
      );
    default:
      return undefined;
  }
}

/** What a lost server does to each instance is told once, by the server's loss and the run's answer to it. */
function followsFromLoss(event: RunEvent): boolean {
  switch (event.type) {
    case 'failure.answered':
    case 'attempt.failed':
      return event.cause.class === 'server-lost';
    case 'instance.settled':
    case 'task.settled':
      return event.outcome.kind === 'cancelled' && event.outcome.cause.code === 'OPENCODE_LOST';
    default:
      return false;
  }
}

const RESUMED: Readonly<Record<Extract<RunEvent, { type: 'instance.resumed' }>['step'], string>> = {
  'commit-again': 'what it handed in is committed from disk',
  take: 'its turn had ended',
  join: 'its turn still runs',
  continue: 'its session goes on',
  'new-attempt': 'a new session follows',
};

function completedCount({ instances }: RunView): number {
  return Object.values(instances).filter(({ status }) => status === 'completed').length;
}

function settled(
  instance: InstanceView | undefined,
  event: Extract<RunEvent, { type: 'instance.settled' }>,
  line: (tone: Tone, subject: string, state: string, detail?: string) => ProgressLine,
): ProgressLine {
  const { kind } = event.outcome;
  if (event.outcome.kind !== 'completed') {
    return line(kind === 'failed' ? 'bad' : 'warn', event.instance, kind, event.outcome.cause.message);
  }
  const repairs = instance ? repairCount(instance) : 0;
  const parts = [
    duration(instance?.durationMs),
    `${count(instance ? entityCount(instance) : 0)} entities`,
    ...(repairs > 0 ? [plural(repairs, 'repair')] : []),
    ...(instance && instance.attempts.length > 1 ? [plural(instance.attempts.length, 'attempt')] : []),
  ];
  return line('good', event.instance, 'completed', parts.join('  '));
}

function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
