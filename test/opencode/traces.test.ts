import { describe, expect, it } from 'vitest';
import type { Judgement } from '../../schemas/session-event.ts';
import { loadTrace, replay, traceNames } from './replay.ts';

const candidate: Judgement = { kind: 'candidate' };
const rejected: Judgement = { kind: 'rejected' };
const byUs: Judgement = { kind: 'aborted', byUs: true };
const failed = (error: string, message: RegExp, retryable: boolean, more: object = {}) => ({
  kind: 'failed',
  error,
  message: expect.stringMatching(message),
  retryable,
  ...more,
});
const notStarted = (message: RegExp) => ({ kind: 'not-started', message: expect.stringMatching(message) });

interface Expected {
  /** For each session of the recording. */
  readonly judgement: readonly unknown[];
  /** Line before which the turn is not over. */
  readonly overAt: readonly number[];
  /** True when the stream alone is believed: the ending is told with that very line. */
  readonly isAtOnce?: boolean;
  readonly abortBefore?: number;
}

const one = (judgement: unknown, overAt: number, more: Partial<Expected> = {}): Expected => ({
  judgement: [judgement],
  overAt: [overAt],
  ...more,
});
const atOnce = { isAtOnce: true };

const EXPECTED: Readonly<Record<string, Expected>> = {
  'text-with-title': one(candidate, 96, atOnce),
  'two-directories-tools': { judgement: [candidate, candidate], overAt: [205, 295], isAtOnce: true },
  'retry-429-retry-after': one(candidate, 38, atOnce),
  'retry-500-exhausted': one(failed('APIError', /boom \(HTTP status 500\)/, true, { status: 500 }), 44),
  'retry-reset-exhausted': one(failed('APIError', /Connection reset/, true), 62),
  'error-401': one(
    failed('APIError', /Invalid API key \(HTTP status 401\)/, false, { status: 401, providerCode: 'invalid_api_key' }),
    25,
  ),
  'loop-finish-unknown': one({ kind: 'loop' }, 56, atOnce),
  'abort-mid-text': one(byUs, 101, { abortBefore: 93 }),
  'abort-in-bash': one(byUs, 37, { abortBefore: 29 }),
  'abort-during-retry': one(byUs, 24, { abortBefore: 20 }),
  'abort-with-waiting-prompt': one(byUs, 64, { abortBefore: 56 }),
  'permission-once': one(candidate, 63, atOnce),
  'permission-reject-stops': one(rejected, 38),
  'permission-reject-with-message': one(candidate, 61, atOnce),
  'permission-unanswered-then-abort': one(byUs, 32, { abortBefore: 24 }),
  'permission-child-session-asks': one(candidate, 123, atOnce),
  'question-rejected': one(rejected, 86),
  'structured-ok': one(candidate, 36),
  'structured-missing': one(failed('StructuredOutputError', /did not produce/, true), 35),
  'compaction-auto': one(candidate, 102, atOnce),
  'compaction-after-overflow': one(candidate, 81, atOnce),
  'compaction-fails': one(failed('ContextOverflowError', /too large to compact/, true), 36),
  'invalid-agent': one(notStarted(/^Agent not found: "nope"/), 3),
  'invalid-model': one(notStarted(/^Model not found: nope\/nope/), 14),
  'busy-second-and-third-prompt': one(candidate, 115, atOnce),
  'poisoned-instance': one(notStarted(/All fibers interrupted without error/), 15),
  'custom-tool-throws': one(candidate, 55, atOnce),
  'mcp-tool-error-then-ok': one(candidate, 81, atOnce),
};
/** Recordings in which the turn does not end. */
const OPEN = ['server-killed', 'stall-dependency-install'];

