/** Stands in for src/opencode/binary.ts: there is a program of the right version. */
export function findBinary(): Promise<object> {
  return Promise.resolve({ path: '/simulated/opencode', version: '1.18.33', source: 'named', notes: [] });
}
