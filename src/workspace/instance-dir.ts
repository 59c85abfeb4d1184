/** The folder name of an instance, and back. */

/** `itp-generation[ITP-07]` → `itp-generation.ITP-07`; what is not [A-Za-z0-9._-] becomes %XX of its UTF-8 bytes. */
export function instanceDir(instance: string): string {
  const parts = /^([^[\]]+)\[(.*)\]$/s.exec(instance);
  if (!parts) return encode(instance);
  // An item key of dots only would leave the folder.
  const item = encode(parts[2]!);
  return `${encode(parts[1]!)}.${/^\.*$/.test(item) ? item.replaceAll('.', '%2E') : item}`;
}

/** The inverse of {@link instanceDir}. */
export function instanceOfDir(dir: string): string {
  const [task, ...rest] = dir.split('.');
  const text = (part: string) => decodeURIComponent(part);
  return rest.length === 0 ? text(task!) : `${text(task!)}[${text(rest.join('.'))}]`;
}

function encode(part: string): string {
  return Array.from(new TextEncoder().encode(part), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}
