/**
 * What muster does when things go wrong, on the built command line and the real OpenCode binary: models that loop, fall
 * silent, never finish or do nothing; a provider that refuses; people who decide; a budget that is spent.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../schemas/run-event.ts';
import { type Ended, muster } from './muster-process.ts';
import { read, type Step, type Tasks, thingsProject, work } from './things-project.ts';

const base = mkdtempSync(join(tmpdir(), 'muster-policy-'));
let made = 0;
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A project of independent tasks, each with one entity of its own; `perCallMs` is how long the model takes. */
const project = (tasks: Tasks, more: object = {}, perCallMs = 20) =>
  thingsProject(join(base, `project-${++made}`), tasks, more, perCallMs);

const of = <T extends RunEvent['type']>(facts: readonly RunEvent[], type: T) =>
  facts.filter((fact): fact is Extract<RunEvent, { type: T }> => fact.type === type);
const ends = (facts: readonly RunEvent[]) =>
  Object.fromEntries(
    of(facts, 'instance.settled').map(({ instance, outcome }) => [
      instance,
      outcome.kind === 'completed' ? 'completed' : `${outcome.kind} ${outcome.cause.class} ${outcome.cause.code}`,
    ]),
  );

describe('models that go astray', () => {
  let ended: Ended;
  let report: string;
  beforeAll(async () => {
    const tasks = {
      looping: {
        more: { limits: { repeatedCalls: 4 } },
        turns: [Array.from({ length: 30 }, () => ({ calls: [read] }))],
      },
      silent: { more: { limits: { stallMs: 4_000 } }, turns: [[{ say: 'I think about it', hang: true as const }]] },
      endless: { turns: [[{ say: 'and so on', finish: 'none' }]] },
      idle: { more: { limits: { repairs: 1 } }, turns: [[{ say: 'Everything is done.' }]] },
      greedy: {
        more: { limits: { steps: 4 } },
        turns: [
          Array.from({ length: 30 }, (_, n) => ({ calls: [{ ...read, arguments: { ...read.arguments, offset: n } }] })),
        ],
      },
      slow: { more: { limits: { attemptMs: 5_000 } }, turns: [[{ say: 'a', hang: true as const }]] },
      sound: { turns: [work('sound')] },
    };
    // An abort takes a moment, in which a faster model is called again: the moment must be short beside a call.
    const things = project(tasks, {}, 400);
    ended = await things.rehearse();
    report = things.report();
  }, 180_000);

  it('each ends within its own limit, with the class that it is, and the others are not disturbed', () => {
    expect(ends(ended.facts)).toEqual({
      looping: 'failed loop repeated-calls',
      silent: 'failed stall stall',
      endless: 'failed loop loop',
      idle: 'failed incomplete incomplete',
      greedy: 'failed budget step-limit',
      slow: 'failed time time-limit',
      sound: 'completed',
    });
    expect(ended.code).toBe(1);
  });

  it('none spends more model calls than its limit lets it', () => {
    const steps = Object.fromEntries(
      of(ended.facts, 'attempt.measured').map(({ instance, usage }) => [instance, usage.steps]),
    );
    // The limits are 4, 4 and 3; one more call may be under way when the abort goes out, and one until it arrives.
    expect(steps['looping']).toBeLessThanOrEqual(6);
    expect(steps['greedy']).toBeLessThanOrEqual(6);
    expect(steps['endless']).toBeLessThanOrEqual(5);
  });

  it('the report says class, cause and answer of each, and what the repair said word for word', () => {
    const repair = of(ended.facts, 'failure.answered').find(({ answer }) => answer.kind === 'repair')!;
    expect(repair).toMatchObject({ instance: 'idle', cause: { class: 'incomplete' } });
    expect(report).toContain(repair.adjustment);
    for (const name of ['loop', 'stall', 'incomplete', 'budget', 'time']) expect(report).toContain(`**${name}**`);
  });
});

describe('a provider that refuses', () => {
  it('for longer than OpenCode retries: muster waits, the same session goes on, and nothing fails', async () => {
    const busy: Step = { error: { status: 429, message: 'Rate limit reached', retryAfterS: 0.2, times: 6 } };
    const things = project({ busy: { turns: [[busy, ...work('busy')]] } });
    const { code, facts } = await things.rehearse();
    expect(ends(facts)).toEqual({ busy: 'completed' });
    expect(code).toBe(0);
    expect(of(facts, 'failure.answered')).toMatchObject([
      { cause: { class: 'rate-limit' }, answer: { kind: 'back-off' } },
    ]);
    expect(of(facts, 'session.opened')).toHaveLength(1);
    expect(of(facts, 'turn.started').map(({ kind }) => kind)).toEqual(['work', 'continue']);
    expect(of(facts, 'provider.slowed').length).toBeGreaterThan(0);
  }, 180_000);

  it('the key: the run stops once, exits with 3, and goes on with a resume when the key is right', async () => {
    const refused: Step = { error: { status: 401, message: 'Invalid API key', times: 1 } };
    const things = project({
      first: { turns: [[...Array.from({ length: 3 }, () => ({ calls: [read] })), refused]] },
      second: { turns: [[{ say: 'a', hang: true }]] },
    });
    const stopped = await things.rehearse();
    expect(stopped.code).toBe(3);
    expect(stopped.err).toMatch(/Invalid API key.*\[PROVIDER_AUTH\]/s);
    expect(of(stopped.facts, 'failure.answered')).toMatchObject([
      { cause: { class: 'auth' }, answer: { kind: 'stop-run' } },
    ]);
    for (const id of ['first', 'second']) things.write(`script/${id}.json`, { instance: id, turns: [work(id)] });
    const resumed = await things.resume();
    expect(ends(resumed.facts)).toEqual({ first: 'completed', second: 'completed' });
    expect(resumed.code).toBe(0);
  }, 180_000);
});

