/**
 * A file system in memory, with what matters of a real one: what was written survives the death of the process, what was
 * synchronised survives the loss of power, a full disk takes a part of what it is given.
 *
 * Owns the files and folders. Does not own who may still use them (process-life.ts). Folders, names and renames are
 * durable at once.
 */
import { dirname, resolve as resolvePath } from 'node:path';

interface StoredFile {
  kind: 'file';
  bytes: Buffer;
  length: number;
  syncedLength: number;
}

type Entry = StoredFile | { readonly kind: 'folder' };

/** Hears and decides about what is appended to files. */
export interface DiskWatch {
  /** How many of `bytes` are taken; throws the system's error when none can be. */
  takes(path: string, bytes: Uint8Array): number;
  /** They stand in the file. May end the process. */
  onWritten(path: string): void;
  /** Everything written to `path` so far is on disk. */
  onSync(path: string): void;
}

export class SimulatedDisk {
  readonly #entries = new Map<string, Entry>([['/', { kind: 'folder' }]]);
  readonly #children = new Map<string, Set<string>>([['/', new Set()]]);
  watch: DiskWatch = { takes: (_, bytes) => bytes.length, onWritten: () => {}, onSync: () => {} };

  exists(path: string): boolean {
    return this.#entries.has(resolve(path));
  }

  isFolder(path: string): boolean {
    return this.#entry(path).kind === 'folder';
  }

  size(path: string): number {
    const entry = this.#entry(path);
    return entry.kind === 'file' ? entry.length : 0;
  }

  makeFolder(path: string, isDeep: boolean): void {
    const at = resolve(path);
    const known = this.#entries.get(at);
    if (known) {
      if (known.kind === 'folder' && isDeep) return;
      throw failure('EEXIST', 'mkdir', path);
    }
    if (!this.#entries.has(dirname(at))) {
      if (!isDeep) throw failure('ENOENT', 'mkdir', path);
      this.makeFolder(dirname(at), true);
    }
    this.#put(at, { kind: 'folder' });
    this.#children.set(at, new Set());
  }

  names(path: string): readonly string[] {
    const at = resolve(path);
    if (this.#entry(path).kind !== 'folder') throw failure('ENOTDIR', 'scandir', path);
    return [...this.#children.get(at)!].sort();
  }

  read(path: string): Buffer {
    const entry = this.#entry(path);
    if (entry.kind === 'folder') throw failure('EISDIR', 'read', path);
    return entry.bytes.subarray(0, entry.length);
  }

  /** What would be left of the file if the power failed now. */
  readDurable(path: string): Buffer {
    const entry = this.#entry(path);
    return entry.kind === 'file' ? entry.bytes.subarray(0, entry.syncedLength) : Buffer.alloc(0);
  }

  /** Opens for writing; `flags` as of the platform: `w`, `wx`, `a`. */
  create(path: string, flags: 'w' | 'wx' | 'a'): string {
    const at = resolve(path);
    const known = this.#entries.get(at);
    if (known?.kind === 'folder') throw failure('EISDIR', 'open', path);
    if (known && flags === 'wx') throw failure('EEXIST', 'open', path);
    if (!this.#entries.has(dirname(at))) throw failure('ENOENT', 'open', path);
    if (!known) this.#put(at, { kind: 'file', bytes: Buffer.alloc(0), length: 0, syncedLength: 0 });
    else if (flags === 'w') this.truncate(path, 0);
    return at;
  }

  /** Appends what the disk takes of `bytes`, and tells how many. */
  append(path: string, bytes: Uint8Array): number {
    const taken = this.watch.takes(resolve(path), bytes);
    this.put(path, bytes.subarray(0, taken));
    this.watch.onWritten(resolve(path));
    return taken;
  }

  /** Appends without asking anybody: what an outside program writes. */
  put(path: string, bytes: Uint8Array): void {
    const entry = this.#file(path);
    const length = entry.length + bytes.length;
    if (length > entry.bytes.length) {
      const grown = Buffer.alloc(Math.max(256, length * 2));
      entry.bytes.copy(grown, 0, 0, entry.length);
      entry.bytes = grown;
    }
    entry.bytes.set(bytes, entry.length);
    entry.length = length;
  }

  /** A whole file from outside, on disk at once. */
  place(path: string, text: string): void {
    this.put(this.create(path, 'w'), Buffer.from(text));
    const entry = this.#file(path);
    entry.syncedLength = entry.length;
  }

  truncate(path: string, length: number): void {
    const entry = this.#file(path);
    entry.length = Math.min(entry.length, length);
    entry.syncedLength = Math.min(entry.syncedLength, length);
  }

  sync(path: string): void {
    const entry = this.#entries.get(resolve(path));
    if (entry?.kind !== 'file') return;
    entry.syncedLength = entry.length;
    this.watch.onSync(resolve(path));
  }

  rename(from: string, to: string): void {
    const entry = this.#file(from);
    this.#drop(resolve(from));
    this.#put(resolve(to), entry);
  }

  link(from: string, to: string): void {
    if (this.#entries.has(resolve(to))) throw failure('EEXIST', 'link', to);
    this.#put(resolve(to), this.#file(from));
  }

  remove(path: string, isForced: boolean): void {
    const at = resolve(path);
    if (!this.#entries.has(at)) {
      if (isForced) return;
      throw failure('ENOENT', 'rm', path);
    }
    for (const name of this.#children.get(at) ?? []) this.remove(`${at}/${name}`, true);
    this.#drop(at);
  }

  /** The power fails: of each file only what was synchronised is left, and of the rest as much as `keep` says. */
  losePower(keep: (lostBytes: number) => number): void {
    for (const entry of this.#entries.values()) {
      if (entry.kind !== 'file' || entry.length === entry.syncedLength) continue;
      entry.length = entry.syncedLength + keep(entry.length - entry.syncedLength);
    }
  }

  #entry(path: string): Entry {
    const entry = this.#entries.get(resolve(path));
    if (entry === undefined) throw failure('ENOENT', 'open', path);
    return entry;
  }

  #file(path: string): StoredFile {
    const entry = this.#entry(path);
    if (entry.kind === 'folder') throw failure('EISDIR', 'open', path);
    return entry;
  }

  #put(at: string, entry: Entry): void {
    this.#entries.set(at, entry);
    const slash = at.lastIndexOf('/');
    this.#children.get(slash === 0 ? '/' : at.slice(0, slash))?.add(at.slice(slash + 1));
  }

  #drop(at: string): void {
    this.#entries.delete(at);
    this.#children.delete(at);
    const slash = at.lastIndexOf('/');
    this.#children.get(slash === 0 ? '/' : at.slice(0, slash))?.delete(at.slice(slash + 1));
  }
}

/** Most paths come absolute and plain. */
function resolve(path: string): string {
  return path.startsWith('/') && !path.includes('/.') && !path.includes('//') ? path : resolvePath(path);
}

/** As the platform reports it. */
export function failure(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path });
}
