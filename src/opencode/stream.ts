/**
 * One connection to the server's event stream: `GET /global/event`, from opening to its one end (S1).
 *
 * Owns the reading of the socket and the two clocks of the connection (settled, silent). Does not own reconnecting,
 * closing the gap before it (reconcile.ts), or what the frames mean (router.ts). Invariants:
 *
 * - The reader never waits for anybody: frames are handed on synchronously, because the server buffers without bound
 *   for a slow reader.
 * - `onEnd` is called exactly once, and nothing is called after it. The end says nothing about any turn.
 */
import { createParser } from 'eventsource-parser';
import type { Cause } from '../../schemas/run-event.ts';
import { ensureError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { type Frame, parseFrame } from './frames.ts';

/** Opens the response body of the stream; must fail, or end the body, when `signal` aborts. */
export interface StreamSource {
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array | string>>;
}

/** Why a connection ended. */
export type StreamEnd =
  /** We closed it. */
  | { readonly kind: 'closed' }
  /** The server ended it in good order. */
  | { readonly kind: 'ended' }
  /** No byte for `silentMs`, although the server sends a heartbeat every 10 s. */
  | { readonly kind: 'silent'; readonly silentMs: number }
  /** It could not be opened, or the socket broke. */
  | { readonly kind: 'failed'; readonly error: Error };

/** The end of a connection as the journal tells it. */
export function streamCause(end: StreamEnd): Cause {
  return { code: 'STREAM_LOST', message: messageOf(end) };
}

function messageOf(end: StreamEnd): string {
  switch (end.kind) {
    case 'closed':
      return 'the event stream was closed by muster';
    case 'ended':
      return 'the server ended the event stream';
    case 'silent':
      return `the event stream was silent for ${Math.round(end.silentMs / 1000)} s, although a heartbeat is due every 10 s`;
    case 'failed':
      return `the event stream broke: ${end.error.message}`;
  }
}

export interface StreamOptions {
  readonly source: StreamSource;
  readonly clock: Clock;
  /** Hears every frame at once, in order, from the first byte on. */
  readonly onFrame: (frame: Frame) => void;
  /** The subscription holds: from now on no frame is lost. Close the gap before it now. */
  readonly onProven: () => void;
  readonly onEnd: (end: StreamEnd) => void;
  /** Wait after `server.connected`, in which the server still loses events; default 250, 20 was enough when measured. */
  readonly settleMs?: number;
  /** Without a byte for so long the connection is dead; default 30,000, three heartbeats. */
  readonly silenceMs?: number;
}

export interface StreamCounters {
  readonly bytes: number;
  readonly frames: number;
  /** Data that was not a frame; passed over. */
  readonly malformed: number;
}

export interface EventStream {
  readonly counters: StreamCounters;
  /** Ends the connection, with `closed`, unless it ended before. */
  close(): void;
}

const SETTLE_MS = 250;
const SILENCE_MS = 30_000;
/** Longest frame in characters; a longer one ends the connection. Tool output is cut at 50 KB by the server. */
const MAX_FRAME = 64 * 1024 * 1024;

/** Opens the stream; returns at once, failures arrive as the end. */
export function openStream(options: StreamOptions): EventStream {
  const { clock, onFrame, onProven, onEnd } = options;
  const settleMs = options.settleMs ?? SETTLE_MS;
  const silenceMs = options.silenceMs ?? SILENCE_MS;
  const counters = { bytes: 0, frames: 0, malformed: 0 };
  const controller = new AbortController();
  let hasEnded = false;
  let lastByteMs = clock.now();
  let cancelSettle: (() => void) | undefined;
  let cancelSilence = clock.after(silenceMs, watchSilence);

  function end(how: StreamEnd): void {
    if (hasEnded) return;
    hasEnded = true;
    cancelSettle?.();
    cancelSilence();
    // Half-closed sockets leak in the server: the abort destroys ours, whatever ended the connection.
    controller.abort();
    onEnd(how);
  }

  // One timer that looks back, not one for each chunk: chunks come by the thousand.
  function watchSilence(): void {
    const silentMs = clock.now() - lastByteMs;
    if (silentMs >= silenceMs) end({ kind: 'silent', silentMs });
    else cancelSilence = clock.after(silenceMs - silentMs, watchSilence);
  }

  function take(raw: string): void {
    if (hasEnded) return;
    const frame = parseFrame(raw);
    if (frame === undefined) {
      counters.malformed += 1;
      return;
    }
    counters.frames += 1;
    if (frame.type === 'server.connected') cancelSettle ??= clock.after(settleMs, onProven);
    onFrame(frame);
  }

  async function read(): Promise<void> {
    const chunks = await options.source.open(controller.signal);
    const parser = createParser({ maxBufferSize: MAX_FRAME, onEvent: (event) => take(event.data) });
    const decoder = new TextDecoder();
    for await (const chunk of chunks) {
      if (hasEnded) return;
      counters.bytes += chunk.length;
      lastByteMs = clock.now();
      // A character may be cut between two chunks: the decoder keeps its first bytes.
      parser.feed(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }));
    }
  }

  read().then(
    () => end({ kind: 'ended' }),
    (thrown: unknown) => end({ kind: 'failed', error: ensureError(thrown) }),
  );

  return { counters, close: () => end({ kind: 'closed' }) };
}
