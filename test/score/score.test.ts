import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import type { GraphSnapshot } from '../../src/ports.ts';
import { norm } from '../../src/score/compare.ts';
import { type Score, scoreGraph } from '../../src/score/score.ts';
import { scoringOf } from '../../src/score/scoring-of.ts';
import { library } from '../output/library.ts';
import { changed, nodeOf, truth, withNodes, withRelationships } from './road-upgrade.ts';

const scoring = scoringOf(construction);
const scored = (extraction: GraphSnapshot) => scoreGraph(scoring, truth, extraction);

function rows({ lists, pairs, owned, extra }: Score) {
  return new Map([...lists, ...pairs, ...owned, ...extra].map((row) => [row.name, row]));
}
const figures = (score: Score, name: string) => {
  const { truth: wanted, found, tp, precision, recall, f1 } = rows(score).get(name)!;
  return [wanted, found, tp, precision, recall, f1];
};
const listOf = (score: Score, name: string) => score.lists.find((list) => list.name === name)!;

describe('the score of the truth itself', () => {
  it('is 1 throughout, with the counts of the sample', () => {
    const score = scored(truth.graph);
    for (const row of rows(score).values()) expect(row).toMatchObject({ precision: 1, recall: 1, f1: 1 });
    for (const list of score.lists) expect(list).toMatchObject({ attributeAccuracy: 1, duplicates: 0, wrong: [] });
    expect(Object.fromEntries([...rows(score)].map(([name, row]) => [name, row.truth]))).toEqual({
      workTypes: 13,
      areaCodes: 6,
      documents: 21,
      standards: 44,
      wbs: 40,
      lbs: 15,
      controlPoints: 18,
      requiredItps: 13,
      lbs_wbs_mapping: 87,
      itp_wbs_cover: 23,
      'ITP-07 items': 15,
      'ITP-07 numeric criteria': 19,
      'ITP-07 control points': 4,
      itp_wbs_cover_drawn: 23,
    });
    expect(score.totals).toMatchObject({ precision: 1, recall: 1, f1: 1, attributeAccuracy: 1, duplicates: 0 });
    expect(score.totals.truth).toBe(13 + 6 + 21 + 44 + 40 + 15 + 18 + 13 + 87 + 23 + 15 + 19 + 4);
  });

  it('is the same in any order of nodes and relationships, and under any project id', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...truth.graph.nodes], { minLength: truth.graph.nodes.length }),
        fc.shuffledSubarray([...truth.graph.relationships], { minLength: truth.graph.relationships.length }),
        fc.string({ minLength: 1, maxLength: 4 }),
        (nodes, relationships, project) => {
          const renamed = <Node extends { entity: string; key: readonly (string | number)[] }>(node: Node): Node => ({
            ...node,
            key: [project, ...node.key.slice(1)],
          });
          const shuffled = {
            nodes: nodes.map(renamed),
            relationships: relationships.map((edge) => ({ ...edge, from: renamed(edge.from), to: renamed(edge.to) })),
          };
          expect(scored(shuffled)).toEqual(scored(truth.graph));
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('the score of nothing', () => {
  it('is 0, and an accuracy of nothing is null', () => {
    const score = scored({ nodes: [], relationships: [] });
    for (const row of rows(score).values())
      expect(row).toMatchObject({ found: 0, tp: 0, precision: 0, recall: 0, f1: 0 });
    for (const list of score.lists) expect(list).toMatchObject({ duplicates: 0, attributeAccuracy: null });
    expect(score.totals).toMatchObject({ found: 0, f1: 0, attributeAccuracy: null });
  });

  it('against an empty truth is recall 1, precision 0', () => {
    const empty = { nodes: [], relationships: [] };
    const [wbs] = scoreGraph(scoring, { graph: empty }, empty).lists;
    expect(wbs).toMatchObject({ truth: 0, found: 0, precision: 0, recall: 1, f1: 0 });
  });
});

describe('the score of a truth with known changes', () => {
  const items = truth.graph.nodes.filter(({ entity, key }) => entity === 'InspectionPoint' && key[1] === 'ITP-07');
  const item = (itemNo: number) => items.find(({ properties }) => properties['itemNo'] === String(itemNo))!;

  let worse = changed(truth.graph, 'WBSNode', (node) => {
    if (node['code'] === '5.6' || node['code'] === '7.2') return undefined;
    if (node['code'] === '5.1') return { ...node, name: 'bored  CAST-in-place piles', quantity: 169 };
    return node;
  });
  const copy = truth.graph.nodes.find(({ entity, key }) => entity === 'WBSNode' && key[1] === '1.2')!;
  worse = withNodes(worse, nodeOf('WBSNode', { code: '8', name: 'Invented', parentCode: '0' }, '8'), copy);
  worse = changed(worse, 'Standard', (node) => {
    if (String(node['code']).startsWith('TfNSW R')) return undefined;
    return node['code'] === 'AS 1379' ? { ...node, editionCited: '2009' } : node;
  });
  worse = changed(worse, 'ControlPoint', (node, index) => {
    if (index >= 13) return undefined;
    return node['pointNo'] === 'HP-09' ? { ...node, releasingRole: 'contractor-nominee' } : node;
  });
  worse = withRelationships(worse, {
    type: 'MAPPED_TO',
    from: { entity: 'LBSNode', key: ['BRU2', 'BRU2-D'] },
    to: { entity: 'WBSNode', key: ['BRU2', '1.1'] },
  });
  worse = changed(worse, 'ITPRequirement', (node) =>
    node['docNo'] === 'ITP-03' ? { ...node, wbsHints: ['2.3'] } : node,
  );
  worse = changed(worse, 'InspectionPoint', (node) => {
    if (node['docNo'] !== 'ITP-07') return node;
    if (node['itemNo'] === item(16).properties['itemNo']) return undefined;
    return node['itemNo'] === '7' ? { ...node, pointType: 'INSPECTION', controlPointNo: null } : node;
  });
  worse = changed(worse, 'AcceptanceCriterion', (node) =>
    node['docNo'] === 'ITP-07' && node['itemNo'] === '3' && node['seq'] === 1 ? { ...node, value: 30 } : node,
  );
  const score = scored(worse);

  it('wbs: two dropped, one invented, one twice, a name in other letters, a quantity wrong', () => {
    expect(figures(score, 'wbs')).toEqual([40, 39, 38, 0.974, 0.95, 0.962]);
    expect(listOf(score, 'wbs')).toMatchObject({
      duplicates: 1,
      attributeAccuracy: 0.992,
      wrong: ['5.1.quantity: 169 != 168'],
      missed: ['5.6', '7.2'],
      invented: ['8'],
    });
  });

  it('standards: a family dropped, an edition wrong', () => {
    expect(figures(score, 'standards')).toEqual([44, 36, 36, 1, 0.818, 0.9]);
    expect(listOf(score, 'standards')).toMatchObject({ attributeAccuracy: 0.75 });
  });

  it('control points: five dropped, a role wrong', () => {
    expect(figures(score, 'controlPoints')).toEqual([18, 13, 13, 1, 0.722, 0.839]);
    expect(listOf(score, 'controlPoints').attributeAccuracy).toBe(0.984);
  });

  it('pairs: one too many, one missing', () => {
    expect(figures(score, 'lbs_wbs_mapping')).toEqual([87, 88, 87, 0.989, 1, 0.994]);
    expect(figures(score, 'itp_wbs_cover')).toEqual([23, 22, 22, 1, 0.957, 0.978]);
    expect(figures(score, 'itp_wbs_cover_drawn')).toEqual([23, 23, 23, 1, 1, 1]);
  });

  it('the full ITP: a point weakened, an item dropped, a limit wrong', () => {
    expect(figures(score, 'ITP-07 items')).toEqual([15, 14, 13, 0.929, 0.867, 0.897]);
    expect(figures(score, 'ITP-07 numeric criteria')).toEqual([19, 19, 18, 0.947, 0.947, 0.947]);
    expect(figures(score, 'ITP-07 control points')).toEqual([4, 3, 3, 1, 0.75, 0.857]);
  });
});

describe('scoring', () => {
  it('removing k nodes lowers recall by exactly k, and leaves precision alone', () => {
    const wbs = truth.graph.nodes.filter(({ entity }) => entity === 'WBSNode');
    fc.assert(
      fc.property(fc.subarray(wbs), (removed) => {
        const rest = truth.graph.nodes.filter((node) => !removed.includes(node));
        const row = listOf(scored({ ...truth.graph, nodes: rest }), 'wbs');
        const left = wbs.length - removed.length;
        expect(row).toMatchObject({ truth: 40, found: left, tp: left, precision: left === 0 ? 0 : 1 });
        expect(row.recall).toBe(Math.round((left / wbs.length) * 1_000) / 1_000);
        expect(row.missed).toHaveLength(Math.min(removed.length, 10));
      }),
      { numRuns: 30 },
    );
  });

  it('adding k nodes lowers precision by exactly k, and leaves recall alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), (k) => {
        const more = Array.from({ length: k }, (_, i) => nodeOf('WBSNode', { code: `9.${i + 1}` }, `9.${i + 1}`));
        const row = listOf(scored(withNodes(truth.graph, ...more)), 'wbs');
        expect(row).toMatchObject({ found: 40 + k, tp: 40, recall: 1, attributeAccuracy: 1 });
        expect(row.precision).toBe(Math.round((40 / (40 + k)) * 1_000) / 1_000);
      }),
      { numRuns: 20 },
    );
  });

  it('never counts an attribute whose true value is absent', () => {
    const added = changed(truth.graph, 'Standard', (node) => ({
      ...node,
      editionCited: node['editionCited'] ?? '1999',
    }));
    expect(listOf(scored(added), 'standards')).toMatchObject({ attributeAccuracy: 1, wrong: [] });
  });

  it('takes the last of two entries with one key', () => {
    const last = nodeOf('WBSNode', { code: '5.1', name: 'Bored cast-in-place piles', quantity: 1 }, '5.1');
    expect(listOf(scored(withNodes(truth.graph, last)), 'wbs').wrong).toContain('5.1.quantity: 1 != 168');
    const first = { ...truth.graph, nodes: [last, ...truth.graph.nodes] };
    expect(listOf(scored(first), 'wbs')).toMatchObject({ duplicates: 1, wrong: [] });
  });

  it('counts all entries without a key as one', () => {
    const none = [nodeOf('WBSNode', {}, 'x'), nodeOf('WBSNode', { code: null }, 'y')];
    expect(listOf(scored(withNodes(truth.graph, ...none)), 'wbs')).toMatchObject({ found: 41, tp: 40, duplicates: 1 });
  });

  it('leaves out generated documents', () => {
    const generated = nodeOf('Document', { docNo: 'BRU2-X', origin: 'generated' }, 'BRU2-X');
    expect(listOf(scored(withNodes(truth.graph, generated)), 'documents').found).toBe(21);
  });

  it('takes the owners that the truth calls complete, or all of them', () => {
    expect(scoreGraph(scoring, { graph: truth.graph }, truth.graph).owned).toHaveLength(13 * 3);
    expect(scoreGraph(scoring, { ...truth, complete: { ITPTemplate: [] } }, truth.graph).owned).toEqual([]);
  });

  it('shows ten wrong lines and counts all', () => {
    const wrong = changed(truth.graph, 'WBSNode', (node) => ({ ...node, name: `not ${String(node['name'])}` }));
    const row = listOf(scored(wrong), 'wbs');
    expect(row.wrong).toHaveLength(10);
    expect(row.total - row.right).toBe(40);
  });

  it('of a schema that says nothing of it: every entity of a task, every relationship that agents submit', () => {
    const { lists, pairs, owners } = scoringOf(library);
    expect(lists.find(({ name }) => name === 'Book')).toEqual({
      name: 'Book',
      entity: 'Book',
      key: ['code'],
      attributes: ['kind', 'shelfCodes', 'sequelOf'],
    });
    const drawn = new Set(library.relationships.filter(({ link }) => link).map(({ type }) => type));
    expect(pairs.some(({ name }) => drawn.has(name))).toBe(false);
    expect(owners).toEqual([]);
  });
});

describe('comparing', () => {
  it('knows numbers, white space and case, and nothing else', () => {
    expect(norm(' Bored \n CAST-in-place ')).toBe(norm('bored cast-in-place'));
    expect(norm(1200)).toBe(norm(1200.0));
    expect(norm(1200)).not.toBe(norm('1200'));
    expect(norm(1.1)).not.toBe(norm(1.11));
    expect(norm(null)).toBe(norm(undefined));
    expect(norm('null')).not.toBe(norm(null));
    expect(norm('')).not.toBe(norm(null));
    expect(norm(['A', 1])).toBe(norm(['a', 1]));
  });
});
