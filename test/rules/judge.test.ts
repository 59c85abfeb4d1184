/** Rules at a task's completion: what its agent is told while it can still repair. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { MasterSchema } from '../../schemas/define.ts';
import type { QualityRule } from '../../schemas/rule.ts';
import { Desk } from '../../src/agent-tools/desk.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import type { TaskContext } from '../../src/output/task-context.ts';
import { judgeOf } from '../../src/run/judge.ts';
import { requireSoundRules } from '../../src/run/sound-rules.ts';
import { exampleContext, ingestExample } from '../agent-tools/road-upgrade-desks.ts';

const partyRule = (over: object): QualityRule => ({
  id: 'P1',
  severity: 'error',
  group: 'own',
  title: 'Every party has a full name',
  cypher: "MATCH (p:Party {projectId: $projectId}) WHERE NOT p.name CONTAINS ' ' RETURN p.code, p.name",
  message: '{p.code} is only called "{p.name}"',
  hint: 'give the name of the contract',
  atEndOf: ['project-details'],
  ...over,
});

describe('a rule at the end of a task', () => {
  let context: TaskContext;
  beforeAll(async () => {
    context = await exampleContext('project-details');
  });
  const rows = (name: string) => ({
    entities: [
      { entity: 'Party', attributes: { code: 'XX', name, contractRole: 'contractor', assumed: true } },
      {
        entity: 'Party',
        attributes: { code: 'YY', name: 'Y and Sons', contractRole: 'superintendent', assumed: true },
      },
    ],
  });
  async function completed(rule: QualityRule, name: string, mended?: string): Promise<string> {
    const graph = openEmbeddedGraph(':memory:');
    await ingestExample(graph, 'r');
    // Parties alone, so that nothing else is owed.
    const schema: MasterSchema = {
      ...context.schema,
      rules: [rule],
      entities: context.schema.entities.map((entity) => ({
        ...entity,
        producers:
          entity.name === 'Party'
            ? entity.producers
            : entity.producers.filter(({ task }) => task !== 'project-details'),
      })),
    };
    const own = { ...context, schema };
    const judge = judgeOf(own, graph, 'r');
    const desk = new Desk({ context: own, graph, runId: 'r', ...(judge && { judge }), onAnswer: () => {} });
    expect(await desk.answer('submit', rows(name))).toMatch(/^accepted 2, refused 0/);
    let answer = await desk.answer('complete', { summary: 'Parties.' });
    if (mended !== undefined) {
      await desk.answer('submit', rows(mended));
      answer = await desk.answer('complete', { summary: 'Parties.' });
    }
    const { complete } = await desk.review();
    await graph.close();
    return `${complete} ${answer}`;
  }

  it('refuses the completion, with what is wrong and what to do', async () => {
    expect(await completed(partyRule({}), 'Xenon')).toMatch(
      /^false Not complete[\s\S]*- rule P1: XX is only called "Xenon"; give the name of the contract/,
    );
  });

  it('lets the completion pass when it holds, and once it is mended', async () => {
    expect(await completed(partyRule({}), 'Xenon Pty Ltd')).toMatch(/^true Complete/);
    expect(await completed(partyRule({}), 'Xenon', 'Xenon Pty Ltd')).toMatch(/^true Complete/);
    expect(await completed(partyRule({}), 'Xenon Pty Ltd', 'Xenon')).toMatch(/^false Not complete/);
  });

  it('as a warning is told and does not hold up', async () => {
    expect(await completed(partyRule({ severity: 'warning' }), 'Xenon')).toMatch(
      /^true Complete[\s\S]*A reviewer will be shown:\n- P1: XX is only called "Xenon"/,
    );
  });

  it('of another task is not asked', async () => {
    expect(await completed(partyRule({ atEndOf: ['wbs-extraction'] }), 'Xenon')).toMatch(/^true Complete/);
  });
});

describe('a rule with a mistake', () => {
  it.each([
    ['a label that no schema knows', 'MATCH (b:Bridge) RETURN b', /Rule P1 cannot be judged: .*Bridge/],
    ['broken syntax', 'MATCH (p:Party RETURN p', /Rule P1 cannot be judged/],
  ])('is named before a run starts: %s', async (_, cypher, told) => {
    const { schema } = await exampleContext('project-details');
    const check = requireSoundRules({ ...schema, rules: [partyRule({ cypher })] });
    await expect(check).rejects.toMatchObject({ code: 'RULE_INVALID', message: expect.stringMatching(told) });
  });
});
