import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../src/opencode/free-port.ts';
import { nearest } from '../../src/opencode/nearest.ts';
import { descendantsIn, signalProcess } from '../../src/opencode/process-tree.ts';
import { startServerProcess } from '../../src/opencode/server-process.ts';
import { type CompiledScript, compileScript, isAlive, runScript } from '../child-process.ts';

async function untilGone(pid: number) {
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
}

describe('a guarded process', () => {
  let script: CompiledScript;
  beforeAll(() => {
    script = compileScript('test/opencode/guard-script.ts');
  });
  afterAll(() => script.remove());

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('ends when muster ends by %s', async (signal) => {
    const running = runScript(script.file, ['wait']);
    const pid = await firstLine(running.lines);
    expect(isAlive(pid)).toBe(true);
    running.process.kill(signal);
    expect((await running.ended).signal).toBe(signal);
    await untilGone(pid);
  });

  it('ends when muster ends by itself', async () => {
    const running = runScript(script.file, ['end']);
    const pid = await firstLine(running.lines);
    expect(await running.ended).toMatchObject({ code: 0, signal: null });
    await untilGone(pid);
  });

  it('lives on after the guard was released', async () => {
    const running = runScript(script.file, ['released']);
    const pid = await firstLine(running.lines);
    await running.ended;
    expect(isAlive(pid)).toBe(true);
    signalProcess(pid, 'SIGKILL');
    await untilGone(pid);
  });
});

async function firstLine(lines: AsyncIterable<string>): Promise<number> {
  for await (const line of lines) return Number(line);
  throw new Error('the script ended without a word');
}

describe('starting the process', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-process-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Starts a shell script in the place of OpenCode; its fifth argument is the port. */
  function start(script: string, more: object = {}) {
    const binary = join(folder, 'opencode');
    writeFileSync(binary, `#!/bin/sh\necho $$ > pid\n${script}\n`);
    chmodSync(binary, 0o755);
    const environment = { PATH: '/usr/bin:/bin' };
    const logFile = join(folder, 'log');
    return startServerProcess({ binary, environment, cwd: folder, logFile, secrets: ['the-password'], ...more });
  }
  const log = () => readFileSync(join(folder, 'log'), 'utf8');
  const pid = () => Number(readFileSync(join(folder, 'pid'), 'utf8'));
  const listening = 'echo "opencode server listening on http://127.0.0.1:$5"';

  it('takes the address from the listening line, and a secret cut in two never reaches the log', async () => {
    const server = await start(
      `printf 'key=the-pass'; printf 'word\\n' >&2; printf 'word\\n'; ${listening}; sleep 600`,
    );
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await server.stop();
    expect(await server.exited).toMatchObject({ signal: 'SIGTERM' });
    expect(log()).toContain('[redacted]');
    expect(log()).not.toContain('the-password');
  });

  it('kills a process that does not heed the first signal, and what it started', async () => {
    const server = await start(`trap '' TERM; sleep 600 & echo $! > below; ${listening}; while true; do wait; done`);
    const below = Number(readFileSync(join(folder, 'below'), 'utf8'));
    await server.stop(20);
    expect(await server.exited).toMatchObject({ signal: 'SIGKILL' });
    await untilGone(below);
    await server.stop();
  });

  it('tells the end of the output, without secrets, when it ends before it listens', async () => {
    await expect(start('echo "Error: no the-password"; exit 3')).rejects.toMatchObject({
      code: 'OPENCODE_START',
      message: expect.stringMatching(/got: it ended with exit code 3; its last output: Error: no \[redacted\];.*log/),
    });
    expect(log()).toBe('Error: no [redacted]\n');
  });

  it('leaves nothing behind when it does not listen in time', async () => {
    await expect(start('sleep 600', { startTimeoutMs: 300 })).rejects.toMatchObject({
      code: 'OPENCODE_START',
      message: expect.stringContaining('nothing within 300 ms'),
    });
    expect(isAlive(pid())).toBe(false);
  });

  it('says when the program cannot be started', async () => {
    const started = start('', { binary: '/nonexistent/opencode' });
    await expect(started).rejects.toMatchObject({ code: 'OPENCODE_START', message: expect.stringContaining('ENOENT') });
  });
});

describe('ports', () => {
  it('a free one is found, a wanted one that is taken is named', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    await expect(freePort(port)).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(new RegExp(`port ${port} .*EADDRINUSE.*another --port`)),
    });
    const free = await freePort();
    expect(free).not.toBe(port);
    expect(await freePort(free)).toBe(free);
    holder.close();
  });
});

describe('the processes below one', () => {
  it('are found through all generations, and a circle ends', () => {
    const listing =
      '    1     0\n   10     1\n   11    10\n   12    11\n   13     1\n   14    12\nnoise\n   12    14\n';
    expect(descendantsIn(listing, 10)).toEqual([11, 12, 14]);
    expect(descendantsIn(listing, 14)).toEqual([12]);
    expect(descendantsIn('', 10)).toEqual([]);
  });
});

describe('the nearest names', () => {
  it('come first, whatever the order of their parts', () => {
    const models = ['gpt-5', 'claude-sonnet-4-5', 'claude-opus-4', 'o3-mini', 'claude-haiku-4-5'];
    expect(nearest('claude-4-5-sonnet', models, 2)).toEqual(['claude-sonnet-4-5', 'claude-haiku-4-5']);
    expect(nearest('', ['b', 'a'])).toEqual(['a', 'b']);
    expect(nearest('x', [])).toEqual([]);
  });
});
