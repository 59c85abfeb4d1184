/** Everything of production code's surroundings that the simulation takes the place of, and nothing of its own decisions. */

/** What production code imports → the module in its place. */
export const BUILT_INS: Readonly<Record<string, string>> = {
  'node:fs': 'fs',
  'node:fs/promises': 'fs-promises',
  'node:timers/promises': 'timers-promises',
  'node:crypto': 'crypto',
  'node:http': 'http',
  undici: 'undici',
};

/** Files of ours that start programs, ask the system, keep the graph in a database, or write what nothing depends on. */
export const FILES: Readonly<Record<string, string>> = {
  'src/opencode/binary': 'binary',
  'src/opencode/server-process': 'server-process',
  'src/graph/embedded': 'embedded',
  'src/graph/projection': 'projection',
  'src/manifest/load': 'load',
  'src/journal/lock-holder': 'lock-holder',
  'src/logs/session-log': 'session-log',
};
