import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepJournal, readJournalUntil } from '../../src/journal/until-line.ts';
import { openJournal } from '../../src/journal/writer.ts';

let folder: string;
let file: string;
const line = (seq: number) =>
  `${JSON.stringify({ seq, time: '2026-01-01T00:00:00.000Z', type: 'server.stopped', note: 'ü' })}\n`;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-until-'));
  file = join(folder, 'journal.jsonl');
  writeFileSync(file, `${line(1)}${line(2)}nonsense\n${line(4)}`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a journal with a damaged line', () => {
  it('is refused, naming the line and the way to the state before it', async () => {
    await expect(readJournalUntil(file)).rejects.toThrow(/line 3 .*--until-line 2/s);
    writeFileSync(file, 'nonsense\n');
    await expect(readJournalUntil(file)).rejects.not.toThrow(/until-line/);
  });

  it('gives the state before it when asked, and goes on from there with the damaged one kept aside', async () => {
    const { events, bytes } = await readJournalUntil(file, 2);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2]);
    const before = readFileSync(file);
    const copy = await keepJournal(file, 2);
    const journal = openJournal(file, { clock: { now: () => 0 }, resume: { lastSeq: 2, bytes } });
    journal.append({ type: 'server.stopped' });
    await journal.close();
    expect((await readJournalUntil(file)).events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(readFileSync(copy)).toEqual(before);
  });

  it('has no line beyond its end', async () => {
    writeFileSync(file, line(1));
    await expect(readJournalUntil(file, 2)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
