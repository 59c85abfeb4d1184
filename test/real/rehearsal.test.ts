/**
 * The main job as a user starts it: the built command line, the real OpenCode binary, real sessions, tools and files;
 * a script answers in place of a model.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import type { RunEvent } from '../../schemas/run-event.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import type { Report } from '../../src/report/report.ts';
import { isAlive } from '../child-process.ts';
import { type Ended, muster, ROOT } from './muster-process.ts';

const EXAMPLE = join(ROOT, 'examples/road-upgrade');
const WAVE_1 = [
  'project-details',
  'document-metadata',
  'standards-extraction',
  'wbs-extraction',
  'pqp-generation',
  'emp-generation',
  'ohsmp-generation',
  'qse-generation',
];
const ITPS = Array.from({ length: 13 }, (_, i) => `itp-generation[ITP-${String(i + 1).padStart(2, '0')}]`);

const files = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe('the rehearsal of road-upgrade', () => {
  const home = mkdtempSync(join(tmpdir(), 'muster-test-'));
  let ended: Ended;
  let folder: string;
  const at = (found: (fact: RunEvent) => boolean) => ended.facts.findIndex(found);
  const of = <T extends RunEvent['type']>(type: T) =>
    ended.facts.filter((fact): fact is Extract<RunEvent, { type: T }> => fact.type === type);

  beforeAll(async () => {
    ended = await muster(['rehearse', '--home', home, '--json']);
    folder = join(home, 'runs', readdirSync(join(home, 'runs'))[0]!);
  }, 180_000);
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('runs to the end and exits with 0', () => {
    expect(ended.err).toBe('');
    expect(ended.code).toBe(0);
    expect(ended.facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'completed' });
  });

  it('completes ten tasks and thirteen ITPs', () => {
    const completed = of('instance.settled').filter(({ outcome }) => outcome.kind === 'completed');
    expect(completed.map(({ instance }) => instance).sort()).toEqual([...WAVE_1, 'lbs-extraction', ...ITPS].sort());
    expect(of('task.settled')).toHaveLength(10);
  });

  it('uses one OpenCode server process, which is gone afterwards', () => {
    const [server, ...others] = of('server.started');
    expect(others).toEqual([]);
    expect(server).toMatchObject({ owned: true, version: '1.18.33' });
    expect(isAlive(server!.pid!)).toBe(false);
  });

  it('has all sessions of wave 1 at work at the same time', () => {
    const opened = WAVE_1.map((id) => at((fact) => fact.type === 'turn.started' && fact.instance === id));
    const firstEnd = at((fact) => fact.type === 'turn.ended');
    expect(Math.min(...opened)).toBeGreaterThan(0);
    expect(Math.max(...opened)).toBeLessThan(firstEnd);
  });

  it('starts no dependant before its dependency has committed', () => {
    const commit = (id: string) => at((fact) => fact.type === 'commit.ended' && fact.instance === id);
    const start = (id: string) => at((fact) => fact.type === 'instance.started' && fact.instance === id);
    expect(start('lbs-extraction')).toBeGreaterThan(commit('wbs-extraction'));
    for (const itp of ITPS) {
      for (const need of ['pqp-generation', 'wbs-extraction', 'standards-extraction']) {
        expect(start(itp)).toBeGreaterThan(commit(need));
      }
    }
  });

  it('fans out over the requirements that the PQP task of this very run committed', () => {
    const pqp = of('commit.ended').find(({ instance }) => instance === 'pqp-generation')!;
    const [expanded] = of('task.expanded');
    expect(expanded!.instances.map(({ itemKey }) => itemKey)).toEqual(pqp.items['ITPRequirement']);
    expect(expanded!.seq).toBeGreaterThan(pqp.seq);
  });

  it('repairs the honest mistakes of the script', () => {
    expect(of('repair.requested').map(({ instance }) => instance)).toEqual(['emp-generation']);
    const refused = of('tool.answered').filter(({ issues }) => issues.length > 0);
    expect(refused.map(({ instance, tool }) => `${instance} ${tool}`).sort()).toEqual([
      'itp-generation[ITP-07] complete',
      'standards-extraction submit',
      'wbs-extraction submit',
    ]);
  });

  it('leaves the ground truth in the graph', async () => {
    const expected = JSON.parse(readFileSync(join(EXAMPLE, 'expected/graph.json'), 'utf8')) as {
      nodes: { label: string }[];
    };
    const graph = openEmbeddedGraph(join(folder, 'graph.db'));
    try {
      for (const { name } of construction.entities) {
        const { total } = await graph.read({ entity: name, limit: 1 });
        expect(`${name} ${total}`).toBe(`${name} ${expected.nodes.filter(({ label }) => label === name).length}`);
      }
    } finally {
      await graph.close();
    }
  });

  it('writes facts to standard output exactly as they stand in the journal', () => {
    const journal = readFileSync(join(folder, 'journal.jsonl'), 'utf8').trim().split('\n');
    expect(journal.map((line) => JSON.parse(line) as unknown)).toEqual(ended.facts);
    expect(ended.facts.map(({ seq }) => seq)).toEqual(ended.facts.map((_, i) => i + 1));
  });

  it('keeps a complete log and a record of each attempt', () => {
    for (const id of [...WAVE_1, 'lbs-extraction']) {
      const dir = join(folder, 'logs', id);
      const record = JSON.parse(readFileSync(join(dir, 'attempt-1.record.json'), 'utf8')) as Record<string, unknown>;
      expect(record).toMatchObject({ taskName: id, status: 'completed', attempt: 1 });
      expect(record['duration']).toBeGreaterThan(0);
      expect((record['toolCalls'] as unknown[]).length).toBeGreaterThan(0);
      expect(statSync(join(dir, 'attempt-1.events.jsonl')).size).toBeGreaterThan(1_000);
    }
  });

  it('leaves no credential behind: not in the workspace, the logs, the journal or the reports', () => {
    expect(existsSync(join(folder, 'endpoint.json'))).toBe(false);
    const telling = /Bearer [A-Za-z0-9]|OPENCODE_SERVER_PASSWORD=|"(password|apiKey|token)":\s*"(?!\[)[^"]{8,}/;
    for (const file of files(folder).filter((path) => !path.includes('/server/') && !path.endsWith('.db'))) {
      expect(telling.test(readFileSync(file, 'utf8')), file).toBe(false);
    }
  });

  it('gives every agent its prompt, its schema and, in a fan-out, its item', () => {
    const instance = join(folder, 'workspace/instances/itp-generation.ITP-07');
    expect(readFileSync(join(instance, 'prompt.md'), 'utf8')).toMatch(/^Task: itp-generation\[ITP-07\]\n/);
    expect(readFileSync(join(instance, 'AGENT_SCHEMA.md'), 'utf8')).toContain('Do not generate UUIDs');
    expect(JSON.parse(readFileSync(join(instance, 'item.json'), 'utf8'))).toMatchObject({ docNo: 'ITP-07' });
  });

  it('is shown by report, runs and logs', async () => {
    const report = JSON.parse((await muster(['report', '--home', home, '--json'])).out) as Report;
    expect(report).toEqual(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')));
    expect(report.totals).toMatchObject({ instances: 22, completed: 22, repairs: 1, parallel: 8 });
    expect((await muster(['report', '--home', home])).out).toContain('itp-generation[ITP-13]');
    expect((await muster(['runs', '--home', home])).out).toMatch(/completed\s+rehearsal/);
    expect((await muster(['logs', 'latest', 'wbs-extraction', '--home', home])).out).toContain('commit.ended');
    expect((await muster(['logs', 'latest', 'wbs-extraction', '--events', '--home', home])).out).toContain(
      'message.part.updated',
    );
  }, 60_000);
});

describe('a rehearsal in which the WBS agent never does its work', () => {
  const home = mkdtempSync(join(tmpdir(), 'muster-test-'));
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('skips what needs the WBS, finishes the rest, exits with 1, and the report says why', async () => {
    const ended = await muster(['rehearse', '--home', home, '--json', '--script', join(EXAMPLE, 'rehearsal-failing')]);
    expect(ended.code).toBe(1);
    const tasks = Object.fromEntries(
      ended.facts.flatMap((fact) => (fact.type === 'task.settled' ? [[fact.task, fact.outcome.kind]] : [])),
    );
    expect(tasks).toMatchObject({
      'wbs-extraction': 'failed',
      'lbs-extraction': 'skipped',
      'itp-generation': 'skipped',
    });
    expect(Object.values(tasks).filter((kind) => kind === 'completed')).toHaveLength(7);
    const report = (await muster(['report', '--home', home, '--markdown'])).out;
    expect(report).toContain('wbs-extraction: failed');
    expect(report).toContain('without a complete submission');
    expect(report).toMatch(/lbs-extraction: skipped\n\nwbs-extraction, which it waits for, ended failed/);
  }, 180_000);
});
