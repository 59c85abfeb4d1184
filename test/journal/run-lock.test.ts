import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock, type RunLock } from '../../src/journal/run-lock.ts';
import { type CompiledScript, compileScript, type RunningScript, runScript } from '../child-process.ts';

let script: CompiledScript;
beforeAll(() => {
  script = compileScript('test/journal/lock-script.ts');
});
afterAll(() => script.remove());

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-lock-'));
  return () => rm(home, { recursive: true, force: true });
});

const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;
const record = (change: object = {}) =>
  JSON.stringify({ pid: deadPid(), host: hostname(), since: '2025-11-03T14:30:22.000Z', token: 'aa11', ...change });

async function firstOf(lines: AsyncIterator<string>): Promise<string> {
  const { value } = await lines.next();
  return value;
}

describe('the lock of a home', () => {
  it('is taken once, names its holder, and can be taken again after its release', async () => {
    const clock = { now: () => Date.parse('2025-11-03T14:30:22.000Z') };
    const lock = await acquireLock(join(home, 'deep', 'home'), { clock });
    await expect(acquireLock(join(home, 'deep', 'home'))).rejects.toMatchObject({
      code: 'RUN_LOCKED',
      message: expect.stringMatching(new RegExp(`process ${process.pid} .*since 2025-11-03T14:30:22.000Z`)),
    });
    await lock.release();
    await lock.release();
    await (await acquireLock(join(home, 'deep', 'home'))).release();
    expect(await readdir(join(home, 'deep', 'home'))).toEqual([]);
  });

  it('is taken over from a process that is gone', async () => {
    await writeFile(join(home, 'lock'), record());
    const lock = await acquireLock(home);
    expect(JSON.parse(await readFile(join(home, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  it.runIf(process.platform === 'linux')('is taken over when the pid belongs to another process now', async () => {
    await writeFile(join(home, 'lock'), record({ pid: process.pid, started: 'another-boot:1' }));
    await (await acquireLock(home)).release();
  });

  it('is respected when its holder is on another host, and the cure says what to do', async () => {
    await writeFile(join(home, 'lock'), record({ host: 'elsewhere.example' }));
    await expect(acquireLock(home)).rejects.toMatchObject({
      code: 'RUN_LOCKED',
      message: expect.stringMatching(/elsewhere\.example no longer runs muster here, delete/),
    });
  });

  it('is respected when the file names nobody', async () => {
    await writeFile(join(home, 'lock'), '');
    await expect(acquireLock(home)).rejects.toMatchObject({
      code: 'RUN_LOCKED',
      message: expect.stringContaining('delete that file'),
    });
  });

  it('a release never removes the lock of a successor', async () => {
    const lock = await acquireLock(home);
    await writeFile(join(home, 'lock'), record({ pid: process.pid, token: 'bb22' }));
    await lock.release();
    expect(await readdir(home)).toEqual(['lock']);
  });

  it('a process that died while it took over blocks nobody, and its litter goes', async () => {
    await writeFile(join(home, 'lock'), record());
    await writeFile(join(home, 'lock.aa11'), record({ token: 'bb22' }));
    await writeFile(join(home, 'lock.aa11.bb22'), record({ token: 'cc33' }));
    await writeFile(join(home, 'lock.new-dd44'), record({ token: 'dd44' }));
    const lock = await acquireLock(home);
    expect(await readdir(home)).toEqual(['lock']);
    await lock.release();
  });

  it('a slow process that saw the dead holder does not take the lock from the one that was faster', async () => {
    await writeFile(join(home, 'lock'), record());
    let faster: RunLock | undefined;
    const slow = acquireLock(home, {
      isGone: async ({ token }) => {
        if (token !== 'aa11') return false;
        faster ??= await acquireLock(home);
        return true;
      },
    });
    await expect(slow).rejects.toMatchObject({ code: 'RUN_LOCKED' });
    expect(await readdir(home)).toEqual(['lock']);
    await faster?.release();
    expect(await readdir(home)).toEqual([]);
  });

  it('of many tries at once exactly one wins, on a free and on a stale lock', async () => {
    for (let round = 0; round < 20; round += 1) {
      if (round % 2 === 1) await writeFile(join(home, 'lock'), record({ token: `aa${round}` }));
      const tries = await Promise.allSettled(Array.from({ length: 12 }, () => acquireLock(home)));
      const won = tries.filter((each) => each.status === 'fulfilled');
      expect(won).toHaveLength(1);
      for (const lost of tries.filter((each) => each.status === 'rejected')) {
        expect(lost.reason).toMatchObject({ code: 'RUN_LOCKED' });
      }
      await (won[0] as PromiseFulfilledResult<RunLock>).value.release();
      expect(await readdir(home)).toEqual([]);
    }
  });

  it('of several processes at once exactly one wins, and a killed winner is succeeded by exactly one', async () => {
    const start = async (): Promise<{ script: RunningScript; lines: AsyncIterator<string> }[]> => {
      const running = Array.from({ length: 4 }, () => {
        const one = runScript(script.file, [home]);
        return { script: one, lines: one.lines[Symbol.asyncIterator]() };
      });
      for (const { lines } of running) expect(await firstOf(lines)).toBe('ready');
      return running;
    };
    const killed: RunningScript[] = [];
    for (let round = 0; round < 2; round += 1) {
      const running = await start();
      for (const { script } of running) script.process.stdin?.write('go\n');
      const answers = await Promise.all(running.map(({ lines }) => firstOf(lines)));
      expect([...answers].sort()).toEqual(['RUN_LOCKED', 'RUN_LOCKED', 'RUN_LOCKED', 'won']);
      for (const { script } of running) script.process.kill('SIGKILL');
      for (const { script } of running) await script.ended;
      killed.push(...running.map(({ script }) => script));
    }
    expect(killed).toHaveLength(8);
  }, 60_000);

  it('a home that cannot be written says so', async () => {
    await writeFile(join(home, 'file'), '');
    await expect(acquireLock(join(home, 'file', 'home'))).rejects.toMatchObject({ code: 'FOLDER_NOT_WRITABLE' });
    await mkdir(join(home, 'closed'));
    await chmod(join(home, 'closed'), 0o555);
    const asRoot = process.getuid?.() === 0;
    if (asRoot) process.seteuid?.(65534);
    try {
      await expect(acquireLock(join(home, 'closed'))).rejects.toMatchObject({ code: 'FOLDER_NOT_WRITABLE' });
    } finally {
      if (asRoot) process.seteuid?.(0);
    }
  });
});
