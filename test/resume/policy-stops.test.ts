/** Runs that a provider or a budget stopped: what a resume opens again, counts, and goes on with. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY } from '../../schemas/manifest.ts';
import { createPlan, type TaskSource } from '../../src/plan/plan.ts';
import { foldResume, wasCutOff } from '../../src/resume/known-run.ts';
import { resumePlan } from '../../src/resume/resume-plan.ts';
import { resumeStep } from '../../src/resume/resume-step.ts';
import { orchestration } from '../machines/orchestration.ts';
import { edge, numbered } from './journals.ts';

const TASKS: readonly TaskSource[] = [
  { id: 'first', wave: 1, waitsFor: [] },
  { id: 'second', wave: 1, waitsFor: [] },
  { id: 'behind', wave: 2, waitsFor: [edge('first')] },
];
const policy = { model: 'a/one', retry: DEFAULT_RETRY };

async function journalOf(stop: 'key' | 'quota' | 'budget') {
  const run = await orchestration(createPlan(TASKS, 'ready'), {
    rules: { policies: { first: policy, second: policy, behind: policy }, budget: { cost: 5 } },
  });
  const failed = { kind: 'failed', error: 'APIError', retryable: true } as const;
  if (stop === 'key') await run.endTurn('first', { ...failed, message: 'no', status: 401 });
  else if (stop === 'quota') await run.endTurn('first', { ...failed, message: 'insufficient_quota', status: 429 });
  else await run.spend('first', { cost: 5 });
  const started = {
    type: 'run.started',
    runId: 'r',
    musterVersion: '0',
    projectId: 'P',
    manifest: { name: 'm', path: '/m', sha256: '0' },
    schema: { name: 's', version: '1' },
    documents: [],
    model: 'a/one',
    rehearsal: false,
    gating: 'ready',
    concurrency: 8,
    tasks: TASKS.map(({ id, wave, waitsFor }) => ({ id, wave, waitsFor })),
  } as const;
  return foldResume(numbered([started, ...run.facts]))!;
}

describe.each(['key', 'quota', 'budget'] as const)('a run that a %s stopped', (stop) => {
  it('is open again as a whole, without "--failed", and no attempt is counted', async () => {
    const known = await journalOf(stop);
    const { plan, open, reopened } = resumePlan(known, TASKS, 'ready');
    expect(Object.values(plan.instances).map(({ status }) => status)).toEqual(['waiting', 'waiting', 'waiting']);
    expect([...reopened.instances].sort()).toEqual(['behind', 'first', 'second']);
    expect([...open.values()].every(({ attempt }) => wasCutOff(attempt))).toBe(true);
  });

  it('goes on in the same session', async () => {
    const known = await journalOf(stop);
    const { open } = resumePlan(known, TASKS, 'ready');
    const knows = {
      publication: false,
      replayed: true,
      complete: false,
      server: { kind: 'idle', judgement: { kind: 'aborted', byUs: false } },
    } as const;
    for (const id of ['first', 'second']) {
      const instance = open.get(id)!;
      const last = { ...instance.attempt!, turns: 1, messageId: 'm' };
      expect(resumeStep({ ...instance, attempt: last }, knows)).toMatchObject({ kind: 'continue', attempt: 1 });
    }
  });
});
