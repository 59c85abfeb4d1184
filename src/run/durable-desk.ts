/**
 * A desk whose accepted calls are on disk before they are answered, and can be repeated after a death.
 *
 * Owns the order of calls in the log: it is the order in which they were judged. Does not own the judgement (desk.ts).
 */
import { Desk, type DeskOptions, type Tool } from '../agent-tools/desk.ts';
import { ensureError, MusterError } from '../errors.ts';
import type { CallLog, LoggedCall } from './call-log.ts';

type Told = Parameters<DeskOptions['onAnswer']>[0];

export class DurableDesk extends Desk {
  readonly #log: CallLog;
  readonly #onAnswer: DeskOptions['onAnswer'];
  /** What the call being judged came to. */
  readonly #hears: { told: Told | undefined };
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DeskOptions, log: CallLog) {
    const hears: { told: Told | undefined } = { told: undefined };
    super({
      ...options,
      onAnswer: (told) => {
        hears.told = told;
      },
    });
    this.#hears = hears;
    this.#onAnswer = options.onAnswer;
    this.#log = log;
  }

  /**
   * As {@link Desk.answer}; what changed the submission is durable when it resolves. Rejects when the attempt ended while
   * the call was judged: nothing is kept of it, and nothing told.
   */
  override async answer(tool: Tool, input: unknown): Promise<string> {
    const { text, durable } = await this.#inTurn(async () => {
      const { text, told } = await this.#judged(tool, input);
      if (this.#log.isClosed) throw new MusterError('AGENT_TOOLS', 'the attempt ended while the call was judged');
      if (told) this.#onAnswer(told);
      const accepted = told?.accepted ?? 0;
      // Of what is refused, a completion and a submit count too: both take an earlier completion back.
      const counts = tool === 'complete' || tool === 'submit' || (tool === 'withdraw' && accepted > 0);
      return { text, durable: counts ? this.#log.append({ tool, arguments: input, accepted }) : undefined };
    });
    await durable;
    return text;
  }

  /**
   * Repeats calls of an earlier process on this fresh desk. False when one is answered otherwise than it was then: what
   * the agent believes and what is staged would differ, so the attempt cannot go on.
   */
  async replay(calls: readonly LoggedCall[]): Promise<boolean> {
    return this.#inTurn(async () => {
      for (const call of calls) {
        const { told } = await this.#judged(call.tool, call.arguments);
        if (told?.accepted !== call.accepted) return false;
      }
      return true;
    });
  }

  async #judged(tool: Tool, input: unknown): Promise<{ readonly text: string; readonly told: Told | undefined }> {
    this.#hears.told = undefined;
    const text = await super.answer(tool, input);
    return { text, told: this.#hears.told };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch((thrown: unknown) => ensureError(thrown));
    return mine;
  }
}
