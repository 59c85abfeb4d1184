/** The correct graph of the sample project breaks no rule, and each single change trips the rules that it must trip. */
import { describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { requireReadOnly } from '../../src/cypher/read-only.ts';
import { openProjection } from '../../src/graph/projection.ts';
import type { GraphSnapshot } from '../../src/ports.ts';
import { evaluateRules } from '../../src/rules/evaluate.ts';
import { statementsOf } from '../../src/rules/statements.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';
import { type Mutation, mutated, mutations } from './mutate.ts';

const rules = construction.rules!;

async function findingsOf(snapshot: GraphSnapshot, hasQuote?: () => boolean) {
  const source = await openProjection({ schema: construction, snapshot });
  try {
    const { findings } = await evaluateRules({
      statements: statementsOf(rules),
      source,
      facts: { nodes: snapshot.nodes, ...(hasQuote && { hasQuote }) },
      scope: { attribute: 'projectId', value: 'BRU2' },
    });
    return findings;
  } finally {
    await source.close();
  }
}

/** The rules that find something; none of them may leave a blank in what it says. */
const tripped = async (change: Pick<Mutation, 'ops'>) => {
  const findings = await findingsOf(mutated(change));
  expect(
    findings.filter(({ message }) => /[{}]/.test(message.replaceAll(/\{(?:workType|areaCode|day|seq:0+)\}/g, ''))),
  ).toEqual([]);
  return [...new Set(findings.map(({ rule }) => rule))].sort();
};

describe('the rules of the construction pack', () => {
  it('are 58, each known by its number', () => {
    expect(rules.map(({ id }) => id)).toEqual(
      Array.from({ length: 58 }, (_, i) => `Q${String(i + 1).padStart(2, '0')}`),
    );
    const count = (severity: string) => rules.filter((rule) => rule.severity === severity).length;
    expect([count('blocker'), count('error'), count('warning')]).toEqual([12, 35, 11]);
  });

  it('only read', () => {
    for (const { cypher } of statementsOf(rules)) if (cypher) expect(() => requireReadOnly(cypher)).not.toThrow();
  });

  it('find nothing in the correct graph', async () => {
    expect(await findingsOf(expectedSnapshot(), () => true)).toEqual([]);
  });

  it.each(mutations)('$rule finds: $change', async (mutation) => {
    expect(await tripped(mutation)).toEqual([...mutation.trips].sort());
  });

  it('say what is wrong by its business keys', async () => {
    const lost = mutations.find(({ rule }) => rule === 'Q31')!;
    const [finding] = await findingsOf(mutated(lost));
    expect(finding).toMatchObject({ rule: 'Q31', severity: 'blocker', hint: 'add the item' });
    expect(finding!.message).toMatch(/^no item of ITP-\d\d implements [HW]P-\d\d \((HOLD|WITNESS)\)$/);
  });
});

describe('what the plain statements would not see', () => {
  const set = (label: string, key: Record<string, string>, props: Record<string, string | number | null>) => ({
    ops: [{ op: 'set' as const, node: { label, key }, props }],
  });
  it.each<[string, string, Pick<Mutation, 'ops'>]>([
    ['Q10', 'a second root of the WBS', set('WBSNode', { code: '5' }, { parentCode: null })],
    ['Q16', 'a second root of the LBS', set('LBSNode', { code: 'BRU2-A' }, { parentCode: null })],
    [
      'Q28',
      'an item for a hold point that the contractor releases',
      set('InspectionPoint', { docNo: 'ITP-07', itemNo: '7' }, { releasedByRole: 'contractor' }),
    ],
    [
      'Q42',
      'an ITP with a specification nobody knows',
      set('ITPTemplate', { docNo: 'ITP-07' }, { specificationRefs: ['XX-1'] as never }),
    ],
    [
      'Q43',
      'a standard with its year in the code',
      {
        ops: [{ op: 'addNode', label: 'Standard', props: { projectId: 'BRU2', code: 'AS 1379-2007', assumed: true } }],
      },
    ],
    [
      'Q47',
      'a register that names another revision',
      set('Document', { docNo: 'BRU2-SP-001' }, { currentRevision: 'Z' }),
    ],
    [
      'Q55',
      'an approval while the store says unreviewed',
      set('ITPTemplate', { docNo: 'ITP-07' }, { status: 'approved', reviewStatus: 'unreviewed' }),
    ],
    [
      'Q58',
      'an undefined token in the lot format',
      set('Project', {}, { lotNumberFormat: '{workType}-{day}-{seq:000}' }),
    ],
    ['Q46', 'a title of another specification', set('Standard', { code: 'TfNSW B80' }, { title: 'Earthworks' })],
    [
      'Q51',
      'a heading that shares one word of three with its topic',
      set('PlanSection', { planType: 'PQP', sectionNo: '3' }, { heading: 'Traffic control' }),
    ],
    [
      'Q51',
      'a plan without a demanded section',
      { ops: [{ op: 'removeNode', node: { label: 'PlanSection', key: { planType: 'PQP', sectionNo: '11' } } }] },
    ],
  ])('%s finds %s', async (rule, _, change) => {
    expect(await tripped(change)).toContain(rule);
  });

  it('Q06 finds a quote that does not stand in its file, and a place without a number', async () => {
    const invented = await findingsOf(expectedSnapshot(), () => false);
    expect(new Set(invented.map(({ rule }) => rule))).toEqual(new Set(['Q06']));
    const placeless = expectedSnapshot();
    const nodes = placeless.nodes.map((node) =>
      node.entity === 'Evidence' ? { ...node, properties: { ...node.properties, locator: 'somewhere' } } : node,
    );
    expect((await findingsOf({ ...placeless, nodes })).map(({ rule }) => rule)).toContain('Q06');
  });

  it('two projects in one store do not disturb one another', async () => {
    const { nodes, relationships } = expectedSnapshot();
    const other = nodes.slice(0, 1).map((node) => ({
      ...node,
      key: ['OTHER', ...node.key.slice(1)],
      properties: { ...node.properties, projectId: 'OTHER' },
    }));
    expect(await findingsOf({ nodes: [...nodes, ...other], relationships })).toEqual([]);
  });
});
