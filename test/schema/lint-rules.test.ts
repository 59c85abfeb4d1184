import { describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { manifestSchema } from '../../schemas/manifest.ts';
import type { QualityRule } from '../../schemas/rule.ts';
import type { SchemaFinding } from '../../src/schema/finding.ts';
import { lintRules } from '../../src/schema/lint-rules.ts';

const rule = (over: object): QualityRule => ({
  id: 'P1',
  severity: 'error',
  group: 'own',
  title: 'One',
  cypher: 'RETURN 1',
  message: 'm',
  hint: 'h',
  ...over,
});
const manifest = manifestSchema.parse({
  name: 'm',
  schema: 's',
  tasks: [{ id: 'wbs-extraction', title: 't', prompt: 'p.md', creates: ['WBSNode'] }],
});
function found(rules: readonly QualityRule[]): string[] {
  const findings: SchemaFinding[] = [];
  lintRules({ ...construction, rules }, manifest, findings);
  return findings.map(({ at, message }) => `${at}: ${message}`);
}

describe('rules', () => {
  it('that are sound are not found fault with', () => {
    expect(found([rule({ atEndOf: ['wbs-extraction', '*'] }), rule({ id: 'P2' })])).toEqual([]);
  });

  it.each<[string, QualityRule[], RegExp]>([
    ['two of one id', [rule({}), rule({})], /rule P1: is the id of an earlier rule too/],
    ['a task that is none', [rule({ atEndOf: ['wbs-extration'] })], /atEndOf: expected a task.*wbs-extraction/],
    ['a statement that writes', [rule({ cypher: 'MATCH (n) DELETE n' })], /cypher: .*DELETE at 1:11/],
    ['a further statement that writes', [rule({ also: [{ cypher: 'MERGE (n)', message: 'm' }] })], /cypher: .*MERGE/],
  ])('are told: %s', (_, rules, told) => {
    expect(found(rules).join('\n')).toMatch(told);
  });
});
