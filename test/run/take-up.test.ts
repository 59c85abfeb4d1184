import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Judgement } from '../../schemas/session-event.ts';
import { NO_USAGE } from '../../schemas/session-event.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import type { GraphStore } from '../../src/ports.ts';
import type { KnownAttempt, KnownInstance } from '../../src/resume/known-run.ts';
import type { ServerKnowledge } from '../../src/resume/resume-step.ts';
import { callsFile, publicationFile, writePublication } from '../../src/run/attempt-files.ts';
import { CallLog } from '../../src/run/call-log.ts';
import { DurableDesk } from '../../src/run/durable-desk.ts';
import { takeUpFrom } from '../../src/run/take-up.ts';
import { contextOf, row } from '../output/library.ts';

let graph: GraphStore;
let work: string;
beforeEach(() => {
  graph = openEmbeddedGraph(':memory:');
  work = mkdtempSync(join(tmpdir(), 'muster-take-up-'));
});
afterEach(async () => {
  await graph.close();
  rmSync(work, { recursive: true, force: true });
});

const ref = { id: 'courses', task: 'courses' };
const session = { sessionId: 's', apiSessionId: 'ses_1' };
const desk = (log: CallLog) =>
  new DurableDesk({ context: contextOf('courses'), graph, runId: 'now', onAnswer: () => {} }, log);
const idle = (kind?: Judgement['kind']): ServerKnowledge =>
  kind ? { kind: 'idle', judgement: { kind } as Judgement } : { kind: 'idle' };

async function handIn(...calls: readonly (readonly ['submit' | 'complete', object])[]): Promise<void> {
  const log = new CallLog(callsFile(work, ref.id, 1));
  const first = desk(log);
  for (const [tool, input] of calls) await first.answer(tool, input);
  await log.close();
}
const submit = ['submit', { entities: [row('Course', { courseNo: 'C-1' })] }] as const;
const complete = ['complete', { summary: 'one' }] as const;

async function takeUp(
  attempt: Partial<KnownAttempt>,
  server: ServerKnowledge | Error,
  aborted: string[] = [],
  isOutdated = false,
) {
  const known: KnownInstance = {
    ref,
    started: true,
    spared: 0,
    attempt: { attempt: 1, turns: 1, repairs: 0, commitStarted: false, session, messageId: 'm1', ...attempt },
  };
  const take = takeUpFrom({
    known: new Map([[ref.id, known]]),
    work,
    readSession: async () => {
      if (server instanceof Error) throw server;
      return { server, frames: [], usage: NO_USAGE };
    },
    abort: async (id) => void aborted.push(id),
    isOutdated: async () => isOutdated,
  });
  const taken = await take(ref, {
    desk: (_attempt, _session, bytes) => desk(new CallLog(callsFile(work, ref.id, 1), bytes)),
  });
  return { ...taken, aborted };
}

