/** Stands in for `node:crypto`: its chance comes from the seed, the rest is the platform's own. */
import { universe } from '../universe.ts';

export * from 'node:crypto';

export function randomBytes(size: number): Buffer {
  const { random } = universe();
  return Buffer.from(Array.from({ length: size }, () => random.between(0, 255)));
}

export function randomInt(max: number): number {
  return Math.floor(universe().random.next() * max);
}
