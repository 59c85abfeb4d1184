import { describe, expect, it } from 'vitest';
import type { Judgement } from '../../schemas/session-event.ts';
import { PoisonWatch } from '../../src/opencode/poison-watch.ts';
import { RequestError } from '../../src/opencode/request-error.ts';
import { loadTrace, replay } from './replay.ts';

const unavailable = () => Promise.reject(new RequestError('no reason given', { status: 503, retryable: true }));
const there = () => Promise.resolve({ providers: [] });

/** Answers one look after the other, the last one again and again. */
function watch(...looks: (() => Promise<unknown>)[]) {
  let asked = 0;
  const watched = new PoisonWatch({ providers: () => looks[Math.min(asked++, looks.length - 1)]!() as never });
  let cause: unknown;
  void watched.found.then((found) => {
    cause = found;
  });
  return { hear: (judgement: Judgement) => watched.hear(judgement), asked: () => asked, cause: () => cause };
}

const SIGN: Judgement = {
  kind: 'not-started',
  message: 'Error: All fibers interrupted without error at SessionPrompt.getModel',
};

describe('an instance of the workspace that was poisoned', () => {
  it('is found by how its turns end, as recorded, and by one look at its providers', async () => {
    const world = await replay(loadTrace('poisoned-instance'));
    const [session] = world.sessions;
    const { hear, cause } = watch(unavailable);
    await hear(world.ended.get(session!.id)![0]!.judgement);
    expect(cause()).toEqual({ code: 'OPENCODE_LOST', message: expect.stringContaining('is poisoned') });
  });

  it('is looked for once while many of its turns end, and again when the next one does', async () => {
    const { hear, asked, cause } = watch(there, unavailable);
    await Promise.all([hear(SIGN), hear(SIGN), hear(SIGN)]);
    expect([asked(), cause()]).toEqual([1, undefined]);
    await hear(SIGN);
    expect([asked(), cause()]).toEqual([2, expect.objectContaining({ code: 'OPENCODE_LOST' })]);
  });

  it('is not suspected for any other end, and no other failure of the look is one', async () => {
    const { hear, asked, cause } = watch(() =>
      Promise.reject(new RequestError('overload', { status: 500, retryable: true })),
    );
    await hear({ kind: 'candidate' });
    await hear({ kind: 'not-started', message: 'Agent not found: "nope"' });
    expect(asked()).toBe(0);
    await hear(SIGN);
    expect([asked(), cause()]).toEqual([1, undefined]);
  });
});
