/** Looks into a ZIP container before a library unpacks it: what it holds, and that it does not unpack to gigabytes. */
import { inflateRawSync } from 'node:zlib';
import { ensureError, systemCode } from '../errors.ts';
import { broken, MAX_UNPACKED_BYTES, megabytes, tooLarge } from './refusal.ts';

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_COMMENT = 65_535;
const MAX_ENTRIES = 20_000;
/** Pictures and fonts are never unpacked by the readers; everything else may be. */
const NEVER_READ = /\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|odttf|ttf|bin|wdp|webp)$/i;

/**
 * Names of the parts. Sizes in the directory may lie, so each part is unpacked here once, up to the bound.
 * @throws MusterError DOCUMENT_BROKEN, DOCUMENT_TOO_LARGE beyond {@link MAX_UNPACKED_BYTES}.
 */
export function boundedParts(path: string, expected: string, bytes: Buffer): readonly string[] {
  const bad = (got: string, cause?: unknown) => broken(path, expected, got, cause);
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || end + 22 > bytes.length || bytes.length - end > MAX_COMMENT + 22 || bytes.readUInt32LE(end) !== END) {
    throw bad('it is no ZIP container, or its end is missing');
  }
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  if (count > MAX_ENTRIES) throw tooLarge(path, `at most ${MAX_ENTRIES} parts`, `${count}`);
  const names: string[] = [];
  let left = MAX_UNPACKED_BYTES;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== ENTRY) throw bad('its directory is damaged');
    const method = bytes.readUInt16LE(at + 10);
    const packed = bytes.readUInt32LE(at + 20);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    const local = bytes.readUInt32LE(at + 42);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength!);
    names.push(name);
    at += 46 + nameLength! + extraLength! + commentLength!;
    if (NEVER_READ.test(name)) continue;
    if (local + 30 > bytes.length || bytes.readUInt32LE(local) !== LOCAL) throw bad(`its part ${name} is damaged`);
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    left -= method === 0 ? packed : unpackedLength(bytes.subarray(from, from + packed), left, name);
    if (left < 0) throw tooMuch();
  }
  return names;

  function unpackedLength(part: Buffer, limit: number, name: string): number {
    try {
      return inflateRawSync(part, { maxOutputLength: Math.max(1, limit) }).length;
    } catch (thrown) {
      const cause = ensureError(thrown);
      if (systemCode(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooMuch();
      throw bad(`its part ${name} cannot be unpacked`, cause);
    }
  }

  function tooMuch() {
    return tooLarge(path, `parts that unpack to at most ${megabytes(MAX_UNPACKED_BYTES)}`, 'more than that');
  }
}
