/**
 * One hold point: waits for a person, or for its time to pass.
 *
 * Owns: the facts of the point and its clock. Does not own: who may decide, how a decision arrives (src/run/mailbox.ts),
 * what follows from it (task and orchestrator machines). Invariants: it ends once, with the first decision; time that
 * passes denies, and is told apart from a person's refusal; a decision of an earlier process is taken over, not asked for
 * again.
 */
import { assign, setup } from 'xstate';
import type { HoldPoint, RunFact } from '../schemas/run-event.ts';
import type { HoldDecision } from '../src/policy/holds.ts';

/** What an earlier process of the run left of a point. */
export interface HoldBefore {
  readonly decision?: HoldDecision;
  /** What is left of its time. */
  readonly remainingMs?: number;
}

export interface HoldInput extends HoldPoint {
  readonly before?: HoldBefore;
}

export type HoldCommand = {
  readonly type: 'hold.decide';
  readonly decision: Exclude<HoldDecision, { kind: 'expired' }>;
};

export interface HoldContext extends HoldInput {
  readonly decision: HoldDecision | undefined;
}

export const holdMachine = setup({
  types: {
    input: {} as HoldInput,
    context: {} as HoldContext,
    events: {} as HoldCommand,
    output: {} as HoldDecision,
  },
  guards: {
    isDecided: ({ context }) => context.decision !== undefined,
    hasTimeout: ({ context }) => context.timeoutMs !== undefined,
  },
  delays: { timeLeft: ({ context }) => context.before?.remainingMs ?? context.timeoutMs ?? 0 },
  actions: {
    /** Appends a fact to the journal; provided by src/run. */
    record: (_, _fact: RunFact) => {},
    decide: assign({ decision: ({ context }, decision: HoldDecision) => context.decision ?? decision }),
  },
}).createMachine({
  id: 'hold',
  context: ({ input }) => ({ ...input, decision: input.before?.decision }),
  initial: 'opening',
  states: {
    opening: { always: [{ guard: 'isDecided', target: 'closed' }, { target: 'open' }] },
    open: {
      entry: { type: 'record', params: ({ context }) => openedFact(context) },
      initial: 'asking',
      on: {
        'hold.decide': {
          target: 'closed',
          actions: [
            { type: 'decide', params: ({ event }) => event.decision },
            { type: 'record', params: ({ context, event }) => decidedFact(context.point, event.decision) },
          ],
        },
      },
      states: {
        asking: { always: { guard: 'hasTimeout', target: 'timed' } },
        timed: {
          after: {
            timeLeft: {
              target: '#hold.closed',
              actions: [
                { type: 'decide', params: ({ context }) => expiry(context) },
                { type: 'record', params: ({ context }) => decidedFact(context.point, expiry(context)) },
              ],
            },
          },
        },
      },
    },
    closed: { type: 'final' },
  },
  output: ({ context }) => context.decision ?? expiry(context),
});

function expiry({ timeoutMs = 0 }: HoldContext): HoldDecision {
  return { kind: 'expired', timeoutMs };
}

function openedFact({ point, when, of, reason, timeoutMs, before }: HoldContext): RunFact {
  return {
    type: 'hold.opened',
    point,
    when,
    of,
    reason,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(before && { again: true }),
  };
}

function decidedFact(point: string, decision: HoldDecision): RunFact {
  switch (decision.kind) {
    case 'released': {
      const { by, reason } = decision;
      return { type: 'hold.released', point, by, ...(reason !== undefined && { reason }) };
    }
    case 'rejected':
      return { type: 'hold.rejected', point, by: decision.by, reason: decision.reason };
    case 'expired':
      return { type: 'hold.expired', point, timeoutMs: decision.timeoutMs };
  }
}
