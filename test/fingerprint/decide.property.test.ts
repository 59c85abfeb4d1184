/** On a model of a run: what is taken over from an earlier run is what a full run would have made. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/fingerprint/compare.ts';
import { decide, type EarlierInstance, type Selection, tasksBefore } from '../../src/fingerprint/decide.ts';
import { instanceParts, type Parts, UPSTREAM } from '../../src/fingerprint/parts.ts';

/** A task hands in what its prompt and what it reads say; some tasks hand in the same whatever they read. */
interface ModelTask {
  readonly id: string;
  readonly waitsFor: readonly string[];
  readonly prompt: string;
  /** Its output does not depend on what it reads: where a re-run stops to matter. */
  readonly ignoresInput: boolean;
}
type World = readonly ModelTask[];

const hash = (text: string) => text;

function outputOf(task: ModelTask, upstream: ReadonlyMap<string, string>): string {
  // As an agent may: two prompts can lead to the same result.
  const said = task.prompt.toLowerCase();
  return task.ignoresInput ? said : `${said}(${[...upstream].map(([id, text]) => `${id}:${text}`).join(',')})`;
}

function partsOf(task: ModelTask, upstream: ReadonlyMap<string, string>): Parts {
  const nodes = [...upstream].map(([id, text]) => [id, [{ entity: id, key: ['P', text], properties: {} }]] as const);
  return instanceParts({ prompt: task.prompt }, undefined, new Map(nodes));
}

interface Earlier {
  readonly outputs: ReadonlyMap<string, string>;
  readonly instances: ReadonlyMap<string, EarlierInstance>;
}

function fullRun(world: World, failing: ReadonlySet<string> = new Set()): Earlier {
  const outputs = new Map<string, string>();
  const instances = new Map<string, EarlierInstance>();
  for (const task of world) {
    if (task.waitsFor.some((id) => !outputs.has(id))) {
      instances.set(task.id, { completed: false, fingerprint: undefined });
      continue;
    }
    const upstream = new Map(task.waitsFor.map((id) => [id, outputs.get(id)!]));
    if (failing.has(task.id)) {
      // It began, so that what it was to be made from is on record.
      instances.set(task.id, { completed: false, fingerprint: fingerprintOf(partsOf(task, upstream), hash) });
      continue;
    }
    outputs.set(task.id, outputOf(task, upstream));
    instances.set(task.id, { completed: true, fingerprint: fingerprintOf(partsOf(task, upstream), hash) });
  }
  return { outputs, instances };
}

function selectiveRun(world: World, earlier: Earlier, selection: Selection) {
  const before = tasksBefore(world);
  const outputs = new Map<string, string>();
  const ran = new Map<string, readonly string[]>();
  for (const task of world) {
    const upstream = new Map(task.waitsFor.map((id) => [id, outputs.get(id)!]));
    const decision = decide(
      { id: task.id, task: task.id, waitsFor: task.waitsFor },
      {
        selection,
        now: fingerprintOf(partsOf(task, upstream), hash),
        earlier: earlier.instances.get(task.id),
        open: new Set(),
        before: before.get(task.id)!,
      },
    );
    expect(decision.kind).not.toBe('undecided');
    if (decision.kind === 'run') ran.set(task.id, decision.causes);
    outputs.set(task.id, decision.kind === 'run' ? outputOf(task, upstream) : earlier.outputs.get(task.id)!);
  }
  return { outputs, ran };
}

