/** Starts a process group under guard, tells its id, and ends as the first argument says. */
import { spawn } from 'node:child_process';
import { guardOrphan } from '../../src/opencode/orphan-guard.ts';

const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
child.unref();
const guard = guardOrphan(child.pid!);
if (process.argv[2] === 'released') guard.release();
process.stdout.write(`${child.pid}\n`);
if (process.argv[2] === 'wait') setInterval(() => {}, 60_000);
