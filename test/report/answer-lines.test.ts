import { describe, expect, it } from 'vitest';
import type { RunEvent, RunFact } from '../../schemas/run-event.ts';
import { progressLine } from '../../src/report/progress.ts';
import { reportMarkdown, reportOf } from '../../src/report/report.ts';
import { viewOf } from '../../src/report/run-view.ts';

const attempt = { instance: 'a', attempt: 1 };
const adjustment = 'Nothing was handed in.\n- "a": "`` ```\\n# x"';
const facts: RunFact[] = [
  {
    type: 'run.started',
    runId: 'r1',
    musterVersion: '0',
    projectId: 'P',
    manifest: { name: 'm', path: 'm.json', sha256: 'x' },
    schema: { name: 's', version: '1' },
    documents: [],
    model: 'a/b',
    rehearsal: false,
    gating: 'ready',
    concurrency: 2,
    tasks: [{ id: 'a', wave: 1, waitsFor: [] }],
  },
  { type: 'instance.started', instance: 'a', wave: 1 },
  { type: 'attempt.started', ...attempt },
  { type: 'ask.answered', instance: 'a', kind: 'permission', subject: 'bash: rm', reply: 'rejected' },
  { type: 'provider.slowed', provider: 'a', limit: 2, waitMs: 3_000, message: 'Rate | limit' },
  {
    type: 'failure.answered',
    ...attempt,
    cause: { code: 'incomplete', message: 'ended <b>early</b>', class: 'incomplete' },
    answer: { kind: 'repair', waitMs: 0, reason: 'repair 1 of 3' },
    adjustment,
  },
  {
    type: 'failure.answered',
    ...attempt,
    cause: { code: 'APIError', message: 'slow', class: 'rate-limit' },
    answer: { kind: 'fallback-model', waitMs: 2_000, model: 'b/two', reason: 'in place of a/b' },
  },
  { type: 'hold.opened', point: 'after:a', when: 'after', of: 'a', reason: 'read | it' },
  { type: 'hold.rejected', point: 'after:a', by: 'Bob', reason: 'section <4>' },
  { type: 'run.paused', cause: { code: 'paused', message: 'the budget is spent' }, spent: {} as never },
  { type: 'run.ended', outcome: 'paused', cause: { code: 'paused', message: 'the budget is spent' } },
];
const events: RunEvent[] = facts.map((fact, i) => ({
  seq: i + 1,
  time: `2026-01-01T00:00:${String(i).padStart(2, '0')}.000Z`,
  ...fact,
}));
const report = reportOf(viewOf(events));
const markdown = reportMarkdown(report);

describe('the report of failures', () => {
  it('has for each its class, cause and answer, and the adjustment word for word', () => {
    const answers = report.tasks[0]!.instances[0]!.attempts[0]!.answers;
    expect(answers.map(({ cause, answer }) => [cause.class, answer.kind])).toEqual([
      ['incomplete', 'repair'],
      ['rate-limit', 'fallback-model'],
    ]);
    expect(answers[0]!.adjustment).toBe(adjustment);
    for (const line of adjustment.split('\n')) expect(markdown).toContain(`  ${line}\n`);
    expect(markdown).toContain(
      '**rate-limit**, slow (`APIError`) → **fallback-model** `b/two` after 2.0 s: in place of a/b',
    );
  });

  it('lets nothing of an agent or a person become markup', () => {
    expect(markdown).toContain('ended &lt;b&gt;early&lt;/b&gt;');
    expect(markdown).toContain('rejected by Bob: section &lt;4&gt;');
    // The fence is longer than any run of backticks within.
    expect(markdown).toContain('  ````text\n');
  });

  it('counts asks, slow-downs, and says why it paused', () => {
    expect(report.totals.asks).toBe(1);
    expect(markdown).toContain('| Asks answered by policy | 1 |');
    expect(markdown).toContain('| Asked for fewer calls | a 1 times |');
    expect(markdown).toContain('| Paused | the budget is spent |');
    expect(report.status).toBe('paused');
  });
});

it('a person who watches is told what waits for him, and how to decide', () => {
  const lines = events.flatMap((event, i) => progressLine(viewOf(events.slice(0, i + 1)), event) ?? []);
  const held = lines.find(({ state }) => state === 'held');
  expect(held?.detail).toBe('read | it  (muster release r1 "after:a")');
  expect(lines.map(({ state }) => state)).toEqual(
    expect.arrayContaining(['slowed', 'fallback-model', 'rejected', 'paused']),
  );
});
