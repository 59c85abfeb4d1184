import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import schema from '../../schemas/construction/index.ts';
import { manifestSchema } from '../../schemas/manifest.ts';
import { deriveTaskGraph } from '../../src/plan/derive.ts';
import type { GraphNode } from '../../src/ports.ts';
import { TaskContexts } from '../../src/run/task-contexts.ts';

const manifest = manifestSchema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../../manifest.json'), 'utf8')),
);

function contexts(): TaskContexts {
  return new TaskContexts({
    scope: 'P',
    model: 'a/one',
    manifest: { ...manifest, tasks: manifest.tasks.map((task, n) => (n === 0 ? { ...task, model: 'b/two' } : task)) },
    schema,
    graphOfTasks: deriveTaskGraph(schema, manifest),
    prompts: { 'itp-generation': 'Write the plan.' },
    documents: [],
    texts: new Map(),
    sources: { notes: new Map(), byName: new Map(), secrets: [], close: async () => {} },
  });
}

const required = (itpNo: string): GraphNode => ({ entity: 'ITPRequirement', key: ['P', itpNo], properties: { itpNo } });
const plan: GraphNode = { entity: 'ManagementPlan', key: ['P', 'PQP'], properties: {} };
const itp = (itemKey: string) => ({ id: `itp-generation[${itemKey}]`, task: 'itp-generation', itemKey });

describe('what the agents of a run work from', () => {
  it('has the committed item that an instance of a fan-out is for', () => {
    const known = contexts();
    expect(known.knowItems([plan, required('ITP-07'), required('ITP-08')])).toEqual({
      ITPRequirement: ['ITP-07', 'ITP-08'],
    });
    expect(known.context(itp('ITP-08')).item).toEqual(required('ITP-08'));
    expect(known.prompt(itp('ITP-07'))).toMatchObject({ goal: 'Write the plan.', context: { scope: 'P' } });
  });

  it('is nothing for an item that this run did not commit', () => {
    expect(() => contexts().context(itp('ITP-99'))).toThrow(/the committed ITPRequirement "ITP-99", got none/);
    expect(() => contexts().task('nothing')).toThrow(/expected task "nothing"/);
  });

  it('lets a task read what it waits for and what the manifest says, and use the model of its own', () => {
    const known = contexts();
    expect(known.context({ id: 'lbs-extraction', task: 'lbs-extraction' }).readable).toContain('WBSNode');
    expect(known.context({ id: 'wbs-extraction', task: 'wbs-extraction' }).readable).not.toContain('LBSNode');
    const [first, second] = manifest.tasks;
    expect([known.modelOf(first!.id), known.modelOf(second!.id)]).toEqual(['b/two', 'a/one']);
  });
});
