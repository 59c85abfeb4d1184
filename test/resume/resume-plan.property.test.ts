/** A run may die behind any line of its journal: what it goes on with is whole, and nothing that completed is in it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../schemas/run-event.ts';
import { createPlan, expand, expandable, instancesOf, isEnded, type Plan, settle } from '../../src/plan/plan.ts';
import { foldResume } from '../../src/resume/known-run.ts';
import { type ResumePlan, resumePlan } from '../../src/resume/resume-plan.ts';
import { type ResumeKnowledge, resumeStep } from '../../src/resume/resume-step.ts';
import { ITEMS, journalOf, moves, numbered, TASKS } from './journals.ts';

const ALL = ['plan', 'words', 'places', ...ITEMS.map((item) => `items[${item}]`), 'sum'];

/** Every instance that the rest of a run comes to: what is open completes, fan-outs expand. */
function rest({ plan, items }: ResumePlan): { readonly ran: readonly string[]; readonly plan: Plan } {
  const ran: string[] = [];
  let now = plan;
  const known: Record<string, readonly string[]> = { ...items };
  for (let changed = true; changed; ) {
    changed = false;
    for (const { id, fanOut } of expandable(now)) {
      now = expand(now, id, known[fanOut!.over] ?? []);
      changed = true;
    }
    for (const { id } of Object.values(now.instances)) {
      if (isEnded(now.instances[id]!)) continue;
      ran.push(id);
      if (id === 'plan') known['Item'] = ITEMS;
      now = settle(now, id, { kind: 'completed' });
      changed = true;
    }
  }
  return { ran, plan: now };
}

const completedIn = (events: readonly RunEvent[]) =>
  new Set(events.filter((event) => event.type === 'commit.ended').map(({ instance }) => instance));
const failedIn = (events: readonly RunEvent[]) =>
  new Set(
    events
      .filter((e) => e.type === 'instance.settled' && e.outcome.kind === 'failed')
      .map((e) => ('instance' in e ? e.instance : '')),
  );

