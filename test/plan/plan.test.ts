import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../schemas/run-event.ts';
import {
  allEnded,
  begin,
  cancelWaiting,
  createPlan,
  expand,
  expandable,
  type Plan,
  ready,
  settle,
  type TaskSource,
} from '../../src/plan/plan.ts';
import { admit } from '../../src/policy/admission.ts';

const failed: Outcome = { kind: 'failed', cause: { code: 'x', message: 'y' } };
const completed: Outcome = { kind: 'completed' };
const task = (id: string, waitsFor: string[] = [], wave = 1): TaskSource => ({
  id,
  wave,
  waitsFor: waitsFor.map((of) => ({ task: of, why: 'test' })),
});

/** A random acyclic graph: each task waits for some of those before it; some fan out over one they wait for. */
const graphs = fc
  .array(fc.record({ needs: fc.array(fc.nat(), { maxLength: 3 }), fan: fc.boolean() }), { minLength: 1, maxLength: 9 })
  .map((nodes): TaskSource[] =>
    nodes.map(({ needs, fan }, i) => {
      const waitsFor = i === 0 ? [] : [...new Set(needs.map((n) => `t${n % i}`))];
      const base = task(`t${i}`, waitsFor, 1 + waitsFor.length);
      return fan && waitsFor[0] ? { ...base, fanOut: { over: 'Thing', maxItems: 3, producer: waitsFor[0] } } : base;
    }),
  );

describe('the plan', () => {
  it('keeps the first outcome of an instance (T1)', () => {
    const plan = settle(settle(createPlan([task('a')], 'ready'), 'a', failed), 'a', completed);
    expect(plan.instances['a']?.outcome).toEqual(failed);
  });

  it('a fan-out task completes only when every instance has', () => {
    let plan = createPlan(
      [task('a'), { ...task('b', ['a']), fanOut: { over: 'T', maxItems: 5, producer: 'a' } }],
      'ready',
    );
    plan = expand(settle(plan, 'a', completed), 'b', ['1', '2']);
    plan = settle(plan, 'b[1]', completed);
    expect(plan.tasks['b']?.outcome).toBeUndefined();
    expect(settle(plan, 'b[2]', failed).tasks['b']?.outcome).toMatchObject({
      kind: 'failed',
      cause: { message: '1 of 2 instances failed: b[2]; first: y' },
    });
  });

  it.each([
    ['no item', [], 'fan-out-empty'],
    ['more items than the bound', ['1', '2', '3', '4'], 'fan-out-limit'],
    ['one key twice', ['1', '1'], 'fan-out-repeated'],
  ])('refuses to expand over %s', (_, keys, code) => {
    const plan = createPlan(
      [task('a'), { ...task('b', ['a']), fanOut: { over: 'T', maxItems: 3, producer: 'a' } }],
      'ready',
    );
    const next = expand(settle(plan, 'a', completed), 'b', keys);
    expect(next.tasks['b']?.outcome).toMatchObject({ kind: 'failed', cause: { code } });
    expect(Object.keys(next.instances)).toEqual(['a']);
  });

  it('skips what waits for a failure, through any number of steps, naming the nearest', () => {
    const plan = settle(createPlan([task('a'), task('b', ['a']), task('c', ['b'])], 'ready'), 'a', failed);
    expect(plan.instances['c']?.outcome).toMatchObject({ kind: 'skipped', cause: { of: 'b' } });
    expect(allEnded(plan)).toBe(true);
  });

  it('any run over any graph ends, starts nothing before its needs, and never exceeds admission', () => {
    fc.assert(
      fc.property(
        graphs,
        fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('ready', 'wave') as fc.Arbitrary<Plan['gating']>,
        (sources, choices, limit, gating) => {
          // A barrier needs real depths; the generated labels are not depths.
          const depth = (id: string): number =>
            1 + Math.max(0, ...sources.find((s) => s.id === id)!.waitsFor.map((e) => depth(e.task)));
          let plan = createPlan(
            sources.map((source) => ({ ...source, wave: depth(source.id) })),
            gating,
          );
          for (let step = 0; step < 200 && !allEnded(plan); step++) {
            for (const { id } of expandable(plan)) plan = expand(plan, id, ['x', 'y']);
            const ids = admit(plan, limit);
            for (const id of ids) {
              const needs = sources.find((source) => source.id === plan.instances[id]!.task)!.waitsFor;
              // Independent of the plan's own gate.
              for (const { task: need } of needs) {
                const of = Object.values(plan.instances).filter((instance) => instance.task === need);
                expect(of.length).toBeGreaterThan(0);
                expect(of.every((instance) => instance.status === 'completed')).toBe(true);
              }
            }
            plan = begin(plan, ids);
            const running = Object.values(plan.instances).filter(({ status }) => status === 'running');
            expect(running.length).toBeLessThanOrEqual(limit);
            if (running.length === 0) break;
            const choice = choices[step % choices.length]!;
            plan = settle(plan, running[choice % running.length]!.id, choice % 5 === 0 ? failed : completed);
          }
          expect(allEnded(plan)).toBe(true);
          for (const instance of Object.values(plan.instances)) expect(instance.outcome).toBeDefined();
        },
      ),
    );
  });

  it('after an interrupt nothing is ready and every open instance is one that runs', () => {
    fc.assert(
      fc.property(graphs, (sources) => {
        let plan = createPlan(sources, 'ready');
        plan = begin(plan, admit(plan, 2));
        plan = cancelWaiting(plan, { code: 'interrupted', message: 'Ctrl-C' });
        expect(ready(plan)).toEqual([]);
        expect(
          Object.values(plan.instances)
            .filter(({ outcome }) => !outcome)
            .every(({ status }) => status === 'running'),
        ).toBe(true);
      }),
    );
  });
});
