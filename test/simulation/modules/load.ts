/** Stands in for src/manifest/load.ts: the manifest of the world, read before it began. */
import type { LoadedManifest } from '../../../src/manifest/load.ts';
import { universe } from '../universe.ts';

export function loadManifest(): Promise<LoadedManifest> {
  return universe().life.answer(() => universe().manifest);
}
