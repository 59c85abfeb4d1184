import { describe, expect, it } from 'vitest';
import type { RunEvent, RunFact } from '../../schemas/run-event.ts';
import { NO_USAGE } from '../../schemas/session-event.ts';
import { duration } from '../../src/report/format.ts';
import { progressLine } from '../../src/report/progress.ts';
import { reportMarkdown, reportOf } from '../../src/report/report.ts';
import { emptyRunView, foldRun, viewOf } from '../../src/report/run-view.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const run: RunFact = {
  type: 'run.started',
  runId: 'r',
  musterVersion: '0',
  projectId: 'P',
  manifest: { name: 'm', path: 'm.json', sha256: 'x' },
  schema: { name: 's', version: '1' },
  documents: [],
  model: 'a/b',
  rehearsal: false,
  gating: 'ready',
  concurrency: 2,
  tasks: [
    { id: 'a', wave: 1, waitsFor: [] },
    { id: 'b', wave: 2, waitsFor: [{ task: 'a', why: 'because' }], fanOutOver: 'Thing' },
  ],
};
const attempt = { instance: 'a', attempt: 1 };
const events = (facts: readonly RunFact[]): RunEvent[] =>
  facts.map((fact, i) => ({ seq: i + 1, time: new Date(START + i * 1_000).toISOString(), ...fact }));

const whole = events([
  run,
  { type: 'server.started', version: '1', owned: true, url: 'http://127.0.0.1:1' },
  { type: 'instance.started', instance: 'a', wave: 1 },
  { type: 'attempt.started', ...attempt },
  { type: 'repair.requested', ...attempt, repair: 1, issues: [{ path: 'x<script>', message: 'a | b\n# c' }] },
  { type: 'attempt.measured', ...attempt, usage: { ...NO_USAGE, inputTokens: 10, cost: 0.5, steps: 2 } },
  {
    type: 'commit.ended',
    ...attempt,
    entities: { Thing: 2 },
    relationships: 3,
    created: 2,
    updated: 0,
    unchanged: 0,
    items: { Thing: ['1', '2'] },
  },
  { type: 'instance.settled', instance: 'a', outcome: { kind: 'completed' } },
  {
    type: 'task.expanded',
    task: 'b',
    instances: [
      { id: 'b[1]', task: 'b', itemKey: '1' },
      { id: 'b[2]', task: 'b', itemKey: '2' },
    ],
  },
  { type: 'instance.started', instance: 'b[1]', wave: 2 },
  { type: 'instance.started', instance: 'b[2]', wave: 2 },
  {
    type: 'instance.settled',
    instance: 'b[1]',
    outcome: { kind: 'failed', cause: { code: 'stall', message: 'silent' } },
  },
  { type: 'instance.settled', instance: 'b[2]', outcome: { kind: 'completed' } },
  { type: 'run.ended', outcome: 'failed' },
]);

