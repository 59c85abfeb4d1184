/**
 * Answers what the server would have waited for a person to answer: by policy, at once, each once.
 *
 * Owns the answers on their way and their repetition. Does not own the finding of asks (router.ts). Invariants: an answer
 * that does not arrive is sent again, because an agent that waits for one waits for ever; a fact is recorded only for
 * an answer that arrived.
 */
import { ensureError } from '../errors.ts';
import type { OpenCodeClient } from '../opencode/client.ts';
import { RequestError } from '../opencode/request-error.ts';
import type { Ask } from '../opencode/router.ts';
import { backoffMs } from '../policy/answer.ts';
import type { Clock, JournalPort } from '../ports.ts';

export interface AskPorts {
  readonly client: () => Pick<OpenCodeClient, 'replyPermission' | 'rejectQuestion'>;
  readonly clock: Clock;
  readonly journal: Pick<JournalPort, 'append'>;
  /** The instance that a session works for; undefined when it no longer does. */
  readonly instanceOf: (apiSessionId: string) => string | undefined;
  readonly onFault: (error: Error) => void;
}

/** What an agent is told when the server would have waited for a person. */
const NOBODY_THERE =
  'This run is unattended: nobody can answer. Go on without it; read your workspace and use the muster tools.';

/** Then the stall clock ends the attempt. Together the waits take 31 s. */
const TRIES = 6;

/** Never rejects: what remains unanswered is told to `onFault`. */
export async function answerAsk(ask: Ask, ports: AskPorts): Promise<void> {
  const { clock, journal, instanceOf, onFault } = ports;
  for (let attempt = 1; ; attempt += 1) {
    const error = await send(ask, ports);
    const instance = instanceOf(ask.sessionId);
    // Its session was given up meanwhile: nobody waits for an answer.
    if (instance === undefined) return;
    const isUnknown = error instanceof RequestError && error.status === 404;
    // Unknown at once: whoever asked is gone. Unknown when sent again: the first arrived, and the word of it was lost.
    if (isUnknown && attempt === 1) return;
    if (error === undefined || isUnknown) {
      journal.append({ type: 'ask.answered', instance, kind: ask.kind, subject: ask.subject, reply: 'rejected' });
      return;
    }
    if (attempt === TRIES) return onFault(error);
    await new Promise<void>((resolve) => void clock.after(backoffMs(attempt), resolve));
  }
}

/** The error of an answer that did not arrive. */
async function send({ kind, id }: Ask, { client }: AskPorts): Promise<Error | undefined> {
  try {
    if (kind === 'permission') await client().replyPermission(id, 'reject', NOBODY_THERE);
    else await client().rejectQuestion(id);
    return undefined;
  } catch (thrown) {
    return ensureError(thrown);
  }
}
