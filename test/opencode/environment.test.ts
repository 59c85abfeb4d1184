import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serverEnvironment } from '../../src/opencode/environment.ts';
import { inlineConfig, parseConfig, readConfigFile } from '../../src/opencode/inline-config.ts';
import { isJsonObject, type JsonObject, mergeDeep } from '../../src/opencode/json-object.ts';

const parent = {
  PATH: '/usr/bin',
  LANG: 'C.UTF-8',
  LC_ALL: 'C',
  HOME: '/home/someone',
  XDG_DATA_HOME: '/home/someone/data',
  XDG_STATE_HOME: '/home/someone/state',
  XDG_CONFIG_HOME: '/home/someone/config',
  ANTHROPIC_API_KEY: 'provider-key',
  HTTPS_PROXY: 'http://proxy:3128',
  NO_PROXY: 'intranet, 127.0.0.1',
  NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
  NODE_OPTIONS: '--inspect',
  NEO4J_PASSWORD: 'graph',
  MUSTER_TOKEN: 'ours',
  GIT_DIR: '/elsewhere',
  GIT_WORK_TREE: '/elsewhere',
  BUN_BE_BUN: '1',
  OPENCODE_AUTH_CONTENT: '{}',
  OPENCODE_CONFIG: '/home/someone/opencode.json',
  OPENCODE_CONFIG_DIR: '/home/someone/dir',
  OPENCODE_SERVER_PASSWORD: 'of another server',
  OPENCODE_DB: '/home/someone/db',
  OPENCODE_PERMISSION: '{"*":"allow"}',
  UNSET: undefined,
};
const of = (mode: 'isolated' | 'user') =>
  serverEnvironment({
    mode,
    serverDir: '/run/server',
    workspaceDir: '/run/workspace',
    password: 'the-password',
    config: { model: 'a/b' },
    parent,
  });