describe('taking an instance up', () => {
  it('commits again what was about to be committed, also when the server cannot be asked', async () => {
    await writePublication(publicationFile(work, ref.id, 1), { nodes: [], relationships: [] });
    expect((await takeUp({ commitStarted: true }, new Error('no answer'))).start).toMatchObject({
      step: 'commit-again',
      attempt: 1,
    });
  });

  it('takes complete work although the session was cut off, or is gone', async () => {
    await handIn(submit, complete);
    expect((await takeUp({}, idle('interrupted'))).start).toMatchObject({ step: 'take', turn: 1 });
    expect((await takeUp({}, { kind: 'gone' })).start).toMatchObject({ step: 'take' });
  });

  it('takes complete work whose commit left no publication', async () => {
    await handIn(submit, complete);
    expect(
      (await takeUp({ commitStarted: true, judgement: { kind: 'candidate' } }, idle('candidate'))).start,
    ).toMatchObject({ step: 'take' });
  });

  it('takes a turn that ended meanwhile, with its own judgement', async () => {
    await handIn(submit);
    expect((await takeUp({}, idle('truncated'))).start).toMatchObject({
      step: 'take',
      judgement: { kind: 'truncated' },
    });
  });

  it('joins a turn that still runs', async () => {
    await handIn(submit);
    expect(await takeUp({}, { kind: 'busy' })).toMatchObject({ start: { step: 'join', session }, messageId: 'm1' });
  });

  it('takes a turn that calls its model for ever as what it is, also when its work is complete', async () => {
    await handIn(submit, complete);
    const loop = { kind: 'busy', judgement: { kind: 'loop' } } as const;
    expect((await takeUp({}, loop)).start).toMatchObject({ step: 'take', judgement: { kind: 'loop' } });
  });

  it('goes on in a session that was cut off', async () => {
    await handIn(submit);
    expect((await takeUp({}, idle('interrupted'))).start).toMatchObject({ step: 'continue', turn: 1, attempt: 1 });
    expect((await takeUp({}, idle('aborted'))).start).toMatchObject({ step: 'continue', turn: 1 });
  });

  it('prompts for the first time when the prompt never arrived', async () => {
    expect((await takeUp({}, idle())).start).toMatchObject({ step: 'continue', turn: 0 });
    expect((await takeUp({ turns: 0 }, idle())).start).toMatchObject({ step: 'continue', turn: 0 });
  });

  it('reviews again before a repair whose prompt never arrived', async () => {
    await handIn(submit);
    expect((await takeUp({ turns: 2, repairs: 1 }, idle())).start).toMatchObject({ step: 'take', turn: 1, repair: 0 });
  });

  it('begins a new attempt when the session is gone with its work incomplete', async () => {
    await handIn(submit);
    expect((await takeUp({}, { kind: 'gone' })).start).toMatchObject({ step: 'new-attempt', attempt: 1 });
  });

  it('begins a new attempt when the calls cannot be repeated, and stops the session that still runs', async () => {
    await handIn(submit);
    writeFileSync(callsFile(work, ref.id, 1), 'nonsense\n');
    const { start, aborted } = await takeUp({}, { kind: 'busy' });
    expect(start).toMatchObject({ step: 'new-attempt', attempt: 1 });
    expect(aborted).toEqual(['ses_1']);
  });

  it('begins anew what was begun from other inputs, and stops the session that still works from them', async () => {
    await handIn(submit, complete);
    for (const server of [{ kind: 'busy' }, idle('candidate'), idle('interrupted')] as const) {
      const { start, aborted } = await takeUp({}, server, [], true);
      expect(start).toMatchObject({ step: 'new-attempt', attempt: 1, previous: { code: 'inputs-changed' } });
      expect(aborted).toEqual(server.kind === 'busy' ? ['ses_1'] : []);
    }
  });

  it('commits again what was about to be committed, whatever its inputs are now', async () => {
    await writePublication(publicationFile(work, ref.id, 1), { nodes: [], relationships: [] });
    const { start } = await takeUp({ commitStarted: true }, idle('candidate'), [], true);
    expect(start).toMatchObject({ step: 'commit-again', attempt: 1 });
  });

  it('tells a new attempt why the one before failed by itself', async () => {
    const cause = { code: 'stall', message: 'silence' };
    const { start } = await takeUp({ failure: { cause, isLast: false, isCutOff: false } }, idle('candidate'));
    expect(start).toMatchObject({ step: 'new-attempt', attempt: 1, previous: cause });
  });

  it('goes on in a session whose attempt ended only because of the interrupt', async () => {
    await handIn(submit);
    const cause = { code: 'interrupted', message: 'Ctrl-C' };
    const { start } = await takeUp({ failure: { cause, isLast: false, isCutOff: true } }, idle('aborted'));
    expect(start).toMatchObject({ step: 'continue', attempt: 1 });
  });

  it('fails when the server cannot be asked about a session that it needs, and stops the session', async () => {
    const aborted: string[] = [];
    await expect(takeUp({}, new Error('no answer'), aborted)).rejects.toThrow('no answer');
    expect(aborted).toEqual(['ses_1']);
  });
});
