/** Whatever happens to the frames on their way, the judgement stays the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Frame, readingFrame } from '../../src/opencode/frames.ts';
import { loadTrace, type Replay, type ReplayOptions, replay, type TraceLine, traceNames } from './replay.ts';

/** Line before which the abort of the recording was asked for. */
const ABORTS: Readonly<Record<string, number>> = {
  'abort-mid-text': 93,
  'abort-in-bash': 29,
  'abort-during-retry': 20,
  'abort-with-waiting-prompt': 56,
  'permission-unanswered-then-abort': 24,
};
/** The turn ends in all but these. */
const NAMES = traceNames().filter((name) => !['server-killed', 'stall-dependency-install'].includes(name));
const TRACES = new Map(NAMES.map((name) => [name, loadTrace(name)]));

const judgements = (world: Replay) => [...world.ended.values()].map((endings) => endings.map((one) => one.judgement));
const run = (name: string, options: ReplayOptions = {}) => {
  const abortBefore = ABORTS[name];
  return replay(TRACES.get(name)!, abortBefore === undefined ? options : { ...options, abortBefore });
};
const expected = new Map(await Promise.all(NAMES.map(async (name) => [name, judgements(await run(name))] as const)));

/** A deterministic choice for each line: true in about one of `oneIn`. */
const chosen = (salt: number, line: number, oneIn: number) =>
  ((line * 2_654_435_761 + salt * 40_503) >>> 7) % oneIn === 0;
const anonymous = (frame: Frame): Frame => ({ ...frame, id: undefined, seq: undefined });
const anyTrace = fc.constantFrom(...NAMES);
const anySalt = fc.nat(1_000_000);
const RUNS = { numRuns: 60 };

describe('the judgement of a turn', () => {
  it('does not change when frames come twice, even without an id to tell', async () => {
    await fc.assert(
      fc.asyncProperty(anyTrace, anySalt, fc.integer({ min: 1, max: 6 }), async (name, salt, oneIn) => {
        const deliver = ({ line, frame }: TraceLine) =>
          chosen(salt, line, oneIn) ? [frame, frame, anonymous(frame)] : [frame];
        const world = await run(name, { deliver });
        expect(judgements(world)).toEqual(expected.get(name));
      }),
      RUNS,
    );
  });

  it('does not change when idle is repeated', async () => {
    await fc.assert(
      fc.asyncProperty(anyTrace, fc.integer({ min: 1, max: 3 }), async (name, times) => {
        const deliver = ({ frame }: TraceLine) => {
          if (frame.type !== 'session.idle') return [frame];
          const again = [
            readingFrame('session.status', frame.sessionId!, { status: { type: 'idle' } }),
            readingFrame('session.idle', frame.sessionId!, {}),
          ];
          return [frame, ...Array.from({ length: times }, () => again).flat()];
        };
        expect(judgements(await run(name, { deliver }))).toEqual(expected.get(name));
      }),
      RUNS,
    );
  });

  it('does not change without the sync copies, nor without the originals of them', async () => {
    for (const name of NAMES) {
      const noCopies = await run(name, { deliver: ({ frame }) => (frame.isSyncCopy ? [] : [frame]) });
      expect(judgements(noCopies), name).toEqual(expected.get(name));
      const copied = new Set(
        TRACES.get(name)!
          .filter((l) => l.frame.isSyncCopy)
          .map((l) => l.frame.id),
      );
      const onlyCopies = await run(name, {
        deliver: ({ frame }) => (!frame.isSyncCopy && copied.has(frame.id) ? [] : [frame]),
      });
      expect(judgements(onlyCopies), name).toEqual(expected.get(name));
    }
  });

  it('does not change when the whole history comes again in the middle', async () => {
    await fc.assert(
      fc.asyncProperty(anyTrace, anySalt, async (name, salt) => {
        const trace = TRACES.get(name)!;
        const at = 1 + (salt % trace.length);
        const deliver = (line: TraceLine) => {
          const before = trace.filter((other) => other.line < at && other.frame.isSyncCopy);
          return line.line === at ? [...before.map((other) => anonymous(other.frame)), line.frame] : [line.frame];
        };
        expect(judgements(await run(name, { deliver }))).toEqual(expected.get(name));
      }),
      RUNS,
    );
  });

  it('is found by reading when any of the frames are lost', async () => {
    // A loop does not end by itself, and the server cannot list the messages of a session with structured output.
    const names = NAMES.filter((name) => name !== 'loop-finish-unknown' && !name.startsWith('structured'));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        anySalt,
        fc.integer({ min: 1, max: 4 }),
        async (name, salt, oneIn) => {
          const deliver = ({ line, frame }: TraceLine) => (chosen(salt, line, oneIn) ? [] : [frame]);
          const world = await run(name, { deliver });
          const kinds = judgements(world).map((endings) => endings.map((one) => one.kind));
          expect(kinds).toEqual(expected.get(name)!.map((endings) => endings.map((one) => one.kind)));
        },
      ),
      { numRuns: 200 },
    );
  });
});
