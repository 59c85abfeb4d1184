/** Stands in for src/graph/embedded.ts: the simulated store. */
import type { GraphStore } from '../../../src/ports.ts';
import { universe } from '../universe.ts';

export function openEmbeddedGraph(): GraphStore {
  return universe().openGraph();
}
