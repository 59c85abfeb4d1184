/** Whether what an instance was made from has changed, and which part of it. */
import type { Parts } from './parts.ts';

/** Name of the part → hash of its text. */
export type Fingerprint = Readonly<Record<string, string>>;

export interface PartChange {
  readonly part: string;
  readonly kind: 'changed' | 'added' | 'removed';
}

/** @param hash hex digest of UTF-8 text. */
export function fingerprintOf(parts: Parts, hash: (text: string) => string): Fingerprint {
  return Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, hash(text)]));
}

/** In the order of the names, so that the same change is always told in the same way. */
export function compareFingerprints(before: Fingerprint, after: Fingerprint): readonly PartChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((part): PartChange[] => {
    if (before[part] === after[part]) return [];
    const kind = before[part] === undefined ? 'added' : after[part] === undefined ? 'removed' : 'changed';
    return [{ part, kind }];
  });
}

/** `prompt changed`, `document documents/01-scope.md added`. */
export function changeText({ part, kind }: PartChange): string {
  return `${part} ${kind}`;
}
