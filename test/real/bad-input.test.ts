/** What a user gets wrong, on the built command line: the code, the exit code, the path and the cure; nothing half-written. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'bin/muster.js');
const DOCUMENTS = join(ROOT, 'examples/road-upgrade/documents');
const base = mkdtempSync(join(tmpdir(), 'muster-test-'));
let made = 0;
const fresh = () => join(base, `home-${++made}`);

afterAll(() => rmSync(base, { recursive: true, force: true }));

function muster(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stderr, stdout } = spawnSync(process.execPath, [BIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 120_000,
  });
  return { status, stderr, stdout };
}
const file = (name: string, text: string) => {
  const path = join(base, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
};
const manifest = (change: (manifest: Record<string, unknown>) => unknown) => {
  const value = JSON.parse(readFileSync(join(ROOT, 'manifest.json'), 'utf8')) as Record<string, unknown>;
  for (const task of value['tasks'] as { prompt: string }[]) {
    file(task.prompt, readFileSync(join(ROOT, task.prompt), 'utf8'));
  }
  change(value);
  return file(`manifest-${++made}.json`, JSON.stringify(value, null, 2));
};
type Tasks = { id: string; creates: string[] }[];
const run = (extra: Record<string, string | undefined>, home: string) => {
  const given: Record<string, string | undefined> = {
    '--documents': DOCUMENTS,
    '--project': 'P1',
    '--model': 'a/b',
    '--home': home,
    ...extra,
  };
  return ['run', ...Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))];
};

describe('wrong input is refused with exit code 2 before anything is written', () => {
  it.each<[string, () => Record<string, string | undefined>, string, RegExp]>([
    [
      'a manifest that does not exist',
      () => ({ '--manifest': join(base, 'none.json') }),
      'MANIFEST_NOT_FOUND',
      /none\.json/,
    ],
    [
      'a manifest that is not JSON',
      () => ({ '--manifest': file('bad.json', '{\n  "name": oops\n}') }),
      'MANIFEST_NOT_JSON',
      /bad\.json.*line 2/s,
    ],
    [
      'an unknown field',
      () => ({ '--manifest': manifest((m) => Object.assign(m, { concurency: 3 })) }),
      'MANIFEST_INVALID',
      /concurency.*concurrency/s,
    ],
    [
      'an unknown entity',
      () => ({ '--manifest': manifest((m) => Object.assign((m['tasks'] as Tasks)[3]!, { creates: ['WBSNod'] })) }),
      'MANIFEST_INVALID',
      /WBSNod.*WBSNode/s,
    ],
    [
      'an unknown task in a dependency',
      () => ({
        '--manifest': manifest((m) =>
          Object.assign(m, {
            dependencies: {
              add: [{ task: 'wbs-extracton', waitsFor: 'project-details', reason: 'because of a test' }],
            },
          }),
        ),
      }),
      'MANIFEST_INVALID',
      /wbs-extracton.*wbs-extraction/s,
    ],
    [
      'a task id that is used twice',
      () => ({ '--manifest': manifest((m) => void (m['tasks'] as Tasks).push((m['tasks'] as Tasks)[0]!)) }),
      'MANIFEST_INVALID',
      /project-details/,
    ],
    [
      'a cycle',
      () => ({
        '--manifest': manifest((m) =>
          Object.assign(m, {
            dependencies: {
              add: [{ task: 'wbs-extraction', waitsFor: 'lbs-extraction', reason: 'a circle for the test' }],
            },
          }),
        ),
      }),
      'PLAN_CYCLE',
      /wbs-extraction.*lbs-extraction/s,
    ],
    [
      'a schema that does not exist',
      () => ({ '--manifest': manifest((m) => Object.assign(m, { schema: './no-such-schema.js' })) }),
      'SCHEMA_NOT_FOUND',
      /no-such-schema/,
    ],
    [
      'a folder of documents that does not exist',
      () => ({ '--documents': join(base, 'nowhere') }),
      'DOCUMENTS_MISSING',
      /nowhere/,
    ],
    [
      'an empty folder of documents',
      () => {
        mkdirSync(join(base, 'empty'), { recursive: true });
        return { '--documents': join(base, 'empty') };
      },
      'DOCUMENTS_EMPTY',
      /empty/,
    ],
    ['a project id with a line break', () => ({ '--project': 'a\nb' }), 'PROJECT_ID_INVALID', /control characters/],
    ['an empty project id', () => ({ '--project': '' }), 'PROJECT_ID_INVALID', /it is empty/],
    ['a model without a provider', () => ({ '--model': 'gpt' }), 'MODEL_UNKNOWN', /provider\/model.*"gpt"/],
    ['no model at all', () => ({ '--model': undefined }), 'USAGE', /--model/],
    [
      'a configuration that is not JSON',
      () => ({ '--opencode-config': file('config.json', '{') }),
      'OPENCODE_CONFIG_INVALID',
      /config\.json/,
    ],
  ])('%s', (_, extra, code, message) => {
    const home = fresh();
    const { status, stderr } = muster(run(extra(), home));
    expect(stderr).toContain(`[${code}]`);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
    expect(status).toBe(2);
    expect(existsSync(join(home, 'runs')) ? readdirSync(join(home, 'runs')) : []).toEqual([]);
    expect(existsSync(join(home, 'lock'))).toBe(false);
  });

  it.each([
    [['run'], /required option '--documents/],
    [['rum'], /unknown command 'rum'/],
    [['run', '--concurrency', 'many'], /expected a whole number from 1, got "many"/],
    [['report', 'nothing', '--home', join(base, 'none')], /RUN_NOT_FOUND/],
    [['rehearse', join(base, 'no-example')], /REHEARSAL_INVALID/],
    [['plan', '--why', 'wbs-extracton'], /wbs-extraction/],
    [['schema', 'wbs'], /expected a task of the manifest/],
  ])('%j', (args, message) => {
    const { status, stderr } = muster(args);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  it('accepts a UUID as project id: the run gets as far as its server', () => {
    const { stderr } = muster(
      run({ '--project': '123e4567-e89b-42d3-a456-426614174000', '--opencode': join(base, 'no-binary') }, fresh()),
    );
    expect(stderr).toContain('[OPENCODE_NOT_FOUND]');
  });
});

describe('trouble with the machine ends with exit code 3', () => {
  it('an OpenCode binary that does not exist', () => {
    const { status, stderr } = muster(run({ '--opencode': join(base, 'no-binary') }, fresh()));
    expect(stderr).toMatch(/no-binary.*\[OPENCODE_NOT_FOUND\]/s);
    expect(status).toBe(3);
  });

  it('an OpenCode binary of another version, named with the version it has and the range it should have', () => {
    const binary = file('old-opencode', '#!/bin/sh\necho 1.2.3\n');
    chmodSync(binary, 0o755);
    const { status, stderr } = muster(run({ '--opencode': binary }, fresh()));
    expect(stderr).toMatch(/1\.2\.3.*\[OPENCODE_VERSION\]/s);
    expect(stderr).toContain('1.18.33');
    expect(status).toBe(3);
  });

  it('a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const child = await ended(spawn(process.execPath, [BIN, 'rehearse', '--home', fresh(), '--port', String(port)]));
    server.close();
    expect(child.err).toMatch(new RegExp(`${port}.*\\[PORT_TAKEN\\]`, 's'));
    expect(child.code).toBe(3);
  });

  it('a home that cannot be written', () => {
    const { status, stderr } = muster(run({}, join(file('a-file', ''), 'home')));
    expect(stderr).toMatch(/a-file.*\[FOLDER_NOT_WRITABLE\]/s);
    expect(status).toBe(3);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'a disk that is full: what the journal holds is whole, and no server stays behind',
    () => {
      const disk = fresh();
      mkdirSync(disk);
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]).status).toBe(0);
      try {
        const { status, stderr } = muster(['rehearse', '--home', disk]);
        expect(stderr).toContain('[DISK_FULL]');
        expect(status).toBe(3);
        for (const id of readdirSync(join(disk, 'runs'))) {
          const journal = join(disk, 'runs', id, 'journal.jsonl');
          const whole = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').slice(0, -1) : [];
          for (const [i, line] of whole.entries()) expect(JSON.parse(line)).toMatchObject({ seq: i + 1 });
        }
      } finally {
        spawnSync('umount', ['-l', disk]);
      }
    },
    120_000,
  );
});

describe('a second run in the same home', () => {
  const home = fresh();
  let first: ChildProcess;
  let end: Promise<{ code: number | null; err: string }>;
  beforeAll(async () => {
    first = spawn(process.execPath, [BIN, 'rehearse', '--home', home, '--json']);
    end = ended(first);
    await new Promise<void>((resolve) => first.stdout!.once('data', () => resolve()));
  }, 60_000);

  it('is refused while the first is at work, with the process that holds it; the first drains on Ctrl-C and exits with 130', async () => {
    const { status, stderr } = muster(['rehearse', '--home', home]);
    expect(stderr).toContain('[RUN_LOCKED]');
    expect(stderr).toContain(String(first.pid));
    expect(status).toBe(3);
    first.kill('SIGINT');
    expect((await end).code).toBe(130);
    expect(existsSync(join(home, 'lock'))).toBe(false);
  }, 120_000);
});

function ended(child: ChildProcess): Promise<{ code: number | null; err: string }> {
  let err = '';
  child.stderr!.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdout!.resume();
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, err })));
}
