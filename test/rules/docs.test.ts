import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { statementsOf } from '../../src/rules/statements.ts';

it('docs/rules.md says of every rule what it is, when it is judged and what to do', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/rules.md'), 'utf8');
  for (const rule of construction.rules!) {
    const tasks = new Set(statementsOf([rule]).flatMap(({ atEndOf }) => atEndOf));
    const when = [...tasks].map((task) => (task === '*' ? 'every task' : task)).join(', ') || 'after the run';
    expect(page).toContain(`| ${rule.id} | ${rule.severity} | ${rule.title} | ${when} | ${rule.hint} |\n`);
  }
});
