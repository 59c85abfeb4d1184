/** A run on a server that outlives it: the sessions go on while nobody listens, and are joined again. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { journalOf, muster, runsOf } from './muster-process.ts';
import { EXAMPLE, PASSWORD, startStandingServer } from './standing-server.ts';

const base = mkdtempSync(join(tmpdir(), 'muster-attached-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

it('joins the turns that still run on a server of somebody else, and takes what ended meanwhile', async () => {
  const server = await startStandingServer(base, { perCallMs: 2_000, perChunkMs: 0 });
  try {
    const runs = join(base, 'muster');
    const args = ['run', '--documents', join(EXAMPLE, 'documents'), '--project', 'BRU2', '--home', runs, '--json'];
    let turns = 0;
    await muster(
      [...args, '--model', server.model, '--server', server.url, '--password', PASSWORD],
      (fact, child) => {
        if (fact.type === 'tool.answered') turns += 1;
        if (turns === 4) child.kill('SIGKILL');
      },
      server.environment,
    );
    const resumed = await muster(['resume', '--home', runs, '--json'], undefined, server.environment);
    expect(resumed).toMatchObject({ code: 0, err: '' });
    const text = readFileSync(join(runs, 'runs', runsOf(runs)[0]!, 'journal.jsonl'), 'utf8');
    const facts = journalOf(runs);
    const steps = facts.flatMap((fact) => (fact.type === 'instance.resumed' ? [fact.step] : []));
    expect(steps).toContain('join');
    expect(steps).not.toContain('new-attempt');
    expect(steps).toHaveLength(8);
    expect(facts.filter(({ type }) => type === 'task.settled')).toHaveLength(10);
    expect(facts.filter(({ type }) => type === 'commit.ended')).toHaveLength(22);
    expect(facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'completed' });
    // The journal names the server and no way into it.
    expect(text).toContain(server.url);
    expect(text).not.toContain(PASSWORD);
  } finally {
    await server.stop();
  }
}, 180_000);
