import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readingFrame } from '../../src/opencode/frames.ts';
import { ToolWatch } from '../../src/opencode/tool-watch.ts';
import { loadTrace, replay } from './replay.ts';
import { event, SessionBench } from './session-bench.ts';

let made = 0;
const frame = (tool: string, input: unknown, more: object = {}, sessionId = 'ses_1') =>
  readingFrame('message.part.updated', sessionId, {
    part: { type: 'tool', callID: `call_${++made}`, tool, state: { status: 'completed', input, output: '' }, ...more },
  });
const times = (watch: ToolWatch, calls: readonly string[]) =>
  calls.map((call) => watch.observe(frame(call, { path: call }))?.times ?? 0);

describe('repeated tool calls', () => {
  it('are counted from the third in a row on, and another call ends the row', () => {
    expect(times(new ToolWatch(), ['a', 'a', 'a', 'a', 'b', 'a'])).toEqual([0, 0, 3, 4, 0, 0]);
  });

  it('are seen as a loop when two or three calls go round', () => {
    expect(times(new ToolWatch(), ['a', 'b', 'a', 'b', 'a', 'b'])).toEqual([0, 0, 0, 0, 0, 3]);
    expect(times(new ToolWatch(), [...'abcabcabc'])).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 3]);
  });

  it('the same tool with other arguments is no repetition', () => {
    const watch = new ToolWatch();
    const seen = [1, 2, 3, 4, 5].map((offset) => watch.observe(frame('read', { offset })));
    expect(seen).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it('a call is counted once, however often it is told, and only when it has ended', () => {
    const watch = new ToolWatch();
    const same = frame('read', {});
    for (let i = 0; i < 5; i++) expect(watch.observe(same)).toBeUndefined();
    for (let i = 0; i < 5; i++)
      expect(watch.observe(frame('read', {}, { state: { status: 'running', input: {} } }))).toBeUndefined();
    expect(watch.tally.calls).toBe(1);
  });

  it("a subagent's calls are compared with its own", () => {
    const watch = new ToolWatch();
    const seen = ['ses_1', 'ses_2', 'ses_1', 'ses_2'].map((id) => watch.observe(frame('read', {}, {}, id)));
    expect(seen.every((one) => one === undefined)).toBe(true);
    expect(watch.observe(frame('read', {}, {}, 'ses_1'))).toEqual({ tool: 'read', times: 3 });
  });

  it('agrees with a plain count of what stands at the end', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 30 }), (calls) => {
        const told = times(new ToolWatch(), calls).at(-1)!;
        let most = 1;
        for (let length = 1; length <= 3; length++) {
          const unit = calls.slice(-length).join('');
          let n = 1;
          while (
            calls
              .slice(0, calls.length - n * length)
              .join('')
              .endsWith(unit) &&
            calls.length - n * length >= length
          )
            n++;
          most = Math.max(most, n);
        }
        expect(told).toBe(most >= 3 ? most : 0);
      }),
    );
  });
});

describe('the tools of a turn', () => {
  it('are told with its end: how many, how many failed, and what the last one said if it failed', () => {
    const watch = new ToolWatch();
    watch.observe(frame('read', {}));
    watch.observe(frame('read', {}, { state: { status: 'error', input: {}, error: 'no such file' } }));
    expect(watch.tally).toEqual({ calls: 2, failed: 1, lastFailed: { tool: 'read', message: 'no such file' } });
    watch.observe(frame('muster_submit', {}));
    expect(watch.tally).toEqual({ calls: 3, failed: 1 });
    watch.beginTurn();
    expect(watch.tally).toEqual({ calls: 0, failed: 0 });
  });

  it('a tool that is not allowed counts as failed, although the server calls it completed', () => {
    const watch = new ToolWatch();
    const output = "Model tried to call unavailable tool 'bash'.";
    watch.observe(frame('invalid', {}, { state: { status: 'completed', input: {}, output } }));
    expect(watch.tally.lastFailed).toEqual({ tool: 'invalid', message: output });
  });

  it('custom-tool-throws: the recording has one failed call, and the turn tells it', async () => {
    const world = await replay(loadTrace('custom-tool-throws'));
    const ended = [...world.events.values()].flat().find(({ type }) => type === 'session.turn-ended');
    expect(ended).toMatchObject({ tools: { failed: 1 } });
  });

  it('reach the owner of the session', () => {
    const bench = new SessionBench();
    bench.register('ses_1');
    for (let i = 0; i < 4; i++) bench.feed(event('ses_1', 'message.part.updated', frame('read', {}).properties));
    expect(bench.events.get('ses_1')!.filter(({ type }) => type === 'session.repeating')).toEqual([
      { type: 'session.repeating', tool: 'read', times: 3 },
      { type: 'session.repeating', tool: 'read', times: 4 },
    ]);
  });
});
