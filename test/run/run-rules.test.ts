import { describe, expect, it } from 'vitest';
import { limitsOf, manifestSchema } from '../../schemas/manifest.ts';
import type { RunEvent, RunFact } from '../../schemas/run-event.ts';
import { NO_USAGE } from '../../schemas/session-event.ts';
import { modelsOf, runRules } from '../../src/run/run-rules.ts';

const task = (id: string, more: object = {}) => ({ id, title: id, prompt: `${id}.md`, creates: ['X'], ...more });
const manifest = manifestSchema.parse({
  name: 'm',
  schema: './s.mjs',
  pools: { large: 2 },
  retry: { patienceMs: 60_000 },
  budget: { cost: 50, steps: 100 },
  tasks: [
    task('a', { pool: 'large', retry: { fallbackModels: ['b/two'], giveUpOn: ['stall'] } }),
    task('b', { model: 'c/own', hold: { when: 'after', reason: 'read it', timeoutMs: 60_000 } }),
    task('c', { hold: { when: 'before', reason: 'price it' }, limits: { repeatedCalls: 4 } }),
  ],
});
const request = { manifest, model: 'a/one', isRehearsal: false, nowMs: Date.parse('2026-01-01T01:00:00Z') };
const at = (minute: number, fact: RunFact): RunEvent => ({
  seq: 1,
  time: new Date(Date.parse('2026-01-01T00:00:00Z') + minute * 60_000).toISOString(),
  ...fact,
});

describe('the rules of a run', () => {
  it('are those of the manifest, the task before the whole, the defaults last', () => {
    const rules = runRules(request);
    expect(rules.policies?.['a']).toEqual({
      model: 'a/one',
      retry: {
        fallbackModels: ['b/two'],
        firstWaitMs: 1_000,
        longestWaitMs: 30_000,
        patienceMs: 60_000,
        giveUpOn: ['stall'],
      },
    });
    expect(rules.policies?.['b']).toMatchObject({ model: 'c/own', hold: { reason: 'read it', timeoutMs: 60_000 } });
    expect(rules).toMatchObject({
      pools: { large: 2 },
      poolOf: { a: 'large' },
      holdBefore: { c: { reason: 'price it' } },
    });
    expect(limitsOf(manifest, manifest.tasks[2]!).repeatedCalls).toBe(4);
  });

  it('a budget given now wins over that of the manifest, field by field', () => {
    expect(runRules({ ...request, budget: { cost: 80 } }).budget).toEqual({ cost: 80, steps: 100 });
  });

  it('take over what earlier processes spent, decided, and how long they worked', () => {
    const attempt = { instance: 'a', attempt: 1 };
    const events = [
      at(0, {
        type: 'run.started',
        tasks: [{ id: 'a', wave: 1, waitsFor: [] }],
      } as never as RunFact),
      at(1, { type: 'attempt.started', ...attempt }),
      at(2, {
        type: 'turn.ended',
        ...attempt,
        turn: 1,
        judgement: { kind: 'candidate' },
        usage: { ...NO_USAGE, cost: 3 },
      }),
      at(3, { type: 'hold.opened', point: 'after:b', when: 'after', of: 'b', reason: 'r', timeoutMs: 3_600_000 }),
      at(4, { type: 'hold.opened', point: 'before:c', when: 'before', of: 'c', reason: 'r' }),
      at(5, { type: 'hold.released', point: 'before:c', by: 'Ada' }),
      at(30, {
        type: 'run.resumed',
        musterVersion: '1',
        resume: 1,
        reopened: { instances: [], tasks: [] },
        changes: [],
      }),
      at(32, { type: 'stream.connected', connection: 1 }),
    ];
    expect(runRules({ ...request, events })).toMatchObject({
      spent: { 'a#1': { cost: 3 } },
      workedMs: 7 * 60_000,
      knownHolds: {
        'after:b': { remainingMs: 3 * 60_000 },
        'before:c': { decision: { kind: 'released', by: 'Ada' } },
      },
    });
  });

  it('name every model that may be used, so that the server is asked for all of them before the first session', () => {
    expect([...modelsOf(request)].sort()).toEqual(['a/one', 'b/two', 'c/own']);
    expect(modelsOf({ ...request, model: 'rehearsal/scripted', isRehearsal: true })).toEqual(['rehearsal/scripted']);
  });
});

describe('what a manifest may not say', () => {
  it.each([
    [{ retry: { fallbackModels: ['no-provider'] } }],
    [{ retry: { patience: 1 } }],
    [{ retry: { giveUpOn: ['bad-luck'] } }],
    [{ limits: { repeatedCalls: 2 } }],
    [{ hold: { when: 'during', reason: 'r' } }],
    [{ hold: { when: 'after', reason: '' } }],
    [{ hold: { when: 'after', reason: 'r', timeoutMs: 2 ** 31 } }],
    [{ pool: 'Large' }],
  ])('%j', (more) => {
    const value = { name: 'm', schema: './s.mjs', tasks: [task('a', more)] };
    expect(manifestSchema.safeParse(value).success).toBe(false);
  });
});
