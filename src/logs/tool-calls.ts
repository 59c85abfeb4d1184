/** The tool calls of a session, folded from the raw `message.part.updated` frames of the server. */

export interface ToolCall {
  readonly name: string;
  readonly callID: string;
  /** The last status: pending, running, completed or error. */
  status: string;
  /** Each status once per change, with the time it was seen, in milliseconds since the epoch. */
  readonly transitions: { readonly status: string; readonly at: number }[];
  /** The server's own times where it gives them, else when the frame came. */
  startTime?: number;
  endTime?: number;
  /** Milliseconds; absent while the call is not over. */
  duration?: number;
}

const OVER = new Set(['completed', 'error']);

export class ToolCalls {
  readonly #calls = new Map<string, ToolCall>();

  /** In the order in which they were first seen. */
  all(): readonly ToolCall[] {
    return [...this.#calls.values()];
  }

  /** Looks at one frame; anything but a tool part is passed over. A call that is over stays as it ended. */
  see(type: string, data: unknown, at: number): void {
    if (type !== 'message.part.updated') return;
    const part = fields(fields(data).part);
    const state = fields(part.state);
    const { tool, callID } = part;
    const { status } = state;
    if (part.type !== 'tool' || typeof tool !== 'string' || typeof callID !== 'string' || typeof status !== 'string')
      return;
    const call = this.#calls.get(callID) ?? { name: tool, callID, status: '', transitions: [] };
    this.#calls.set(callID, call);
    if (call.status === status || OVER.has(call.status)) return;
    call.status = status;
    call.transitions.push({ status, at });
    const time = fields(state.time);
    if (status !== 'pending') call.startTime ??= number(time.start) ?? at;
    if (OVER.has(status)) {
      call.endTime = number(time.end) ?? at;
      call.duration = Math.max(0, call.endTime - (call.startTime ?? call.endTime));
    }
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