describe('a person who decides', () => {
  it('rejects with a reason that reaches the agent, then releases; nothing is committed before', async () => {
    const things = project({
      plan: { more: { hold: { when: 'after', reason: 'read the plan' } }, turns: [work('plan'), work('plan', 'T2')] },
    });
    const decisions: Promise<Ended>[] = [];
    const { code, facts } = await things.rehearse([], (fact) => {
      if (fact.type !== 'hold.opened') return;
      const [command, ...words] =
        decisions.length === 0 ? ['reject', '--reason', 'T2 is missing', '--by', 'Bob'] : ['release', '--by', 'Ada'];
      decisions.push(muster([command!, 'latest', 'plan', '--home', things.home, ...words]));
    });
    const told = await Promise.all(decisions);
    expect(told.map(({ code: exit, out }) => [exit, out.trim()])).toEqual([
      [0, 'after:plan rejected by Bob.'],
      [0, 'after:plan released by Ada.'],
    ]);
    expect(code).toBe(0);
    expect(of(facts, 'repair.requested')[0]?.issues[0]?.message).toMatch(/Bob.*T2 is missing/);
    const order = facts.map(({ type }) => type);
    expect(order.indexOf('commit.started')).toBeGreaterThan(order.indexOf('hold.released'));
    expect(of(facts, 'commit.ended')).toMatchObject([{ entities: { Plan: 2 } }]);
    expect(things.report()).toContain('released by Ada');
  }, 180_000);

  it('may decide while the process is dead: the resume takes it', async () => {
    const things = project({
      plan: { more: { hold: { when: 'after', reason: 'read the plan' } }, turns: [work('plan')] },
      later: { more: { hold: { when: 'before', reason: 'price it' } }, turns: [work('later')] },
    });
    let opened = 0;
    await things.rehearse([], (fact, child) => {
      if (fact.type !== 'hold.opened' || ++opened < 2) return;
      // What is told may not be on disk yet.
      const looking = setInterval(() => {
        if (things.journal().split('"hold.opened"').length < 3) return;
        clearInterval(looking);
        child.kill('SIGKILL');
      }, 20);
    });
    const refused = await muster(['release', 'latest', 'nothing', '--home', things.home]);
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/before:later: price it.*\[HOLD_UNKNOWN\]/s);
    for (const point of ['after:plan', 'before:later']) {
      const kept = await muster(['release', 'latest', point, '--home', things.home]);
      expect(kept).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/The decision is kept/) });
    }
    const resumed = await things.resume();
    expect(resumed.code).toBe(0);
    expect(ends(resumed.facts)).toEqual({ plan: 'completed', later: 'completed' });
    expect(
      of(resumed.facts, 'hold.released')
        .map(({ point }) => point)
        .sort(),
    ).toEqual(['after:plan', 'before:later']);
    expect(readdirSync(join(things.home, 'runs', readdirSync(join(things.home, 'runs'))[0]!, 'decisions'))).toEqual([]);
  }, 180_000);
});

describe('a budget', () => {
  it('that is spent pauses with exit code 4; a higher one goes on in the same sessions', async () => {
    const long = (id: string): Step[] => [
      ...Array.from({ length: 6 }, (_, n) => ({ calls: [{ ...read, arguments: { ...read.arguments, offset: n } }] })),
      ...work(id),
    ];
    const things = project({ one: { turns: [long('one'), work('one')] }, two: { turns: [long('two'), work('two')] } });
    const paused = await things.rehearse(['--budget', '0.05']);
    expect(paused.code).toBe(4);
    expect(of(paused.facts, 'run.paused')).toMatchObject([{ cause: { code: 'paused' } }]);
    expect(of(paused.facts, 'run.ended')).toMatchObject([{ outcome: 'paused' }]);
    expect(of(paused.facts, 'run.paused')[0]!.spent.cost).toBeLessThan(0.08);

    const again = await things.resume(['--budget', '0.05']);
    expect(again.code).toBe(4);
    expect(of(again.facts, 'turn.started')).toEqual([]);

    const resumed = await things.resume(['--budget', '10']);
    expect(resumed.code).toBe(0);
    expect(ends(resumed.facts)).toEqual({ one: 'completed', two: 'completed' });
    expect(of(resumed.facts, 'session.opened')).toEqual([]);
  }, 180_000);
});
