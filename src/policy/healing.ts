/**
 * Whether a run goes on by itself when its server was lost, and after what wait. Pure.
 *
 * Losses count in a row: an instance that completes between two of them says that the server can work. A server that
 * never gets that far is lost for good after {@link LOSSES_MAX}, and the run ends so that it can be resumed.
 */
import type { RunEvent } from '../../schemas/run-event.ts';
import { backoffMs } from './answer.ts';

export const LOSSES_MAX = 5;

export interface Healing {
  /** Losses in a row before this process of the run. */
  readonly losses: number;
  /** The next loss above this ends the run; 0 = a loss always does. */
  readonly lossesMax: number;
}

/** What the journal of the run says; no events for a run that begins. */
export function healingOf(events: readonly RunEvent[] = []): Healing {
  let losses = 0;
  for (const { type } of events) {
    if (type === 'run.healing') losses += 1;
    else if (type === 'commit.ended') losses = 0;
  }
  return { losses, lossesMax: LOSSES_MAX };
}

/** Wait before the server is started or looked for again: 1, 2, 4, 8, 16 s. */
export function healingWaitMs(loss: number): number {
  return backoffMs(loss);
}
