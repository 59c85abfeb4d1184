/**
 * Mistakes that somebody could make, to see that the simulation finds them: each one changes one place of production code
 * as it is loaded, and nothing on disk.
 */
export interface SeededBug {
  readonly name: string;
  /** Of production code, without its ending. */
  readonly file: string;
  /** As compiled: without types; white space counts as one space. Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export const SEEDED_BUGS: readonly SeededBug[] = [
  {
    name: 'a prompt leaves before its line is on disk',
    file: 'src/run/attempts',
    find: 'await journal.flushed(); signal.throwIfAborted();',
    replace: '',
  },
  {
    name: 'a session is created before the attempt is on disk',
    file: 'src/run/attempts',
    find: 'await journal.flushed(); const { apiSessionId }',
    replace: 'const { apiSessionId }',
  },
  {
    name: 'idle is trusted as the end of a turn',
    file: 'src/opencode/verdict',
    find: "if (!isStarted && state.error === undefined && !options.askedAbort) return 'open';",
    replace: "return { kind: 'candidate' };",
  },
  {
    name: 'a gap of the stream is not read back',
    file: 'machines/event-stream',
    find: 'first: ({ context }) => context.connection === 1',
    replace: 'first: () => true',
  },
  {
    name: 'what had committed is open again after a resume',
    file: 'src/resume/resume-plan',
    find: "outcome?.kind === 'completed' ||",
    replace: '',
  },
  {
    name: 'an item of a fan-out is lost',
    file: 'machines/orchestrator-setup',
    find: 'plan = expand(before, id, context.items[fanOut.over] ?? []);',
    replace: 'plan = expand(before, id, (context.items[fanOut.over] ?? []).slice(1));',
  },
  {
    name: 'a fan-out is expanded anew after a resume',
    file: 'src/resume/resume-plan',
    find: 'if (task.expanded && plan.tasks[id]?.expanded === false)',
    replace: 'if (false)',
  },
  {
    name: 'a commit is not on disk before the graph changes',
    file: 'src/run/commits',
    find: 'await writePublication(file, publication); return publication;',
    replace: 'return publication;',
  },
  {
    name: 'an instance completes without a commit',
    file: 'src/run/commits',
    find: 'const result = await graph.commit({ runId, task: ref.instance.task, nodes, relationships });',
    replace: 'const result = { relationships: 0, created: 0, updated: 0, unchanged: 0 };',
  },
  {
    name: 'work counts before it is complete',
    file: 'machines/task-setup',
    find: 'complete: (_, review) => review.complete',
    replace: 'complete: () => true',
  },
  {
    name: 'an agent is told that its rows are kept, and they are not on disk',
    file: 'src/run/durable-desk',
    find: "tool === 'submit' ||",
    replace: '',
  },
  {
    name: 'one more instance is admitted than allowed',
    file: 'src/policy/admission',
    find: 'atWork.length + admitted.length >= concurrency',
    replace: 'atWork.length + admitted.length > concurrency',
  },
  {
    name: 'a task does not wait for what it depends on',
    file: 'src/plan/plan',
    find: 'plan.tasks[task].waitsFor.every(',
    replace: 'plan.tasks[task].waitsFor.some(',
  },
  {
    name: 'a wave begins before the one before has ended',
    file: 'src/plan/plan',
    find: 'other.wave >= wave || other.outcome !== undefined',
    replace: 'true',
  },
  {
    name: 'a torn last line is not cut',
    file: 'src/journal/journal-file',
    find: 'ftruncateSync(descriptor, keepBytes);',
    replace: '',
  },
  {
    name: 'lines are numbered from one again after a resume',
    file: 'src/run/run',
    find: 'lastSeq: resumed.events.length',
    replace: 'lastSeq: 0',
  },
  {
    name: 'no clock watches a session that stalls',
    file: 'machines/task-setup',
    find: 'stall: ({ context }) => context.limits.stallMs, attempt: ({ context }) => context.limits.attemptMs,',
    replace: 'stall: () => 2 ** 31 - 1, attempt: () => 2 ** 31 - 1,',
  },
  {
    name: 'a permission that is asked for is not answered',
    file: 'src/run/asks',
    find: "if (kind === 'permission') await client().replyPermission(id, 'reject', NOBODY_THERE);",
    replace: "if (kind === 'permission') return undefined;",
  },
  {
    name: 'work is committed although a person has to look at it first',
    file: 'machines/task-setup',
    find: 'review.complete && context.policy?.hold !== undefined',
    replace: 'false',
  },
  {
    name: 'the run goes on by itself although it was told to end',
    file: 'machines/orchestrator-context',
    find: 'const isOver = !lost || interrupted ||',
    replace: 'const isOver = !lost ||',
  },
  {
    name: 'a lost server ends the run',
    file: 'machines/orchestrator-setup',
    find: 'noteLoss: assign({ lost: true })',
    replace: 'noteLoss: assign({})',
  },
  {
    name: 'a session that calls its model for ever goes on when its work counts',
    file: 'machines/task-setup',
    find: "endedByItself: ({ context }) => context.judgement?.kind !== 'loop'",
    replace: 'endedByItself: () => true',
  },
  {
    name: 'what cannot be taken up goes on beside the session that follows it',
    file: 'src/run/take-up',
    find: 'if (session) await ports.abort(session.apiSessionId).catch(() => { });',
    replace: '',
  },
  {
    name: 'the log of calls is opened again after the attempt has ended',
    file: 'src/run/call-log',
    find: 'this.#isClosed = true;',
    replace: '',
  },
  {
    name: 'a turn that was cut off between two calls of its model counts as refused',
    file: 'src/opencode/verdict',
    find: "refusedIn.includes(answer.id) ? 'rejected' : 'interrupted'",
    replace: "'rejected'",
  },
  {
    name: 'what an agent handed in before a death is cut off when the next process writes',
    file: 'src/run/call-log',
    find: 'if (this.#keepBytes !== undefined) return openJournalFile(this.#path, this.#keepBytes);',
    replace: 'if (this.#keepBytes !== undefined) return openJournalFile(this.#path, 0);',
  },
  {
    name: 'an instance of the workspace that was poisoned is not noticed',
    file: 'src/opencode/poison-watch',
    find: 'if (this.#isLooking || !isPoisonSign(judgement)) return;',
    replace: 'return;',
  },
  {
    name: 'a turn that somebody else broke off costs an attempt',
    file: 'machines/task-answer',
    find: "['failed', 'aborted', 'interrupted'].includes",
    replace: "['failed'].includes",
  },
  {
    name: 'a prompt leaves although nobody waits for its turn any more',
    file: 'src/run/attempts',
    find: 'signal.throwIfAborted();',
    replace: '',
  },
];

/** The name of the environment variable that names the bug of a process. */
export const BUG = 'MUSTER_SEEDED_BUG';

/** The code with the bug in it. @throws Error when the place is not there exactly once: the table is out of date */
export function seed(bug: SeededBug, code: string): string {
  const pattern = bug.find
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('\\s+');
  const places = [...code.matchAll(new RegExp(pattern, 'g'))];
  if (places.length !== 1) throw new Error(`expected one place for "${bug.name}" in ${bug.file}, got ${places.length}`);
  return code.replace(places[0]![0], () => bug.replace);
}
