import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBinary, platformPackages } from '../../src/opencode/binary.ts';
import { isSupportedVersion } from '../../src/opencode/version.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'muster-binary-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that answers --version as told, and makes a folder in HOME as the real one does. */
function program(answer: string, at = join(folder, 'bin')): string {
  mkdirSync(at, { recursive: true });
  const path = join(at, 'opencode');
  writeFileSync(path, `#!/bin/sh\nmkdir -p "$HOME/.made"\n${answer}\n`);
  chmodSync(path, 0o755);
  return path;
}

const system = '/usr/bin:/bin';
/** Where no npm package can be found. */
const nowhere = () => [join(folder, 'empty', 'index.js')];
const found = (request: Parameters<typeof findBinary>[0]) => findBinary(request);

describe('finding the OpenCode program', () => {
  it('takes the one that is named, when its version is supported', async () => {
    const path = program('echo 1.18.40');
    const environment = { PATH: system, HOME: folder };
    expect(await found({ named: path, environment })).toEqual({ path, version: '1.18.40', source: 'named', notes: [] });
    expect(await found({ named: 'opencode', environment: { PATH: `${folder}/bin:${system}` } })).toMatchObject({
      path,
    });
  });

  it('refuses a named one of another version, with version, path and range', async () => {
    const path = program('echo 2.2.0');
    const error = await found({ named: path, environment: { PATH: system } }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'OPENCODE_VERSION', exitCode: 3 });
    expect(String(error)).toContain(`expected OpenCode >=1.18.33 <1.19.0, got version 2.2.0 from ${path}`);
  });

  it('refuses a named one that does not run', async () => {
    const request = { named: program('exit 3'), environment: { PATH: system } };
    await expect(found(request)).rejects.toMatchObject({ code: 'OPENCODE_VERSION' });
  });

  it('says when the named one is not there, or no program', async () => {
    writeFileSync(join(folder, 'text'), 'x');
    for (const name of ['missing', 'text', '.']) {
      const request = { named: join(folder, name), environment: { PATH: system } };
      await expect(found(request)).rejects.toMatchObject({ code: 'OPENCODE_NOT_FOUND' });
    }
  });

  it('writes nothing into the home of the user while it asks for the version', async () => {
    const home = join(folder, 'home');
    mkdirSync(home);
    const { readdirSync } = await import('node:fs');
    await found({ named: program('echo 1.18.33'), environment: { PATH: system, HOME: home } });
    expect(readdirSync(home)).toEqual([]);
  });

  it('takes the one on PATH, when its version is supported', async () => {
    const path = program('echo 1.18.33');
    const environment = { PATH: `${folder}/bin:${system}` };
    expect(await found({ environment })).toEqual({ path, version: '1.18.33', source: 'PATH', notes: [] });
  });

  it('passes over one of another version on PATH, tells so, and takes the package', async () => {
    const path = program('echo 1.17.9');
    const environment = { PATH: `${folder}/bin:${system}` };
    const binary = await found({ environment });
    expect(binary).toMatchObject({ source: 'package', version: '1.18.33' });
    expect(binary.path).toMatch(/opencode-linux-\w+(-baseline)?\/bin\/opencode$/);
    expect(binary.notes).toEqual([`${path} is version 1.17.9; muster needs >=1.18.33 <1.19.0 and passed it over`]);
  });

  it('finds a platform package that is nested below opencode-ai, also when install scripts did not run', async () => {
    const { header } = process.report.getReport() as { header: object };
    const machine = { hasAvx2: true, isMusl: !('glibcVersionRuntime' in header) };
    const packages = platformPackages(process.platform, process.arch, machine);
    const ai = join(folder, 'app', 'node_modules', 'opencode-ai');
    mkdirSync(ai, { recursive: true });
    writeFileSync(join(ai, 'package.json'), '{"name":"opencode-ai","version":"1.18.35"}');
    for (const name of packages) {
      const at = join(ai, 'node_modules', name);
      program('exit 1', join(at, 'bin'));
      writeFileSync(join(at, 'package.json'), `{"name":"${name}","version":"1.18.35"}`);
    }
    const from = [join(folder, 'app', 'node_modules', 'muster', 'index.js')];
    const binary = await found({ environment: { PATH: system }, resolveFrom: from });
    expect(binary).toMatchObject({ version: '1.18.35', source: 'package' });
    expect(binary.path.startsWith(ai)).toBe(true);
  });

  it('names the three cures when there is none', async () => {
    const error = await found({ environment: { PATH: folder }, resolveFrom: nowhere() }).catch(
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ code: 'OPENCODE_NOT_FOUND', exitCode: 3 });
    for (const cure of ['--omit=optional', 'on PATH', '--opencode PATH']) expect(String(error)).toContain(cure);
  });
});

describe('platform packages', () => {
  it('name the build for the processor and the C library', () => {
    expect(platformPackages('linux', 'x64', { hasAvx2: true, isMusl: false })).toEqual([
      'opencode-linux-x64',
      'opencode-linux-x64-baseline',
    ]);
    expect(platformPackages('linux', 'x64', { hasAvx2: false, isMusl: true })).toEqual([
      'opencode-linux-x64-baseline-musl',
    ]);
    expect(platformPackages('linux', 'arm64', { hasAvx2: false, isMusl: true })).toEqual(['opencode-linux-arm64-musl']);
    expect(platformPackages('darwin', 'arm64', { hasAvx2: false, isMusl: false })).toEqual(['opencode-darwin-arm64']);
    expect(platformPackages('win32', 'x64', { hasAvx2: false, isMusl: false })).toEqual([
      'opencode-windows-x64-baseline',
    ]);
  });
});

describe('supported versions', () => {
  it.each([
    ['1.18.33', true],
    ['v1.18.34', true],
    ['1.18.133', true],
    ['1.18.34-beta.1', true],
    ['1.18.33-beta.1', false],
    ['1.18.32', false],
    ['1.19.0', false],
    ['1.180.40', false],
    ['2.18.33', false],
    ['', false],
    ['undefined', false],
  ])('%s: %s', (version, isSupported) => {
    expect(isSupportedVersion(version)).toBe(isSupported);
  });
});
