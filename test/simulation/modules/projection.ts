/** Stands in for src/graph/projection.ts: this machine has no engine for Cypher. */
import { MusterError } from '../../../src/errors.ts';

export function openProjection(): Promise<never> {
  return Promise.reject(new MusterError('CYPHER_UNAVAILABLE', 'the simulation has no engine for Cypher'));
}
