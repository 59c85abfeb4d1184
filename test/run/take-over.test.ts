import { expect, it } from 'vitest';
import type { RunFact } from '../../schemas/run-event.ts';
import { fingerprintOf } from '../../src/fingerprint/compare.ts';
import type { TaskGraph } from '../../src/plan/derive.ts';
import type { KnownRun } from '../../src/resume/known-run.ts';
import type { EarlierRun } from '../../src/run/earlier-run.ts';
import { sha256 } from '../../src/run/started-fact.ts';
import { takeOverFrom } from '../../src/run/take-over.ts';

const publication = { nodes: [], relationships: [] };
const graphOfTasks = { tasks: [{ id: 'words', waitsFor: [] }] } as unknown as TaskGraph;
const host = {
  desk: () => {
    throw new Error('no session is needed');
  },
};

async function decide(prompt: string, more: Partial<EarlierRun> = {}, known = ['words']) {
  const facts: RunFact[] = [];
  const earlier: EarlierRun = {
    runId: 'r1',
    folder: {} as never,
    known: { instances: new Map(known.map((id) => [id, {}])) } as unknown as KnownRun,
    completed: () => true,
    fingerprint: async () => fingerprintOf({ prompt: 'Find the work.' }, sha256),
    publication: async () => publication,
    ...more,
  };
  const takeUp = takeOverFrom({
    earlier,
    selection: { kind: 'changed' },
    graphOfTasks,
    parts: async () => ({ prompt }),
    record: (fact) => void facts.push(fact),
  });
  return { taken: await takeUp({ id: 'words', task: 'words' }, host), facts };
}

const decided = (decision: 'take-over' | 'run', ...causes: string[]) => [
  { type: 'instance.decided', instance: 'words', decision, against: 'r1', causes },
];

it('takes over what was made from the same inputs, and commits what the earlier run did', async () => {
  const { taken, facts } = await decide('Find the work.');
  expect(taken).toMatchObject({ start: { step: 'commit-again', attempt: 1 }, publication });
  expect(facts).toEqual(decided('take-over'));
});

it('runs what changed, what is new and what had not completed, and says why', async () => {
  const changed = await decide('Find all work.');
  expect(changed.taken).toEqual({ start: { step: 'new-attempt', attempt: 0 }, frames: [] });
  expect(changed.facts).toEqual(decided('run', 'prompt changed'));
  expect((await decide('Find the work.', {}, [])).facts).toEqual(decided('run', 'it is new'));
  expect((await decide('Find the work.', { completed: () => false })).facts).toEqual(
    decided('run', 'it had not completed'),
  );
});

it('runs what it cannot take over because its rows are no longer on disk', async () => {
  const { taken, facts } = await decide('Find the work.', { publication: async () => undefined });
  expect(taken.start).toEqual({ step: 'new-attempt', attempt: 0 });
  expect(facts).toEqual(decided('run', 'its publication is not on record'));
});
