/**
 * What the agents' tools do in one session, as far as it decides something: calls that are repeated, and calls that fail.
 *
 * Owns a short memory of calls. Does not own what is too often (src/policy/limits.ts). Invariants: a call counts once,
 * when it ends; a subagent's calls are compared with its own only.
 */
import type { ToolTally } from '../../schemas/session-event.ts';
import { type Frame, isRecord, textOf } from './frames.ts';

/** The same calls in a row, or the same two or three in turn. */
export interface Repetition {
  readonly tool: string;
  readonly times: number;
}

/** Longest cycle that is seen as one. */
const MAX_CYCLE = 3;
/** Calls remembered for each session: as many as the highest limit needs. */
const MEMORY = MAX_CYCLE * 100;
/** Fewer repetitions are told to nobody. */
const FIRST_TOLD = 3;
const MAX_MESSAGE = 300;

interface Ended {
  readonly tool: string;
  /** Tool and arguments. */
  readonly print: string;
}

export class ToolWatch {
  #tally: ToolTally = { calls: 0, failed: 0 };
  readonly #ended = new Set<string>();
  readonly #calls = new Map<string, Ended[]>();

  /** Of the turn so far. */
  get tally(): ToolTally {
    return this.#tally;
  }

  beginTurn(): void {
    this.#tally = { calls: 0, failed: 0 };
  }

  /** Takes a frame; returns a repetition that it made longer. */
  observe(frame: Frame): Repetition | undefined {
    if (frame.type !== 'message.part.updated') return undefined;
    const part = frame.properties['part'];
    if (!isRecord(part) || part['type'] !== 'tool' || !isRecord(part['state'])) return undefined;
    const { status, input, error, output } = part['state'];
    const id = textOf(part['callID']) ?? textOf(part['id']);
    const tool = textOf(part['tool']);
    if (id === undefined || tool === undefined || (status !== 'completed' && status !== 'error')) return undefined;
    const call = `${frame.sessionId} ${id}`;
    if (this.#ended.has(call)) return undefined;
    this.#ended.add(call);
    // A tool that is denied as a whole is called `invalid`, and completes with the refusal as its output.
    const isFailed = status === 'error' || tool === 'invalid';
    this.#count(tool, isFailed, textOf(error) ?? textOf(output) ?? '');
    return this.#repetition(frame.sessionId ?? '', { tool, print: `${tool} ${JSON.stringify(input ?? null)}` });
  }

  #count(tool: string, isFailed: boolean, message: string): void {
    const { calls, failed } = this.#tally;
    this.#tally = {
      calls: calls + 1,
      failed: failed + (isFailed ? 1 : 0),
      ...(isFailed && { lastFailed: { tool, message: message.slice(0, MAX_MESSAGE) } }),
    };
  }

  #repetition(sessionId: string, call: Ended): Repetition | undefined {
    const calls = this.#calls.get(sessionId) ?? [];
    this.#calls.set(sessionId, calls);
    calls.push(call);
    if (calls.length > MEMORY) calls.shift();
    let times = 1;
    for (let length = 1; length <= MAX_CYCLE; length++) times = Math.max(times, cycles(calls, length));
    return times < FIRST_TOLD ? undefined : { tool: call.tool, times };
  }
}

/** How often the last `length` calls stand at the end, one after the other. */
function cycles(calls: readonly Ended[], length: number): number {
  let same = 0;
  for (let i = calls.length - 1; i - length >= 0 && calls[i]!.print === calls[i - length]!.print; i--) same += 1;
  return Math.floor(same / length) + 1;
}
