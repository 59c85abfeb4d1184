/** What the rehearsal's script hands in, through the real desks and the real store, is the correct graph. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import { type GraphRelationship, type GraphStore, nodeId } from '../../src/ports.ts';
import { EXAMPLE, type Played, playRehearsal, SCOPE } from './road-upgrade-desks.ts';

const LATE = new Set(
  construction.relationships
    .filter(({ resolution }) => resolution === 'late')
    .map(({ from, type, to }) => `${from} ${type} ${to}`),
);

interface ExpectedGraph {
  nodes: { label: string; props: Record<string, unknown> }[];
  relationships: { type: string; from: ExpectedEnd; to: ExpectedEnd }[];
}
interface ExpectedEnd {
  label: string;
  key: Record<string, string | number>;
}

const keyNames = (entity: string) => construction.entities.find(({ name }) => name === entity)!.key;
const edgeText = (edge: GraphRelationship) => `${nodeId(edge.from)} ${edge.type} ${nodeId(edge.to)}`;
const endOf = ({ label, key }: ExpectedEnd) => ({
  entity: label,
  key: keyNames(label).map((name) => (name === 'projectId' ? SCOPE : key[name]!)),
});

let graph: GraphStore;
let answers: Played['answers'];
let open: Played['open'];

beforeAll(async () => {
  graph = openEmbeddedGraph(':memory:');
  ({ answers, open } = await playRehearsal(graph, 'rehearsal'));
});

describe('the road-upgrade rehearsal through the agents’ tools', () => {
  it('completes every instance', () => {
    expect(open).toEqual([]);
  });

  it('gives exactly the nodes of the correct graph', async () => {
    const expected = JSON.parse(readFileSync(join(EXAMPLE, 'expected/graph.json'), 'utf8')) as ExpectedGraph;
    const wanted = new Map(
      expected.nodes.map(({ label, props }) => [
        nodeId({ entity: label, key: keyNames(label).map((name) => props[name] as string) }),
        props,
      ]),
    );
    const found = new Map<string, unknown>();
    for (const { name } of construction.entities) {
      for (let offset = 0; ; offset += 1000) {
        const { nodes, total } = await graph.read({ entity: name, limit: 1000, offset });
        for (const node of nodes) found.set(nodeId(node), node.properties);
        if (offset + nodes.length >= total) break;
      }
    }
    expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
    for (const [id, properties] of wanted) {
      // A passage shared by two tasks keeps the words of its first writer; which of two came first is not part of the truth.
      const own = found.get(id) as Record<string, unknown>;
      if (id.startsWith('Evidence')) expect({ ...own, producedBy: '' }).toEqual({ ...properties, producedBy: '' });
      else expect(own).toEqual(properties);
    }
  });

  it('gives exactly its relationships, but for the late ones', async () => {
    const expected = JSON.parse(readFileSync(join(EXAMPLE, 'expected/graph.json'), 'utf8')) as ExpectedGraph;
    const wanted = expected.relationships
      .filter(({ type, from, to }) => !LATE.has(`${from.label} ${type} ${to.label}`))
      .map(({ type, from, to }) => edgeText({ type, from: endOf(from), to: endOf(to) }));
    const found = (await graph.relationships({})).map(edgeText);
    expect(found.sort()).toEqual(wanted.sort());
  });

  it('answers the honest mistakes with the path and the correction', () => {
    expect(answers.get('wbs-extraction')!.join('\n')).toMatch(
      /entities\[\d+\]\.attributes\.parentCode: "[\d.]+" is not the parent of "[\d.]+"; expected/,
    );
    expect(answers.get('standards-extraction')!.join('\n')).toMatch(/attributes\.code: /);
    expect(answers.get('itp-generation[ITP-07]')!.join('\n')).toMatch(
      /InspectionPoint HAS_CRITERION AcceptanceCriterion: each InspectionPoint needs at least 1/,
    );
  });
});
