/** What a document becomes by conversion. */
import type { Section, SourceText } from '../output/source-text.ts';

export interface DocumentWarning {
  readonly message: string;
  /** Pages that it concerns, counted from 1. */
  readonly pages?: readonly number[];
}

export type TextQuality = 'born-digital' | 'ocr-good' | 'ocr-poor' | 'no-text';

/** What a reader of one kind of file gives; where the agent reads it is decided after. */
export interface ConvertedText {
  readonly text: string;
  readonly sections: readonly Section[];
  readonly textQuality: TextQuality;
  readonly pageCount?: number;
  readonly warnings: readonly DocumentWarning[];
}

export interface ConvertedDocument extends SourceText, Omit<ConvertedText, 'text' | 'sections'> {
  /** What the agent reads in place of the document, at `readAs`; absent when it reads the document itself. */
  readonly form?: string;
}

/** A document as it was found: its path among the sources, and the file. */
export interface DocumentFile {
  readonly path: string;
  /** Absolute path of the original. */
  readonly original: string;
}
