import { chmod, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MusterError } from '../../src/errors.ts';
import type { LogFile } from '../../src/logs/batched-file.ts';
import { openSessionLog, type SessionLogOptions } from '../../src/logs/session-log.ts';

/** Time moves only when told to. */
class ManualClock {
  #now = Date.parse('2025-11-03T14:30:22.000Z');
  #timers: { at: number; run: () => void }[] = [];
  now = () => this.#now;
  after = (delayMs: number, run: () => void) => {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  };
  pass(ms: number) {
    this.#now += ms;
    const due = this.#timers.filter((timer) => timer.at <= this.#now);
    this.#timers = this.#timers.filter((timer) => timer.at > this.#now);
    for (const timer of due) timer.run();
  }
}

let dir: string;
let clock: ManualClock;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-log-'));
  clock = new ManualClock();
  return () => rm(dir, { recursive: true, force: true });
});

const start = (options: Partial<SessionLogOptions> = {}) =>
  openSessionLog(join(dir, 'itp-generation.ITP-07'), {
    clock,
    taskName: 'itp-generation',
    sessionId: '20251103-143022-abc123',
    apiSessionId: 'ses_xyz789',
    attempt: 1,
    ...options,
  });
const file = (name: string) => join(dir, 'itp-generation.ITP-07', name);
const lines = async () =>
  (await readFile(file('attempt-1.events.jsonl'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** A real file that counts its batches; `gate` holds each back. */
function counted(gate: () => Promise<void> = async () => {}) {
  const batches: string[] = [];
  let written: (() => void) | undefined;
  const openCounted = async (path: string): Promise<LogFile> => {
    const real = await open(path, 'a');
    return {
      appendFile: async (text) => {
        batches.push(String(text));
        await gate();
        await real.appendFile(text);
        written?.();
      },
      close: () => real.close(),
    };
  };
  const nextBatch = () => new Promise<void>((resolve) => (written = resolve));
  return { batches, open: openCounted, nextBatch };
}

const tool = (callID: string, status: string, time?: { start: number; end?: number }) => ({
  sessionID: 'ses_xyz789',
  part: { type: 'tool', tool: 'muster_submit', callID, state: { status, input: {}, ...(time ? { time } : {}) } },
});

describe('the log of an attempt', () => {
  it('keeps every event as a line and ends with the record of the attempt', async () => {
    const log = start();
    log.event('session.status', { sessionID: 'ses_xyz789', status: { type: 'busy' } });
    clock.pass(1000);
    log.event('message.part.delta', { delta: 'hmm ü' });
    log.event('server.heartbeat', {});
    clock.pass(299_000);
    const record = await log.close('completed');
    log.event('session.idle', {});
    expect(await lines()).toEqual([
      {
        timestamp: 1762180222000,
        type: 'session.status',
        data: { sessionID: 'ses_xyz789', status: { type: 'busy' } },
      },
      { timestamp: 1762180223000, type: 'message.part.delta', data: { delta: 'hmm ü' } },
    ]);
    expect(record).toEqual({
      taskName: 'itp-generation',
      sessionId: '20251103-143022-abc123',
      apiSessionId: 'ses_xyz789',
      attempt: 1,
      startTime: 1762180222000,
      endTime: 1762180522000,
      duration: 300_000,
      status: 'completed',
      toolCalls: [],
      eventCount: 2,
      events: 'attempt-1.events.jsonl',
    });
    expect(JSON.parse(await readFile(file('attempt-1.record.json'), 'utf8'))).toEqual(record);
    expect(await log.close('failed')).toBe(record);
    expect((await readdir(join(dir, 'itp-generation.ITP-07'))).sort()).toEqual([
      'attempt-1.events.jsonl',
      'attempt-1.record.json',
    ]);
  });

  it('leaves an empty event file and a record for a session without events', async () => {
    expect(await start().close('cancelled')).toMatchObject({ eventCount: 0, status: 'cancelled' });
    expect(await lines()).toEqual([]);
  });

  it('follows each tool call through its states, with the server’s times', async () => {
    const log = start();
    const seen = (data: unknown) => log.event('message.part.updated', data);
    seen(tool('a', 'pending'));
    clock.pass(10);
    seen(tool('a', 'running', { start: 5_000 }));
    seen(tool('a', 'running', { start: 5_000 }));
    seen(tool('b', 'pending'));
    clock.pass(10);
    seen(tool('a', 'completed', { start: 5_000, end: 5_083 }));
    seen(tool('a', 'running', { start: 5_000 }));
    seen(tool('c', 'error'));
    seen({ part: { type: 'text', text: 'x' } });
    seen({ part: { type: 'tool', tool: 'x' } });
    seen(null);
    const base = 1762180222000;
    expect((await log.close('failed')).toolCalls).toEqual([
      {
        name: 'muster_submit',
        callID: 'a',
        status: 'completed',
        transitions: [
          { status: 'pending', at: base },
          { status: 'running', at: base + 10 },
          { status: 'completed', at: base + 20 },
        ],
        startTime: 5_000,
        endTime: 5_083,
        duration: 83,
      },
      { name: 'muster_submit', callID: 'b', status: 'pending', transitions: [{ status: 'pending', at: base + 10 }] },
      {
        name: 'muster_submit',
        callID: 'c',
        status: 'error',
        transitions: [{ status: 'error', at: base + 20 }],
        startTime: base + 20,
        endTime: base + 20,
        duration: 0,
      },
    ]);
  });

  it('writes in batches: half a second after the first line, or at once when there is much', async () => {
    const { batches, open, nextBatch } = counted();
    const log = start({ open, flushBytes: 10_000 });
    for (let at = 0; at < 20; at += 1) log.event('message.part.delta', { at });
    clock.pass(499);
    expect(batches).toHaveLength(0);
    let written = nextBatch();
    clock.pass(1);
    await written;
    expect(batches).toHaveLength(1);
    written = nextBatch();
    for (let at = 0; at < 200; at += 1) log.event('message.part.delta', { at });
    await written;
    await log.close('completed');
    expect(batches.length).toBeLessThanOrEqual(3);
    expect(await lines()).toHaveLength(220);
  });

  it('loses events rather than memory when the disk is too slow, and says how many, in place and in the record', async () => {
    let openGate = () => {};
    const gate = new Promise<void>((resolve) => (openGate = resolve));
    const { open, nextBatch } = counted(() => gate);
    const errors: MusterError[] = [];
    const log = start({ open, flushBytes: 1_000, maxBytes: 3_000, onError: (error) => errors.push(error) });
    const written = nextBatch();
    for (let at = 0; at < 100; at += 1) log.event('message.part.delta', { at });
    openGate();
    await written;
    await new Promise((resolve) => setImmediate(resolve));
    log.event('session.idle', {});
    const record = await log.close('completed');
    const all = await lines();
    const notes = all.filter((line) => line.type === 'muster.events-lost');
    const lost = notes.reduce((sum, note) => sum + note.data.events, 0);
    expect(lost).toBeGreaterThan(0);
    expect(all.length - notes.length + lost).toBe(101);
    expect(all.at(-1).type).toBe('session.idle');
    expect(record).toMatchObject({ eventCount: 101, lostEvents: lost });
    expect(errors).toEqual([]);
  });

  it('tells a full disk once, counts what is lost, and still writes the record', async () => {
    const errors: MusterError[] = [];
    const full = async (): Promise<LogFile> => ({
      appendFile: () => Promise.reject(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })),
      close: async () => {},
    });
    const log = start({ open: full, flushBytes: 1, onError: (error) => errors.push(error) });
    log.event('a', {});
    await new Promise((resolve) => setImmediate(resolve));
    log.event('b', {});
    expect(await log.close('failed')).toMatchObject({ eventCount: 2, lostEvents: 2 });
    expect(errors.map((error) => error.code)).toEqual(['DISK_FULL']);
  });

  it.runIf(process.platform === 'linux')('the system’s own full disk is told too', async () => {
    const errors: MusterError[] = [];
    const log = start({ open: () => open('/dev/full', 'a'), onError: (error) => errors.push(error) });
    log.event('a', {});
    expect(await log.close('failed')).toMatchObject({ lostEvents: 1 });
    expect(errors.map((error) => error.code)).toEqual(['DISK_FULL']);
  });

  it('rejects at the end when the record cannot be written', async () => {
    await writeFile(join(dir, 'itp-generation.ITP-07'), 'a file where the folder belongs');
    const errors: MusterError[] = [];
    const log = start({ onError: (error) => errors.push(error) });
    log.event('a', {});
    await expect(log.close('completed')).rejects.toMatchObject({ code: 'FOLDER_NOT_WRITABLE' });
    expect(errors.map((error) => error.code)).toEqual(['FOLDER_NOT_WRITABLE']);
    await chmod(dir, 0o755);
  });

  it('redacts secrets in events', async () => {
    const log = start({ secrets: ['tr0ub4dor'] });
    log.event('message.part.updated', {
      part: { text: 'curl http://opencode:hunter2-S3cr3t@127.0.0.1/ -d tr0ub4dor' },
      headers: { authorization: 'Bearer abcdef0123456789' },
    });
    await log.close('completed');
    const text = await readFile(file('attempt-1.events.jsonl'), 'utf8');
    for (const secret of ['hunter2', 'tr0ub4dor', 'abcdef0123456789']) expect(text).not.toContain(secret);
  });
});
