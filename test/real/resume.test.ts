/**
 * A run that dies, as a user sees it: the built command line and the real OpenCode binary are killed without warning, and
 * `muster resume` makes the same graph without doing anything again that had completed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import type { RunEvent } from '../../schemas/run-event.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';

const ROOT = join(import.meta.dirname, '../..');
const folders: string[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-resume-'));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly err: string;
}

function muster(
  args: readonly string[],
  onFact: (fact: RunEvent, child: ChildProcess) => void = () => {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'bin/muster.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{"seq"')) onFact(JSON.parse(line) as RunEvent, child);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, err }));
  });
}

const runsOf = (home: string) => readdirSync(join(home, 'runs')).sort();
const journalOf = (home: string, run = runsOf(home)[0]!): RunEvent[] =>
  readFileSync(join(home, 'runs', run, 'journal.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RunEvent);

async function graphOf(home: string, run = runsOf(home)[0]!): Promise<unknown> {
  const graph = openEmbeddedGraph(join(home, 'runs', run, 'graph.db'));
  const nodes: unknown[] = [];
  for (const { name } of construction.entities) {
    nodes.push((await graph.read({ entity: name, limit: 1000 })).nodes);
  }
  const relationships = await graph.relationships({});
  await graph.close();
  return { nodes, relationships };
}

const committed = (facts: readonly RunEvent[]) =>
  facts.filter((fact) => fact.type === 'commit.ended').map(({ instance }) => instance);

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
      expect(ended).toEqual({ code: 0, err: '' });
      const all = journalOf(home);
      expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
      expect(all.slice(0, before.length)).toEqual(before);
      const done = new Set(committed(before));
      const again = all
        .slice(before.length)
        .filter((fact) => 'instance' in fact && typeof fact.instance === 'string' && done.has(fact.instance))
        .filter(({ type }) => type !== 'instance.settled');
      expect(again).toEqual([]);
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
    expect(await muster(resume)).toEqual({ code: 0, err: '' });
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

  it('is not resumed without a word, and goes on with --force', async () => {
    await muster(args(), (fact, child) => void (fact.type === 'turn.started' && child.kill('SIGKILL')));
    writeFileSync(prompt(), `${readFileSync(prompt(), 'utf8')}\nBe exact.\n`);
    const refused = await muster(['resume', '--home', join(home, 'h')]);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('task wbs-extraction: prompt changed') });
    expect((await muster(['resume', '--home', join(home, 'h'), '--force', '--json'])).code).toBe(0);
    expect(await graphOf(join(home, 'h'))).toEqual(whole);
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
  }, 180_000);
});
