/**
 * A desk whose accepted calls are on disk before they are answered, and can be repeated after a death.
 *
 * Owns the order of calls in the log: it is the order in which they were judged. Does not own the judgement (desk.ts).
 */
import { Desk, type DeskOptions, type Tool } from '../agent-tools/desk.ts';
import { ensureError } from '../errors.ts';
import type { CallLog, LoggedCall } from './call-log.ts';

type Told = Parameters<DeskOptions['onAnswer']>[0];

export class DurableDesk extends Desk {
  readonly #log: CallLog;
  readonly #hears: { told: Told | undefined; isReplay: boolean };
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DeskOptions, log: CallLog) {
    const hears: { told: Told | undefined; isReplay: boolean } = { told: undefined, isReplay: false };
    super({
      ...options,
      onAnswer: (told) => {
        hears.told = told;
        if (!hears.isReplay) options.onAnswer(told);
      },
    });
    this.#hears = hears;
    this.#log = log;
  }

  /** As {@link Desk.answer}; what changed the submission is durable when it resolves. */
  override async answer(tool: Tool, input: unknown): Promise<string> {
    let durable: Promise<void> | undefined;
    const text = await this.#inTurn(async () => {
      this.#hears.told = undefined;
      const answer = await super.answer(tool, input);
      const accepted = (this.#hears.told as Told | undefined)?.accepted ?? 0;
      // Of what is refused, a completion and a submit count too: both take an earlier completion back.
      if (tool === 'complete' || tool === 'submit' || (tool === 'withdraw' && accepted > 0)) {
        durable = this.#log.append({ tool, arguments: input, accepted });
      }
      return answer;
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
      this.#hears.isReplay = true;
      try {
        for (const call of calls) {
          this.#hears.told = undefined;
          await super.answer(call.tool, call.arguments);
          if ((this.#hears.told as Told | undefined)?.accepted !== call.accepted) return false;
        }
        return true;
      } finally {
        this.#hears.isReplay = false;
      }
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch((thrown: unknown) => ensureError(thrown));
    return mine;
  }
}
