import { closeSync, openSync, writeSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent, RunFact } from '../../schemas/run-event.ts';
import type { MusterError } from '../../src/errors.ts';
import { type JournalFile, openJournalFile } from '../../src/journal/journal-file.ts';
import { readJournal } from '../../src/journal/reader.ts';
import { openJournal } from '../../src/journal/writer.ts';

const clock = { now: () => Date.parse('2025-11-03T14:30:22.123Z') };
const fact = (connection: number): RunFact => ({ type: 'stream.connected', connection });

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-journal-'));
  file = join(folder, 'journal.jsonl');
  return () => rm(folder, { recursive: true, force: true });
});

/** A real file whose calls are counted; `fail` decides per write how many bytes go through and which error follows. */
function watched(fail?: (call: number, bytes: Uint8Array) => number | Error) {
  const calls: ('write' | 'sync')[] = [];
  const open = (path: string, keepBytes?: number): JournalFile => {
    const real = openJournalFile(path, keepBytes);
    return {
      ...real,
      write: async (bytes) => {
        calls.push('write');
        const verdict = fail?.(calls.filter((call) => call === 'write').length, bytes) ?? bytes.length;
        if (typeof verdict !== 'number') throw verdict;
        return real.write(bytes.subarray(0, verdict));
      },
      sync: async () => {
        calls.push('sync');
        await real.sync();
      },
    };
  };
  return { calls, open };
}

const systemError = (code: string) => Object.assign(new Error(`${code}: from the system`), { code });

