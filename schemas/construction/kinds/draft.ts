import { z } from 'zod';
import { show } from './expected.ts';

/** The status of what an agent writes. Every other status is given by people, outside an agent's vocabulary. */
export function draftOnly(description: string) {
  return z
    .enum(['draft'], {
      error: ({ input }) =>
        input === undefined
          ? 'missing; expected "draft"'
          : `expected "draft", because agents write drafts and people approve them; got ${show(input)}`,
    })
    .describe(description);
}
