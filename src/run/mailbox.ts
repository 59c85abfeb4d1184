/**
 * How a person's decision reaches a run: a file in its folder `decisions`, put there whole by `muster release` or
 * `muster reject`, taken by the process that runs the run, now or when it is resumed.
 *
 * Owns: the folder, and looking into it every {@link LOOK_MS}. Does not own: what a decision does (machines/hold.ts).
 * Invariants: a file is seen whole or not at all (written beside, then renamed); a decision is passed on only for a point
 * that is open, once; a file goes away only after the journal holds what was decided, so that a death in between loses
 * nothing (J1); a file that is no decision is set aside with a reason, never tried again.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RunEvent } from '../../schemas/run-event.ts';
import { ensureError, systemCode } from '../errors.ts';
import { folderFailure } from '../journal/run-folder.ts';
import { foldHolds, type HoldDecision, type Holds, openHolds } from '../policy/holds.ts';
import type { Clock } from '../ports.ts';

/** Between two looks into the folder. */
export const LOOK_MS = 500;
/** A decision is a few words; anything longer is none. */
const MAX_BYTES = 16_384;

const decisionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    point: z.string().min(1).max(1_000),
    kind: z.literal('released'),
    by: z.string().min(1).max(200),
    reason: z.string().max(4_000).optional(),
  }),
  z.strictObject({
    point: z.string().min(1).max(1_000),
    kind: z.literal('rejected'),
    by: z.string().min(1).max(200),
    reason: z.string().min(1).max(4_000),
  }),
]);

/** What a person decided at a point. */
export type PersonDecision = z.infer<typeof decisionSchema>;

/** Puts a decision into the run's folder. @throws MusterError FOLDER_NOT_WRITABLE, DISK_FULL */
export async function putDecision(folder: string, decision: PersonDecision): Promise<void> {
  const name = `${Date.now().toString().padStart(15, '0')}-${randomBytes(6).toString('hex')}`;
  const beside = join(folder, `.${name}.part`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(beside, `${JSON.stringify(decision)}\n`, { flag: 'wx' });
    await rename(beside, join(folder, `${name}.json`));
  } catch (thrown) {
    throw folderFailure(folder, thrown);
  }
}

export interface MailboxPorts {
  readonly folder: string;
  readonly clock: Clock;
  /** A decision for a point that is open in this process. */
  readonly decide: (point: string, decision: Exclude<HoldDecision, { kind: 'expired' }>) => void;
  /** Resolves when everything appended to the journal is on disk. */
  readonly flushed: () => Promise<void>;
  readonly onFault: (error: Error) => void;
}

export class Mailbox {
  readonly #ports: MailboxPorts;
  #holds: Holds = new Map();
  /** Files whose decision was passed on, until the journal holds it: point → file. */
  readonly #passed = new Map<string, string>();
  #cancelLook = (): void => {};
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(ports: MailboxPorts) {
    this.#ports = ports;
  }

  /** Hears the facts of this process; a point that opens is looked after at once. */
  hear(event: RunEvent): void {
    this.#holds = foldHolds(this.#holds, event);
    if (event.type === 'hold.opened') this.#arm(0);
  }

  /** Looks now; for tests, and for a last look. */
  async look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#take()).catch(this.#ports.onFault);
    await this.#looking;
  }

  /** Ends the looking; what was not taken stays for a resume. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelLook();
    await this.#looking;
  }

  #arm(delayMs: number): void {
    this.#cancelLook();
    if (this.#isClosed) return;
    this.#cancelLook = this.#ports.clock.after(delayMs, () => {
      void this.look().then(() => {
        // With nothing open, nobody has to be asked for anything.
        if (openHolds(this.#holds).length > 0 || this.#passed.size > 0) this.#arm(LOOK_MS);
      });
    });
  }

  async #take(): Promise<void> {
    for (const name of await this.#names()) {
      if (this.#isClosed) return;
      const path = join(this.#ports.folder, name);
      if ([...this.#passed.values()].includes(path)) continue;
      const decision = await this.#read(path);
      const hold = decision && this.#holds.get(decision.point);
      if (!decision || !hold) continue;
      // Decided already, by an earlier file or by its time: this one came too late.
      if (hold.decision) {
        await rename(path, `${path}.late`);
        continue;
      }
      if (this.#passed.has(decision.point)) continue;
      this.#passed.set(decision.point, path);
      const { point, ...rest } = decision;
      this.#ports.decide(point, personDecision(rest));
    }
    await this.#clear();
  }

  /** Puts away the files whose decision is on record. */
  async #clear(): Promise<void> {
    if (this.#passed.size === 0) return;
    await this.#ports.flushed();
    for (const [point, path] of this.#passed) {
      const hold = this.#holds.get(point);
      if (hold && !hold.decision) continue;
      this.#passed.delete(point);
      await rm(path, { force: true });
    }
  }

  async #names(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.#ports.folder);
      return names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
    } catch (thrown) {
      const error = ensureError(thrown);
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** Undefined for what is no decision; it is set aside, so that it is told once. */
  async #read(path: string): Promise<PersonDecision | undefined> {
    const { size } = await stat(path);
    const text = size > MAX_BYTES ? '' : await readFile(path, 'utf8');
    const parsed = decisionSchema.safeParse(json(text));
    if (parsed.success) return parsed.data;
    await rename(path, `${path}.refused`);
    this.#ports.onFault(new Error(`expected a decision in ${path}, got something else; it was set aside as .refused`));
    return undefined;
  }
}

function personDecision(decision: Omit<PersonDecision, 'point'>): Exclude<HoldDecision, { kind: 'expired' }> {
  if (decision.kind === 'rejected') return { kind: 'rejected', by: decision.by, reason: decision.reason ?? '' };
  const { by, reason } = decision;
  return { kind: 'released', by, ...(reason !== undefined && { reason }) };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    ensureError(thrown);
    return undefined;
  }
}
