import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeOfflineMarkers } from '../../src/opencode/offline-marker.ts';
import { MUSTER_TOOLS, toolFileSource, writeToolFile } from '../../src/opencode/tool-file.ts';
import { startFakeServer } from './fake-server.ts';

interface Tool {
  description: string;
  args: Record<string, { description?: string; anyOf?: object[] }>;
  execute(args: unknown, context: object): Promise<string>;
}

let run: string;
let tools: Record<string, Tool>;
let server: Awaited<ReturnType<typeof startFakeServer>>;
const controller = () => new AbortController();
const context = (abort = controller()) => ({
  sessionID: 'ses_1',
  callID: 'call_1',
  directory: join(run, 'workspace'),
  abort: abort.signal,
});

beforeEach(async () => {
  run = mkdtempSync(join(tmpdir(), 'muster-tools-'));
  const workspace = join(run, 'workspace');
  mkdirSync(workspace);
  writeFileSync(join(run, 'package.json'), '{"type":"module"}');
  await writeToolFile(workspace);
  tools = await import(pathToFileURL(join(workspace, '.opencode', 'tool', 'muster.js')).href);
  server = await startFakeServer({
    'POST /tools/submit': [200, { text: 'kept 1 row' }],
    'POST /tools/read': [409, { text: 'this session is not known' }],
    'POST /tools/query': () => {},
    'POST /tools/withdraw': (response) => response.destroy(),
  });
  writeFileSync(join(run, 'endpoint.json'), JSON.stringify({ url: server.url, token: 'secret-token' }));
});
afterEach(async () => {
  await server.close();
  rmSync(run, { recursive: true });
});

describe("the agents' tool file", () => {
  it('exports the five tools, each with a description for itself and its arguments', () => {
    expect(
      Object.keys(tools)
        .map((name) => `muster_${name}`)
        .sort(),
    ).toEqual([...MUSTER_TOOLS].sort());
    for (const tool of Object.values(tools)) {
      expect(tool.description.length).toBeGreaterThan(40);
      for (const schema of Object.values(tool.args)) {
        expect(Array.isArray(schema)).toBe(false);
        expect(JSON.stringify(schema)).toContain('"type"');
      }
    }
  });

  it('holds no secret and needs no package', () => {
    const source = toolFileSource();
    expect(source).not.toContain('secret-token');
    const imports = [...source.matchAll(/^import .* from '(.*)';/gm)].map((match) => match[1]);
    expect(imports.every((name) => name!.startsWith('node:'))).toBe(true);
  });

  it('passes the call on with session and call id, and leaves out what is null', async () => {
    const entities = [{ entity: 'E', attributes: { note: null } }];
    expect(await tools['submit']!.execute({ entities, relationships: null }, context())).toBe('kept 1 row');
    expect(server.requests).toEqual([
      {
        operation: 'POST /tools/submit',
        directory: null,
        authorization: 'Bearer secret-token',
        body: { session: 'ses_1', call: 'call_1', arguments: { entities } },
      },
    ]);
  });

  it('reads the endpoint at every call: a run that goes on elsewhere is found', async () => {
    const other = await startFakeServer({ 'POST /tools/submit': [200, { text: 'elsewhere' }] });
    writeFileSync(join(run, 'endpoint.json'), JSON.stringify({ url: other.url, token: 't' }));
    expect(await tools['submit']!.execute({}, context())).toBe('elsewhere');
    await other.close();
  });

  it('tells the model what to do when muster refuses, breaks off or is gone', async () => {
    const call = (name: string) => tools[name]!.execute({}, context());
    await expect(call('read')).rejects.toThrow(
      'muster refused the call with HTTP status 409: this session is not known',
    );
    await expect(call('withdraw')).rejects.toThrow(/did not answer.*Try once more/);
    rmSync(join(run, 'endpoint.json'));
    await expect(call('submit')).rejects.toThrow(/has ended \(ENOENT\).*Stop/);
  });

  it('ends with the session when that is aborted', async () => {
    const abort = controller();
    const call = tools['query']!.execute({}, context(abort));
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await expect(call).rejects.toThrow(/abort/i);
  });
});

describe('the offline marker', () => {
  it('names the package in manifest and lock file, which is all that the server compares', async () => {
    const folder = join(run, 'config', 'opencode');
    await writeOfflineMarkers([folder], '1.18.33');
    const json = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const dependencies = { '@opencode-ai/plugin': '1.18.33' };
    expect(json('package.json')).toEqual({ dependencies });
    expect(json('package-lock.json')).toEqual({ lockfileVersion: 3, packages: { '': { dependencies } } });
    expect(statSync(join(folder, 'node_modules')).isDirectory()).toBe(true);
  });

  describe('when muster is gone', () => {
    async function quickTools(forMs: number) {
      const folder = join(run, 'workspace', 'quick');
      mkdirSync(folder);
      writeFileSync(
        join(folder, 'muster.mjs'),
        toolFileSource({ everyMs: 5, forMs, unknownMs: forMs, brokenMs: forMs }),
      );
      return (await import(pathToFileURL(join(folder, 'muster.mjs')).href)) as Record<string, Tool>;
    }

    it('waits until it is back and knows the session, then hands in', async () => {
      const quick = await quickTools(10_000);
      const { url } = server;
      await server.close();
      const answer = quick['submit']!.execute({ entities: [] }, context());
      server = await startFakeServer({
        'POST /tools/submit': [
          [403, { text: 'This session does not belong to a task that is at work' }],
          [200, { text: 'kept 1 row' }],
        ],
      });
      expect(server.url).not.toBe(url);
      writeFileSync(join(run, 'endpoint.json'), JSON.stringify({ url: server.url, token: 'new-token' }));
      expect(await answer).toBe('kept 1 row');
      expect(server.requests.at(-1)?.authorization).toBe('Bearer new-token');
    });

    it('makes a call again whose connection broke', async () => {
      const quick = await quickTools(10_000);
      await server.close();
      server = await startFakeServer({
        'POST /tools/submit': [(response) => response.destroy(), [200, { text: 'kept 1 row' }]],
      });
      writeFileSync(join(run, 'endpoint.json'), JSON.stringify({ url: server.url, token: 'secret-token' }));
      expect(await quick['submit']!.execute({}, context())).toBe('kept 1 row');
      expect(server.requests).toHaveLength(2);
    });

    it('gives up after a while, or when the turn is aborted', async () => {
      const quick = await quickTools(30);
      await server.close();
      await expect(quick['submit']!.execute({}, context())).rejects.toThrow(/did not return/);
      const abort = controller();
      abort.abort();
      await expect(
        (await import(`${pathToFileURL(join(run, 'workspace', 'quick', 'muster.mjs')).href}?long`)).submit.execute(
          {},
          context(abort),
        ),
      ).rejects.toThrow();
    });
  });
});
