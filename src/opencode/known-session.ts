/** What the server knows of a session that an earlier process opened: read once, judged by the same fold as a live one. */
import { NO_USAGE, type Usage } from '../../schemas/session-event.ts';
import { ensureError } from '../errors.ts';
import type { ServerKnowledge } from '../resume/resume-step.ts';
import type { Frame } from './frames.ts';
import { type GapSource, turnReader } from './reconcile.ts';
import { RequestError } from './request-error.ts';
import { applyFrame, beginTurn, hasStarted } from './turn.ts';
import { UsageCount } from './usage-count.ts';
import { conclude, verdict } from './verdict.ts';

export interface SessionReading {
  readonly server: ServerKnowledge;
  /** What was read, for the tracker of a session that is joined. */
  readonly frames: readonly Frame[];
  /** Of the messages that were read: the newest 30. */
  readonly usage: Usage;
}

/**
 * Reads status and messages of the session and judges its last turn. Rejects with the client's error, but for a session
 * that the server does not have: that is an answer.
 *
 * @param messageId of the last prompt; absent when none was sent.
 */
export async function readKnownSession(
  client: GapSource,
  directory: string,
  apiSessionId: string,
  messageId?: string,
): Promise<SessionReading> {
  const query = { apiSessionId, messageId: messageId ?? '', replyIds: [], asks: [], mark: 0 };
  let frames: readonly Frame[];
  try {
    frames = await turnReader(client, directory)(query);
  } catch (thrown) {
    const error = ensureError(thrown);
    if (error instanceof RequestError && error.status === 404) {
      return { server: { kind: 'gone' }, frames: [], usage: NO_USAGE };
    }
    throw error;
  }
  const count = new UsageCount();
  for (const frame of frames) if (frame.type === 'message.updated') count.count(frame.properties['info']);
  const read = { frames, usage: count.total };
  const turn = frames.reduce(applyFrame, beginTurn(apiSessionId, query.messageId));
  if (turn.status === 'busy' || turn.status === 'retry') {
    const judged = verdict(turn, { askedAbort: false });
    return { server: { kind: 'busy', ...(typeof judged === 'object' && { judgement: judged }) }, ...read };
  }
  if (messageId === undefined || !(turn.isPromptSeen || hasStarted(turn))) return { server: { kind: 'idle' }, ...read };
  return { server: { kind: 'idle', judgement: conclude(turn, false) }, ...read };
}
