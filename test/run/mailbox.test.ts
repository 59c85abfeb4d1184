import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent, RunFact } from '../../schemas/run-event.ts';
import type { HoldDecision } from '../../src/policy/holds.ts';
import { LOOK_MS, Mailbox, putDecision } from '../../src/run/mailbox.ts';
import { SimulatedClock } from '../opencode/simulated-clock.ts';

let home: string;
let folder: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-mailbox-'));
  folder = join(home, 'decisions');
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** A mailbox whose run carries decisions out at once, as the hold machine does. */
function desk({ carriesOut = true } = {}) {
  const clock = new SimulatedClock();
  const decided: (readonly [string, HoldDecision])[] = [];
  const faults: string[] = [];
  let seq = 0;
  const hear = (fact: RunFact) => mailbox.hear({ seq: ++seq, time: '2025-11-03T10:00:00.000Z', ...fact } as RunEvent);
  const mailbox = new Mailbox({
    folder,
    clock,
    decide: (point, decision) => {
      decided.push([point, decision]);
      if (!carriesOut) return;
      if (decision.kind === 'released') hear({ type: 'hold.released', point, by: decision.by });
      else hear({ type: 'hold.rejected', point, by: decision.by, reason: decision.reason });
    },
    flushed: async () => {},
    onFault: (error) => faults.push(error.message),
  });
  const open = (point: string) =>
    hear({ type: 'hold.opened', point, when: 'after', of: point.slice(6), reason: 'look' });
  return { mailbox, clock, decided, faults, open, hear };
}
const files = async () => (await readdir(folder)).sort();
const released = (point: string) => ({ point, kind: 'released', by: 'Ada' }) as const;
const rejected = (point: string) => ({ point, kind: 'rejected', by: 'Bob', reason: 'no' }) as const;

describe('the mailbox of a run', () => {
  it('passes a decision on for the point that is open, once, and puts the file away', async () => {
    const run = desk();
    run.open('after:x');
    await putDecision(folder, released('after:x'));
    await run.mailbox.look();
    await run.mailbox.look();
    expect(run.decided).toEqual([['after:x', { kind: 'released', by: 'Ada' }]]);
    expect(await files()).toEqual([]);
    expect(run.faults).toEqual([]);
  });

  it('keeps a decision that came while no process was there, until its point opens again', async () => {
    await putDecision(folder, rejected('after:x'));
    const run = desk();
    await run.mailbox.look();
    expect(run.decided).toEqual([]);
    run.open('after:x');
    await run.mailbox.look();
    expect(run.decided).toEqual([['after:x', { kind: 'rejected', by: 'Bob', reason: 'no' }]]);
  });

  it('keeps the file until the decision is on record, so that a death in between loses nothing', async () => {
    const run = desk({ carriesOut: false });
    run.open('after:x');
    await putDecision(folder, released('after:x'));
    await run.mailbox.look();
    await run.mailbox.look();
    expect(run.decided).toHaveLength(1);
    expect(await files()).toHaveLength(1);
    run.hear({ type: 'hold.released', point: 'after:x', by: 'Ada' });
    await run.mailbox.look();
    expect(await files()).toEqual([]);
  });

  it('the first decision counts; a later one is set aside as late', async () => {
    const run = desk();
    run.open('after:x');
    await putDecision(folder, released('after:x'));
    await run.mailbox.look();
    await putDecision(folder, rejected('after:x'));
    await run.mailbox.look();
    expect(run.decided).toHaveLength(1);
    expect(await files()).toEqual([expect.stringMatching(/\.json\.late$/)]);
  });

  it('sets aside what is no decision, tells it once, and goes on with the others', async () => {
    const run = desk();
    run.open('after:x');
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries({
      '0-broken.json': '{"point":',
      '1-unknown.json': '{"point":"after:x","kind":"approved","by":"Eve"}',
      '2-silent.json': '{"point":"after:x","kind":"rejected","by":"Eve","reason":""}',
      '3-huge.json': JSON.stringify({ point: 'after:x', kind: 'released', by: 'Eve', reason: 'x'.repeat(100_000) }),
      '.5-half.part': '{"point":"after:x","kind":"released"',
    })) {
      await writeFile(join(folder, name), text);
    }
    await putDecision(folder, released('after:x'));
    await run.mailbox.look();
    await run.mailbox.look();
    expect(run.decided).toEqual([['after:x', { kind: 'released', by: 'Ada' }]]);
    expect(run.faults).toHaveLength(4);
    expect((await files()).filter((name) => name.endsWith('.refused'))).toHaveLength(4);
  });

  it('looks while something waits, at the stated interval, and leaves no timer behind', async () => {
    const run = desk();
    await run.clock.advance(10 * LOOK_MS);
    expect(run.clock.pending).toBe(0);
    run.open('after:x');
    expect(run.clock.pending).toBe(1);
    await run.mailbox.close();
    expect(run.clock.pending).toBe(0);
  });
});
