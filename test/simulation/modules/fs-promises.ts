/** Stands in for `node:fs/promises`: the calls that production code makes, on the simulated disk. */
import { basename, resolve } from 'node:path';
import { failure } from '../simulated-disk.ts';
import { universe } from '../universe.ts';

export { constants } from 'node:fs';

type Encoding = 'utf8' | undefined | null;

function answer<T>(work: () => T | Promise<T>): Promise<T> {
  return universe().life.answer(work);
}

const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === 'string' ? Buffer.from(data) : data);

export function mkdir(path: string, options: { readonly recursive?: boolean } = {}): Promise<void> {
  return answer(() => universe().disk.makeFolder(path, options.recursive === true));
}

export function readFile(path: string, encoding?: Encoding): Promise<string | Buffer> {
  return answer(() => {
    const bytes = Buffer.from(universe().disk.read(path));
    return encoding === 'utf8' ? bytes.toString('utf8') : bytes;
  });
}

export function writeFile(
  path: string,
  data: string | Uint8Array,
  options: { readonly flag?: 'w' | 'wx' | 'a'; readonly flush?: boolean } = {},
): Promise<void> {
  return answer(() => {
    const { disk } = universe();
    const at = disk.create(path, options.flag ?? 'w');
    writeAll(at, bytesOf(data));
    if (options.flush) disk.sync(at);
  });
}

/** @throws the system's error when the disk takes a part only */
export function writeAll(path: string, bytes: Uint8Array): void {
  const { disk } = universe();
  for (let at = 0; at < bytes.length; ) {
    const taken = disk.append(path, bytes.subarray(at));
    if (taken <= 0) throw failure('ENOSPC', 'write', path);
    at += taken;
  }
}

export function rename(from: string, to: string): Promise<void> {
  return answer(() => universe().disk.rename(from, to));
}

export function link(from: string, to: string): Promise<void> {
  return answer(() => universe().disk.link(from, to));
}

export function rm(path: string, options: { readonly force?: boolean } = {}): Promise<void> {
  return answer(() => universe().disk.remove(path, options.force === true));
}

export function readdir(path: string, options: { readonly withFileTypes?: boolean } = {}): Promise<unknown[]> {
  return answer(() => {
    const { disk } = universe();
    const names = disk.names(path);
    if (!options.withFileTypes) return [...names];
    return names.map((name) => {
      const isFolder = disk.isFolder(`${path}/${name}`);
      return { name, isDirectory: () => isFolder, isFile: () => !isFolder, isSymbolicLink: () => false };
    });
  });
}

export function realpath(path: string): Promise<string> {
  return answer(() => {
    const at = resolve(path);
    if (!universe().disk.exists(at)) throw failure('ENOENT', 'realpath', path);
    return at;
  });
}

export function stat(path: string): Promise<unknown> {
  return answer(() => {
    const { disk } = universe();
    const isFolder = disk.isFolder(path);
    return { size: disk.size(path), isDirectory: () => isFolder, isFile: () => !isFolder };
  });
}

export function access(path: string): Promise<void> {
  return realpath(path).then(() => undefined);
}

export function copyFile(from: string, to: string): Promise<void> {
  return answer(() => {
    const { disk } = universe();
    const bytes = Buffer.from(disk.read(from));
    disk.put(disk.create(to, 'w'), bytes);
  });
}

/** There are no links and no `/proc` here. */
export function readlink(path: string): Promise<string> {
  return answer(() => {
    throw failure('ENOENT', 'readlink', path);
  });
}

export function mkdtemp(prefix: string): Promise<string> {
  return answer(() => {
    const path = `${prefix}${basename(prefix)}`;
    universe().disk.makeFolder(path, true);
    return path;
  });
}

export interface FileHandle {
  read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ buffer: Buffer; bytesRead: number }>;
  writeFile(data: string): Promise<void>;
  appendFile(data: string): Promise<void>;
  sync(): Promise<void>;
  stat(): Promise<{ size: number }>;
  close(): Promise<void>;
}

export function open(path: string, flags: string | number = 'r'): Promise<FileHandle> {
  return answer(() => {
    const { disk } = universe();
    const at = resolve(path);
    if (flags === 'w' || flags === 'wx' || flags === 'a') disk.create(path, flags);
    else if (!disk.exists(at)) throw failure('ENOENT', 'open', path);
    const write = (data: string) => answer(() => writeAll(at, Buffer.from(data)));
    return {
      read: (buffer, offset, length, position) =>
        answer(() => ({ buffer, bytesRead: disk.read(at).copy(buffer, offset, position, position + length) })),
      writeFile: write,
      appendFile: write,
      sync: () => answer(() => disk.sync(at)),
      stat: () => answer(() => ({ size: disk.size(at) })),
      close: () => answer(() => undefined),
    };
  });
}
