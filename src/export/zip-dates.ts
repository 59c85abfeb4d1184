/** Takes the time of writing out of a ZIP archive, so that equal content is equal bytes. */

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
/** 1 January 1980, the first day that the format knows. */
const FIRST_DAY = 0x0021;
const END_BYTES = 22;

/**
 * Sets every date of the archive to 1 January 1980, in place.
 * @throws RangeError when the bytes are no archive.
 */
export function withoutZipDates(archive: Uint8Array): Uint8Array {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  let end = archive.byteLength - END_BYTES;
  while (end >= 0 && view.getUint32(end, true) !== END) end -= 1;
  if (end < 0) throw new RangeError('expected a ZIP archive, got bytes without its end record');
  const entries = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  for (let nth = 0; nth < entries; nth += 1) {
    if (view.getUint32(at, true) !== ENTRY)
      throw new RangeError(`expected entry ${nth} of a ZIP archive at byte ${at}`);
    setDate(view, at + 12);
    const local = view.getUint32(at + 42, true);
    if (view.getUint32(local, true) !== LOCAL) throw new RangeError(`expected a ZIP entry's header at byte ${local}`);
    setDate(view, local + 10);
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return archive;
}

function setDate(view: DataView, at: number): void {
  view.setUint16(at, 0, true);
  view.setUint16(at + 2, FIRST_DAY, true);
}
