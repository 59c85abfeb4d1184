import { describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { renderAgentSchema, renderMasterSchema } from '../../src/output/agent-schema.ts';
import { repairPrompt, workPrompt } from '../../src/output/prompt.ts';
import { EMPTY_SUBMISSION } from '../../src/output/submission.ts';
import { checkRows, foreignEnds, settleRows } from '../../src/output/submit.ts';
import type { TaskContext } from '../../src/output/task-context.ts';
import { nodeId } from '../../src/ports.ts';
import { contextOf, FILE, lessonsOf, library } from './library.ts';

const MAX_BYTES = 24_000;
const tasks = (schema: TaskContext['schema']) =>
  [...new Set(schema.entities.flatMap(({ producers }) => producers.map(({ task }) => task)))].filter(
    (task) => !task.startsWith('@'),
  );
const itp: TaskContext = {
  schema: construction,
  scope: 'BRU2',
  instance: { id: 'itp-generation[ITP-09]', task: 'itp-generation', itemKey: 'ITP-09' },
  item: { entity: 'ITPRequirement', key: ['BRU2', 'ITP-09'], properties: { docNo: 'ITP-09' } },
  sources: ['documents/a.md'],
  readable: ['WBSNode', 'Standard'],
};
const contexts: TaskContext[] = [
  ...tasks(construction)
    .filter((task) => task !== 'itp-generation')
    .map((task) => ({ ...itp, instance: { id: task, task }, item: undefined }) as unknown as TaskContext)
    .map(({ item: _, ...context }) => context),
  itp,
  ...tasks(library).map((task) => (task === 'lessons' ? lessonsOf('C-7') : contextOf(task))),
];

/** The rows that the text shows as good. */
const goodRows = (text: string): unknown[] =>
  [...text.matchAll(/^Good: `(.*)`$/gm)].map(([, json]) => JSON.parse(json!) as unknown);

describe('AGENT_SCHEMA.md', () => {
  it.each(contexts.map((context) => [context.instance.id, context] as const))(
    'of %s shows good rows that are accepted as they stand, and stays small',
    (_, context) => {
      const text = renderAgentSchema(context);
      expect(Buffer.byteLength(text)).toBeLessThan(MAX_BYTES);
      const entities = goodRows(text).map((row) =>
        // The library's places begin with §.
        context.schema === library ? JSON.parse(JSON.stringify(row).replaceAll('p1 cl 1', '§ 1')) : row,
      );
      expect(entities.length).toBeGreaterThan(0);
      const rows = checkRows(context, { entities });
      const ends = new Set(foreignEnds(context, rows).map(nodeId));
      const { accepted, issues } = settleRows(context, EMPTY_SUBMISSION, rows, ends);
      expect([...rows.issues, ...issues]).toEqual([]);
      expect(accepted).toBe(entities.length);
    },
  );

  it('calls no row good that the task could not submit', () => {
    const text = renderAgentSchema(contexts.find(({ instance }) => instance.id === 'qse-generation')!);
    expect(text).toContain('The form, with values of another task (not all fit yours): `{"entity":"Document"');
  });

  it('says of a fan-out whose item it is, and writes the item’s key into the examples', () => {
    const text = renderAgentSchema(itp);
    expect(text).toContain('This instance writes about ITPRequirement **ITP-09** only');
    expect(text).toContain('Here always docNo = ITP-09.');
    expect(text).not.toContain('"docNo":"ITP-07"');
  });

  it('says what is submitted, what is drawn, and how many of each', () => {
    const text = renderAgentSchema(itp);
    expect(text).toContain('type: "COVERS_WBS"');
    expect(text).toContain('(n:m; at least 1 for each ITPTemplate)');
    expect(text).toMatch(/- ITPTemplate HAS_POINT InspectionPoint from `docNo`; at least \d for each ITPTemplate/);
    expect(renderAgentSchema(lessonsOf('C-1'))).toContain('only Book with kind = paper');
    expect(renderAgentSchema(lessonsOf('C-1'))).toContain('- * IN_LIBRARY Library');
  });

  it('tells a task its part of a shared entity', () => {
    const text = renderAgentSchema(contextOf('audio'));
    expect(text).toContain('**Book** with kind = audio: as many as the documents have (give a reason if none)');
    expect(text).toContain('Here always kind = audio.');
  });
});

describe('the master schema as text', () => {
  it('names every entity with its key and producers, and every relationship', () => {
    const text = renderMasterSchema(library);
    for (const { name, key } of library.entities) {
      expect(text).toContain(`## ${name}`);
      expect(text).toContain(key.map((part) => `\`${part}\``).join(' + '));
    }
    expect(text).toContain('paper (kind = paper); audio (kind = audio), optional');
    for (const { type } of library.relationships) expect(text).toContain(`| ${type} |`);
  });
});

describe('the prompts of a session', () => {
  const parts = {
    context: lessonsOf('C-1'),
    title: 'Lessons',
    goal: '# Goal\nTeach **everything**.',
    folder: 'instances/lessons.C-1',
  };

  it('begin with the instance, and repeat the goal in every repair', () => {
    const issues = Array.from({ length: 45 }, (_, i) => ({ path: `Lesson ${i}`, message: 'too few' }));
    for (const text of [workPrompt(parts), repairPrompt(parts, issues)]) {
      expect(text.split('\n')[0]).toBe('Task: lessons[C-1]');
      expect(text).toContain('Teach **everything**.');
      expect(text).toContain('instances/lessons.C-1/AGENT_SCHEMA.md');
    }
    const repair = repairPrompt(parts, issues);
    expect(repair).toContain('- Lesson 39: too few');
    expect(repair).not.toContain('- Lesson 40: too few');
    expect(repair).toContain('- and 5 more');
  });

  it('name the documents, the tools and the rule on keys', () => {
    const text = workPrompt(parts);
    expect(text).toContain(`\`${FILE}\``);
    for (const tool of ['submit', 'withdraw', 'read', 'query', 'complete']) expect(text).toContain(`muster_${tool}`);
    expect(text).toContain('Do not generate UUIDs');
    expect(text).toContain('item.json');
  });

  it('of a fresh attempt say how the earlier one failed', () => {
    expect(workPrompt(parts)).not.toContain('earlier attempt');
    const text = workPrompt(parts, { code: 'STALLED', message: 'nothing happened for 5 min' });
    expect(text).toContain('nothing happened for 5 min (STALLED)');
    expect(text).toContain('start from the beginning');
  });
});
