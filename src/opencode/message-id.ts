/**
 * Ids of messages and parts in the server's own format, so that ours sort with the server's and a prompt that is sent
 * again with the same ids is harmless.
 */

/** What the ids are made of; tests bring fixed ones. */
export interface IdSource {
  /** Milliseconds since the epoch. */
  now(): number;
  /** A number from 0 up to, not including, 1. */
  random(): number;
}

const ALPHANUMERICS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_LENGTH = 14;

/** Makes ids that ascend in the order they were asked for, also when the clock stands still or runs backwards. */
export class MessageIds {
  readonly #source: IdSource;
  #last = 0n;

  constructor(source: IdSource) {
    this.#source = source;
  }

  /** `msg_` + 12 hex digits of milliseconds × 4096 + counter + 14 alphanumerics. */
  message(): string {
    const moment = BigInt(Math.floor(this.#source.now())) * 4096n + 1n;
    this.#last = moment > this.#last ? moment : this.#last + 1n;
    // The server keeps the low 48 bits: its order wraps after two years, and ours with it.
    const time = BigInt.asUintN(48, this.#last).toString(16).padStart(12, '0');
    let random = '';
    for (let index = 0; index < RANDOM_LENGTH; index += 1) {
      random += ALPHANUMERICS[Math.floor(this.#source.random() * ALPHANUMERICS.length)]!;
    }
    return `msg_${time}${random}`;
  }
}

/** The id of the only part of message `messageId`: the same message sent again carries the same part. */
export function partIdOf(messageId: string): string {
  return `prt_${messageId.slice(messageId.indexOf('_') + 1)}`;
}
