/** The real orchestrator with its real task machines; server, stream and effects are answered by the test. */
import { createActor, fromCallback, fromPromise, SimulatedClock } from 'xstate';
import { eventStreamMachine } from '../../machines/event-stream.ts';
import { type HoldCommand, holdMachine } from '../../machines/hold.ts';
import { orchestratorMachine } from '../../machines/orchestrator.ts';
import type { RunRules } from '../../machines/orchestrator-rules.ts';
import { type StartedServer, serverMachine } from '../../machines/server.ts';
import { taskMachine } from '../../machines/task.ts';
import type { AttemptRef, Committed, OpenedSession, OpenRequest } from '../../machines/task-ports.ts';
import { DEFAULT_LIMITS, type Limits } from '../../schemas/manifest.ts';
import type { Cause, RunFact } from '../../schemas/run-event.ts';
import { type Judgement, NO_USAGE, type Usage } from '../../schemas/session-event.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { SubmissionReview } from '../../src/ports.ts';
import { turnOfLoop } from './task-bench.ts';

export interface Orchestration {
  /** All facts of the run in order. */
  readonly facts: RunFact[];
  /** Ends the work of a running instance: through a review and a commit, or by failing every attempt. */
  finish(instance: string, how: 'complete' | 'fail', items?: Committed['items']): Promise<void>;
  /** Ends the turn of a running instance once, with any judgement and incomplete work. */
  endTurn(instance: string, judgement: Judgement): Promise<void>;
  decide(point: string, decision: HoldCommand['decision']): Promise<void>;
  spend(instance: string, usage: Partial<Usage>): Promise<void>;
  drain(): Promise<void>;
  abort(): Promise<void>;
  loseServer(): Promise<void>;
  advance(ms: number): Promise<void>;
  plan(): Plan;
  /** Instances that hold an open session now. */
  open(): string[];
  /** Sessions opened so far, by instance. */
  readonly sessions: Map<string, number>;
  outcome(): string | undefined;
  /** The run has stopped and heals after this wait; undefined while it works, or when it has ended. */
  healsAfterMs(): number | undefined;
  stop(): void;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export async function orchestration(
  plan: Plan,
  {
    concurrency = 8,
    limits = {},
    drainGraceMs = 30_000,
    rules = {},
    commit = async () => {},
    conclude = async () => ({}),
    startServer = async () => ({ version: '1', owned: true, url: 'http://127.0.0.1:1' }),
  }: {
    concurrency?: number;
    limits?: Partial<Limits>;
    drainGraceMs?: number;
    rules?: RunRules;
    /** Awaited by every commit. */
    commit?: () => Promise<void>;
    conclude?: () => Promise<{ readonly blocked?: Cause }>;
    startServer?: () => Promise<StartedServer>;
  } = {},
): Promise<Orchestration> {
  const facts: RunFact[] = [];
  const record = (_: unknown, fact: RunFact) => void facts.push(fact);
  const sessions = new Map<string, number>();
  const reviews = new Map<string, Pending>();
  const outcomes = new Map<string, { how: 'complete' | 'fail'; items: Committed['items'] }>();
  const openNow = new Set<string>();
  let lose: (value: unknown) => void = () => {};
  const clock = new SimulatedClock();
  const all = { ...DEFAULT_LIMITS, repairs: 0, ...limits };

  const hold = holdMachine.provide({ actions: { record } });
  const task = taskMachine.provide({
    actions: { record, releaseSession: (_, { instance }) => void openNow.delete(instance.id) },
    actors: {
      openSession: fromPromise<OpenedSession, OpenRequest>(async ({ input }) => {
        const { id } = input.instance;
        sessions.set(id, (sessions.get(id) ?? 0) + 1);
        openNow.add(id);
        return { sessionId: `s-${id}`, apiSessionId: `ses_${id}` };
      }),
      // The turn "runs" until the test ends it: the prompt is where it waits.
      prompt: fromPromise<void, { instance: { id: string } }>(
        ({ input }) =>
          new Promise((resolve, reject) =>
            reviews.set(input.instance.id, { resolve: resolve as (value: unknown) => void, reject }),
          ),
      ) as never,
      review: fromPromise<SubmissionReview, AttemptRef>(async ({ input }) => ({
        complete: outcomes.get(input.instance.id)?.how === 'complete',
        issues: [],
      })),
      commit: fromPromise<Committed, AttemptRef>(async ({ input }) => {
        await commit();
        const items = outcomes.get(input.instance.id)?.items ?? {};
        return { entities: {}, relationships: 0, created: 0, updated: 0, unchanged: 0, items };
      }),
      abort: fromPromise(async () => {}),
      enterGate: fromPromise(async () => {}) as never,
      hold,
    },
  });
  const actor = createActor(
    orchestratorMachine.provide({
      actions: { record },
      actors: {
        task,
        hold,
        conclude: fromPromise(conclude),
        server: serverMachine.provide({
          actions: { record },
          actors: {
            start: fromPromise<StartedServer>(startServer),
            warm: fromPromise(async () => {}),
            watch: fromPromise<Cause>(() => new Promise((resolve) => (lose = resolve as (value: unknown) => void))),
            stop: fromPromise(async () => {}),
          },
        }),
        eventStream: eventStreamMachine.provide({
          actions: { record },
          actors: {
            connection: fromCallback<never>(({ sendBack }) => sendBack({ type: 'stream.proven' } as never)) as never,
            reconcile: fromPromise(async () => 0),
          },
        }),
      },
    }),
    {
      clock,
      systemId: 'orchestrator',
      input: {
        plan,
        concurrency,
        drainGraceMs,
        rules,
        limits: Object.fromEntries(Object.keys(plan.tasks).map((id) => [id, all])),
      },
    },
  );
  actor.subscribe({
    error: (error) =>
      void facts.push({ type: 'run.ended', outcome: 'failed', cause: { code: 'BUG', message: String(error) } }),
  });
  actor.start();
  const settled = async () => {
    for (let i = 0; i < 6; i++) await turnOfLoop();
  };
  await settled();

  return {
    facts,
    sessions,
    async finish(instance, how, items = {}) {
      outcomes.set(instance, { how, items });
      const attempts = how === 'complete' ? 1 : all.attempts;
      for (let attempt = 1; attempt <= attempts; attempt++) {
        if (attempt > 1) clock.increment(60_000);
        await settled();
        const child = actor.getSnapshot().children[`task:${instance}`];
        child?.send({ type: 'session.turn-ended', messageId: 'm', judgement: { kind: 'candidate' } } as never);
        await settled();
      }
    },
    async endTurn(instance, judgement) {
      const child = actor.getSnapshot().children[`task:${instance}`];
      child?.send({ type: 'session.turn-ended', messageId: 'm', judgement } as never);
      await settled();
    },
    async decide(point, decision) {
      actor.send({ type: 'run.decide', point, decision });
      await settled();
    },
    async spend(instance, usage) {
      const child = actor.getSnapshot().children[`task:${instance}`];
      child?.send({ type: 'session.usage', usage: { ...NO_USAGE, ...usage } } as never);
      await settled();
    },
    async drain() {
      actor.send({ type: 'run.drain', reason: 'Ctrl-C' });
      await settled();
    },
    async abort() {
      actor.send({ type: 'run.abort', reason: 'Ctrl-C twice' });
      await settled();
    },
    async loseServer() {
      lose({ code: 'OPENCODE_LOST', message: 'the process ended' });
      await settled();
    },
    async advance(ms) {
      clock.increment(ms);
      await settled();
    },
    plan: () => actor.getSnapshot().context.plan,
    open: () => [...openNow].sort(),
    outcome: () => actor.getSnapshot().output?.outcome,
    healsAfterMs: () => actor.getSnapshot().output?.healsAfterMs,
    stop: () => void actor.stop(),
  };
}
