import { describe, expect, it } from 'vitest';
import { type ManifestSource, manifestSchema } from '../../schemas/manifest.ts';
import { describeIssues } from '../../src/schema/describe-issues.ts';
import { lintManifest } from '../../src/schema/lint-manifest.ts';
import { workshop, workshopManifest } from './workshop.ts';

const sound: ManifestSource = {
  name: 'standards',
  description: 'Standards and their clauses.',
  url: 'neo4j+s://graph.example.org:7687',
  usernameEnv: 'STANDARDS_USER',
  passwordEnv: 'STANDARDS_PASSWORD',
};
const lint = (sources: readonly ManifestSource[], taskSources?: string[]) => {
  const [first, ...others] = workshopManifest.tasks;
  const tasks = [{ ...first!, ...(taskSources && { sources: taskSources }) }, ...others];
  return lintManifest(workshop, { ...workshopManifest, tasks, sources: [...sources] });
};
const { usernameEnv: _user, passwordEnv: _password, ...open } = sound;

describe('the sources of a manifest', () => {
  it.each([
    [sound],
    [{ ...sound, database: 'norms' }],
    [{ ...open, url: 'bolt://localhost' }],
    [{ ...open, url: 'neo4j://[::1]:7687' }],
  ])('are accepted: %j', (source) => {
    expect(manifestSchema.safeParse({ ...workshopManifest, sources: [source] }).success).toBe(true);
    expect(lint([source], ['standards'])).toEqual([]);
  });

  it.each([
    'neo4j://me:Hunter22pass@graph.example.org',
    'neo4j://Hunter22pass@graph.example.org',
    'bolt://graph.example.org?password=Hunter22pass',
    'bolt://graph.example.org#Hunter22pass',
    'neo4j://graph.example.org/@Hunter22pass',
    'neo4j://graph.example.org/Hunter22pass',
  ])('with credentials in the URL are refused, and the URL is not repeated: %s', (url) => {
    const [finding, ...others] = lint([{ ...open, url }]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'error', at: 'sources[0].url' });
    expect(finding!.message).toContain('without user, password, path and query');
    expect(finding!.message).not.toContain('Hunter22pass');
  });

  it.each(['graph.example.org', 'http://graph.example.org', 'neo4j://', 'neo4j:///x', 'neo4j://a b', ''])(
    'with another URL are refused: %j',
    (url) => {
      expect(lint([{ ...open, url }])).toMatchObject([{ at: 'sources[0].url', severity: 'error' }]);
    },
  );

  it('with a value in the place of a variable’s name are refused, and the value is not repeated', () => {
    const [finding] = lint([{ ...sound, passwordEnv: 'Hunter-22-pass' }]);
    expect(finding).toMatchObject({ severity: 'error', at: 'sources[0].passwordEnv' });
    expect(JSON.stringify(finding)).not.toContain('Hunter-22-pass');
  });

  it('with one variable without the other, or one that the system needs, are refused', () => {
    expect(lint([{ ...open, usernameEnv: 'A' }])).toMatchObject([{ at: 'sources[0].passwordEnv' }]);
    expect(lint([{ ...open, passwordEnv: 'A' }])).toMatchObject([{ at: 'sources[0].usernameEnv' }]);
    expect(lint([{ ...sound, usernameEnv: 'PATH' }])).toMatchObject([{ at: 'sources[0].usernameEnv' }]);
  });

  it('of one name are refused, and a task names only those there are', () => {
    expect(lint([sound, sound])).toMatchObject([{ at: 'sources[1].name' }]);
    const [finding] = lint([sound], ['standard']);
    expect(finding).toMatchObject({ at: 'tasks[0].sources[0]', severity: 'error' });
    expect(finding!.message).toContain('Did you mean "standards"?');
    expect(lint([], ['standards'])[0]!.message).toContain('lists none');
  });

  it('that Zod refuses are told without the secret that stands in the wrong place', () => {
    const sources = [{ ...sound, password: 'Hunter22pass', url: ['neo4j://me:Hunter22pass@host'] }];
    const result = manifestSchema.safeParse({ ...workshopManifest, sources }, { reportInput: true });
    const told = describeIssues(manifestSchema, result.error!).join('\n');
    expect(told).toContain('sources[0].password: unknown field');
    expect(told).toContain('sources[0].url: expected a text');
    expect(told).not.toContain('Hunter22pass');
  });
});
