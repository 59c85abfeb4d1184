/**
 * A run that dies, as a user sees it: the built command line and the real OpenCode binary are killed without warning, and
 * `muster resume` makes the same graph without doing anything again that had completed.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../schemas/run-event.ts';
import { committed, graphOf, journalOf, muster, ROOT, runsOf, workAfterCommit } from './muster-process.ts';

const folders: string[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-resume-'));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

let whole: unknown;
let reference: string;
beforeAll(async () => {
  reference = newFolder();
  expect((await muster(['rehearse', '--home', reference, '--json'])).code).toBe(0);
  whole = await graphOf(reference);
}, 180_000);

describe('a run that was killed', () => {
  const moments: readonly (readonly [string, (fact: RunEvent, count: number) => boolean])[] = [
    ['before its first session', (fact) => fact.type === 'stream.connected'],
    ['in the middle of its first turns', (fact, tools) => fact.type === 'tool.answered' && tools === 12],
    ['while work is committed', (fact) => fact.type === 'commit.started'],
    [
      'between a commit and its settlement',
      (fact) => fact.type === 'commit.ended' && fact.instance === 'pqp-generation',
    ],
    ['in the middle of the fan-out', (fact, tools) => fact.type === 'tool.answered' && tools === 70],
    [
      'with everything done but the last line',
      (fact) => fact.type === 'task.settled' && fact.task === 'itp-generation',
    ],
  ];

  it.each(moments)(
    '%s makes the same graph, and nothing that completed runs twice',
    async (_, isMoment) => {
      const home = newFolder();
      let tools = 0;
      await muster(['rehearse', '--home', home, '--json'], (fact, child) => {
        if (fact.type === 'tool.answered') tools += 1;
        if (isMoment(fact, tools)) child.kill('SIGKILL');
      });
      const before = journalOf(home);
      expect(before.at(-1)?.type).not.toBe('run.ended');
      const ended = await muster(['resume', '--home', home, '--json']);
      expect(ended).toMatchObject({ code: 0, err: '' });
      const all = journalOf(home);
      expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
      expect(all.slice(0, before.length)).toEqual(before);
      expect(workAfterCommit(all)).toEqual([]);
      expect(committed(all).sort()).toEqual(committed(journalOf(reference)).sort());
      expect(await graphOf(home)).toEqual(whole);
    },
    90_000,
  );

  it('twice, and interrupted once, still makes the same graph', async () => {
    const home = newFolder();
    const args = ['rehearse', '--home', home, '--json'];
    await muster(args, (fact, child) => void (fact.type === 'turn.started' && child.kill('SIGKILL')));
    const resume = ['resume', '--home', home, '--json'];
    await muster(resume, (fact, child) => void (fact.type === 'commit.ended' && child.kill('SIGKILL')));
    const interrupted = await muster(resume, (fact, child) => {
      if (fact.type === 'task.expanded' || fact.type === 'run.interrupted') child.kill('SIGINT');
    });
    expect(interrupted.code).toBe(130);
    expect(journalOf(home).at(-1)).toMatchObject({ type: 'run.ended', outcome: 'cancelled' });
    expect(await muster(resume)).toMatchObject({ code: 0, err: '' });
    expect(new Set(committed(journalOf(home))).size).toBe(committed(journalOf(home)).length);
    expect(await graphOf(home)).toEqual(whole);
    const nothing = await muster(resume);
    expect(nothing).toMatchObject({ code: 2, err: expect.stringContaining('RUN_ENDED') });
  }, 180_000);
});

describe('a run whose inputs changed', () => {
  const home = newFolder();
  const example = join(home, 'example');
  const prompt = () => join(home, 'prompts', 'wbs-extraction.md');
  const args = (...more: string[]) => [
    'rehearse',
    example,
    '--manifest',
    join(home, 'manifest.json'),
    '--home',
    join(home, 'h'),
    '--json',
    ...more,
  ];
  const decided = (facts: readonly RunEvent[], decision: string) =>
    facts.flatMap((fact) => (fact.type === 'instance.decided' && fact.decision === decision ? [fact] : []));

  beforeAll(() => {
    cpSync(join(ROOT, 'examples/road-upgrade'), example, { recursive: true });
    cpSync(join(ROOT, 'prompts'), join(home, 'prompts'), { recursive: true });
    cpSync(join(ROOT, 'manifest.json'), join(home, 'manifest.json'));
  });

  it('is not resumed without a word, and with --force begins what was at work anew from the present ones', async () => {
    await muster(args(), (fact, child) => {
      if (fact.type === 'tool.answered' && fact.instance === 'wbs-extraction') child.kill('SIGKILL');
    });
    expect(committed(journalOf(join(home, 'h')))).not.toContain('wbs-extraction');
    writeFileSync(prompt(), `${readFileSync(prompt(), 'utf8')}\nBe exact.\n`);
    const refused = await muster(['resume', '--home', join(home, 'h')]);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('task wbs-extraction: prompt changed') });
    expect((await muster(['resume', '--home', join(home, 'h'), '--force', '--json'])).code).toBe(0);
    const sessions = journalOf(join(home, 'h')).flatMap((fact) => (fact.type === 'session.opened' ? [fact] : []));
    expect(sessions.filter(({ instance }) => instance === 'wbs-extraction').map(({ attempt }) => attempt)).toEqual([
      1, 2,
    ]);
    expect(await graphOf(join(home, 'h'))).toEqual(whole);
    const { out } = await muster(['report', '--home', join(home, 'h')]);
    expect(out).toContain('Inputs changed on the way: task wbs-extraction: prompt changed;');
  }, 180_000);

  it('is taken over as a whole by a run in which nothing changed, without a session', async () => {
    expect((await muster(args('--changed'))).code).toBe(0);
    const run = runsOf(join(home, 'h')).at(-1)!;
    const facts = journalOf(join(home, 'h'), run);
    expect(decided(facts, 'take-over')).toHaveLength(22);
    expect(facts.some(({ type }) => type === 'session.opened')).toBe(false);
    expect(await graphOf(join(home, 'h'), run)).toEqual(whole);
  }, 180_000);

  it('runs the changed task again, and takes over what stands behind it when that came out as before', async () => {
    writeFileSync(prompt(), `${readFileSync(prompt(), 'utf8')}\nBe complete.\n`);
    expect((await muster(args('--changed'))).code).toBe(0);
    const run = runsOf(join(home, 'h')).at(-1)!;
    const facts = journalOf(join(home, 'h'), run);
    expect(decided(facts, 'run')).toEqual([
      expect.objectContaining({ instance: 'wbs-extraction', causes: ['prompt changed'] }),
    ]);
    expect(decided(facts, 'take-over')).toHaveLength(21);
    expect(await graphOf(join(home, 'h'), run)).toEqual(whole);
    // Nothing differs from now, and the line that differed then is shown.
    const { out } = await muster(['why', run, 'wbs-extraction', '--home', join(home, 'h')]);
    expect(out).toContain('wbs-extraction would be taken over');
    expect(out).toContain('+Be complete.');
  }, 180_000);
});
