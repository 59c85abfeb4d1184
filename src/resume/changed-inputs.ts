/** What differs between the start of a run and the moment it goes on: each difference in words, empty when none counts. */
import { changeText, compareFingerprints, type Fingerprint } from '../fingerprint/compare.ts';
import { DOCUMENT } from '../fingerprint/parts.ts';
import type { RunStarted } from './known-run.ts';

/** The inputs as they are now. */
export interface PresentInputs {
  readonly manifestSha256: string;
  readonly schema: { readonly name: string; readonly version: string };
  readonly model: string;
  readonly documents: readonly { readonly path: string; readonly sha256: string }[];
  /** By task id. */
  readonly tasks: Readonly<Record<string, Fingerprint>>;
}

/** May differ: tools come with the version of muster. */
const TOOLS = 'tools';
/** Parts that are told once for all tasks, or that may differ. */
const TOLD_ELSEWHERE = new Set([TOOLS, 'model']);

export function changedInputs(started: RunStarted, now: PresentInputs): readonly string[] {
  return [
    ...schemaChanges(started, now),
    ...(started.model === now.model ? [] : [`the model was ${started.model}, is ${now.model}`]),
    ...documentChanges(started.documents, now.documents),
    ...taskChanges(started, now),
  ];
}

/**
 * Whether an attempt that is not finished was begun from other inputs than those of now.
 *
 * @param before undefined when it is not on record: then it goes on, as far as anybody can know it began with these
 */
export function isOutdated(before: Fingerprint | undefined, now: Fingerprint): boolean {
  return before !== undefined && compareFingerprints(before, now).some(({ part }) => part !== TOOLS);
}

function schemaChanges({ schema }: RunStarted, now: PresentInputs): string[] {
  const text = (of: RunStarted['schema']) => `${of.name} ${of.version}`;
  return text(schema) === text(now.schema) ? [] : [`the schema was ${text(schema)}, is ${text(now.schema)}`];
}

function documentChanges(before: PresentInputs['documents'], after: PresentInputs['documents']): string[] {
  const fingerprint = (of: PresentInputs['documents']) =>
    Object.fromEntries(of.map(({ path, sha256 }) => [path, sha256]));
  return compareFingerprints(fingerprint(before), fingerprint(after)).map(changeText);
}

function taskChanges(started: RunStarted, now: PresentInputs): string[] {
  const { inputs, manifest } = started;
  // Journals of earlier versions hold no parts: then any other byte of the manifest counts.
  if (!inputs) return manifest.sha256 === now.manifestSha256 ? [] : ['the manifest was edited'];
  const ids = [...new Set([...Object.keys(inputs), ...Object.keys(now.tasks)])];
  return ids.flatMap((id) => {
    const [before, after] = [inputs[id], now.tasks[id]];
    if (!before) return [`task ${id} is new`];
    if (!after) return [`task ${id} is gone`];
    const parts = compareFingerprints(before, after).filter(
      ({ part }) => !part.startsWith(DOCUMENT) && !TOLD_ELSEWHERE.has(part),
    );
    return parts.length === 0 ? [] : [`task ${id}: ${parts.map(changeText).join(', ')}`];
  });
}
