/** Notices that a server is gone although nobody says so (not our process, or one that hangs): it is asked for its health. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Cause } from '../../schemas/run-event.ts';
import { ensureError } from '../errors.ts';
import type { OpenCodeClient } from './client.ts';

export interface HealthWatch {
  /** Between two looks; default 10,000. */
  readonly everyMs?: number;
  /** One look; default 20,000: health took up to 10.6 s in a burst of prompts. */
  readonly timeoutMs?: number;
}

/** Looks in a row without an answer that make a lost server. */
const FAILURES = 3;

/** Resolves with the cause after three looks without an answer; never after `signal` aborted. */
export async function watchHealth(
  client: Pick<OpenCodeClient, 'health'>,
  url: string,
  signal: AbortSignal,
  { everyMs = 10_000, timeoutMs = 20_000 }: HealthWatch = {},
): Promise<Cause> {
  let failures = 0;
  let message = '';
  while (failures < FAILURES) {
    try {
      await pause(everyMs, undefined, { signal, ref: false });
      await client.health(timeoutMs);
      failures = 0;
    } catch (thrown) {
      ({ message } = ensureError(thrown));
      // Stopped by us: from now on nobody waits for an answer.
      if (signal.aborted) return new Promise<Cause>(() => {});
      failures += 1;
    }
  }
  return { code: 'OPENCODE_LOST', message: `the OpenCode server at ${url} does not answer any more: ${message}` };
}
