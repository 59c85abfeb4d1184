/** What the simulated server keeps of a session; it survives a crash, but for the turn that runs. */

export interface DurableEvent {
  readonly id: string;
  readonly aggregate_id: string;
  readonly seq: number;
  readonly type: string;
  readonly data: object;
}

export interface StoredMessage {
  info: Record<string, unknown> & { id: string; role: string };
  readonly parts: (Record<string, unknown> & { id: string; type: string })[];
}

/** What became of a prompt, as the server knows it: the truth that muster has to find out. */
export interface PromptTruth {
  readonly messageId: string;
  readonly sessionId: string;
  readonly instance: string;
  readonly attempt: number;
  state: 'swallowed' | 'stored' | 'running' | 'finished' | 'failed' | 'aborted' | 'broken' | 'crashed';
  finish?: string;
}

export interface PendingAsk {
  readonly id: string;
  readonly kind: 'permission' | 'question';
  readonly sessionID: string;
  readonly askedMs: number;
  /** Whether the frame that told it was sent to somebody. */
  wasHeard: boolean;
  answer: (message: string | undefined) => void;
}

export interface ServerSession {
  readonly id: string;
  readonly instance: string;
  readonly attempt: number;
  readonly title: string;
  readonly messages: StoredMessage[];
  readonly events: DurableEvent[];
  readonly prompts: PromptTruth[];
  /** Prompts that wait for the turn at work. */
  readonly waiting: PromptTruth[];
  turn: RunningTurn | undefined;
  status: { type: 'busy' } | { type: 'retry'; attempt: number; message: string; next: number } | undefined;
  asks: number;
}

export interface RunningTurn {
  readonly prompt: PromptTruth;
  /** The call of the model at work. */
  reply: StoredMessage | undefined;
  isOver: boolean;
  /** It does nothing any more until somebody aborts it. */
  isStalled: boolean;
}
