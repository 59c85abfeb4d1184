/**
 * What goes wrong, how often it really did, and how much of it one world may have.
 *
 * Each seed picks the kinds that are about and how many of each; a kind that is not about never happens, so that seeds
 * differ in kind and not in number only. Hard faults may cost an instance one of its attempts: each instance takes
 * {@link HARD_PER_INSTANCE} of them at most, and the world a few more that may hit anybody, so that nobody runs out of
 * attempts but who is meant to.
 */
import type { SeededRandom } from './random.ts';

interface Kind {
  /** Occurrences in one world when the kind is about. */
  readonly most: number;
  /** Of worlds in which it is about. */
  readonly share: number;
  /** Of its occasions, while there is some left. */
  readonly chance: number;
  /** It may cost an attempt of the instance that it hits. */
  readonly hard?: true;
}

const KINDS = {
  // What the stream does to frames.
  'frame-dropped': { most: 4, share: 0.35, chance: 0.03 },
  'frame-duplicated': { most: 8, share: 0.3, chance: 0.05 },
  'frame-reordered': { most: 8, share: 0.3, chance: 0.05 },
  'stream-cut': { most: 3, share: 0.3, chance: 0.01 },
  'stream-ended': { most: 2, share: 0.25, chance: 0.01 },
  'stream-silent': { most: 1, share: 0.3, chance: 0.01 },
  'stream-refused': { most: 2, share: 0.3, chance: 0.4 },
  'early-frames-lost': { most: 3, share: 0.5, chance: 0.5 },
  // What the server says that is not so, or not in order.
  'double-idle': { most: 4, share: 0.3, chance: 0.4 },
  'early-idle': { most: 3, share: 0.35, chance: 0.3 },
  'stray-idle': { most: 4, share: 0.3, chance: 0.1 },
  'late-frames': { most: 3, share: 0.4, chance: 0.7 },
  'late-error': { most: 3, share: 0.3, chance: 0.2 },
  // What the server does not do.
  'prompt-without-work': { most: 2, share: 0.3, chance: 0.15, hard: true },
  'turn-stalls': { most: 1, share: 0.25, chance: 0.1, hard: true },
  'turn-breaks': { most: 2, share: 0.3, chance: 0.1 },
  'turn-aborted': { most: 2, share: 0.3, chance: 0.1 },
  'abort-without-end': { most: 2, share: 0.5, chance: 0.6 },
  // What the provider does.
  'provider-retry': { most: 4, share: 0.3, chance: 0.15 },
  'provider-error': { most: 2, share: 0.3, chance: 0.1, hard: true },
  'provider-rate-limit': { most: 3, share: 0.25, chance: 0.12 },
  // What the network does.
  'request-reset': { most: 3, share: 0.3, chance: 0.03, hard: true },
  'answer-lost': { most: 3, share: 0.3, chance: 0.03, hard: true },
  'request-failed': { most: 2, share: 0.3, chance: 0.03, hard: true },
  'request-slow': { most: 1, share: 0.35, chance: 0.03, hard: true },
  // Asks.
  'permission-ask': { most: 3, share: 0.3, chance: 0.15 },
  'question-ask': { most: 2, share: 0.3, chance: 0.1 },
  // Agents.
  'agent-garbage': { most: 2, share: 0.3, chance: 0.2 },
  'agent-nothing': { most: 2, share: 0.3, chance: 0.2 },
  'agent-too-much': { most: 2, share: 0.3, chance: 0.2 },
  'agent-incomplete': { most: 2, share: 0.3, chance: 0.2 },
  'agent-late-call': { most: 2, share: 0.3, chance: 0.2 },
  'agent-cut-off': { most: 2, share: 0.3, chance: 0.2 },
  'agent-loops': { most: 1, share: 0.25, chance: 0.1, hard: true },
  'agent-without-finish': { most: 2, share: 0.4, chance: 0.25, hard: true },
  // Deaths.
  'server-crash': { most: 2, share: 0.4, chance: 1 },
  'server-forgets': { most: 1, share: 0.9, chance: 0.8, hard: true },
  'instance-poisoned': { most: 1, share: 0.4, chance: 1 },
  'orchestrator-kill': { most: 3, share: 0.5, chance: 1 },
  'kill-at-line': { most: 3, share: 0.55, chance: 1 },
  'torn-line': { most: 2, share: 0.4, chance: 0.5 },
  'power-loss': { most: 2, share: 0.35, chance: 0.5 },
  'interrupt-drain': { most: 1, share: 0.25, chance: 1 },
  'interrupt-abort': { most: 2, share: 0.35, chance: 1 },
  // Store and disk.
  'store-refuses': { most: 2, share: 0.3, chance: 0.15, hard: true },
  'store-answer-lost': { most: 2, share: 0.35, chance: 0.15, hard: true },
  'store-full': { most: 1, share: 0.25, chance: 0.1 },
  'store-kill': { most: 1, share: 0.25, chance: 0.15 },
  'store-read-fails': { most: 2, share: 0.3, chance: 0.05, hard: true },
  'store-slow': { most: 3, share: 0.35, chance: 0.1 },
  'journal-full': { most: 1, share: 0.2, chance: 0.02 },
  'calls-full': { most: 1, share: 0.25, chance: 0.1, hard: true },
  // People.
  'hold-rejected': { most: 1, share: 0.9, chance: 0.5 },
} as const satisfies Record<string, Kind>;

