import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { followJournal, readJournal, streamJournal } from '../../src/journal/reader.ts';
import { type CompiledScript, compileScript, runScript } from '../child-process.ts';

const line = (seq: number, extra: object = {}) =>
  `${JSON.stringify({ seq, time: '2025-11-03T14:30:22.123Z', type: 'stream.connected', connection: seq, ...extra })}\n`;

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-journal-'));
  file = join(folder, 'journal.jsonl');
  return () => rm(folder, { recursive: true, force: true });
});

describe('the journal reader', () => {
  it('reads an empty journal, and one with lines longer than its buffer', async () => {
    await writeFile(file, '');
    expect(await readJournal(file)).toEqual({ events: [], torn: false, bytes: 0 });
    const long = line(1, { text: 'ü'.repeat(200_000) });
    await writeFile(file, long + line(2));
    const { events, torn, bytes } = await readJournal(file);
    expect([events.length, torn, bytes]).toEqual([2, false, Buffer.byteLength(long + line(2))]);
    expect(events[0]).toMatchObject({ text: 'ü'.repeat(200_000) });
  });

  it('cuts a torn last line wherever it was torn, and says so', async () => {
    const whole = line(1) + line(2);
    await fc.assert(
      fc.asyncProperty(fc.nat(Buffer.byteLength(line(3, { text: 'ü🛣️' })) - 1), async (length) => {
        const torn = Buffer.from(line(3, { text: 'ü🛣️' })).subarray(0, length);
        await writeFile(file, Buffer.concat([Buffer.from(whole), torn]));
        const read = await readJournal(file);
        expect(read.events).toHaveLength(2);
        expect([read.torn, read.bytes]).toEqual([length > 0, Buffer.byteLength(whole)]);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['text that is no JSON', `${line(1)}{"seq":2,"ti\n${line(3)}`, 2],
    ['a line without a fact', `${line(1)}${line(2)}{"seq":3}\n`, 3],
    ['a hole in seq', line(1) + line(3), 2],
    ['a fact twice', line(1) + line(1), 2],
    ['a start that is not 1', line(2), 1],
    ['an empty line', `${line(1)}\n${line(2)}`, 2],
    ['null', 'null\n', 1],
  ])('refuses %s and names the line', async (_, text, number) => {
    await writeFile(file, text);
    await expect(readJournal(file)).rejects.toMatchObject({
      code: 'JOURNAL_CORRUPT',
      message: expect.stringContaining(`line ${number} of ${file}`),
    });
  });

  it('says when there is no journal, or a folder in its place', async () => {
    await expect(readJournal(file)).rejects.toMatchObject({
      code: 'JOURNAL_READ',
      message: expect.stringContaining(file),
    });
    await expect(readJournal(folder)).rejects.toMatchObject({ code: 'JOURNAL_READ' });
  });

  it('streams facts one by one', async () => {
    await writeFile(file, Array.from({ length: 5000 }, (_, at) => line(at + 1)).join(''));
    let count = 0;
    for await (const event of streamJournal(file)) expect(event.seq).toBe(++count);
    expect(count).toBe(5000);
  });

  it('follows a journal as it grows, each fact once, until the run has ended', async () => {
    await writeFile(file, line(1));
    const seen: number[] = [];
    const next = line(2, { text: 'long' });
    for await (const event of followJournal(file, new AbortController().signal, 1)) {
      seen.push(event.seq);
      if (event.seq === 1) await appendFile(file, next.slice(0, 30));
      if (event.seq === 1) setImmediate(() => void appendFile(file, next.slice(30) + line(3)));
      if (event.seq === 3) await appendFile(file, line(4, { type: 'run.ended' }));
    }
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('stops following at the signal, without an error', async () => {
    await writeFile(file, line(1));
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const event of followJournal(file, stop.signal)) {
      seen.push(event.seq);
      setImmediate(() => stop.abort());
    }
    expect(seen).toEqual([1]);
  });
});

describe('a process killed while it appends', () => {
  let script: CompiledScript;
  beforeAll(() => {
    script = compileScript('test/journal/append-script.ts');
  });
  afterAll(() => script.remove());

  it('leaves a readable journal with everything that was flushed', async () => {
    for (let round = 1; round <= 3; round += 1) {
      const path = join(folder, `killed-${round}.jsonl`);
      const writer = runScript(script.file, [path]);
      let flushed = 0;
      for await (const printed of writer.lines) {
        flushed = Number(printed);
        if (flushed >= 500 * round) break;
      }
      writer.process.kill('SIGKILL');
      expect((await writer.ended).signal).toBe('SIGKILL');
      expect((await readJournal(path)).events.length).toBeGreaterThanOrEqual(flushed);
    }
  });
});
