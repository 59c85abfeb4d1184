/** What the rehearsal's script hands in, through the real desks and the real store, is the correct graph. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { Desk, TOOLS, type Tool } from '../../src/agent-tools/desk.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import { engineNode } from '../../src/output/publication.ts';
import type { TaskContext } from '../../src/output/task-context.ts';
import { type GraphNode, type GraphRelationship, type GraphStore, nodeId } from '../../src/ports.ts';
import { loadRehearsal } from '../../src/rehearsal/load-rehearsal.ts';
import type { Rehearsal } from '../../src/rehearsal/script.ts';
import { findDocuments } from '../../src/workspace/documents.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/road-upgrade');
const SCOPE = 'BRU2';
const UPSTREAM: Record<string, string[]> = {
  'lbs-extraction': ['WBSNode'],
  'itp-generation': ['ITPRequirement', 'WBSNode', 'Standard', 'ControlPoint', 'ManagementPlan'],
};
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
const answers = new Map<string, string[]>();
const open: string[] = [];

beforeAll(async () => {
  graph = openEmbeddedGraph(':memory:');
  const rehearsal: Rehearsal = await loadRehearsal(join(EXAMPLE, 'rehearsal'));
  const documents = await findDocuments(join(EXAMPLE, 'documents'));
  const engine: TaskContext = {
    schema: construction,
    scope: SCOPE,
    instance: { id: '@ingest', task: '@ingest' },
    sources: [],
    readable: [],
  };
  const files = documents.map(({ path, sha256, mediaType }) =>
    engineNode(engine, 'SourceFile', { path, sha256, mediaType }),
  );
  await graph.commit({
    runId: 'r',
    task: '@ingest',
    nodes: [
      { entity: 'Project', key: [SCOPE], properties: { projectId: SCOPE } },
      ...files.flatMap(({ nodes }) => nodes),
    ],
    relationships: files.flatMap(({ relationships }) => relationships),
  });
  const depth = (id: string) => (id.startsWith('itp-') ? 2 : id.startsWith('lbs-') ? 1 : 0);
  const ids = [...rehearsal.instances.keys()].sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
  const items = new Map<string, GraphNode>();
  for (const id of ids) {
    const task = id.split('[')[0]!;
    const itemKey = /\[(.*)\]/.exec(id)?.[1];
    const item = itemKey === undefined ? undefined : items.get(itemKey);
    const context: TaskContext = {
      schema: construction,
      scope: SCOPE,
      instance: { id, task, ...(itemKey !== undefined && { itemKey }) },
      ...(item && { item }),
      sources: documents.map(({ path }) => path),
      readable: UPSTREAM[task] ?? [],
    };
    const desk = new Desk({ context, graph, runId: 'r', onAnswer: () => {} });
    const script = rehearsal.instances.get(id)!;
    const turns = script.attempts.at(-1)!.turns;
    const told: string[] = [];
    for (const turn of turns) {
      for (const step of turn) {
        for (const { tool, arguments: given } of step.calls ?? []) {
          const name = tool.replace(/^muster_/, '');
          if (TOOLS.includes(name as Tool) && tool.startsWith('muster_'))
            told.push(await desk.answer(name as Tool, given));
        }
      }
    }
    answers.set(id, told);
    const review = await desk.review();
    if (!review.complete)
      open.push(`${id}: ${review.issues.map(({ path, message }) => `${path}: ${message}`).join(' | ')}`);
    const { nodes, relationships } = await desk.publication();
    await graph.commit({ runId: 'r', task, nodes, relationships });
    for (const node of nodes) if (node.entity === 'ITPRequirement') items.set(String(node.key[1]), node);
  }
});

describe('the road-upgrade rehearsal through the agents’ tools', () => {
  it('completes every instance', () => {
    expect(open).toEqual([]);
  });

  it('gives exactly the nodes of the correct graph', async () => {
    const expected = JSON.parse(readFileSync(join(EXAMPLE, 'expected/graph.json'), 'utf8')) as ExpectedGraph;
    // The engine does not count pages or judge text quality.
    const plain = (entity: string, properties: Record<string, unknown>) =>
      Object.fromEntries(
        Object.entries(properties).filter(
          ([name]) => entity !== 'SourceFile' || !['pageCount', 'textQuality'].includes(name),
        ),
      );
    const wanted = new Map(
      expected.nodes.map(({ label, props }) => [
        nodeId({ entity: label, key: keyNames(label).map((name) => props[name] as string) }),
        plain(label, props),
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
