/** What `muster release` and `muster reject` share: which point is meant, and whether the run has taken the decision. */
import { userInfo } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureError, MusterError } from '../errors.ts';
import { readJournal } from '../journal/reader.ts';
import { findRun, latestRun } from '../journal/run-folder.ts';
import { type Holds, holdsOf, type KnownHold, openHolds } from '../policy/holds.ts';
import { LOOK_MS, type PersonDecision, putDecision } from '../run/mailbox.ts';
import { visible } from './terminal.ts';

export interface DecideOptions {
  readonly home: string;
  readonly by?: string;
}

/** How long a running run is given to take the decision before it is said to be kept. */
const TAKE_MS = 6 * LOOK_MS;

/** @throws MusterError RUN_NOT_FOUND, HOLD_UNKNOWN, and what reading the journal and writing the decision throw. */
export async function decide(
  run: string,
  point: string,
  options: DecideOptions,
  decisionOf: (meant: string, by: string) => PersonDecision,
): Promise<void> {
  const { folder, state } = run === 'latest' ? await latestRun(options.home) : await findRun(options.home, run);
  const holds = async () => holdsOf((await readJournal(folder.journal)).events);
  const meant = holdMeant(await holds(), point, folder.runId);
  const decision = decisionOf(meant.point, options.by ?? userName());
  await putDecision(folder.decisions, decision);
  const isTaken = state === 'open' && (await takenWithin(holds, meant.point));
  process.stdout.write(
    isTaken
      ? `${visible(meant.point)} ${decision.kind} by ${visible(decision.by)}.\n`
      : `The decision is kept: ${visible(meant.point)} is ${decision.kind} when the run goes on, now or with "muster resume ${folder.runId}".\n`,
  );
}

/** The open point of this name, or the only one of this task or instance. */
function holdMeant(holds: Holds, name: string, runId: string): KnownHold {
  const open = openHolds(holds);
  const fitting = open.filter(({ point, of }) => point === name || of === name);
  if (fitting.length === 1) return fitting[0]!;
  const listed = open.map(({ point, reason }) => `  ${point}: ${reason}`);
  const decided = holds.get(name)?.decision;
  const got = decided ? `one that was ${decided.kind} before` : fitting.length > 1 ? 'one with two points' : 'none';
  throw new MusterError(
    'HOLD_UNKNOWN',
    [
      `expected a point of ${runId} that waits for a person, got "${name}": ${got}. ${listed.length === 0 ? 'Nothing waits.' : 'These wait:'}`,
      ...listed,
    ].join('\n'),
  );
}

async function takenWithin(holds: () => Promise<Holds>, point: string): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < TAKE_MS; waitedMs += LOOK_MS / 2) {
    const hold = (await holds()).get(point);
    // A rejected work prompts at once, and its point is forgotten with that.
    if (!hold || hold.decision) return true;
    await wait(LOOK_MS / 2);
  }
  return false;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch (thrown) {
    // A user id without a name, as in containers.
    ensureError(thrown);
    return 'somebody';
  }
}
