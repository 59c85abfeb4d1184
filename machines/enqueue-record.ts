import type { RunFact } from '../schemas/run-event.ts';

/**
 * Enqueues the `record` action. XState types the actions that `enqueueActions` may name inside `setup` as `never`
 * (statelyai/xstate#4820), hence the cast.
 */
export function enqueueRecord(enqueue: unknown, fact: RunFact): void {
  (enqueue as (action: { type: 'record'; params: RunFact }) => void)({ type: 'record', params: fact });
}