export type FaultKind = keyof typeof KINDS;

export const FAULT_KINDS = Object.keys(KINDS) as FaultKind[];

export type FaultCounts = Record<FaultKind, number>;

/** Hard faults of one instance; see `limits.attempts` of the worlds' manifests. */
const HARD_PER_INSTANCE = 3;
/** Hard faults that hit nobody by name, and so perhaps anybody. */
const HARD_OF_NOBODY = 2;

export interface Injected {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly detail: string;
}

export class Faults {
  readonly counts = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as FaultCounts;
  readonly injected: Injected[] = [];
  readonly #left = new Map<FaultKind, number>();
  readonly #hard = new Map<string, number>();
  readonly #random: SeededRandom;
  readonly #nowMs: () => number;
  readonly #isSoft: boolean;
  #isCalm = false;

  /** @param isSoft without hard faults */
  constructor(random: SeededRandom, nowMs: () => number, isSoft: boolean) {
    this.#random = random;
    this.#nowMs = nowMs;
    this.#isSoft = isSoft;
    for (const kind of FAULT_KINDS) {
      const { most, share } = KINDS[kind];
      // Both drawn always, so that a changed share of one kind changes no other.
      const isAbout = random.chance(share);
      const number = random.between(1, most);
      if (isAbout) this.#left.set(kind, number);
    }
  }

  /** Nothing goes wrong any more. */
  calm(): void {
    this.#isCalm = true;
  }

  /** How often the kind may still happen. */
  left(kind: FaultKind): number {
    return this.#isCalm ? 0 : (this.#left.get(kind) ?? 0);
  }

  /** Whether it happens here; `who` is the instance that it hits. */
  strikes(kind: FaultKind, detail: string, who = ''): boolean {
    const { chance } = KINDS[kind];
    const isHard = 'hard' in KINDS[kind];
    if (this.left(kind) === 0 || (isHard && !this.#mayCost(who)) || !this.#random.chance(chance)) return false;
    this.strike(kind, detail, isHard ? who : undefined);
    return true;
  }

  /** It happens; `who` pays with an attempt, perhaps. */
  strike(kind: FaultKind, detail: string, who?: string): void {
    this.#left.set(kind, (this.#left.get(kind) ?? 1) - 1);
    if (who !== undefined) this.#hard.set(who, (this.#hard.get(who) ?? 0) + 1);
    this.counts[kind] += 1;
    this.injected.push({ atMs: this.#nowMs(), kind, detail });
  }

  /** An attempt of `who` may be lost by what is about to happen. */
  mayCost(who: string): boolean {
    return this.#mayCost(who);
  }

  cost(who: string): void {
    this.#hard.set(who, (this.#hard.get(who) ?? 0) + 1);
  }

  #mayCost(who: string): boolean {
    if (this.#isSoft) return false;
    return (this.#hard.get(who) ?? 0) < (who === '' ? HARD_OF_NOBODY : HARD_PER_INSTANCE);
  }
}
