/** File names from keys, which may hold any character and have any length. */

/** Longest name without its extension: far below the 255 bytes of the file systems in use. */
const LONGEST = 100;

/** Names that Windows keeps for devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:$|\.)/i;

/**
 * Letters, digits, hyphens and dots of `text`; everything else becomes one hyphen. Never empty, never more than 100
 * characters, never a dot at an end, never the name of a device.
 */
export function fileNameOf(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/-{2,}/g, '-');
  const name = trimmed(trimmed(plain).slice(0, LONGEST));
  if (name === '') return 'x';
  return DEVICE.test(name) ? `x-${name}` : name;
}

function trimmed(name: string): string {
  return name.replace(/^[.-]+|[.-]+$/g, '');
}

/** Gives out names that differ by more than case: `a`, `A-2`, `a-3`. */
export class FileNames {
  readonly #taken = new Set<string>();

  /** @param name made by {@link fileNameOf}. */
  take(name: string): string {
    for (let nth = 1; ; nth += 1) {
      const free = nth === 1 ? name : `${name}-${nth}`;
      if (this.#taken.has(free.toLowerCase())) continue;
      this.#taken.add(free.toLowerCase());
      return free;
    }
  }
}
