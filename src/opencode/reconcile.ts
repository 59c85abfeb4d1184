/**
 * Makes good what the stream did not tell: after a reconnect or a hole everything that was missed, and for one turn
 * that looks over its last messages. What is read becomes frames, so that the same fold judges both.
 */
import { ensureError } from '../errors.ts';
import {
  type Frame,
  frameOfHistoryRow,
  type HistoryRow,
  isRecord,
  type Properties,
  readingFrame,
  textOf,
} from './frames.ts';
import { RequestError } from './request-error.ts';
import type { Router } from './router.ts';
import { countsForTurn } from './turn.ts';
import type { TurnQuery } from './turn-watch.ts';

/** A message as the server returns it. */
export interface MessageReading {
  readonly info: object;
  readonly parts: readonly object[];
}

/** A permission or question as the server lists it. */
export interface AskReading {
  readonly id: string;
  readonly sessionID: string;
}

/** What we need of the HTTP client; every call has its own timeout and rejects with a MusterError. */
export interface GapSource {
  /** Every durable event with a sequence number above the one named for its session, of all sessions. */
  history(seqs: Readonly<Record<string, number>>): Promise<readonly HistoryRow[]>;
  /** Sessions at work; absent means idle, or never started. */
  sessionStatus(directory: string): Promise<Readonly<Record<string, { readonly type: string }>>>;
  pendingPermissions(directory: string): Promise<readonly AskReading[]>;
  pendingQuestions(directory: string): Promise<readonly AskReading[]>;
  message(sessionId: string, messageId: string): Promise<MessageReading>;
  /** Oldest first; the newest 30 are enough. Rejects for sessions with structured output. */
  messages(sessionId: string): Promise<readonly MessageReading[]>;
}

export interface GapRequest {
  readonly client: GapSource;
  readonly router: Router;
  readonly directory: string;
}

/** @throws what is not "there is no such session" */
function unlessGone(thrown: unknown): undefined {
  const error = ensureError(thrown);
  if (error instanceof RequestError && error.status === 404) return undefined;
  throw error;
}

/** Turns read at the same time. */
const PARALLEL = 8;

/**
 * Closes the gap before now; call it when the stream is proven after a reconnect, or when the router reports a hole.
 * Resolves with the number of frames that the history returned. Rejects with the client's error; call it again then.
 */
export async function closeGap({ client, router, directory }: GapRequest): Promise<number> {
  const rows = await client.history(router.seqs());
  for (const row of rows) router.feed(frameOfHistoryRow(row, directory));
  // The queries come before the requests: what the stream tells in between is newer than what they return.
  const queries = router.openTurns();
  const [status, permissions, questions] = await Promise.all([
    client.sessionStatus(directory),
    client.pendingPermissions(directory),
    client.pendingQuestions(directory),
  ]);
  for (const ask of permissions) router.feed(readingFrame('permission.asked', ask.sessionID, ask, directory));
  for (const ask of questions) router.feed(readingFrame('question.asked', ask.sessionID, ask, directory));
  const pending = new Set([...permissions, ...questions].map((ask) => ask.id));
  for (let at = 0; at < queries.length; at += PARALLEL) {
    const some = queries.slice(at, at + PARALLEL);
    await Promise.all(
      some.map(async (query) => {
        // The history told everything about a session at work; only one that stopped may have said its last word.
        const isIdle = status[query.apiSessionId] === undefined;
        const messages = isIdle ? await readMessages(client, query).catch(unlessGone) : [];
        if (messages === undefined) {
          // Of a server that was replaced by another one: the others go on.
          router.lose(query.apiSessionId, 'the server does not know the session any more');
          return;
        }
        router.absorb([...messages, ...answeredAsks(query, pending), ...statusFrames(query, status)], query);
      }),
    );
  }
  router.noteReconciled();
  return rows.length;
}

/** Reads one turn: what the trackers call when a turn looks over. */
export function turnReader(client: GapSource, directory: string): (query: TurnQuery) => Promise<readonly Frame[]> {
  return async (query) => {
    // Status before messages: a session that was idle then has nothing more to write than what is read after.
    const status = await client.sessionStatus(directory);
    const pending = query.asks.length === 0 ? new Set<string>() : await pendingAsks(client, directory);
    const messages = await readMessages(client, query);
    return [...messages, ...answeredAsks(query, pending), ...statusFrames(query, status)];
  };
}

async function pendingAsks(client: GapSource, directory: string): Promise<ReadonlySet<string>> {
  const lists = await Promise.all([client.pendingPermissions(directory), client.pendingQuestions(directory)]);
  return new Set(lists.flat().map((ask) => ask.id));
}

async function readMessages(client: GapSource, query: TurnQuery): Promise<readonly Frame[]> {
  let messages: readonly MessageReading[];
  try {
    messages = await client.messages(query.apiSessionId);
  } catch (thrown) {
    const error = ensureError(thrown);
    // The list is refused when a user message asks for structured output; the answers can be read one by one.
    if (query.replyIds.length === 0) throw error;
    messages = await Promise.all(query.replyIds.map((id) => client.message(query.apiSessionId, id)));
  }
  return messages.flatMap((message) => messageFrames(query.apiSessionId, message));
}

function messageFrames(sessionId: string, message: MessageReading): Frame[] {
  const frames = [readingFrame('message.updated', sessionId, { info: message.info })];
  for (const part of message.parts) {
    if (countsForTurn(part as Properties)) {
      frames.push(readingFrame('message.part.updated', sessionId, { part }));
    }
  }
  return frames;
}

function answeredAsks(query: TurnQuery, pending: ReadonlySet<string>): Frame[] {
  return query.asks
    .filter((id) => !pending.has(id))
    .map((id) => readingFrame('permission.replied', query.apiSessionId, { requestID: id }));
}

function statusFrames(query: TurnQuery, status: Readonly<Record<string, unknown>>): Frame[] {
  const own = status[query.apiSessionId];
  const type = isRecord(own) ? textOf(own['type']) : undefined;
  if (type === 'busy' || type === 'retry')
    return [readingFrame('session.status', query.apiSessionId, { status: own! })];
  return [
    readingFrame('session.status', query.apiSessionId, { status: { type: 'idle' } }),
    readingFrame('session.idle', query.apiSessionId, {}),
  ];
}