describe('recorded streams', () => {
  it('are all judged', () => {
    expect([...Object.keys(EXPECTED), ...OPEN].sort()).toEqual(traceNames().sort());
  });

  for (const [name, { judgement, overAt, isAtOnce, abortBefore }] of Object.entries(EXPECTED)) {
    it(`${name}: ended as recorded, once, and not before line ${overAt.join(' / ')}`, async () => {
      const world = await replay(loadTrace(name), abortBefore === undefined ? {} : { abortBefore });
      const ended = world.sessions.map(({ id }) => world.ended.get(id)!);
      expect(ended.map((endings) => endings.map((ending) => ending.judgement))).toEqual(judgement.map((j) => [j]));
      ended.forEach((endings, session) => {
        const afterLine = endings[0]!.afterLine;
        if (isAtOnce === true) expect(afterLine).toBe(overAt[session]);
        else expect(afterLine).toBeGreaterThanOrEqual(overAt[session]!);
      });
      expect(world.resent).toEqual([]);
      expect(world.faults).toEqual([]);
      expect(world.clock.pending).toBe(0);
    });
  }

  it('server-killed: both turns stay open at the end of the stream and are interrupted after the restart', async () => {
    const open = await replay(loadTrace('server-killed'));
    expect([...open.ended.values()].flat()).toEqual([]);
    const world = await replay(loadTrace('server-killed'), {
      atEnd: async ({ server, closeGap }) => {
        server.restart();
        await closeGap();
      },
    });
    expect([...world.ended.values()].map((endings) => endings.map((ending) => ending.judgement))).toEqual([
      [{ kind: 'interrupted' }],
      [{ kind: 'interrupted' }],
    ]);
  });

  it('server-killed: without a restart every session is lost, and no turn is judged', async () => {
    const world = await replay(loadTrace('server-killed'), {
      atEnd: async ({ router }) => router.lost('exit code 137'),
    });
    for (const events of world.events.values()) {
      expect(events.at(-1)).toEqual({ type: 'session.lost', reason: 'exit code 137' });
      expect(events.filter((event) => event.type === 'session.turn-ended')).toEqual([]);
    }
    expect(world.clock.pending).toBe(0);
  });

  it('stall-dependency-install: started, then silent, and never over', async () => {
    const world = await replay(loadTrace('stall-dependency-install'), { afterMs: 600_000 });
    const events = world.events.get(world.sessions[0]!.id)!;
    expect(events.some((event) => event.type === 'session.started')).toBe(true);
    expect([...world.ended.values()].flat()).toEqual([]);
    // Heartbeats are nobody's life: the stall clock above has to run out.
    expect(events.filter((event) => event.type === 'session.activity').length).toBeLessThanOrEqual(2);
  });

  it('abort-with-waiting-prompt: the prompt that waited was never started', async () => {
    const world = await replay(loadTrace('abort-with-waiting-prompt'), { prompt: 1 });
    expect([...world.ended.values()].flat().map((ending) => ending.judgement)).toEqual([notStarted(/Aborted/)]);
  });

  it('busy-second-and-third-prompt: the second has no answer of its own, the third has', async () => {
    const second = await replay(loadTrace('busy-second-and-third-prompt'), { prompt: 1 });
    expect([...second.ended.values()].flat().map((ending) => ending.judgement)).toEqual([
      notStarted(/without calling/),
    ]);
    const third = await replay(loadTrace('busy-second-and-third-prompt'), { prompt: 2 });
    expect([...third.ended.values()].flat()).toEqual([{ judgement: candidate, afterLine: 115 }]);
  });

  it('abort-mid-text: an abort that nobody of us asked for is told as such', async () => {
    const world = await replay(loadTrace('abort-mid-text'));
    expect([...world.ended.values()].flat().map((ending) => ending.judgement)).toEqual([
      { kind: 'aborted', byUs: false },
    ]);
  });

  it('abort-during-retry: without our request the same frames are an interruption', async () => {
    const world = await replay(loadTrace('abort-during-retry'));
    expect([...world.ended.values()].flat().map((ending) => ending.judgement)).toEqual([{ kind: 'interrupted' }]);
  });

  it('permission-child-session-asks: the ask is told once, under the parent, with what a reply needs', async () => {
    const world = await replay(loadTrace('permission-child-session-asks'));
    expect(world.asks).toEqual([
      {
        sessionId: world.sessions[0]!.id,
        apiSessionId: expect.stringMatching(/bf5X3PbT$/),
        kind: 'permission',
        id: 'per_206ecce6a001bjdHoImWxt0taN',
        directory: expect.stringMatching(/^\/workspace/),
        subject: 'bash: echo child',
      },
    ]);
  });

  it('question-rejected: the question is told with its text', async () => {
    const world = await replay(loadTrace('question-rejected'));
    expect(world.asks.map(({ kind, subject }) => ({ kind, subject }))).toEqual([
      { kind: 'question', subject: 'Which?' },
    ]);
  });

  it('retry-500-exhausted: each wait is told with its length', async () => {
    const world = await replay(loadTrace('retry-500-exhausted'));
    const retries = world.events.get(world.sessions[0]!.id)!.filter((event) => event.type === 'session.retrying');
    expect(retries.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
    expect(retries[0]).toMatchObject({ message: 'boom', waitMs: expect.any(Number) });
  });

  it('permission-child-session-asks: the usage is that of the parent and the child together, each call once', async () => {
    const world = await replay(loadTrace('permission-child-session-asks'));
    const usage = world.events.get(world.sessions[0]!.id)!.findLast((event) => event.type === 'session.usage')!.usage;
    expect(usage.steps).toBe(4);
    const total = usage.inputTokens + usage.outputTokens + usage.reasoningTokens;
    expect(total).toBe(8089 + 8225 + 4245 + 4305);
  });
});