describe('the journal writer', () => {
  it('numbers the facts from 1, stamps them, and writes one JSON object per line', async () => {
    const journal = openJournal(file, { clock });
    journal.append(fact(1));
    journal.append({ type: 'server.stopped' });
    await journal.close();
    expect(await readFile(file, 'utf8')).toBe(
      '{"seq":1,"time":"2025-11-03T14:30:22.123Z","type":"stream.connected","connection":1}\n' +
        '{"seq":2,"time":"2025-11-03T14:30:22.123Z","type":"server.stopped"}\n',
    );
  });

  it('writes all lines that wait in one write and makes them durable with one sync', async () => {
    const { calls, open } = watched();
    const journal = openJournal(file, { clock, open });
    for (let at = 1; at <= 500; at += 1) journal.append(fact(at));
    await Promise.all([journal.flushed(), journal.flushed()]);
    expect(calls).toEqual(['write', 'sync']);
    await journal.flushed();
    expect(calls).toHaveLength(2);
    await journal.close();
    expect((await readJournal(file)).events).toHaveLength(500);
  });

  it('flushed waits for the sync of everything appended before it, and of nothing later', async () => {
    const order: string[] = [];
    const syncs: (() => void)[] = [];
    const open = (path: string): JournalFile => ({
      ...openJournalFile(path),
      sync: () => new Promise((resolve) => syncs.push(resolve)),
    });
    const synced = async (count: number) => {
      while (syncs.length < count) await new Promise((resolve) => setImmediate(resolve));
    };
    const journal = openJournal(file, { clock, open });
    journal.append(fact(1));
    const first = journal.flushed().then(() => order.push('first'));
    await synced(1);
    journal.append(fact(2));
    const second = journal.flushed().then(() => order.push('second'));
    expect(order).toEqual([]);
    syncs[0]!();
    await first;
    await synced(2);
    expect(order).toEqual(['first']);
    syncs[1]!();
    await second;
    expect(order).toEqual(['first', 'second']);
    await journal.close();
  });

  it('goes on where a write took only a part of the bytes', async () => {
    const { open } = watched((_, bytes) => Math.min(7, bytes.length));
    const journal = openJournal(file, { clock, open });
    for (let at = 1; at <= 20; at += 1) journal.append(fact(at));
    await journal.close();
    expect((await readJournal(file)).events.map((event) => event.seq)).toEqual(
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
  });

  it('tells each fact to listeners at once, in the order of the journal, also what a listener appends', async () => {
    const journal = openJournal(file, { clock });
    const told: [string, number][] = [];
    journal.subscribe((event) => {
      told.push(['a', event.seq]);
      if (event.seq === 1) journal.append(fact(2));
    });
    const end = journal.subscribe((event) => told.push(['b', event.seq]));
    journal.append(fact(1));
    end();
    journal.append(fact(3));
    expect(told).toEqual([
      ['a', 1],
      ['b', 1],
      ['a', 2],
      ['b', 2],
      ['a', 3],
    ]);
    await journal.close();
  });

  it('a listener that throws harms neither the journal nor other listeners, and is reported', async () => {
    const errors: Error[] = [];
    const journal = openJournal(file, { clock, onListenerError: (error) => errors.push(error) });
    const told: RunEvent[] = [];
    journal.subscribe(() => {
      throw new Error('display broke');
    });
    journal.subscribe((event) => told.push(event));
    journal.append(fact(1));
    await journal.close();
    expect(errors.map((error) => error.message)).toEqual(['display broke']);
    expect(told).toHaveLength(1);
  });

  it('a disk that fills up in the middle of a line: DISK_FULL for good, and what was durable stays readable', async () => {
    const { open, calls } = watched((call) => (call === 2 ? 40 : call === 3 ? systemError('ENOSPC') : 1e9));
    const errors: MusterError[] = [];
    const journal = openJournal(file, { clock, open, onError: (error) => errors.push(error) });
    const told: number[] = [];
    journal.subscribe((event) => told.push(event.seq));
    journal.append(fact(1));
    await journal.flushed();
    journal.append(fact(2));
    journal.append(fact(3));
    await expect(journal.flushed()).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: expect.stringContaining(file),
    });
    const writes = calls.length;
    journal.append(fact(4));
    await expect(journal.flushed()).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(journal.close()).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(calls).toHaveLength(writes);
    expect(told).toEqual([1, 2, 3]);
    expect(errors).toHaveLength(1);
    const { events, torn } = await readJournal(file);
    expect([events.map((event) => event.seq), torn]).toEqual([[1], true]);
  });

  it('a sync that fails ends the journal: nobody knows what is on disk then', async () => {
    const open = (path: string): JournalFile => ({
      ...openJournalFile(path),
      sync: () => Promise.reject(systemError('EIO')),
    });
    const journal = openJournal(file, { clock, open });
    journal.append(fact(1));
    await expect(journal.flushed()).rejects.toMatchObject({ code: 'JOURNAL_WRITE' });
    await expect(journal.close()).rejects.toMatchObject({ code: 'JOURNAL_WRITE' });
  });

  it.runIf(process.platform === 'linux')('the system’s own full disk is DISK_FULL', async () => {
    const descriptor = openSync('/dev/full', 'w');
    const open = (): JournalFile => ({
      write: async (bytes) => writeSync(descriptor, bytes),
      sync: async () => {},
      close: async () => closeSync(descriptor),
    });
    const journal = openJournal(file, { clock, open });
    journal.append(fact(1));
    await expect(journal.flushed()).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(journal.close()).rejects.toMatchObject({ code: 'DISK_FULL' });
  });

  it('never appends to a journal that exists, unless told to resume it', async () => {
    await openJournal(file, { clock }).close();
    expect(() => openJournal(file, { clock })).toThrow(/exists already/);
    expect(() => openJournal(join(folder, 'missing', 'journal.jsonl'), { clock })).toThrow(/Cannot write the journal/);
  });

  it('a resumed journal cuts the torn line and counts on', async () => {
    const before = openJournal(file, { clock });
    before.append(fact(1));
    before.append(fact(2));
    await before.close();
    await appendFile(file, '{"seq":3,"ti');
    const { events, bytes, torn } = await readJournal(file);
    expect(torn).toBe(true);
    const after = openJournal(file, { clock, resume: { lastSeq: events.length, bytes } });
    await after.flushed();
    after.append(fact(3));
    await after.close();
    const again = await readJournal(file);
    expect([again.events.map((event) => event.seq), again.torn]).toEqual([[1, 2, 3], false]);
  });

  it('a fact after close is reported, never lost in silence', async () => {
    const errors: MusterError[] = [];
    const journal = openJournal(file, { clock, onError: (error) => errors.push(error) });
    await journal.close();
    await journal.close();
    journal.append(fact(1));
    await expect(journal.flushed()).rejects.toMatchObject({ code: 'BUG' });
    expect(errors).toHaveLength(1);
  });
});
