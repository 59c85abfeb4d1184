/** What follows from keys and paths once every task has ended; what names nothing is said. */
import { describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import type { GraphRelationship, GraphSnapshot } from '../../src/ports.ts';
import { nodeId } from '../../src/ports.ts';
import { lateLinks } from '../../src/rules/late-links.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';

const late = new Set(
  construction.relationships
    .filter(({ resolution }) => resolution === 'late')
    .map(({ from, type, to }) => `${from} ${type} ${to}`),
);
const isLate = ({ from, type, to }: GraphRelationship) => late.has(`${from.entity} ${type} ${to.entity}`);
const text = ({ from, type, to }: GraphRelationship) => `${nodeId(from)} ${type} ${nodeId(to)}`;
const without = (): GraphSnapshot => {
  const { nodes, relationships } = expectedSnapshot();
  return { nodes, relationships: relationships.filter((edge) => !isLate(edge)) };
};

describe('the late relationships of the sample project', () => {
  it('are exactly those of the correct graph', () => {
    const { relationships, dangling } = lateLinks(construction, 'BRU2', without());
    expect(relationships.map(text).sort()).toEqual(expectedSnapshot().relationships.filter(isLate).map(text).sort());
    expect(relationships).toHaveLength(159);
    expect(dangling).toEqual([]);
  });

  it('are the same when they have been drawn already', () => {
    const { relationships } = lateLinks(construction, 'BRU2', expectedSnapshot());
    expect(relationships).toHaveLength(159);
  });

  it('name a key that leads nowhere, with both ends', () => {
    const { nodes, relationships } = without();
    const changed = nodes.map((node) =>
      node.entity === 'WBSNode' && node.key[1] === '5.1'
        ? { ...node, properties: { ...node.properties, workTypeCode: 'ZZ' } }
        : node,
    );
    const { dangling } = lateLinks(construction, 'BRU2', { nodes: changed, relationships });
    expect(dangling).toEqual([
      {
        rule: 'late-link',
        severity: 'warning',
        message: 'WBSNode 5.1 names the WorkType ZZ (USES_WORK_TYPE), which does not exist',
        hint: 'correct the key, or add what it names',
      },
    ]);
  });
});