describe('the report', () => {
  it('is the same fold for a finished run as for one that is watched', () => {
    let watched = emptyRunView();
    for (const event of whole) watched = foldRun(watched, event);
    expect(watched).toEqual(viewOf(whole));
  });

  it('counts what the facts say: instances, overlaps, entities, usage', () => {
    expect(reportOf(viewOf(whole))).toMatchObject({
      status: 'failed',
      durationMs: 13_000,
      totals: {
        tasks: 2,
        instances: 3,
        completed: 2,
        failed: 1,
        repairs: 1,
        entities: { Thing: 2 },
        relationships: 3,
        parallel: 2,
      },
      usage: { inputTokens: 10, cost: 0.5, steps: 2 },
      waves: [
        { wave: 1, tasks: ['a'] },
        { wave: 2, tasks: ['b'] },
      ],
    });
  });

  it('shows a run that died as not ended, with what it got done', () => {
    const report = reportOf(viewOf(whole.slice(0, 8)));
    expect(report.status).toBe('running');
    expect(report.totals).toMatchObject({ completed: 1 });
    expect(reportMarkdown(report)).toContain('| Took | not ended |');
  });

  it('says why each failure failed', () => {
    expect(reportMarkdown(reportOf(viewOf(whole)))).toMatch(/### b\\\[1\\\]: failed\n\nsilent \(`stall`\)/);
  });

  it('prints text of agents as text: no markup, no table cell, no line of its own', () => {
    const markdown = reportMarkdown(reportOf(viewOf(whole)));
    expect(markdown).toContain('x&lt;script&gt;: a \\| b \\# c');
    expect(markdown).not.toContain('<script>');
  });

  it('a later fact of an unknown type changes nothing', () => {
    const unknown = { ...whole[1]!, type: 'something.new' } as unknown as RunEvent;
    expect(foldRun(viewOf(whole), unknown)).toEqual(viewOf(whole));
  });
});

describe('progress', () => {
  it('has one line for each change of state, and none for what changes none', () => {
    let view = emptyRunView();
    const lines = whole.flatMap((event) => {
      view = foldRun(view, event);
      const line = progressLine(view, event);
      return line ? [`${line.elapsedMs / 1_000} ${line.subject} ${line.state} ${line.detail}`.trim()] : [];
    });
    expect(lines).toEqual([
      '0 run started r  project P  2 tasks  0 documents  model a/b',
      '1 server started OpenCode 1 at http://127.0.0.1:1',
      '2 a started wave 1',
      '4 a repairing repair 1: 1 issue, first x<script>: a | b\n# c',
      '7 a completed 5.0 s  2 entities  1 repair',
      '8 b expanded 2 instances',
      '9 b[1] started wave 2',
      '10 b[2] started wave 2',
      '11 b[1] failed silent',
      '12 b[2] completed 2.0 s  0 entities',
      '13 run failed',
    ]);
  });

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [12_345, '12.3 s'],
    [185_000, '3 min 05 s'],
    [4_320_000, '1 h 12 min'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});

it('of what is taken over from an earlier run is told that it is, and that it completed, and no more', () => {
  const facts = events([
    run,
    { type: 'instance.started', instance: 'a', wave: 1 },
    { type: 'instance.decided', instance: 'a', decision: 'take-over', against: 'r0', causes: [] },
    { type: 'instance.resumed', instance: 'a', attempt: 1, step: 'commit-again' },
  ]);
  const told = facts.flatMap((event, i) => progressLine(viewOf(facts.slice(0, i + 1)), event) ?? []);
  expect(told.map(({ state }) => state)).toEqual(['started', 'started', 'taken over']);
});

describe('a run that went on with changed inputs', () => {
  const changed = { type: 'run.resumed', musterVersion: '0', reopened: { instances: [], tasks: [] } } as const;
  const cause = { code: 'inputs-changed', message: 'the inputs changed' };
  const facts = events([
    run,
    { type: 'instance.started', instance: 'a', wave: 1 },
    { type: 'attempt.started', ...attempt },
    { ...changed, resume: 1, changes: ['task a: prompt changed', 'documents/a|b.md changed'] },
    { type: 'instance.resumed', ...attempt, step: 'new-attempt', cause },
    { ...changed, resume: 2, changes: ['task a: prompt changed'] },
  ]);

  it('says in its report which, also when the last resume found fewer of them', () => {
    expect(reportMarkdown(reportOf(viewOf(facts)))).toContain(
      '| Inputs changed on the way | task a: prompt changed; documents/a\\|b.md changed; what had completed before',
    );
    expect(reportMarkdown(reportOf(viewOf(whole)))).not.toContain('changed on the way');
  });

  it('tells it as it goes on, and why an instance begins anew', () => {
    const told = facts.flatMap((event, i) => progressLine(viewOf(facts.slice(0, i + 1)), event) ?? []);
    expect(told.filter(({ state }) => state === 'resumed').map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/, from here with changed inputs: task a: prompt changed; documents/),
      'attempt 1: a new session follows: the inputs changed',
      expect.stringMatching(/, from here with changed inputs: task a: prompt changed$/),
    ]);
  });
});
