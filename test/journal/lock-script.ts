/** Tries to take the lock of a home when told to on standard input, says how it went, and keeps it until killed. */
import { once } from 'node:events';
import { acquireLock } from '../../src/journal/run-lock.ts';

const [home] = process.argv.slice(2);
console.log('ready');
await once(process.stdin, 'data');
try {
  await acquireLock(home!);
  console.log('won');
} catch (thrown) {
  console.log((thrown as { code: string }).code);
}
await once(process.stdin, 'data');
