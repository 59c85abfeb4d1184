/** Stands in for `node:fs`: descriptors on the simulated disk. A dead process's calls do nothing. */
import { constants } from 'node:fs';
import { promisify } from 'node:util';
import { failure } from '../simulated-disk.ts';
import { universe } from '../universe.ts';

export { constants };

type Done = (error: Error | null, value?: number) => void;

/** Descriptor → path; numbers are never used twice, so that a late close harms nobody. */
const open = new Map<number, string>();
let last = 100;

/** Journal and calls: the disk takes its time to synchronise, so that others go on meanwhile. */
const SYNC_MS = { low: 0, high: 12 };

export function openSync(path: string, flags: string | number): number {
  const { disk, life } = universe();
  if (life.isAlive) {
    if (flags === 'a') disk.create(path, 'a');
    else if (typeof flags === 'number' && flags & constants.O_CREAT) disk.create(path, 'wx');
    else if (!disk.exists(path)) throw failure('ENOENT', 'open', path);
  }
  last += 1;
  open.set(last, path);
  return last;
}

export function closeSync(descriptor: number): void {
  open.delete(descriptor);
}

export function close(descriptor: number, done: Done): void {
  void universe()
    .life.answer(() => closeSync(descriptor))
    .then(() => done(null));
}

export function ftruncateSync(descriptor: number, length: number): void {
  const { disk, life } = universe();
  if (life.isAlive) disk.truncate(open.get(descriptor)!, length);
}

export function fsyncSync(descriptor: number): void {
  const { disk, life } = universe();
  if (life.isAlive) disk.sync(open.get(descriptor)!);
}

export function fdatasync(descriptor: number, done: Done): void {
  const { disk, life, time, random } = universe();
  const path = open.get(descriptor)!;
  void life
    .answer(async () => {
      await time.wait(random.between(SYNC_MS.low, SYNC_MS.high));
      // The process died while it waited: what it had written is not known to be on disk.
      if (life.isAlive) disk.sync(path);
    })
    .then(() => done(null), done);
}

export function write(descriptor: number, bytes: Uint8Array, done: Done): void {
  const { disk, life } = universe();
  void life.answer(() => disk.append(open.get(descriptor)!, bytes)).then((taken) => done(null, taken), done);
}

Object.defineProperty(write, promisify.custom, {
  value: (descriptor: number, bytes: Uint8Array) =>
    universe().life.answer(() => ({
      bytesWritten: universe().disk.append(open.get(descriptor)!, bytes),
      buffer: bytes,
    })),
});

export function writeSync(descriptor: number, bytes: Uint8Array, at = 0): number {
  const { disk, life } = universe();
  return life.isAlive ? disk.append(open.get(descriptor)!, bytes.subarray(at)) : bytes.length - at;
}

export function existsSync(path: string): boolean {
  return universe().disk.exists(path);
}

export function mkdirSync(path: string, options: { readonly recursive?: boolean } = {}): void {
  const { disk, life } = universe();
  if (life.isAlive) disk.makeFolder(path, options.recursive === true);
}

export async function* createReadStream(path: string): AsyncGenerator<Buffer> {
  yield await universe().life.answer(() => Buffer.from(universe().disk.read(path)));
}

export function readFileSync(path: string): Buffer {
  return universe().disk.read(path);
}

export function statSync(path: string): { isFile(): boolean } {
  const isFolder = universe().disk.isFolder(path);
  return { isFile: () => !isFolder };
}

export function createWriteStream(path: string): never {
  throw failure('ENOSYS', 'createWriteStream', path);
}
