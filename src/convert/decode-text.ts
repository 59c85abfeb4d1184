/** Bytes of a text file as text: by its byte order mark, else UTF-16 by its shape, else UTF-8, else Windows-1252. */

export interface DecodedText {
  /** NFC, lines ended by `\n`, without a byte order mark. */
  readonly text: string;
  /** Whether a reader that expects UTF-8 reads the same. */
  readonly isUtf8: boolean;
}

/** Undefined when the bytes are no text: they hold NUL characters in any of the encodings. */
export function decodeText(bytes: Uint8Array): DecodedText | undefined {
  const encoding = encodingOf(bytes);
  const text = encoding === 'windows-1252' ? windows1252(bytes) : new TextDecoder(encoding).decode(bytes);
  if (text.includes('\0')) return undefined;
  return { text: text.replaceAll(/\r\n?/g, '\n').normalize('NFC'), isUtf8: encoding === 'utf-8' };
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const unmarked = utf16Without(bytes.subarray(0, 4_096));
  if (unmarked) return unmarked;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return 'utf-8';
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    return 'windows-1252';
  }
}

/** Latin text in UTF-16 has a zero in nearly every second byte, and none in the others. */
function utf16Without(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const zeros = [0, 0];
  for (const [i, byte] of bytes.entries()) if (byte === 0) zeros[i % 2]!++;
  const [even, odd] = zeros as [number, number];
  const half = bytes.length / 2;
  if (bytes.length < 8) return undefined;
  if (even === 0 && odd > half * 0.4) return 'utf-16le';
  return odd === 0 && even > half * 0.4 ? 'utf-16be' : undefined;
}

/** Bytes 0x80 to 0x9f; the five that mean nothing stay the control characters they are. */
const FROM_80 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** Node 20 decodes this encoding as Latin 1, in which dashes and quotation marks become control characters. */
function windows1252(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replaceAll(/[\u0080-\u009f]/g, (character) => FROM_80[character.charCodeAt(0) - 0x80]!);
}
