import { defineConfig } from 'vitest/config';

/** What needs the machine to itself: the real OpenCode binary, a real browser. */
const HEAVY = ['test/real/**/*.test.ts', 'test/inspector/page.test.ts'];

export default defineConfig({
  test: {
    allowOnly: false,
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: HEAVY,
          testTimeout: 20_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'real',
          include: HEAVY,
          // One after the other: two OpenCode servers and a browser at once starve two cores.
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
