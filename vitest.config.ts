import { defineConfig } from 'vitest/config';

/** What needs the machine to itself: the real OpenCode binary, a real browser, a real office. */
const HEAVY = ['test/real/**/*.test.ts', 'test/inspector/page.test.ts', 'test/export/office.test.ts'];
/** What needs a Neo4j server. */
const NEO4J = ['test/**/neo4j*.test.ts'];

export default defineConfig({
  test: {
    allowOnly: false,
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [...HEAVY, ...NEO4J],
          testTimeout: 20_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'real',
          include: HEAVY,
          exclude: NEO4J,
          // One after the other: two OpenCode servers and a browser at once starve two cores.
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'neo4j',
          include: NEO4J,
          globalSetup: 'test/graph/neo4j-server.ts',
          runner: 'test/graph/neo4j-runner.ts',
          // One after the other: there is one database, and each file begins with an empty one.
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
