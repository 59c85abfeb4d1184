/** A rehearsal whose model makes six grave mistakes, on the real server: refused, repaired, and the graph is right. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import type { RunEvent } from '../../schemas/run-event.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import { nodeId } from '../../src/ports.ts';
import { readSnapshot } from '../../src/snapshot/snapshot.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';

const ROOT = join(import.meta.dirname, '../..');
const SCRIPT = join(ROOT, 'examples/road-upgrade/rehearsal-refused');

describe('a rehearsal with six grave mistakes', () => {
  const home = mkdtempSync(join(tmpdir(), 'muster-test-'));
  let code: number | null;
  let facts: RunEvent[];
  beforeAll(() => {
    const args = [join(ROOT, 'bin/muster.js'), 'rehearse', '--home', home, '--json', '--script', SCRIPT];
    const ended = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    code = ended.status;
    facts = ended.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as RunEvent);
  }, 240_000);
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('refuses each with an issue that says where and why', () => {
    const told = facts.flatMap((fact) =>
      fact.type === 'tool.answered'
        ? fact.issues.map(({ path, message }) => `${fact.instance} ${path}: ${message}`)
        : [],
    );
    const refusals = [
      /^project-details entities\[\d+\]\.evidence\[0\]\.quote: /,
      /^document-metadata entities\[\d+\]\.attributes\.docNo: .*UUID/,
      /^itp-generation\[ITP-01\] relationships\[\d+\]\.to\.key: there is no Standard "AS 9999"/,
      /^itp-generation\[ITP-02\] entities\[\d+\]\.attributes\.pointType: .*"HOLD POINT"/,
      /^lbs-extraction LBSNode BRU2-A-1: .*there is no LBSNode "BRU2-A"/,
      /^pqp-generation ITPRequirement: /,
    ];
    for (const refusal of refusals)
      expect(told.filter((one) => refusal.test(one)).length, String(refusal)).toBeGreaterThan(0);
  });

  it('completes all the same, and no rule finds anything', () => {
    expect(code).toBe(0);
    expect(facts.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'completed' });
    const [check] = facts.filter((fact) => fact.type === 'run.checked');
    expect(check).toMatchObject({ rules: 58, lateRelationships: 159, counts: { blocker: 0, error: 0, warning: 0 } });
  });

  it('ends with the correct graph, relationships drawn late included', async () => {
    const folder = join(home, 'runs', readdirSync(join(home, 'runs'))[0]!);
    const graph = openEmbeddedGraph(join(folder, 'graph.db'));
    const found = await readSnapshot(graph, { schema: construction });
    await graph.close();
    const expected = expectedSnapshot();
    expect(found.nodes.map(nodeId).sort()).toEqual(expected.nodes.map(nodeId).sort());
    const edge = ({ type, from, to }: (typeof found.relationships)[number]) => `${nodeId(from)} ${type} ${nodeId(to)}`;
    expect(found.relationships.map(edge).sort()).toEqual(expected.relationships.map(edge).sort());
  });
});
