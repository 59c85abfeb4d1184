/** For each instance of a selective run: is the work of an earlier run taken over, or is it done again, and why. */
import type { InstanceRef, RunFact } from '../../schemas/run-event.ts';
import { NO_USAGE } from '../../schemas/session-event.ts';
import { fingerprintOf } from '../fingerprint/compare.ts';
import { decide, type Selection, tasksBefore } from '../fingerprint/decide.ts';
import type { Parts } from '../fingerprint/parts.ts';
import type { TaskGraph } from '../plan/derive.ts';
import type { EarlierRun } from './earlier-run.ts';
import { sha256 } from './started-fact.ts';
import type { TakenUp, TakeUp } from './take-up.ts';

export interface TakeOverPorts {
  readonly earlier: EarlierRun;
  readonly selection: Selection;
  readonly graphOfTasks: TaskGraph;
  /** What the instance is made from now. */
  readonly parts: (instance: InstanceRef) => Promise<Parts>;
  readonly record: (fact: RunFact) => void;
}

/** Its own attempt is the first one: in this run there was none before. */
const ATTEMPT = 1;

export function takeOverFrom({ earlier, selection, graphOfTasks, parts, record }: TakeOverPorts): TakeUp {
  const tasks = graphOfTasks.tasks.map(({ id, waitsFor }) => ({ id, waitsFor: waitsFor.map((edge) => edge.task) }));
  const before = tasksBefore(tasks);
  return async (ref): Promise<TakenUp> => {
    const now = fingerprintOf(await parts(ref), sha256);
    const completed = earlier.completed(ref.id);
    const known = earlier.known.instances.has(ref.id);
    const decision = decide(
      { id: ref.id, task: ref.task, waitsFor: tasks.find(({ id }) => id === ref.task)?.waitsFor ?? [] },
      {
        selection,
        now,
        earlier: known ? { completed, fingerprint: await earlier.fingerprint(ref.id) } : undefined,
        // An instance starts when everything before it has committed.
        open: new Set(),
        before: before.get(ref.task) ?? new Set(),
      },
    );
    const publication = decision.kind === 'take-over' ? await earlier.publication(ref.id) : undefined;
    const causes = decision.kind === 'run' ? decision.causes : publication ? [] : ['its publication is not on record'];
    record({
      type: 'instance.decided',
      instance: ref.id,
      decision: publication ? 'take-over' : 'run',
      against: earlier.runId,
      causes,
    });
    return publication
      ? { start: { step: 'commit-again', attempt: ATTEMPT, usage: NO_USAGE }, publication, frames: [] }
      : { start: { step: 'new-attempt', attempt: 0 }, frames: [] };
  };
}
