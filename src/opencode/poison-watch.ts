/**
 * Notices that the workspace's instance was poisoned in the middle of a run, by somebody's abort while it was being made:
 * from then on every prompt of it ends at once with the same words (measured on 1.18.33). Only disposing of the instance,
 * or another server, heals that.
 */
import type { Cause } from '../../schemas/run-event.ts';
import type { Judgement } from '../../schemas/session-event.ts';
import { ensureError } from '../errors.ts';
import type { OpenCodeClient } from './client.ts';
import { RequestError } from './request-error.ts';

/** The words say it; one look at the providers proves it: a poisoned instance answers 503. */
export class PoisonWatch {
  /** Resolves with the cause when the instance is poisoned for certain. */
  readonly found: Promise<Cause>;
  readonly #client: Pick<OpenCodeClient, 'providers'>;
  #tell: (cause: Cause) => void = () => {};
  #isLooking = false;

  constructor(client: Pick<OpenCodeClient, 'providers'>) {
    this.#client = client;
    this.found = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  /** How a turn of the instance ended. Resolves when it was looked at; never rejects. */
  async hear(judgement: Judgement): Promise<void> {
    if (this.#isLooking || !isPoisonSign(judgement)) return;
    this.#isLooking = true;
    try {
      await this.#client.providers();
    } catch (thrown) {
      const error = ensureError(thrown);
      // Anything else is for those who watch the server as a whole.
      if (isPoisonAnswer(error)) this.#tell({ code: 'OPENCODE_LOST', message: POISONED });
    } finally {
      this.#isLooking = false;
    }
  }
}

export const POISONED =
  'the instance of the workspace on the OpenCode server is poisoned: an abort came while it was being made, and every prompt of it fails';

/** Of `GET /config/providers`. */
export function isPoisonAnswer(error: Error): boolean {
  return error instanceof RequestError && error.status === 503;
}

function isPoisonSign(judgement: Judgement): boolean {
  const isSpoken = judgement.kind === 'not-started' || judgement.kind === 'failed';
  return isSpoken && /all fibers interrupted/i.test(judgement.message);
}
