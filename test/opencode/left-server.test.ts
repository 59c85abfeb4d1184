/** What an earlier process of a run left behind is ended; what is not certainly that server is left alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endLeftServer } from '../../src/opencode/left-server.ts';
import { isAlive } from '../child-process.ts';

let base: string;
let workspace: string;
const started: ChildProcess[] = [];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'muster-left-'));
  workspace = join(base, 'workspace');
  mkdirSync(workspace);
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(base, { recursive: true, force: true });
});

/** A process that would outlive the test; resolves when it runs. */
async function processIn(cwd: string, script = 'setTimeout(() => {}, 600_000)'): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', `console.log('up'); ${script}`], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  started.push(child);
  await once(child.stdout!, 'data');
  return child;
}
const pidOf = ({ pid }: ChildProcess): number => pid!;

describe.runIf(process.platform === 'linux')('a server that an earlier process left behind', () => {
  it('is ended when it works in the workspace of the run, by whatever path that is named', async () => {
    const child = await processIn(workspace);
    const gone = once(child, 'exit');
    symlinkSync(workspace, join(base, 'link'));
    expect(await endLeftServer(pidOf(child), join(base, 'link'))).toBe(true);
    expect(await gone).toEqual([null, 'SIGKILL']);
  });

  it('is ended with the processes it started, also those in a group of their own', async () => {
    const below = `
      const { spawn } = require('node:child_process');
      const shell = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600_000)'], { detached: true, stdio: 'ignore' });
      console.log(shell.pid);
      setTimeout(() => {}, 600_000);`;
    const child = spawn(process.execPath, ['-e', below], {
      cwd: workspace,
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    started.push(child);
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    const shell = Number(line.toString());
    expect(await endLeftServer(pidOf(child), workspace)).toBe(true);
    await expect.poll(() => isAlive(shell)).toBe(false);
  });

  it('is left alone when its id belongs to a process that works elsewhere', async () => {
    const child = await processIn(base);
    expect(await endLeftServer(pidOf(child), workspace)).toBe(false);
    expect(isAlive(pidOf(child))).toBe(true);
  });

  it('is no reason to fail when it is gone, or the workspace is', async () => {
    const child = await processIn(workspace);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    expect(await endLeftServer(pidOf(child), workspace)).toBe(false);
    expect(await endLeftServer(process.pid, join(base, 'nowhere'))).toBe(false);
  });
});
