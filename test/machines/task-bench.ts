/** The real task machine with effects that a test answers by hand, on simulated time. */
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { holdMachine } from '../../machines/hold.ts';
import { taskMachine } from '../../machines/task.ts';
import type { Committed, TaskCommand, TaskInput, TaskOutput } from '../../machines/task-ports.ts';
import { DEFAULT_LIMITS, type Limits } from '../../schemas/manifest.ts';
import type { RunFact } from '../../schemas/run-event.ts';
import type { SessionEvent } from '../../schemas/session-event.ts';

type Effect = 'resume' | 'enterGate' | 'openSession' | 'prompt' | 'review' | 'commit' | 'abort';

/** Lets settled promises run their followers. */
export const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface Bench {
  send(event: TaskCommand | SessionEvent): void;
  /** Resolves the pending effect of this name with `output`. */
  answer(effect: Effect, output: unknown): Promise<void>;
  reject(effect: Effect, error: unknown): Promise<void>;
  advance(ms: number): Promise<void>;
  /** Effects and session actions in the order in which they were asked for. */
  readonly calls: string[];
  readonly facts: RunFact[];
  readonly committed: Committed;
  count(effect: Effect): number;
  lastInput(effect: Effect): unknown;
  factTypes(): string[];
  fact(type: RunFact['type']): RunFact | undefined;
  output(): TaskOutput | undefined;
  state(): unknown;
}

export function taskBench(
  limits: Partial<Limits> = {},
  resumed?: TaskInput['resumed'],
  more: Pick<TaskInput, 'policy' | 'knownHold'> = {},
): Bench {
  const calls: string[] = [];
  const facts: RunFact[] = [];
  const inputs: [Effect, unknown][] = [];
  const pending = new Map<Effect, { resolve(value: unknown): void; reject(error: unknown): void }>();
  const effect = (name: Effect) =>
    fromPromise<never, never>(({ input }) => {
      calls.push(name);
      inputs.push([name, input]);
      return new Promise<never>((resolve, reject) =>
        pending.set(name, { resolve: resolve as (value: unknown) => void, reject }),
      );
    });
  const clock = new SimulatedClock();
  const actor = createActor(
    taskMachine.provide({
      actors: {
        resume: effect('resume') as never,
        enterGate: effect('enterGate') as never,
        hold: holdMachine.provide({ actions: { record: (_, fact) => void facts.push(fact) } }),
        openSession: effect('openSession') as never,
        prompt: effect('prompt') as never,
        review: effect('review') as never,
        commit: effect('commit') as never,
        abort: effect('abort') as never,
      },
      actions: {
        record: (_, fact) => void facts.push(fact),
        addRoute: (_, session) => void calls.push(`addRoute ${session.apiSessionId}`),
        releaseSession: (_, { status }) => void calls.push(`releaseSession ${status}`),
        occupyGate: () => void calls.push('occupyGate'),
        leaveGate: () => void calls.push('leaveGate'),
      },
    }),
    {
      clock,
      input: {
        instance: { id: 'thing', task: 'thing' },
        limits: { ...DEFAULT_LIMITS, ...limits },
        ...(resumed && { resumed }),
        ...more,
      },
    },
  );
  actor.start();
  const take = (name: Effect) => {
    const waiting = pending.get(name);
    if (!waiting)
      throw new Error(`nothing waits for "${name}"; the machine is in ${JSON.stringify(actor.getSnapshot().value)}`);
    pending.delete(name);
    return waiting;
  };
  return {
    calls,
    facts,
    committed: {
      entities: { Thing: 1 },
      relationships: 0,
      created: 1,
      updated: 0,
      unchanged: 0,
      items: { Thing: ['T-1'] },
    },
    send: (event) => actor.send(event),
    async answer(name, output) {
      take(name).resolve(output);
      await turnOfLoop();
    },
    async reject(name, error) {
      take(name).reject(error);
      await turnOfLoop();
    },
    async advance(ms) {
      clock.increment(ms);
      await turnOfLoop();
    },
    count: (name) => inputs.filter(([of]) => of === name).length,
    lastInput: (name) => inputs.findLast(([of]) => of === name)?.[1],
    factTypes: () => facts.map(({ type }) => type),
    fact: (type) => facts.findLast((fact) => fact.type === type),
    output: () => actor.getSnapshot().output,
    state: () => actor.getSnapshot().value,
  };
}
