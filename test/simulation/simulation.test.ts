/** The simulation as CI runs it, in small: the command itself, built as `npm run simulate` builds it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SCRIPT = join(ROOT, 'dist-simulation/test/simulation/simulate-script.js');
const BUILD_MS = 120_000;
const RUN_MS = 300_000;

async function simulate(...options: readonly (string | number)[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--enable-source-maps', SCRIPT, ...options.map(String)], {
    cwd: ROOT,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

beforeAll(async () => {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  await run(process.execPath, [compiler, '-p', 'test/simulation/tsconfig.json'], { cwd: ROOT });
  expect(existsSync(SCRIPT)).toBe(true);
}, BUILD_MS);

describe('the simulation', () => {
  it('holds every invariant over 200 seeds, and things do go wrong in them', { timeout: RUN_MS }, async () => {
    const told = await simulate('--seeds', 200, '--seed', 1);
    expect(told).toContain('violations: 0');
    const never = told.split('\n').filter((line) => /^[a-z-]+ +0$/.test(line));
    expect(never).toEqual([]);
  });

  it('does the same for the same seed, byte for byte', { timeout: RUN_MS }, async () => {
    for (const seed of [3, 8]) {
      const [once, again] = await Promise.all([
        simulate('--trace', '--seed', seed),
        simulate('--trace', '--seed', seed),
      ]);
      expect(once.length).toBeGreaterThan(10_000);
      expect(again).toBe(once);
    }
  });

  it('resumes the rehearsal to the same graph after a death behind any line (here every 40th)', {
    timeout: RUN_MS,
  }, async () => {
    const told = await simulate('--rehearsal', '--every', 40);
    expect(told).toMatch(/killed behind (9|1\d) of them/);
    expect(told).toContain('anything else that must not be: 0');
  });
});
