/** Six grave mistakes of a model, each refused with words that let the next call mend it; none reaches the graph. */
import { beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import type { GraphSnapshot } from '../../src/ports.ts';
import { readSnapshot } from '../../src/snapshot/snapshot.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';
import { type Played, playRehearsal } from './road-upgrade-desks.ts';

let played: Played;
let graph: GraphSnapshot;
beforeAll(async () => {
  const store = openEmbeddedGraph(':memory:');
  played = await playRehearsal(store, 'rehearsal-refused');
  graph = await readSnapshot(store, { schema: construction });
  await store.close();
});

describe('a model that invents', () => {
  it.each<[string, string, RegExp]>([
    ['a quote', 'project-details', /entities\[\d+\]\.evidence\[0\]\.quote: .*(?:nearest|resembles)/],
    ['a UUID as key', 'document-metadata', /entities\[\d+\]\.attributes\.docNo: .*UUID/],
    ['a standard', 'itp-generation[ITP-01]', /relationships\[\d+\]\.to\.key: .*AS 9999.*muster_read/],
    ['a kind of point', 'itp-generation[ITP-02]', /entities\[\d+\]\.attributes\.pointType: .*HOLD.*got "HOLD POINT"/],
    [
      'children without their parent',
      'lbs-extraction',
      /Not complete[\s\S]*CHILD_OF: there is no LBSNode "BRU2-A"; submit it/,
    ],
    ['an empty ITP list', 'pqp-generation', /Not complete[\s\S]*ITPRequirement/],
  ])('%s is told by path and with the cure', (_, instance, told) => {
    expect(played.answers.get(instance)!.join('\n')).toMatch(told);
  });

  it('mends every one of them and completes every instance', () => {
    expect(played.open).toEqual([]);
  });

  it('leaves nothing of them in the graph', () => {
    const keys = (of: GraphSnapshot) => of.nodes.map(({ entity, key }) => `${entity} ${JSON.stringify(key)}`).sort();
    expect(keys(graph)).toEqual(keys(expectedSnapshot()));
    expect(JSON.stringify(graph)).not.toMatch(/AS 9999|3f2b8c1e|HOLD POINT|under a separate deed/);
  });
});
