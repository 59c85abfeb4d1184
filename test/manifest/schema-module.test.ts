/** Schema modules as users have them: files and packages on a real disk, imported by Node. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadManifest } from '../../src/manifest/load.ts';
import { resolveModule } from '../../src/manifest/resolve-module.ts';
import { loadSchemaModule } from '../../src/manifest/schema-module.ts';

const ROOT = join(import.meta.dirname, '../..');

let folder = '';

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'muster-schema-module-')));
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

const pack = (name: string, rest: object) =>
  write(`node_modules/${name}/package.json`, JSON.stringify({ name, type: 'module', ...rest }));

describe('a specifier leads to', () => {
  it('a path relative to the manifest, with or without the dot', async () => {
    const file = await write('domain/schema.mjs', '');
    expect(resolveModule('./domain/schema.mjs', folder)).toBe(file);
    expect(resolveModule('domain/schema.mjs', folder)).toBe(file);
    expect(resolveModule('../schema.mjs', join(folder, 'domain/deeper'))).toBe(file);
    expect(resolveModule(file, '/')).toBe(file);
  });

  it.each([
    ['a text', './s.js', 'dom', 's.js'],
    ['a condition', { import: './s.js', require: './s.cjs' }, 'dom', 's.js'],
    ['nested conditions', { '.': { browser: './b.js', node: { default: './s.js' } } }, 'dom', 's.js'],
    ['a subpath', { '.': './m.js', './s': './s.js' }, 'dom/s', 's.js'],
    ['a pattern', { './*': './lib/*.js' }, 'dom/deep/s', 'lib/deep/s.js'],
    ['the first that fits of a list', { './s': [{ browser: './b.js' }, './s.js'] }, 'dom/s', 's.js'],
  ])('an export of a package, given as %s', async (_, exports, specifier, target) => {
    await pack('dom', { exports });
    const file = await write(`node_modules/dom/${target}`, '');
    expect(resolveModule(specifier, join(folder, 'a/b'))).toBe(file);
  });

  it('a file of a package without exports, its main among them', async () => {
    await pack('@me/dom', { main: 'lib/main.js' });
    const main = await write('node_modules/@me/dom/lib/main.js', '');
    expect(resolveModule('@me/dom', folder)).toBe(main);
    expect(resolveModule('@me/dom/lib/main', folder)).toBe(main);
  });

  it('the package that the manifest itself is in', async () => {
    await write('package.json', JSON.stringify({ name: 'mine', exports: { './schema': './schema.mjs' } }));
    const file = await write('schema.mjs', '');
    expect(resolveModule('mine/schema', join(folder, 'manifests'))).toBe(file);
  });

  it('a package beside the manifest before one that muster has', async () => {
    await pack('muster', { exports: { './schemas/construction': './other.js' } });
    const file = await write('node_modules/muster/other.js', '');
    expect(resolveModule('muster/schemas/construction', folder)).toBe(file);
  });

  it.each([
    ['what the package does not export', { './s': './s.js' }, 'dom/t'],
    ['what is exported under other conditions only', { './s': { browser: './s.js' } }, 'dom/s'],
    ['what lies outside of the package', { './s': '../../secret.js' }, 'dom/s'],
    ['what is not there', { './s': './gone.js' }, 'dom/s'],
  ])('nothing for %s', async (_, exports, specifier) => {
    await pack('dom', { exports });
    await write('node_modules/dom/s.js', '');
    await write('secret.js', '');
    expect(resolveModule(specifier, folder)).toBeUndefined();
  });

  it.each(['node:fs', 'https://example.org/schema.js', 'data:text/javascript,0', '', '@me'])(
    'nothing for %j',
    (specifier) => {
      expect(resolveModule(specifier, folder)).toBeUndefined();
    },
  );
});

describe('a module that cannot be loaded', () => {
  it('names what it imports and does not find', async () => {
    await write('schema.mjs', "import 'a-package-that-nobody-has';\nexport default {};\n");
    await expect(loadSchemaModule('./schema.mjs', folder)).rejects.toMatchObject({
      code: 'SCHEMA_INVALID',
      message: expect.stringContaining('a-package-that-nobody-has'),
    });
  });

  it('says what to do about TypeScript that this Node does not load', async () => {
    await write('schema.ts', '');
    const importModule = () =>
      Promise.reject(Object.assign(new Error('Unknown file extension ".ts"'), { code: 'ERR_UNKNOWN_FILE_EXTENSION' }));
    await expect(loadSchemaModule('./schema.ts', folder, importModule)).rejects.toMatchObject({
      code: 'SCHEMA_INVALID',
      message: expect.stringMatching(/cannot load this TypeScript file\. Compile it .*Node 22\.18 or newer/),
    });
  });

  it.each([
    ['null', null, /expected an object, got null/],
    ['a function', () => 0, /expected an object, got a function/],
    ['an object without anything', {}, /entities: missing; expected a list/],
    ['attributes that are no Zod object', { entities: [{ attributes: {} }] }, /attributes: expected a Zod 4 object/],
    [
      'a link of another form',
      { relationships: [{ link: { to: { code: 'parentCode' } } }] },
      /relationships\[0\]\.link: expected \{to: …\}/,
    ],
    ['a resolution of its own', { relationships: [{ resolution: 'Late' }] }, /got "Late"\. Did you mean "late"\?/],
  ])('is told from a schema: %s', async (_, value, message) => {
    await write('schema.mjs', '');
    const importModule = () => Promise.resolve({ default: value });
    await expect(loadSchemaModule('./schema.mjs', folder, importModule)).rejects.toMatchObject({
      code: 'SCHEMA_INVALID',
      message: expect.stringMatching(message),
    });
  });
});

describe('the tiny domain of the documentation', () => {
  it('loads as it is printed, and Books wait for Shelves', async () => {
    const fence = (text: string, language: string) => text.split(`\`\`\`${language}\n`)[1]!.split('```')[0]!;
    const [schema, manifest] = await Promise.all(
      ['schema.md', 'manifest.md'].map((name) => readFile(join(ROOT, 'docs', name), 'utf8')),
    );
    await write('library.mjs', fence(schema!, 'js'));
    await write('prompts/list-shelves.md', '# Shelves\n');
    await write('prompts/list-books.md', '# Books\n');
    // As after `npm install muster zod` in the folder.
    await mkdir(join(folder, 'node_modules'));
    await symlink(ROOT, join(folder, 'node_modules/muster'));
    await symlink(join(ROOT, 'node_modules/zod'), join(folder, 'node_modules/zod'));
    const { graph } = await loadManifest(await write('manifest.json', fence(manifest!, 'json')));
    expect(graph.tasks.map(({ id, wave, waitsFor }) => [id, wave, waitsFor])).toEqual([
      ['list-shelves', 1, []],
      ['list-books', 2, [{ task: 'list-shelves', why: 'Book STANDS_ON Shelf, required, n:1' }]],
    ]);
    // The command itself, compiled: Node alone resolves and imports.
    const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'bin/muster.js'), 'plan'], {
      cwd: folder,
    });
    expect(stdout).toContain('← list-shelves  Book STANDS_ON Shelf, required, n:1');
  });
});
