/**
 * What the modules that stand in for the platform reach: the one world of this process at a time.
 *
 * Production code is not told of the simulation: it imports `node:fs/promises`, `undici` and so on, and gets the modules of
 * test/simulation/modules in their place (loader.ts). They have no arguments, hence this one place.
 */

import type { LoadedManifest } from '../../src/manifest/load.ts';
import type { GraphStore } from '../../src/ports.ts';
import type { Network } from './network.ts';
import type { ProcessLife } from './process-life.ts';
import type { SeededRandom } from './random.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A simulated server process of our own. */
export interface StartedProcess {
  readonly pid: number;
  readonly url: string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  stop(): Promise<void>;
}

export interface Universe {
  readonly time: VirtualTime;
  readonly life: ProcessLife;
  readonly disk: SimulatedDisk;
  readonly network: Network;
  /** The chance that muster itself draws. */
  readonly random: SeededRandom;
  readonly manifest: LoadedManifest;
  openGraph(): GraphStore;
  startServerProcess(environment: Readonly<Record<string, string>>): Promise<StartedProcess>;
}

let present: Universe | undefined;

export function enter(universe: Universe | undefined): void {
  present = universe;
}

export function universe(): Universe {
  if (present === undefined) throw new Error('expected a simulated world, got none');
  return present;
}

export function inUniverse(): boolean {
  return present !== undefined;
}
