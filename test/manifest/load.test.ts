/** Each way in which a manifest cannot be used: its code, where, and what to do. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MusterError } from '../../src/errors.ts';
import { loadManifest } from '../../src/manifest/load.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A tiny sound schema, as a module would export it. */
const library = {
  name: 'library',
  version: '1.0.0',
  description: 'Shelves.',
  scope: 'libraryId',
  entities: [
    {
      name: 'Shelf',
      description: 'A shelf.',
      key: ['libraryId', 'code'],
      attributes: z.strictObject({ code: z.string().regex(/^S\d+$/) }),
      producers: [{ task: 'list-shelves' }],
      examples: { valid: { code: 'S1' }, invalid: { attributes: { code: 'x' }, at: 'code', why: 'S and digits.' } },
    },
  ],
  relationships: [],
  common: { agent: z.strictObject({}), engine: [] },
};

const sound = {
  name: 'library',
  schema: './library.mjs',
  tasks: [{ id: 'list-shelves', title: 'Shelves', prompt: 'prompts/shelves.md', creates: ['Shelf'] }],
};

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-manifest-'));
  await write('prompts/shelves.md', '# Shelves\n');
  // What is imported is put in its place by `load`; resolution needs a file.
  await write('library.mjs', 'export default {};\n');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(path: string, text: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

async function load(manifest: unknown, schema: unknown = library) {
  const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest, null, 2);
  const path = await write('manifest.json', text);
  return loadManifest(path, { importModule: () => Promise.resolve({ default: schema }) });
}

async function refused(act: Promise<unknown>): Promise<MusterError> {
  const thrown = await act.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof MusterError) return thrown;
  throw thrown ?? new Error('expected a MusterError, got none');
}

