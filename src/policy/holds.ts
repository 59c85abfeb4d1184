/** Which points of a run wait for a person, and what was decided: a fold over the facts, so that it survives restarts. */
import type { HoldPoint, RunEvent } from '../../schemas/run-event.ts';

/** What was decided at a point. */
export type HoldDecision =
  | { readonly kind: 'released'; readonly by: string; readonly reason?: string }
  | { readonly kind: 'rejected'; readonly by: string; readonly reason: string }
  | { readonly kind: 'expired'; readonly timeoutMs: number };

export interface KnownHold extends HoldPoint {
  /** ISO 8601 UTC; of the first time when a resume opened it again. */
  readonly openedAt: string;
  /** Absent while it waits. */
  readonly decision?: HoldDecision;
}

export type Holds = ReadonlyMap<string, KnownHold>;

/** The name of a task's point. */
export function holdPointOf(when: HoldPoint['when'], of: string): string {
  return `${when}:${of}`;
}

/** The points after one more event. */
export function foldHolds(holds: Holds, event: RunEvent): Holds {
  switch (event.type) {
    case 'hold.opened': {
      const { point, when, of, reason, timeoutMs, time, again } = event;
      const before = again ? holds.get(point) : undefined;
      const openedAt = before?.openedAt ?? time;
      return withHold(holds, {
        point,
        when,
        of,
        reason,
        openedAt,
        ...(timeoutMs !== undefined && { timeoutMs }),
      });
    }
    case 'hold.released':
      return decided(holds, event.point, {
        kind: 'released',
        by: event.by,
        ...(event.reason !== undefined && { reason: event.reason }),
      });
    case 'hold.rejected':
      return decided(holds, event.point, { kind: 'rejected', by: event.by, reason: event.reason });
    case 'hold.expired':
      return decided(holds, event.point, { kind: 'expired', timeoutMs: event.timeoutMs });
    // The work that was looked at is no longer the work: the next one is looked at anew.
    case 'turn.started':
    case 'attempt.started':
      return without(holds, holdPointOf('after', event.instance));
    case 'run.resumed':
      return event.reopened.tasks
        .map((task) => holdPointOf('before', task))
        .concat(event.reopened.instances.map((instance) => holdPointOf('after', instance)))
        .filter((point) => isDenied(holds.get(point)))
        .reduce(without, holds);
    default:
      return holds;
  }
}

export function holdsOf(events: Iterable<RunEvent>): Holds {
  let holds: Holds = new Map();
  for (const event of events) holds = foldHolds(holds, event);
  return holds;
}

/** Points that wait now. */
export function openHolds(holds: Holds): readonly KnownHold[] {
  return [...holds.values()].filter(({ decision }) => decision === undefined);
}

/** What is left of a point's time at `nowMs`, from 0 to all of it, though a clock was set back; undefined = for ever. */
export function remainingMs({ openedAt, timeoutMs }: KnownHold, nowMs: number): number | undefined {
  if (timeoutMs === undefined) return undefined;
  return Math.min(timeoutMs, Math.max(0, timeoutMs - (nowMs - Date.parse(openedAt))));
}

function isDenied(hold: KnownHold | undefined): boolean {
  return hold?.decision?.kind === 'rejected' || hold?.decision?.kind === 'expired';
}

/** The first decision counts. */
function decided(holds: Holds, point: string, decision: HoldDecision): Holds {
  const hold = holds.get(point);
  return hold && !hold.decision ? withHold(holds, { ...hold, decision }) : holds;
}

function withHold(holds: Holds, hold: KnownHold): Holds {
  return new Map(holds).set(hold.point, hold);
}

function without(holds: Holds, point: string): Holds {
  if (!holds.has(point)) return holds;
  const next = new Map(holds);
  next.delete(point);
  return next;
}
