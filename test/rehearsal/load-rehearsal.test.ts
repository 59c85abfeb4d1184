import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MusterError } from '../../src/errors.ts';
import { loadRehearsal } from '../../src/rehearsal/load-rehearsal.ts';
import { instanceFileName } from '../../src/rehearsal/script.ts';

const HEAD = { name: 'a', description: 'b' };
const SAYS = { instance: 'alpha', turns: [[{ say: 'done' }]] };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rehearsal-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Record<string, unknown>): Promise<void> {
  for (const [name, value] of Object.entries(files)) {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof value === 'string' ? value : JSON.stringify(value));
  }
}

async function refusal(of = '.'): Promise<MusterError> {
  const error = await loadRehearsal(join(folder, of)).then(
    () => new Error('expected a refusal'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MusterError);
  expect((error as MusterError).code).toBe('REHEARSAL_INVALID');
  expect((error as MusterError).exitCode).toBe(2);
  return error as MusterError;
}

describe('loadRehearsal', () => {
  it('fills in defaults and gives turns as one attempt', async () => {
    await write({ 'rehearsal.json': HEAD, 'alpha.json': SAYS });
    const rehearsal = await loadRehearsal(folder);
    expect(rehearsal).toMatchObject({ name: 'a', model: 'scripted', pace: { perCallMs: 250 } });
    expect(rehearsal.instances.get('alpha')?.attempts).toEqual([{ turns: [[{ say: 'done' }]] }]);
  });

  it('takes from the extended folder what its own folder leaves out', async () => {
    await write({
      'base/rehearsal.json': { ...HEAD, name: 'base', model: 'other', pace: { perCallMs: 1, perChunkMs: 2 } },
      'base/alpha.json': SAYS,
      'base/beta.json': { instance: 'beta', turns: [[{ say: 'base' }]] },
      'own/rehearsal.json': { ...HEAD, name: 'own', extends: '../base', pace: { perCallMs: 7, perChunkMs: 0 } },
      'own/beta.json': { instance: 'beta', turns: [[{ say: 'own' }]] },
    });
    const rehearsal = await loadRehearsal(join(folder, 'own'));
    expect(rehearsal).toMatchObject({ name: 'own', model: 'other', pace: { perCallMs: 7, perChunkMs: 0 } });
    expect([...rehearsal.instances.keys()].sort()).toEqual(['alpha', 'beta']);
    expect(rehearsal.instances.get('beta')?.attempts[0]?.turns[0]?.[0]?.say).toBe('own');
  });

  it('names the file when the folder has no rehearsal.json', async () => {
    const { message } = await refusal('nowhere');
    expect(message).toContain(join('nowhere', 'rehearsal.json'));
    expect(message).toContain('does not exist');
  });

  it('names the extended folder when that one is missing', async () => {
    await write({ 'own/rehearsal.json': { ...HEAD, extends: '../gone' }, 'own/alpha.json': SAYS });
    expect((await refusal('own')).message).toContain(join('gone', 'rehearsal.json'));
  });

  it('refuses scripts that extend each other', async () => {
    await write({
      'a/rehearsal.json': { ...HEAD, extends: '../b' },
      'b/rehearsal.json': { ...HEAD, extends: '../a' },
    });
    expect((await refusal('a')).message).toContain('leads back');
  });

  it('refuses a folder without any instance file', async () => {
    await write({ 'rehearsal.json': HEAD });
    expect((await refusal()).message).toContain('at least one instance file');
  });

  it('refuses a file whose name is not that of its instance', async () => {
    await write({ 'rehearsal.json': HEAD, 'beta.json': SAYS });
    expect((await refusal()).message).toMatch(/beta\.json: instance "alpha" belongs in alpha\.json/);
  });

  const faults: [string, unknown, string][] = [
    ['a syntax error', '{"instance": ', 'expected JSON'],
    ['an unknown field', { ...SAYS, extra: 1 }, '"extra"'],
    ['neither turns nor attempts', { instance: 'alpha' }, 'expected either "turns" or "attempts"'],
    ['both turns and attempts', { ...SAYS, attempts: [{ turns: SAYS.turns }] }, 'either "turns" or "attempts"'],
    ['no turn', { instance: 'alpha', turns: [] }, 'turns: '],
    ['a step without content', { instance: 'alpha', turns: [[{}]] }, 'turns[0][0].say: expected at least one of'],
    ['an unknown finish', { instance: 'alpha', turns: [[{ finish: 'end' }]] }, 'turns[0][0].finish: '],
    [
      'a call without arguments',
      { instance: 'alpha', turns: [[{ say: 'x' }], [{ calls: [{ tool: 'read' }] }]] },
      'turns[1][0].calls[0]: expected either "arguments"',
    ],
    [
      'an error that also says something',
      { instance: 'alpha', turns: [[{ say: 'x', error: { status: 500, message: 'm' } }]] },
      'turns[0][0].say: a step with "error" answers nothing else',
    ],
    [
      'an error status that is none',
      { instance: 'alpha', turns: [[{ error: { status: 200, message: 'm' } }]] },
      'turns[0][0].error.status: ',
    ],
    [
      'a hang that finishes',
      { instance: 'alpha', turns: [[{ hang: true, finish: 'stop' }]] },
      'turns[0][0].finish: a step that hangs never finishes',
    ],
  ];
  it.each(faults)('names file and path of %s', async (_what, value, expected) => {
    await write({ 'rehearsal.json': HEAD, 'alpha.json': value });
    const { message } = await refusal();
    expect(message).toContain(join(folder, 'alpha.json'));
    expect(message).toContain(expected);
  });
});

describe('instanceFileName', () => {
  it.each([
    ['wbs-extraction', 'wbs-extraction'],
    ['itp-generation[ITP-07]', 'itp-generation.ITP-07'],
    ['itp-generation[A/B é]', 'itp-generation.A%2FB%20%C3%A9'],
  ])('turns %s into %s', (instance, expected) => {
    expect(instanceFileName(instance)).toBe(expected);
  });
});
