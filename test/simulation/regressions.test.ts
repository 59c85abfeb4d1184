/** What the simulation found in production code, each in the smallest form that shows it. */
import { describe, expect, it } from 'vitest';
import { NO_USAGE } from '../../schemas/session-event.ts';
import { MusterError } from '../../src/errors.ts';
import { createPlan, type TaskSource } from '../../src/plan/plan.ts';
import { openGate, passGate } from '../../src/policy/provider-gate.ts';
import { foldResume, isSurroundings } from '../../src/resume/known-run.ts';
import { resumeStep } from '../../src/resume/resume-step.ts';
import { orchestration } from '../machines/orchestration.ts';
import { numbered } from '../resume/journals.ts';

const ONE: readonly TaskSource[] = [{ id: 'only', wave: 1, waitsFor: [] }];

const STARTED = {
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
  tasks: [{ id: 'only', wave: 1, waitsFor: [] }],
} as const;

/** A run of one instance, in the first turn of its first attempt. */
const IN_FIRST_TURN = [
  STARTED,
  { type: 'instance.started', instance: 'only', wave: 1 },
  { type: 'attempt.started', instance: 'only', attempt: 1 },
  { type: 'session.opened', instance: 'only', attempt: 1, sessionId: 's', apiSessionId: 'ses' },
  { type: 'turn.started', instance: 'only', attempt: 1, turn: 1, kind: 'work', messageId: 'm1' },
] as const;

describe('a run whose graph could not be finished', () => {
  it('keeps the code of the failure, and is known as not judged, so that a resume has that left to do', async () => {
    const run = await orchestration(createPlan(ONE, 'ready'), {
      conclude: () => Promise.reject(new MusterError('DISK_FULL', 'no space left')),
    });
    await run.finish('only', 'complete');
    expect(run.facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'failed', cause: { code: 'DISK_FULL' } });
    expect(foldResume(numbered([STARTED, ...run.facts]))).toMatchObject({ ended: 'failed', checked: false });
  });

  it('is known as judged once it was, until it goes on', () => {
    const checked = {
      type: 'run.checked',
      lateRelationships: 0,
      rules: 0,
      counts: { blocker: 0, error: 0, warning: 0 },
      findings: [],
    } as const;
    const resumed = {
      type: 'run.resumed',
      musterVersion: '0',
      resume: 1,
      reopened: { instances: [], tasks: [] },
      changes: [],
    } as const;
    expect(foldResume(numbered([STARTED, checked]))?.checked).toBe(true);
    expect(foldResume(numbered([STARTED, checked, resumed]))?.checked).toBe(false);
  });
});

it('a run that completes although it was interrupted is judged like any other (Q1)', async () => {
  let judged = 0;
  const run = await orchestration(createPlan(ONE, 'ready'), {
    conclude: async () => {
      judged += 1;
      return {};
    },
  });
  await run.drain();
  await run.finish('only', 'complete');
  expect(run.outcome()).toBe('completed');
  expect(judged).toBe(1);
});

it('a run whose server is lost while the last instance commits is completed when the graph is sound', async () => {
  let free = (): void => {};
  const busy = new Promise<void>((resolve) => {
    free = resolve;
  });
  const run = await orchestration(createPlan(ONE, 'ready'), { commit: () => busy });
  const finished = run.finish('only', 'complete');
  await run.advance(1);
  await run.loseServer();
  free();
  await finished;
  await run.advance(1);
  expect(run.outcome()).toBe('completed');
});

describe('a failure of the surroundings', () => {
  it.each(['GRAPH_OPEN', 'GRAPH_UNREACHABLE', 'FOLDER_NOT_WRITABLE', 'DISK_FULL'])(
    '%s is no fault of the work',
    (code) => {
      expect(isSurroundings({ code, message: '' })).toBe(true);
    },
  );

  it('is whatever the run was told to end for, also when the death came before the instance was settled', () => {
    expect(isSurroundings({ code: 'OPENCODE_REQUEST', message: '', class: 'cancelled' })).toBe(true);
    expect(isSurroundings({ code: 'OPENCODE_REQUEST', message: '', class: 'session-lost' })).toBe(false);
  });
});

it('a prompt to go on that never arrived is sent anew, and the turn that was cut off does not count as ended', () => {
  const facts = [
    ...IN_FIRST_TURN,
    { type: 'turn.started', instance: 'only', attempt: 1, turn: 2, kind: 'continue', messageId: 'm2' },
  ] as const;
  const instance = foldResume(numbered([...facts]))!.instances.get('only')!;
  const knows = { publication: false, replayed: true, complete: false, server: { kind: 'idle' } } as const;
  expect(resumeStep(instance, knows)).toEqual({ kind: 'continue', attempt: 1, turn: 2, repair: 0 });
});

it('a repair that never arrived does not count as ended when the turn before it was taken and a death followed', () => {
  const facts = [
    ...IN_FIRST_TURN,
    { type: 'turn.ended', instance: 'only', attempt: 1, turn: 1, judgement: { kind: 'candidate' }, usage: NO_USAGE },
    { type: 'turn.started', instance: 'only', attempt: 1, turn: 2, kind: 'repair', messageId: 'm2' },
    // The next process found it without work, and took the first turn up.
    { type: 'turn.ended', instance: 'only', attempt: 1, turn: 1, judgement: { kind: 'candidate' }, usage: NO_USAGE },
  ] as const;
  const instance = foldResume(numbered([...facts]))!.instances.get('only')!;
  expect(instance.attempt).toMatchObject({ turns: 1, repairs: 0 });
  const knows = { publication: false, replayed: true, complete: false, server: { kind: 'idle' } } as const;
  expect(resumeStep(instance, knows)).toMatchObject({ kind: 'take', turn: 1, repair: 0 });
});

it('a gate that is full at its full limit is not woken by time', () => {
  const asked = passGate(openGate(1), { type: 'ask', id: 'a' }, 0, 0.5);
  const waiting = passGate(asked.gate, { type: 'ask', id: 'b' }, 0, 0.5);
  expect(waiting.gate.queue).toEqual(['b']);
  expect(waiting.wakeMs).toBeUndefined();
});