describe('a journal that was cut behind any line', () => {
  it('gives a plan with every instance exactly once: completed before, or still to come', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (list) => {
        const journal = await journalOf(list);
        for (let lines = 1; lines <= journal.length; lines++) {
          const cut = journal.slice(0, lines);
          const resumed = resumePlan(foldResume(cut)!, TASKS, 'ready', { failed: true });
          const done = completedIn(cut);
          const { ran, plan } = rest(resumed);
          expect(
            ran.filter((id) => done.has(id)),
            `line ${lines}`,
          ).toEqual([]);
          expect([...done, ...ran].sort(), `line ${lines}`).toEqual([...ALL].sort());
          expect(Object.values(plan.tasks).every(({ outcome }) => outcome?.kind === 'completed')).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('goes on by itself after a lost server with every instance exactly once', async () => {
    let healings = 0;
    await fc.assert(
      fc.asyncProperty(moves, async (list) => {
        const journal = await journalOf([...list, 'lose'], { healing: { losses: 0, lossesMax: 5 } });
        const last = journal.at(-1)!;
        const known = foldResume(journal)!;
        if (last.type !== 'run.healing') {
          expect(last.type).toBe('run.ended');
          return;
        }
        healings += 1;
        expect(known.ended).toBeUndefined();
        const { ran, plan } = rest(resumePlan(known, TASKS, 'ready', { failed: true }));
        expect([...completedIn(journal), ...ran].sort()).toEqual([...ALL].sort());
        expect(Object.values(plan.tasks).every(({ outcome }) => outcome?.kind === 'completed')).toBe(true);
      }),
      { numRuns: 60 },
    );
    expect(healings).toBeGreaterThan(20);
  });

  it('keeps failed what had failed, and skips what waits for it, unless it is asked to try again', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (list) => {
        const journal = await journalOf(list);
        for (let lines = 1; lines <= journal.length; lines++) {
          const cut = journal.slice(0, lines);
          const { plan } = resumePlan(foldResume(cut)!, TASKS, 'ready');
          for (const id of failedIn(cut)) expect(plan.instances[id]?.outcome?.kind).toBe('failed');
          for (const { id, outcome } of Object.values(plan.tasks)) {
            if (outcome?.kind === 'failed') {
              const dependants = Object.values(plan.tasks).filter(({ waitsFor }) => waitsFor.includes(id));
              for (const dependant of dependants) {
                expect(plan.tasks[dependant.id]?.outcome?.kind, `line ${lines}: ${dependant.id}`).toMatch(
                  /skipped|failed/,
                );
              }
            }
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('is made good by the facts that it owes: the same journal with them owes nothing and reopens nothing', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (list) => {
        const journal = await journalOf(list);
        for (let lines = 1; lines <= journal.length; lines++) {
          const cut = journal.slice(0, lines);
          const { owed, reopened, plan } = resumePlan(foldResume(cut)!, TASKS, 'ready');
          const after = numbered([
            ...cut,
            { type: 'run.resumed', musterVersion: '0', resume: 1, reopened, changes: [] },
            ...owed,
          ]);
          const again = resumePlan(foldResume(after)!, TASKS, 'ready');
          expect(again.owed, `line ${lines}`).toEqual([]);
          expect(again.reopened, `line ${lines}`).toEqual({ instances: [], tasks: [] });
          expect(again.plan, `line ${lines}`).toEqual(plan);
          const { tasks, instances } = foldResume(after)!;
          for (const { id, outcome } of Object.values(plan.tasks)) {
            expect(tasks.get(id)?.outcome?.kind, `line ${lines}: ${id}`).toBe(outcome?.kind);
          }
          for (const { id, outcome } of Object.values(plan.instances)) {
            expect(instances.get(id)?.outcome?.kind, `line ${lines}: ${id}`).toBe(outcome?.kind);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('ends what was cancelled as skipped when what it waits for had failed all the same', async () => {
    const complete = { finish: 0, how: 'complete' } as const;
    const journal = await journalOf([complete, complete, { finish: 0, how: 'fail' }, 'drain', complete, complete]);
    const known = foldResume(journal)!;
    expect(known.instances.get('sum')?.outcome?.kind).toBe('cancelled');
    const { owed, reopened } = resumePlan(known, TASKS, 'ready');
    expect(reopened.instances).toContain('sum');
    expect(owed).toContainEqual(
      expect.objectContaining({ instance: 'sum', outcome: expect.objectContaining({ kind: 'skipped' }) }),
    );
  });

  it('keeps a fan-out failed that had nothing to fan out over', async () => {
    const begun = await journalOf([]);
    const facts = [
      ...begun,
      ...['plan', 'words'].flatMap((instance) => [
        {
          type: 'commit.ended' as const,
          instance,
          attempt: 1,
          entities: {},
          relationships: 0,
          created: 0,
          updated: 0,
          unchanged: 0,
          items: {},
        },
        { type: 'instance.settled' as const, instance, outcome: { kind: 'completed' as const } },
        { type: 'task.settled' as const, task: instance, outcome: { kind: 'completed' as const } },
      ]),
      {
        type: 'task.settled' as const,
        task: 'items',
        outcome: { kind: 'failed' as const, cause: { code: 'fan-out-empty', message: 'none' } },
      },
    ];
    const { plan, owed } = resumePlan(foldResume(numbered(facts))!, TASKS, 'ready');
    expect(plan.tasks['items']?.outcome).toMatchObject({ kind: 'failed', cause: { code: 'fan-out-empty' } });
    expect(owed.map((fact) => ('instance' in fact ? fact.instance : 'task' in fact ? fact.task : ''))).toEqual([
      'sum',
      'sum',
    ]);
    expect(expandable(plan)).toEqual([]);
  });

  it('never loses or doubles an item of a fan-out', async () => {
    const journal = await journalOf([...Array.from({ length: 8 }, () => ({ finish: 0, how: 'complete' as const }))]);
    const expanded = journal.findIndex(({ type }) => type === 'task.expanded');
    expect(expanded).toBeGreaterThan(0);
    for (const lines of [expanded, expanded + 1]) {
      const { plan, items } = resumePlan(foldResume(journal.slice(0, lines))!, TASKS, 'ready');
      const whole = expandable(plan).reduce((now, { id, fanOut }) => expand(now, id, items[fanOut!.over] ?? []), plan);
      expect(instancesOf(whole, 'items').map(({ itemKey }) => itemKey)).toEqual(ITEMS);
    }
  });
});

describe('the step of an instance', () => {
  const knowledge: fc.Arbitrary<ResumeKnowledge> = fc.record({
    publication: fc.boolean(),
    replayed: fc.boolean(),
    complete: fc.boolean(),
    isOutdated: fc.boolean(),
    server: fc.oneof(
      fc.constant({ kind: 'gone' as const }),
      fc.constant({ kind: 'busy' as const }),
      fc.constant({ kind: 'busy' as const, judgement: { kind: 'loop' as const } }),
      fc.constant({ kind: 'idle' as const }),
      fc.constantFrom('candidate', 'interrupted', 'truncated', 'rejected', 'loop').map((kind) => ({
        kind: 'idle' as const,
        judgement: { kind } as never,
      })),
    ),
  });

  it('is there for every cut and every knowledge, is done exactly for what ended, and commits again only what is on disk', async () => {
    await fc.assert(
      fc.asyncProperty(moves, knowledge, async (list, knows) => {
        const journal = await journalOf(list);
        for (let lines = 1; lines <= journal.length; lines++) {
          const known = foldResume(journal.slice(0, lines))!;
          const { open } = resumePlan(known, TASKS, 'ready');
          const done = completedIn(journal.slice(0, lines));
          for (const [id, instance] of known.instances) {
            if (done.has(id)) expect(resumeStep(instance, knows).kind).toBe('done');
          }
          for (const [id, instance] of open) {
            const step = resumeStep(instance, knows);
            expect(step.kind, `${id}, line ${lines}`).not.toBe('done');
            if (step.kind === 'commit-again') expect(knows.publication).toBe(true);
            if (step.kind === 'join') expect(knows.server).toEqual({ kind: 'busy' });
            if (step.kind === 'continue') expect(knows.server.kind).toBe('idle');
            // Of what was begun from other inputs nothing counts but what stands on disk to be committed.
            if (knows.isOutdated) expect(['new-attempt', 'commit-again']).toContain(step.kind);
            if (step.kind === 'new-attempt') expect(step.attempt).toBe(instance.attempt?.attempt ?? 0);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('what a resumed plan is made from', () => {
  it('is nothing without run.started', () => {
    expect(foldResume([])).toBeUndefined();
    expect(foldResume(numbered([{ type: 'server.stopped' }]))).toBeUndefined();
  });

  it('knows that the run went on with other inputs, also after a resume that found the old ones back', async () => {
    const resumed = (changes: readonly string[]) =>
      ({
        type: 'run.resumed',
        musterVersion: '0',
        resume: 1,
        reopened: { instances: [], tasks: [] },
        changes,
      }) as const;
    const began = await journalOf([]);
    expect(foldResume(numbered([...began, resumed([])]))!.isChanged).toBe(false);
    expect(foldResume(numbered([...began, resumed(['documents/a.md changed']), resumed([])]))!.isChanged).toBe(true);
  });

  it('leaves out instances of tasks that the manifest no longer has', async () => {
    const journal = await journalOf([]);
    const fewer = TASKS.filter(({ id }) => id !== 'words' && id !== 'places').map((task) => ({
      ...task,
      waitsFor: task.waitsFor.filter((one) => one.task !== 'words'),
    }));
    const { plan } = resumePlan(foldResume(journal)!, fewer, 'ready');
    expect(Object.keys(plan.tasks)).toEqual(['plan', 'items', 'sum']);
    expect(createPlan(fewer, 'ready').tasks).toEqual(plan.tasks);
  });
});