describe('the environment of our own server', () => {
  it('isolated: nothing of the parent but what programs need to run', () => {
    const environment = of('isolated');
    const taken = Object.entries(environment).filter(([name, value]) => parent[name as keyof typeof parent] === value);
    expect(Object.fromEntries(taken)).toEqual({ PATH: '/usr/bin', LANG: 'C.UTF-8', LC_ALL: 'C' });
    for (const name of ['HOME', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME', 'TMPDIR']) {
      expect(environment[name]).toMatch(/^\/run\/server\//);
    }
    expect(environment).toMatchObject({ OPENCODE_DISABLE_MODELS_FETCH: '1', npm_config_offline: 'true' });
  });

  it("user: the user's credentials and providers, our database and state", () => {
    expect(of('user')).toMatchObject({
      HOME: '/home/someone',
      XDG_DATA_HOME: '/home/someone/data',
      XDG_CONFIG_HOME: '/home/someone/config',
      ANTHROPIC_API_KEY: 'provider-key',
      HTTPS_PROXY: 'http://proxy:3128',
      NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
      OPENCODE_AUTH_CONTENT: '{}',
      OPENCODE_CONFIG: '/home/someone/opencode.json',
      OPENCODE_DB: '/run/server/opencode.db',
      XDG_STATE_HOME: '/run/server/state',
    });
    expect(of('user')).not.toHaveProperty('OPENCODE_DISABLE_DEFAULT_PLUGINS');
  });

  it('user: neither the credentials of the graph, nor what turns the program into another one, nor a foreign git', () => {
    const names = Object.keys(of('user'));
    for (const name of [
      'NEO4J_PASSWORD',
      'MUSTER_TOKEN',
      'NODE_OPTIONS',
      'BUN_BE_BUN',
      'GIT_WORK_TREE',
      'OPENCODE_PERMISSION',
      'UNSET',
    ]) {
      expect(names).not.toContain(name);
    }
  });

  it.each(['isolated', 'user'] as const)(
    '%s: no program of an agent inherits the credentials of the graph or of a source, whatever they are called',
    (mode) => {
      const environment = serverEnvironment({
        mode,
        serverDir: '/run/server',
        workspaceDir: '/run/workspace',
        password: 'the-password',
        config: {},
        withheld: ['STANDARDS_USER', 'Standards_Password', 'OPENCODE_API_KEY', 'LC_SECRET'],
        parent: {
          ...process.env,
          NEO4J_USERNAME: 'the-graph-user',
          NEO4J_PASSWORD: 'the-graph-secret',
          standards_user: 'the-source-user',
          STANDARDS_PASSWORD: 'the-source-secret',
          OPENCODE_API_KEY: 'the-source-secret',
          LC_SECRET: 'the-source-secret',
        },
      });
      // What the server's own child sees is what an agent's bash sees.
      const seen = execFileSync('sh', ['-c', 'sh -c env'], { env: environment }).toString();
      expect(seen).toContain('OPENCODE_SERVER_PASSWORD=the-password');
      expect(seen).not.toMatch(/the-graph|the-source|NEO4J_/);
    },
  );

  it('user: a proxy never stands between an agent and muster', () => {
    const { NO_PROXY, no_proxy } = of('user');
    expect(NO_PROXY).toBe('intranet,127.0.0.1,localhost,::1');
    expect(no_proxy).toBe(NO_PROXY);
  });

  it.each(['isolated', 'user'] as const)('%s: a password, tools from the workspace only, and no git', (mode) => {
    expect(of(mode)).toMatchObject({
      OPENCODE_SERVER_PASSWORD: 'the-password',
      OPENCODE_CONFIG_DIR: '/run/workspace/.opencode',
      OPENCODE_DISABLE_PROJECT_CONFIG: '1',
      OPENCODE_CONFIG_CONTENT: '{"model":"a/b"}',
      GIT_DIR: '/run/server/no-repository',
    });
  });
});

describe('the inline configuration', () => {
  it("keeps the user's part, but nobody is asked, nothing is shared and no snapshot is taken", () => {
    const file = {
      model: 'a/b',
      share: 'auto',
      snapshot: true,
      permission: { question: 'allow', bash: 'ask' },
      provider: { a: { options: { baseURL: 'http://127.0.0.1:1' } } },
    };
    const config = inlineConfig([file, { provider: { a: { name: 'A' } } }]);
    expect(config).toMatchObject({
      model: 'a/b',
      share: 'disabled',
      snapshot: false,
      autoupdate: false,
      permission: { question: 'deny', bash: 'ask' },
      provider: { a: { name: 'A', options: { baseURL: 'http://127.0.0.1:1' } } },
    });
    expect(inlineConfig([{ permission: 'allow' }])).toMatchObject({ permission: { question: 'deny' } });
  });

  it('merges so that the upper layer always stands whole', () => {
    const json = fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<JsonObject>;
    const contains = (whole: unknown, part: unknown): boolean =>
      isJsonObject(part)
        ? isJsonObject(whole) && Object.entries(part).every(([key, value]) => contains(whole[key], value))
        : JSON.stringify(whole) === JSON.stringify(part);
    fc.assert(fc.property(json, json, (under, over) => contains(mergeDeep(under, over), over)));
  });

  it('makes a file reference absolute, and leaves the other kinds alone', () => {
    const text = '{"instructions":["{file:./a.md}"],"key":"{env:KEY} {file:~/k} {file:/etc/k}"}';
    expect(parseConfig(text, '/project/conf/opencode.json')).toEqual({
      instructions: ['{file:/project/conf/a.md}'],
      key: '{env:KEY} {file:~/k} {file:/etc/k}',
    });
  });

  it('says where the file is wrong and never quotes it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'muster-config-'));
    const path = join(folder, 'c.json');
    writeFileSync(path, '{"apiKey": "sk-secret", }');
    const error = await readConfigFile(path).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'OPENCODE_CONFIG_INVALID', exitCode: 2 });
    expect(error).not.toHaveProperty('cause');
    expect(String(error)).toContain(path);
    expect(String(error)).not.toContain('sk-secret');
    for (const text of ['[]', '3', 'null']) expect(() => parseConfig(text, path)).toThrow(/expected a JSON object/);
    await expect(readConfigFile(join(folder, 'missing'))).rejects.toMatchObject({ code: 'OPENCODE_CONFIG_INVALID' });
    rmSync(folder, { recursive: true });
  });
});
