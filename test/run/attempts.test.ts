/** What becomes of a session whose instance ended before this process took it up. */
import { describe, expect, it } from 'vitest';
import type { Router } from '../../src/opencode/router.ts';
import type { AgentServer } from '../../src/ports.ts';
import { type AttemptPorts, Attempts } from '../../src/run/attempts.ts';
import { SimulatedClock } from '../opencode/simulated-clock.ts';

const LEFT = { sessionId: 's', apiSessionId: 'ses_left' };

function bench(answer: () => Promise<void> = async () => {}) {
  const clock = new SimulatedClock();
  const stopped: string[] = [];
  const faults: Error[] = [];
  // What else an attempt needs plays no part before one is opened.
  const ports: Partial<AttemptPorts> = {
    clock,
    leftSession: (instance) => (instance === 'outline' ? LEFT : undefined),
    takeUp: async () => ({ start: { step: 'new-attempt', attempt: 1 }, frames: [] }),
    router: { noteAbort: () => {} } as unknown as Router,
    server: () =>
      ({
        abort: (apiSessionId: string) => {
          stopped.push(apiSessionId);
          return answer();
        },
      }) as unknown as AgentServer,
    onFault: (error) => faults.push(error),
  };
  return { clock, stopped, faults, attempts: new Attempts(ports as AttemptPorts) };
}

describe('an instance that ends before it was taken up', () => {
  it('has the session stopped that an earlier process left at work', async () => {
    const { attempts, stopped } = bench();
    attempts.sweep('outline');
    await attempts.stopped();
    expect(stopped).toEqual(['ses_left']);
  });

  it('has none stopped when there is none, or when it was taken up and its end is that of its own session', async () => {
    const { attempts, stopped } = bench();
    attempts.sweep('words');
    await attempts.resume({ instance: { id: 'outline', task: 'outline' } });
    attempts.sweep('outline');
    await attempts.stopped();
    expect(stopped).toEqual([]);
  });

  it('does not keep the run from ending when the server does not answer', async () => {
    const { attempts, clock } = bench(() => new Promise(() => {}));
    attempts.sweep('outline');
    let isOver = false;
    void attempts.stopped().then(() => {
      isOver = true;
    });
    await clock.advance(2_999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect(isOver).toBe(true);
  });

  it('has a refusal of the server on record, and goes on', async () => {
    const { attempts, faults } = bench(() => Promise.reject(new Error('no')));
    attempts.sweep('outline');
    await attempts.stopped();
    expect(faults).toMatchObject([{ message: 'no' }]);
  });
});
