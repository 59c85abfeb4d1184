/**
 * What of an earlier run may be taken over: decided from fingerprints, without running anything.
 *
 * An instance is taken over when it completed then and everything it is made from is the same now, what it reads of
 * others included. What others will hand in is not known before they ran: an instance behind one that runs again is
 * undecided until then, and is taken over all the same when what it reads came out as before.
 */
import { changeText, compareFingerprints, type Fingerprint } from './compare.ts';
import { UPSTREAM } from './parts.ts';

/** Which parts of a plan to run again although nothing changed. */
export type Selection =
  | { readonly kind: 'changed' }
  /** These tasks or instances, and nothing else. */
  | { readonly kind: 'only'; readonly ids: readonly string[] }
  /** These and everything behind them. */
  | { readonly kind: 'from'; readonly ids: readonly string[] }
  | { readonly kind: 'failed' }
  | { readonly kind: 'force' };

export interface Subject {
  readonly id: string;
  readonly task: string;
  /** Tasks that its task waits for. */
  readonly waitsFor: readonly string[];
}

export interface EarlierInstance {
  readonly completed: boolean;
  readonly fingerprint: Fingerprint | undefined;
}

export type Decision =
  | { readonly kind: 'take-over' }
  | { readonly kind: 'run'; readonly causes: readonly string[] }
  /** Known when the tasks named have ended. */
  | { readonly kind: 'undecided'; readonly until: readonly string[] };

export interface DecideOptions {
  readonly selection: Selection;
  /** The fingerprint as far as it is known: without upstream parts while others still run. */
  readonly now: Fingerprint;
  readonly earlier: EarlierInstance | undefined;
  /** Tasks that run again, or may, and have not ended yet. */
  readonly open: ReadonlySet<string>;
  /** Tasks before this one, transitively, itself left out. */
  readonly before: ReadonlySet<string>;
}

/** Total. First reason to run that is certain wins; only then can something be undecided. */
export function decide(subject: Subject, { selection, now, earlier, open, before }: DecideOptions): Decision {
  const chosen = chosenBy(selection, subject, before);
  if (chosen) return { kind: 'run', causes: [chosen] };
  if (!earlier) return { kind: 'run', causes: ['it is new'] };
  if (!earlier.completed) return { kind: 'run', causes: ['it had not completed'] };
  // Asked for a part only: the rest stands as it is, whatever changed.
  if (selection.kind === 'only') return { kind: 'take-over' };
  if (!earlier.fingerprint) return { kind: 'run', causes: ['what it was made from is not on record'] };
  const changes = compareFingerprints(earlier.fingerprint, now);
  const own = changes.filter(({ part }) => !part.startsWith(UPSTREAM));
  if (own.length > 0) return { kind: 'run', causes: own.map(changeText) };
  const until = subject.waitsFor.filter((task) => open.has(task));
  if (until.length > 0) return { kind: 'undecided', until };
  return changes.length > 0 ? { kind: 'run', causes: changes.map(changeText) } : { kind: 'take-over' };
}

function chosenBy(selection: Selection, { id, task }: Subject, before: ReadonlySet<string>): string | undefined {
  switch (selection.kind) {
    case 'force':
      return 'everything runs again (--force)';
    case 'only':
      return selection.ids.includes(id) || selection.ids.includes(task) ? 'it was chosen (--only)' : undefined;
    case 'from': {
      if (selection.ids.includes(id) || selection.ids.includes(task)) return 'it was chosen (--from)';
      const behind = selection.ids.find((one) => before.has(taskOf(one)));
      return behind === undefined ? undefined : `it stands behind ${behind} (--from)`;
    }
    case 'failed':
    case 'changed':
      return undefined;
  }
}

function taskOf(id: string): string {
  return /^([^[]+)/.exec(id)?.[1] ?? id;
}

/** Tasks before each task, transitively. */
export function tasksBefore(
  tasks: readonly { readonly id: string; readonly waitsFor: readonly string[] }[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const direct = new Map(tasks.map(({ id, waitsFor }) => [id, waitsFor]));
  const all = new Map<string, ReadonlySet<string>>();
  const of = (id: string): ReadonlySet<string> => {
    const known = all.get(id);
    if (known) return known;
    const found = new Set((direct.get(id) ?? []).flatMap((task) => [task, ...of(task)]));
    all.set(id, found);
    return found;
  };
  for (const { id } of tasks) of(id);
  return all;
}
