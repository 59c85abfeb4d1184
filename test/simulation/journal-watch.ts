/**
 * Stands between muster and the disk: lets the process die at a chosen line of the journal, fills the disk, tells the
 * observer what was written.
 */
import type { Faults } from './faults.ts';
import { type DiskWatch, failure, type SimulatedDisk } from './simulated-disk.ts';

export interface JournalWatchPorts {
  readonly disk: SimulatedDisk;
  readonly faults: Faults;
  /** Ends the process now, or everything on the machine. */
  readonly kill: (byPowerLoss: boolean) => void;
  readonly onBytes: (path: string) => void;
  readonly onDurable: (path: string) => void;
  /** Lines of the journal so far. */
  readonly lines: () => number;
}

const JOURNAL = '/journal.jsonl';

export class JournalWatch implements DiskWatch {
  readonly #ports: JournalWatchPorts;
  #path: string | undefined;
  #killBehind: { readonly line: number; readonly torn: number } | undefined;
  /** The disk has no room, for as long as the process lives. */
  #isFull = false;
  #isDying: string | undefined;

  constructor(ports: JournalWatchPorts) {
    this.#ports = ports;
  }

  /** The process dies when the journal has this line, and `torn` characters of the next one. */
  killBehind(line: number, torn: number): void {
    this.#killBehind = { line, torn };
  }

  processEnded(): void {
    this.#killBehind = undefined;
    this.#isFull = false;
  }

  /** Whether there is a run that could be gone on with: its first line is whole. */
  hasRun(): boolean {
    const { disk } = this.#ports;
    return this.#path !== undefined && disk.exists(this.#path) && disk.read(this.#path).includes(10);
  }

  takes(path: string, bytes: Uint8Array): number {
    if (path.endsWith('.calls.jsonl')) return this.#callsTake(path, bytes);
    if (!path.endsWith(JOURNAL)) return bytes.length;
    this.#path = path;
    if (this.#isFull || this.#ports.faults.strikes('journal-full', path)) {
      this.#isFull = true;
      throw failure('ENOSPC', 'write', path);
    }
    if (!this.#killBehind) return bytes.length;
    const { line, torn } = this.#killBehind;
    const ends = endsOf(bytes);
    const nth = line - this.#ports.lines();
    if (nth < 0 || nth > ends.length) return bytes.length;
    const whole = nth === 0 ? 0 : ends[nth - 1]!;
    const next = ends[nth] === undefined ? 0 : Math.min(torn, ends[nth] - whole - 1);
    this.#isDying = `behind line ${line}, ${next} characters of the next`;
    return whole + next;
  }

  onWritten(path: string): void {
    if (!path.endsWith(JOURNAL)) return;
    const { faults, kill, onBytes } = this.#ports;
    onBytes(path);
    if (this.#isDying === undefined) return;
    faults.strike('kill-at-line', this.#isDying);
    this.#isDying = undefined;
    this.#killBehind = undefined;
    kill(faults.strikes('power-loss', 'with the death at a line'));
  }

  onSync(path: string): void {
    if (path.endsWith(JOURNAL)) this.#ports.onDurable(path);
  }

  #callsTake(path: string, bytes: Uint8Array): number {
    const instance = path
      .split('/')
      .at(-2)!
      .replace(/\.([^.]+)$/, '[$1]');
    if (this.#ports.faults.strikes('calls-full', instance, instance)) throw failure('ENOSPC', 'write', path);
    return bytes.length;
  }
}

/** Where each line in `bytes` ends. */
function endsOf(bytes: Uint8Array): readonly number[] {
  const ends: number[] = [];
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) ends.push(at + 1);
  return ends;
}
