/** The real orchestrator with ten tasks and a fan-out, watched by an observer; the effects wait for the test. */
import { createActor, fromCallback, fromPromise, type InspectionEvent, SimulatedClock } from 'xstate';
import { eventStreamMachine } from '../../machines/event-stream.ts';
import { orchestratorMachine } from '../../machines/orchestrator.ts';
import { taskActorId } from '../../machines/orchestrator-setup.ts';
import { type StartedServer, serverMachine } from '../../machines/server.ts';
import { taskMachine } from '../../machines/task.ts';
import type { AttemptRef, Committed, OpenedSession, OpenRequest } from '../../machines/task-ports.ts';
import { DEFAULT_LIMITS } from '../../schemas/manifest.ts';
import type { Cause } from '../../schemas/run-event.ts';
import { createPlan, type TaskSource } from '../../src/plan/plan.ts';
import type { SubmissionReview } from '../../src/ports.ts';

const STATICS = ['project-details', 'wbs-extraction', 'pqp-generation', 'emp-generation', 'standards-extraction'];

export interface LiveRun {
  /** Ends the turn of a working instance. */
  endTurn(instance: string, how: 'complete' | 'repair' | 'fail'): Promise<void>;
  /** Lets time pass for stalls, back-offs and deadlines. */
  advance(ms: number): Promise<void>;
  interrupt(): Promise<void>;
  stop(): void;
}

/** Starts a run whose last task fans out over `items`; returns when the first sessions are at work. */
export async function liveRun(
  inspect: ((event: InspectionEvent) => void) | undefined,
  items: readonly string[],
  secret = 'nothing',
): Promise<LiveRun> {
  const task = (id: string, waitsFor: string[] = []): TaskSource => ({
    id,
    wave: 1 + waitsFor.length,
    waitsFor: waitsFor.map((of) => ({ task: of, why: 'test' })),
  });
  const plan = createPlan(
    [
      ...STATICS.map((id) => task(id)),
      task('lbs-extraction', ['wbs-extraction']),
      {
        ...task('itp-generation', ['pqp-generation']),
        fanOut: { over: 'Item', maxItems: 1_000, producer: 'pqp-generation' },
      },
    ],
    'ready',
  );
  const verdicts = new Map<string, 'complete' | 'repair' | 'fail'>();
  const clock = new SimulatedClock();
  const watched = taskMachine.provide({
    actors: {
      openSession: fromPromise<OpenedSession, OpenRequest>(async ({ input }) => ({
        sessionId: `s-${input.instance.id}`,
        apiSessionId: `ses_${secret}_${input.instance.id}`,
      })),
      prompt: fromPromise(async () => {}) as never,
      review: fromPromise<SubmissionReview, AttemptRef>(async ({ input }) => ({
        complete: verdicts.get(input.instance.id) === 'complete',
        issues: [],
      })),
      commit: fromPromise<Committed, AttemptRef>(async ({ input }) => ({
        entities: {},
        relationships: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        items: input.instance.id === 'pqp-generation' ? { Item: [...items] } : {},
      })),
      abort: fromPromise(async () => {}),
    },
  });
  const actor = createActor(
    orchestratorMachine.provide({
      actors: {
        task: watched,
        server: serverMachine.provide({
          actors: {
            start: fromPromise<StartedServer>(async () => ({ version: secret, owned: true, url: secret })),
            warm: fromPromise(async () => {}),
            watch: fromPromise<Cause>(() => new Promise(() => {})),
            stop: fromPromise(async () => {}),
          },
        }),
        eventStream: eventStreamMachine.provide({
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
      ...(inspect && { inspect }),
      input: {
        plan,
        concurrency: 8,
        limits: Object.fromEntries(Object.keys(plan.tasks).map((id) => [id, DEFAULT_LIMITS])),
      },
    },
  );
  actor.subscribe({ error: () => {} });
  actor.start();
  await settled();
  return {
    async endTurn(instance, how) {
      verdicts.set(instance, how);
      const kind = how === 'fail' ? 'interrupted' : 'candidate';
      const child = actor.getSnapshot().children[taskActorId(instance)];
      child?.send({ type: 'session.turn-ended', messageId: secret, judgement: { kind } } as never);
      await settled();
    },
    async advance(ms) {
      clock.increment(ms);
      await settled();
    },
    async interrupt() {
      actor.send({ type: 'run.drain', reason: secret });
      await settled();
    },
    stop: () => void actor.stop(),
  };
}

/** Promises that are ready have been taken; nothing waits but what waits for the test. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