describe('a sound manifest', () => {
  it('comes with schema, graph, prompts, absolute path and the hash of its bytes', async () => {
    const loaded = await load(sound);
    const bytes = await readFile(join(folder, 'manifest.json'));
    expect(loaded.path).toBe(join(folder, 'manifest.json'));
    expect(loaded.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(loaded.prompts).toEqual({ 'list-shelves': '# Shelves\n' });
    expect(loaded.schema).toBe(library);
    expect(loaded.manifest).toMatchObject({ gating: 'ready', concurrency: 8 });
    expect(loaded.graph.tasks.map(({ id, wave }) => [id, wave])).toEqual([['list-shelves', 1]]);
  });

  it('may begin with a byte order mark', async () => {
    await expect(load(`\uFEFF${JSON.stringify(sound)}`)).resolves.toMatchObject({ schema: library });
  });

  it('loads the construction manifest that comes with muster, its schema by package name', async () => {
    const { schema, graph, prompts } = await loadManifest(join(ROOT, 'manifest.json'));
    expect(schema.name).toBe('construction');
    expect(graph.tasks).toHaveLength(10);
    expect(Object.keys(prompts)).toHaveLength(10);
  });

  it('finds the construction schema by package name from a folder without packages', async () => {
    const text = await readFile(join(ROOT, 'manifest.json'), 'utf8');
    for (const { prompt } of JSON.parse(text).tasks) await write(prompt, 'Goal');
    const { schema } = await loadManifest(await write('manifest.json', text));
    expect(schema.name).toBe('construction');
  });
});

describe('a file that is no manifest', () => {
  it('MANIFEST_NOT_FOUND names the path', async () => {
    const error = await refused(loadManifest(join(folder, 'nothing.json')));
    expect(error.code).toBe('MANIFEST_NOT_FOUND');
    expect(error.message).toContain(join(folder, 'nothing.json'));
    expect((await refused(loadManifest(folder))).code).toBe('MANIFEST_NOT_FOUND');
  });

  it.each([
    ['a comma too much', '{\n  "name": "x",\n}', 3, 1],
    ['a bare word', '{\n  "name": yes\n}', 2, 11],
    ['an end too early', '{\n  "name": "x"', 2, 14],
    ['something behind the end', '{}\n{}', 2, 1],
    ['nothing at all', '', 1, 1],
  ])('MANIFEST_NOT_JSON says line and column of %s', async (_, text, line, column) => {
    const error = await refused(load(text));
    expect(error.code).toBe('MANIFEST_NOT_JSON');
    expect(error.message).toContain(`line ${line}, column ${column}`);
  });
});

describe('MANIFEST_INVALID', () => {
  const [task] = sound.tasks;
  const rows: readonly (readonly [string, unknown, readonly (string | RegExp)[]])[] = [
    [
      'every problem at once',
      { ...sound, name: '', concurrency: 0 },
      ['name', 'concurrency', 'at least 1', '2 problems'],
    ],
    [
      'unknown fields, with the nearest',
      { ...sound, concurency: 3 },
      [/concurency: unknown field. Did you mean "concurrency"\?/],
    ],
    [
      'unknown fields of a task',
      { ...sound, tasks: [{ ...task, create: ['Shelf'] }] },
      [/tasks\[0\]\.create: .*"creates"/],
    ],
    ['a missing field', { name: 'x', tasks: sound.tasks }, [/schema: missing/]],
    [
      'an id that is not kebab-case',
      { ...sound, tasks: [{ ...task, id: 'List Shelves' }] },
      ['tasks[0].id', 'kebab-case'],
    ],
    [
      'what does not fit the schema',
      { ...sound, tasks: [{ ...task, creates: ['Shelf', 'Shef'] }] },
      ['tasks[0].creates[1]', 'Did you mean "Shelf"'],
    ],
    [
      'a prompt that is not there',
      { ...sound, tasks: [{ ...task, prompt: 'prompts/none.md' }] },
      ['tasks[0] (list-shelves).prompt', 'none.md'],
    ],
    ['a prompt outside its folder', { ...sound, tasks: [{ ...task, prompt: '../goal.md' }] }, ['.prompt', 'inside']],
    ['a prompt that is a folder', { ...sound, tasks: [{ ...task, prompt: 'prompts' }] }, ['.prompt', 'folder']],
  ];

  it.each(rows)('names %s', async (_, manifest, parts) => {
    const error = await refused(load(manifest));
    expect(error.code).toBe('MANIFEST_INVALID');
    for (const part of parts) {
      if (typeof part === 'string') expect(error.message).toContain(part);
      else expect(error.message).toMatch(part);
    }
  });

  it('names an empty prompt', async () => {
    await write('prompts/shelves.md', ' \n');
    const error = await refused(load(sound));
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toContain('empty');
  });

  it('names a prompt that a link leads outside', async () => {
    await rm(join(folder, 'prompts/shelves.md'));
    await symlink(join(ROOT, 'package.json'), join(folder, 'prompts/shelves.md'));
    const error = await refused(load(sound));
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toContain('leads out');
  });
});

describe('the schema module', () => {
  it.each(['./nothing.mjs', 'no-such-package/schema', 'https://example.org/schema.js'])(
    'SCHEMA_NOT_FOUND for %s',
    async (schema) => {
      const error = await refused(load({ ...sound, schema }));
      expect(error.code).toBe('SCHEMA_NOT_FOUND');
      expect(error.message).toContain(schema);
    },
  );

  it.each([
    ['without a default export', undefined, /default export/],
    ['of another form', { ...library, scop: 'x' }, /scop/],
    [
      'that contradicts itself',
      { ...library, entities: [{ ...library.entities[0], key: ['code'] }] },
      /entities\.Shelf\.key/,
    ],
  ] as const)('SCHEMA_INVALID for one %s', async (_, schema, said) => {
    const path = await write('manifest.json', JSON.stringify(sound));
    const error = await refused(loadManifest(path, { importModule: () => Promise.resolve({ default: schema }) }));
    expect(error.code).toBe('SCHEMA_INVALID');
    expect(error.message).toMatch(said);
  });

  it('SCHEMA_INVALID for one that throws, with what it threw', async () => {
    await write('library.mjs', 'throw new Error("no shelves today");\n');
    const path = await write('manifest.json', JSON.stringify(sound));
    const error = await refused(loadManifest(path));
    expect(error.code).toBe('SCHEMA_INVALID');
    expect(error.message).toContain('no shelves today');
  });

  it('PLAN_CYCLE when manifest and schema are sound but tasks wait for each other', async () => {
    const [shelf] = library.entities;
    const schema = { ...library, entities: [shelf, { ...shelf, name: 'Book', producers: [{ task: 'list-books' }] }] };
    const tasks = [
      ...sound.tasks,
      { id: 'list-books', title: 'Books', prompt: 'prompts/shelves.md', creates: ['Book'] },
    ];
    const add = [
      { task: 'list-books', waitsFor: 'list-shelves', reason: 'books stand on shelves' },
      { task: 'list-shelves', waitsFor: 'list-books', reason: 'shelves are named by books' },
    ];
    const error = await refused(load({ ...sound, tasks, dependencies: { add } }, schema));
    expect(error.code).toBe('PLAN_CYCLE');
    expect(error.message).toContain('shelves are named by books');
  });
});
