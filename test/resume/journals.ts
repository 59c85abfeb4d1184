/** Journals as runs write them: made by the real orchestrator and task machines, driven at random. */
import fc from 'fast-check';
import type { RunRules } from '../../machines/orchestrator-rules.ts';
import type { RunEvent, RunFact } from '../../schemas/run-event.ts';
import { createPlan, type TaskSource } from '../../src/plan/plan.ts';
import { orchestration } from '../machines/orchestration.ts';

export const edge = (task: string) => ({ task, why: 'a reason' });

/** Two waves and a fan-out: every kind of task there is. */
export const TASKS: readonly TaskSource[] = [
  { id: 'plan', wave: 1, waitsFor: [] },
  { id: 'words', wave: 1, waitsFor: [] },
  { id: 'places', wave: 2, waitsFor: [edge('words')] },
  {
    id: 'items',
    wave: 3,
    waitsFor: [edge('plan'), edge('words')],
    fanOut: { over: 'Item', maxItems: 9, producer: 'plan' },
  },
  { id: 'sum', wave: 4, waitsFor: [edge('items')] },
];

export const ITEMS = ['A', 'B', 'C'];

export type Move = { readonly finish: number; readonly how: 'complete' | 'fail' } | 'drain' | 'abort' | 'lose';

export const moves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ finish: fc.nat(9), how: fc.constant('complete' as const) }) },
    { weight: 1, arbitrary: fc.record({ finish: fc.nat(9), how: fc.constant('fail' as const) }) },
    { weight: 1, arbitrary: fc.constantFrom('drain' as const, 'abort' as const, 'lose' as const) },
  ),
  { maxLength: 10 },
);

const STARTED: RunFact = {
  type: 'run.started',
  runId: 'r',
  musterVersion: '0',
  projectId: 'P',
  manifest: { name: 'm', path: '/m', sha256: '0' },
  schema: { name: 's', version: '1' },
  documents: [],
  model: 'p/m',
  rehearsal: true,
  gating: 'ready',
  concurrency: 3,
  tasks: TASKS.map(({ id, wave, waitsFor, fanOut }) => ({
    id,
    wave,
    waitsFor,
    ...(fanOut && { fanOutOver: fanOut.over }),
  })),
};

/** Facts in their order; the times run backwards, since nothing may depend on them. */
export function numbered(facts: readonly RunFact[]): RunEvent[] {
  return facts.map((fact, i) => ({ seq: i + 1, time: new Date(1e12 - i * 1000).toISOString(), ...fact }));
}

/** The journal of one run that was moved so. */
export async function journalOf(list: readonly Move[], rules: RunRules = {}): Promise<readonly RunEvent[]> {
  const run = await orchestration(createPlan(TASKS, 'ready'), { concurrency: 3, limits: { attempts: 2 }, rules });
  for (const move of list) {
    if (run.outcome() !== undefined) break;
    if (move === 'drain') await run.drain();
    else if (move === 'abort') await run.abort();
    else if (move === 'lose') await run.loseServer();
    else {
      const open = run.open();
      const instance = open[move.finish % Math.max(1, open.length)];
      if (instance !== undefined) await run.finish(instance, move.how, instance === 'plan' ? { Item: ITEMS } : {});
    }
  }
  run.stop();
  return numbered([STARTED, ...run.facts]);
}
