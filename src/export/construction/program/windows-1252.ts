/** Text in Windows-1252, the only encoding that XER files have. */

/** What stands from 0x80 to 0x9F; the five places without a character are spaces here. */
const HIGH = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';
const HIGH_FROM = 0x80;
const UNKNOWN = 0x3f;

/** Characters that it lacks lose their accents where that helps, else become "?". */
export function windows1252(text: string): Uint8Array {
  return Uint8Array.from([...text.normalize('NFC')], byteOf);
}

function byteOf(character: string): number {
  const code = character.codePointAt(0)!;
  if (code < HIGH_FROM || (code >= 0xa0 && code <= 0xff)) return code;
  const high = HIGH.indexOf(character);
  if (high >= 0) return HIGH_FROM + high;
  const [plain] = character.normalize('NFKD');
  const without = plain?.codePointAt(0) ?? UNKNOWN;
  return without < HIGH_FROM ? without : UNKNOWN;
}
