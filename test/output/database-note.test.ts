import { describe, expect, it } from 'vitest';
import { repairPrompt, workPrompt } from '../../src/output/prompt.ts';
import { contextOf } from './library.ts';

const parts = { context: contextOf('paper'), title: 'Books', goal: 'List the books.', folder: 'instances/paper' };

describe('a prompt', () => {
  it('lists the databases that the agent may query: name, description, labels', () => {
    const prompt = workPrompt({
      ...parts,
      databases: [
        { name: 'standards', description: 'Standards\n# and their clauses.', labels: ['Clause', 'Standard'] },
        { name: 'plans', description: 'Plans.', labels: [] },
      ],
    });
    expect(prompt).toContain('## Databases you may query');
    expect(prompt).toContain('- `standards`: Standards # and their clauses. Labels: Clause, Standard.\n');
    expect(prompt).toContain('- `plans`: Plans.\n');
    expect(prompt.indexOf('## Databases')).toBeLessThan(prompt.indexOf('## How to hand in'));
  });

  it('says nothing of databases when there are none', () => {
    expect(workPrompt(parts)).toBe(workPrompt({ ...parts, databases: [] }));
    expect(workPrompt(parts)).not.toContain('Databases');
    expect(repairPrompt(parts, [])).not.toContain('Databases');
  });
});
