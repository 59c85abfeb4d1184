import { relative } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessionPermissions } from '../../src/opencode/permissions.ts';

const directory = '/home/me/project/.muster/runs/r1/workspace';

/** As the server evaluates: the last rule that matches wins; nothing matching would ask. */
function decide(rules: ReturnType<typeof sessionPermissions>, permission: string, subject: string): string {
  const matches = (text: string, pattern: string) =>
    new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
      's',
    ).test(text);
  return (
    rules.findLast((rule) => matches(permission, rule.permission) && matches(subject, rule.pattern))?.action ?? 'ask'
  );
}

function session(worktree: string, allow: readonly string[] = []) {
  const rules = sessionPermissions({ worktree, directory, instanceDir: 'instances/itp-generation.ITP-07', allow });
  const at = (path: string) => relative(worktree, path.startsWith('/') ? path : `${directory}/${path}`);
  return {
    rules,
    read: (path: string) => decide(rules, 'read', at(path)),
    edit: (path: string) => decide(rules, 'edit', at(path)),
    may: (permission: string, subject = 'anything') => decide(rules, permission, subject),
  };
}

describe.each(['/', '/home/me/project', directory])('an agent in worktree %s', (worktree) => {
  const agent = session(worktree);

  it('reads documents, schemas and its own folder', () => {
    for (const path of [
      'documents',
      'documents/a b.md',
      'documents/x/y.md',
      'schemas/s.md',
      'instances/itp-generation.ITP-07/item.json',
    ]) {
      expect([path, agent.read(path)]).toEqual([path, 'allow']);
    }
  });

  it('reads nothing else', () => {
    for (const path of [
      '.',
      'documents.md',
      'documents-old/a.md',
      'instances',
      'instances/itp-generation.ITP-070/prompt.md',
      'instances/wbs-extraction/prompt.md',
      '.opencode/tool/muster.js',
      '../endpoint.json',
      '../journal.jsonl',
      '/home/me/project/AGENTS.md',
      '/etc/hostname',
      '/documents/a.md',
    ]) {
      expect([path, agent.read(path)]).toEqual([path, 'deny']);
    }
  });

  it("calls muster's tools and no other", () => {
    expect(agent.may('muster_submit')).toBe('allow');
    for (const tool of [
      'bash',
      'edit',
      'webfetch',
      'websearch',
      'task',
      'todowrite',
      'skill',
      'external_directory',
      'question',
      'doom_loop',
      'other_tool',
    ]) {
      expect([tool, agent.may(tool)]).toEqual([tool, 'deny']);
    }
  });
});

describe('permissions', () => {
  it('offer glob and grep only where the server keeps them inside the workspace', () => {
    expect(session('/').may('grep')).toBe('allow');
    expect(session(directory).may('glob')).toBe('allow');
    expect(session('/home/me/project').may('grep')).toBe('deny');
    expect(session('/home/me/project').may('glob')).toBe('deny');
  });

  it('widen by the names of the manifest, and nobody is asked a question', () => {
    const agent = session('/', ['bash', 'webfetch', 'edit', 'task']);
    expect([agent.may('bash', 'ls'), agent.may('webfetch'), agent.may('task')]).toEqual(['allow', 'allow', 'allow']);
    expect(agent.may('question')).toBe('deny');
    expect(agent.edit('instances/itp-generation.ITP-07/notes.md')).toBe('allow');
    expect(agent.edit('documents/a.md')).toBe('deny');
  });

  it('outside the workspace never reach the run folder, and search nothing', () => {
    const agent = session('/', ['external_directory']);
    expect(agent.read('/etc/hostname')).toBe('allow');
    expect(agent.read('../endpoint.json')).toBe('deny');
    expect(agent.read('documents/a.md')).toBe('allow');
    expect(agent.may('external_directory', '/etc/*')).toBe('allow');
    expect(agent.may('external_directory', '/home/me/project/.muster/runs/r1/*')).toBe('deny');
    expect(agent.may('grep')).toBe('deny');
  });

  it('never ask, whatever the tool and whatever is allowed', () => {
    const names = ['bash', 'edit', 'webfetch', 'websearch', 'task', 'todowrite', 'skill', 'external_directory'];
    fc.assert(
      fc.property(fc.subarray(names), fc.string(), fc.string(), (allow, permission, subject) => {
        expect(session('/', allow).may(permission, subject)).not.toBe('ask');
      }),
    );
  });
});