const worlds: fc.Arbitrary<World> = fc
  .array(
    fc.record({
      prompt: fc.constantFrom('a', 'A', 'b', 'B', 'c'),
      ignoresInput: fc.boolean(),
      waits: fc.array(fc.nat(20), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((list) =>
    list.map(({ waits, ...task }, i) => ({
      ...task,
      id: `t${i}`,
      waitsFor: i === 0 ? [] : [...new Set(waits.map((n) => `t${n % i}`))].sort(),
    })),
  );

/** The same world after somebody worked on it. */
const edits = fc.array(fc.record({ at: fc.nat(20), prompt: fc.constantFrom('a', 'A', 'b', 'B', 'c') }), {
  maxLength: 3,
});
const edited = (world: World, list: readonly { at: number; prompt: string }[]): World =>
  list.reduce(
    (now, { at, prompt }) => now.map((task, i) => (i === at % now.length ? { ...task, prompt } : task)),
    world,
  );

describe('a selective run', () => {
  it('makes what a full run makes, whatever was changed and whatever had failed', () => {
    fc.assert(
      fc.property(worlds, edits, fc.array(fc.nat(7), { maxLength: 2 }), (world, list, failing) => {
        const earlier = fullRun(world, new Set(failing.map((n) => `t${n}`)));
        const now = edited(world, list);
        for (const kind of ['changed', 'failed', 'force'] as const) {
          expect(selectiveRun(now, earlier, { kind }).outputs).toEqual(fullRun(now).outputs);
        }
        const from: Selection = { kind: 'from', ids: ['t0'] };
        expect(selectiveRun(now, earlier, from).outputs).toEqual(fullRun(now).outputs);
      }),
      { numRuns: 500 },
    );
  });

  it('runs nothing again when nothing changed, and everything when it is forced', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        expect(selectiveRun(world, fullRun(world), { kind: 'changed' }).ran.size).toBe(0);
        expect(selectiveRun(world, fullRun(world), { kind: 'force' }).ran.size).toBe(world.length);
      }),
    );
  });

  it('runs exactly those again whose own texts or whose read results differ', () => {
    fc.assert(
      fc.property(worlds, edits, (world, list) => {
        const [earlier, now] = [fullRun(world), edited(world, list)];
        const after = fullRun(now);
        const expected = now
          .filter((task, i) => {
            const differs = task.waitsFor.some((id) => earlier.outputs.get(id) !== after.outputs.get(id));
            return differs || task.prompt !== world[i]!.prompt;
          })
          .map(({ id }) => id);
        expect([...selectiveRun(now, earlier, { kind: 'changed' }).ran.keys()]).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('names the cause, of its own or from upstream', () => {
    fc.assert(
      fc.property(worlds, edits, (world, list) => {
        const now = edited(world, list);
        const { ran } = selectiveRun(now, fullRun(world), { kind: 'changed' });
        for (const [id, causes] of ran) {
          const own = now.find((task) => task.id === id)!.prompt !== world.find((task) => task.id === id)!.prompt;
          if (own) expect(causes).toEqual(['prompt changed']);
          else for (const cause of causes) expect(cause).toMatch(new RegExp(`^${UPSTREAM}t\\d+ changed$`));
        }
      }),
    );
  });

  it('of one part runs that part only; from one part on, all that stands behind it', () => {
    fc.assert(
      fc.property(worlds, fc.nat(7), edits, (world, n, list) => {
        const id = `t${n % world.length}`;
        const earlier = fullRun(world);
        const now = edited(world, list);
        expect([...selectiveRun(now, earlier, { kind: 'only', ids: [id] }).ran.keys()]).toEqual([id]);
        const reached = new Set([id]);
        for (const task of world) if (task.waitsFor.some((one) => reached.has(one))) reached.add(task.id);
        const behind = world.filter((task) => reached.has(task.id)).map((task) => task.id);
        expect([...selectiveRun(world, earlier, { kind: 'from', ids: [id] }).ran.keys()]).toEqual(behind);
      }),
    );
  });

  it('is undecided about what reads from a task that is still open, unless it has reasons of its own', () => {
    const subject = { id: 'b', task: 'b', waitsFor: ['a'] };
    const earlier = { completed: true, fingerprint: { prompt: '1', 'upstream A': 'x' } };
    const options = { selection: { kind: 'changed' } as const, earlier, open: new Set(['a']), before: new Set(['a']) };
    expect(decide(subject, { ...options, now: { prompt: '1' } })).toEqual({ kind: 'undecided', until: ['a'] });
    expect(decide(subject, { ...options, now: { prompt: '2' } })).toEqual({ kind: 'run', causes: ['prompt changed'] });
    const ended = { ...options, open: new Set<string>() };
    expect(decide(subject, { ...ended, now: { prompt: '1', 'upstream A': 'x' } })).toEqual({ kind: 'take-over' });
  });
});
