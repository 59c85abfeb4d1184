/**
 * The gates of the providers at work: one for each, shared by all sessions of the run.
 *
 * Owns: the gates' state, their timers, and who waits. Does not own: when a gate opens (src/policy/provider-gate.ts), or
 * what a session does that yields (machines/task.ts). Invariants: an instance is inside one gate at most; whoever stops
 * waiting leaves the queue; `close` leaves no timer behind.
 */
import type { RunFact } from '../../schemas/run-event.ts';
import type { SessionEvent } from '../../schemas/session-event.ts';
import { providerOf } from '../policy/answer.ts';
import { providerClass } from '../policy/classify.ts';
import { type Gate, type GateEvent, openGate, passGate } from '../policy/provider-gate.ts';
import { type Clock, LONGEST_TIMER_MS } from '../ports.ts';

export interface GatePorts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Sessions at work at once while nothing is refused. */
  readonly max: number;
  readonly record: (fact: RunFact) => void;
}

interface Open {
  gate: Gate;
  cancelWake: () => void;
}

/** Classes of refusals that more calls make worse. */
const SLOWS = new Set<string | undefined>(['rate-limit', 'overload']);

export class ProviderGates {
  readonly #ports: GatePorts;
  readonly #gates = new Map<string, Open>();
  /** Instance → provider whose gate it is in, or waits for. */
  readonly #at = new Map<string, string>();
  readonly #waiting = new Map<string, () => void>();
  /** Tokens that each instance's calls gave: a call that gave some has succeeded. */
  readonly #tokens = new Map<string, number>();
  #isClosed = false;

  constructor(ports: GatePorts) {
    this.#ports = ports;
  }

  /** Resolves when the instance may call the provider of `model`; never rejects. Aborting gives its place back. */
  enter(instance: string, model: string, signal: AbortSignal): Promise<void> {
    const provider = providerOf(model);
    if (this.#at.get(instance) !== provider) this.leave(instance);
    this.#at.set(instance, provider);
    return new Promise((resolve) => {
      const stop = () => this.leave(instance);
      this.#waiting.set(instance, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      if (signal.aborted) return stop();
      signal.addEventListener('abort', stop, { once: true });
      this.#pass(provider, { type: 'ask', id: instance });
      // Inside already: a session that goes on without having left.
      if (this.#gates.get(provider)?.gate.inside.includes(instance)) this.#admit(instance);
    });
  }

  /** The instance's session was found at work: it has a place, be it one too many. */
  occupy(instance: string, model: string): void {
    const provider = providerOf(model);
    this.#at.set(instance, provider);
    this.#pass(provider, { type: 'occupy', id: instance });
  }

  /** Gives the place, or the wait for one, back; nothing happens without one. */
  leave(instance: string): void {
    const provider = this.#at.get(instance);
    this.#waiting.delete(instance);
    if (provider === undefined) return;
    this.#at.delete(instance);
    this.#pass(provider, { type: 'leave', id: instance });
  }

  /** Hears what the instance's session tells; true when its turn should be broken off, to go on later. */
  hear(instance: string, event: SessionEvent): boolean {
    const provider = this.#at.get(instance);
    if (provider === undefined) return false;
    switch (event.type) {
      case 'session.usage': {
        const tokens = event.usage.outputTokens + event.usage.reasoningTokens;
        const isMore = tokens > (this.#tokens.get(instance) ?? 0);
        this.#tokens.set(instance, tokens);
        if (isMore) this.#pass(provider, { type: 'succeeded', id: instance });
        return false;
      }
      case 'session.retrying': {
        if (!SLOWS.has(providerClass(event))) return false;
        return this.#refuse(provider, instance, event.message, event.waitMs);
      }
      case 'session.turn-ended': {
        const { judgement } = event;
        if (judgement.kind !== 'failed' || !SLOWS.has(providerClass({ ...judgement, name: judgement.error })))
          return false;
        this.#refuse(provider, instance, judgement.message, judgement.retryAfterMs);
        return false;
      }
      default:
        return false;
    }
  }

  /** Lets everybody go and stops all timers. */
  close(): void {
    this.#isClosed = true;
    for (const { cancelWake } of this.#gates.values()) cancelWake();
    this.#waiting.clear();
  }

  #refuse(provider: string, id: string, message: string, retryAfterMs: number | undefined): boolean {
    const event = { type: 'refused' as const, id, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    return this.#pass(provider, event, message);
  }

  #pass(provider: string, event: GateEvent, message = ''): boolean {
    if (this.#isClosed) return false;
    const { clock, random, max, record } = this.#ports;
    const open = this.#gates.get(provider) ?? { gate: openGate(max), cancelWake: () => {} };
    this.#gates.set(provider, open);
    open.cancelWake();
    const step = passGate(open.gate, event, clock.now(), random());
    open.gate = step.gate;
    open.cancelWake =
      step.wakeMs === undefined
        ? () => {}
        : clock.after(Math.min(LONGEST_TIMER_MS, step.wakeMs - clock.now()), () =>
            this.#pass(provider, { type: 'tick' }),
          );
    if (step.notice?.kind === 'slowed') {
      const { limit, waitMs } = step.notice;
      record({ type: 'provider.slowed', provider, limit, waitMs, message });
    } else if (step.notice) record({ type: 'provider.recovered', provider });
    for (const id of step.entered) this.#admit(id);
    return step.yields;
  }

  #admit(instance: string): void {
    const resolve = this.#waiting.get(instance);
    this.#waiting.delete(instance);
    resolve?.();
  }
}
