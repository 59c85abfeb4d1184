/** Seeds each bug in a process of its own, and tells at which seed the simulation found it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BUG, SEEDED_BUGS, type SeededBug } from './seeded-bugs.ts';

const SCRIPT = fileURLToPath(new URL('./simulate-script.js', import.meta.url));
/** At once; the machine has that many processors at least. */
const WORKERS = 2;
const OUTPUT_BYTES = 256 * 1024 * 1024;

/** Tries up to `seeds` seeds for each; prints one line for each bug. Resolves with the number of those not found. */
export async function findBugs(first: number, seeds: number): Promise<number> {
  const left = [...SEEDED_BUGS];
  let missed = 0;
  const work = async () => {
    for (let bug = left.shift(); bug; bug = left.shift()) {
      const found = await find(bug, first, seeds);
      console.log(`${found === undefined ? `NOT FOUND in ${seeds} seeds` : found.padEnd(26)}  ${bug.name}`);
      if (found === undefined) missed += 1;
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  console.log(`${SEEDED_BUGS.length - missed} of ${SEEDED_BUGS.length} seeded bugs found within ${seeds} seeds each`);
  return missed;
}

/** `seed N, invariant`; undefined when every seed was sound. @throws Error when the simulation itself fails */
function find({ name }: SeededBug, first: number, seeds: number): Promise<string | undefined> {
  const args = ['--enable-source-maps', SCRIPT, '--first', '--seed', String(first), '--seeds', String(seeds)];
  const env = { ...process.env, [BUG]: name };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env, maxBuffer: OUTPUT_BYTES }, (error, out, err) => {
      const said = /^seed (\d+) breaks ([\w-]+):/m.exec(out);
      if (said) resolve(`seed ${said[1]}, ${said[2]}`);
      else if (error) reject(new Error(`the simulation of "${name}" failed: ${err.slice(-2_000)}`, { cause: error }));
      else resolve(undefined);
    });
  });
}
