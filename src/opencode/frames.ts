/**
 * One event of the server's stream, taken out of its envelope.
 *
 * Every durable event arrives twice, first as itself and directly after as a `sync` copy with the same id and the same
 * payload; only the copy carries the sequence number. Both become the same kind of frame here, so whichever of the two
 * arrives first can be acted on.
 */

export interface Frame {
  /** The event's id, the same on its sync copy and in the history; undefined for what we read ourselves over HTTP. */
  readonly id: string | undefined;
  /** Absent on the server's own frames (`server.connected`, `server.heartbeat`). */
  readonly directory: string | undefined;
  /** Without the version suffix of durable events: `message.updated`, never `message.updated.1`. */
  readonly type: string;
  readonly sessionId: string | undefined;
  /** Counts from 0 for each session without holes; only on sync copies and history rows. */
  readonly seq: number | undefined;
  readonly isSyncCopy: boolean;
  readonly properties: Properties;
  /** The JSON as received, for the event log; undefined when it did not come from the stream. */
  readonly raw: string | undefined;
}

export type Properties = Readonly<Record<string, unknown>>;

/** A row of `POST /sync/history`. */
export interface HistoryRow {
  readonly id: string;
  readonly aggregate_id: string;
  readonly seq: number;
  readonly type: string;
  readonly data: object;
}

/** The frame in one SSE `data` text; undefined when it is not JSON or not an event. Unknown kinds pass. Never throws. */
export function parseFrame(raw: string): Frame | undefined {
  let envelope: unknown;
  try {
    envelope = JSON.parse(raw);
  } catch {
    // Not an error of ours: the caller counts what is not a frame.
    return undefined;
  }
  if (!isRecord(envelope)) return undefined;
  // `/global/event` wraps the event in `payload`, `/event` does not.
  const payload = isRecord(envelope['payload']) ? envelope['payload'] : envelope;
  const directory = textOf(envelope['directory']);
  const type = payload['type'];
  if (typeof type !== 'string') return undefined;
  if (type === 'sync') return syncCopy(payload, directory, raw);
  const properties = isRecord(payload['properties']) ? payload['properties'] : {};
  return {
    id: textOf(payload['id']),
    directory,
    type,
    sessionId: textOf(properties['sessionID']),
    seq: undefined,
    isSyncCopy: false,
    properties,
    raw,
  };
}

function syncCopy(payload: Properties, directory: string | undefined, raw: string): Frame | undefined {
  const event = payload['syncEvent'];
  if (!isRecord(event) || typeof event['type'] !== 'string' || !isRecord(event['data'])) return undefined;
  const seq = event['seq'];
  return {
    id: textOf(event['id']) ?? textOf(payload['id']),
    directory,
    type: withoutVersion(event['type']),
    sessionId: textOf(event['aggregateID']),
    seq: typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0 ? seq : undefined,
    isSyncCopy: true,
    properties: event['data'],
    raw,
  };
}

/** A history row as the frame it was when it was sent. */
export function frameOfHistoryRow(row: HistoryRow, directory?: string): Frame {
  return {
    id: row.id,
    directory,
    type: withoutVersion(row.type),
    sessionId: row.aggregate_id,
    seq: row.seq,
    isSyncCopy: true,
    properties: row.data as Properties,
    raw: undefined,
  };
}

/** What we read over HTTP, in the form of the event that would have told it. */
export function readingFrame(type: string, sessionId: string, properties: object, directory?: string): Frame {
  return {
    id: undefined,
    directory,
    type,
    sessionId,
    seq: undefined,
    isSyncCopy: false,
    properties: { sessionID: sessionId, ...properties },
    raw: undefined,
  };
}

/** True for a piece of text; such frames are counted and logged, never folded. */
export function isDelta(frame: Frame): boolean {
  return frame.type === 'message.part.delta';
}

/** The parent session, when the frame tells one: how children find their parent's task. */
export function parentOf(frame: Frame): string | undefined {
  if (frame.type !== 'session.created' && frame.type !== 'session.updated') return undefined;
  const info = frame.properties['info'];
  return isRecord(info) ? textOf(info['parentID']) : undefined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A finite number that is not negative, else 0. */
export function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

function withoutVersion(type: string): string {
  const dot = type.lastIndexOf('.');
  const last = type.charCodeAt(dot + 1);
  return dot > 0 && last >= 48 && last <= 57 ? type.slice(0, dot) : type;
}
