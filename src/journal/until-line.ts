/** The state of a run before a line of its journal that was damaged. */
import { copyFile, readFile } from 'node:fs/promises';
import type { RunEvent } from '../../schemas/run-event.ts';
import { ensureError, MusterError } from '../errors.ts';
import { type JournalContent, readJournal, streamJournal } from './reader.ts';

const LINE_FEED = 0x0a;

/**
 * The facts up to and with line `lines`; what stands behind is not looked at. Without `lines` the whole journal.
 *
 * @throws MusterError USAGE when the journal has fewer lines, else as {@link readJournal}.
 */
export async function readJournalUntil(file: string, lines?: number): Promise<JournalContent> {
  if (lines === undefined) return readJournal(file);
  const events: RunEvent[] = [];
  for await (const event of streamJournal(file)) {
    events.push(event);
    if (events.length === lines) return { events, torn: true, bytes: await lengthOf(file, lines) };
  }
  throw new MusterError(
    'USAGE',
    `expected --until-line from 1 to ${events.length}, the number of lines of ${file}; got ${lines}`,
  );
}

/** Keeps the journal as it is under another name in the same folder, before it is cut. Returns the name. */
export async function keepJournal(file: string, lines: number): Promise<string> {
  const copy = `${file}.before-line-${lines + 1}`;
  try {
    await copyFile(file, copy);
  } catch (thrown) {
    const cause = ensureError(thrown);
    throw new MusterError('JOURNAL_WRITE', `Cannot keep a copy of the journal as ${copy}: ${cause.message}.`, {
      cause,
    });
  }
  return copy;
}

async function lengthOf(file: string, lines: number): Promise<number> {
  const bytes = await readFile(file);
  let end = 0;
  for (let line = 0; line < lines; line++) end = bytes.indexOf(LINE_FEED, end) + 1;
  return end;
}
