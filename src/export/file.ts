/** A file that an export makes; nothing here touches a disk. */
export interface ExportFile {
  /** Relative to the output folder, with forward slashes; each part is safe on every file system. */
  readonly path: string;
  /** Text is written as UTF-8. */
  readonly content: string | Uint8Array;
  /** For people: what it holds. */
  readonly what: string;
}
