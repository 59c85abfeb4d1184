/** DOCX → paragraphs, tables row by row, and notes, with the sections of its headings. Pictures and macros are not read. */
import mammoth from 'mammoth';
import { ensureError } from '../errors.ts';
import type { ConvertedText } from './converted.ts';
import { type Heading, headingSections } from './heading-sections.ts';
import { broken } from './refusal.ts';
import { boundedParts } from './zip-bounds.ts';

const A_DOCX = 'a DOCX document';
/** Depth of tables in tables and of runs in runs; what is deeper is left out. */
const MAX_DEPTH = 50;

/** What of the library's document tree is read; everything may be absent. */
interface DocxNode {
  readonly type?: string;
  readonly value?: string;
  readonly children?: readonly DocxNode[];
  readonly styleId?: string | null;
  readonly styleName?: string | null;
  readonly numbering?: { readonly isOrdered?: boolean } | null;
  readonly notes?: { readonly _notes?: Readonly<Record<string, { readonly body?: readonly DocxNode[] }>> };
  readonly noteType?: string;
  readonly noteId?: string;
  readonly checked?: boolean;
}

/** @throws MusterError DOCUMENT_BROKEN, DOCUMENT_TOO_LARGE. */
export async function readDocx(path: string, bytes: Buffer): Promise<ConvertedText> {
  const parts = boundedParts(path, A_DOCX, bytes);
  if (!parts.some((part) => part.startsWith('word/'))) throw broken(path, A_DOCX, 'it holds no text of one');
  const root = await treeOf(bytes).catch((thrown: unknown) => {
    const cause = ensureError(thrown);
    throw broken(path, A_DOCX, `it cannot be read: ${cause.message}`, cause);
  });
  const out = new Writer();
  for (const block of root.children ?? []) writeBlock(out, block, 0);
  const notes = Object.values(root.notes?._notes ?? {}).flatMap(({ body }) => body ?? []);
  for (const block of notes) writeBlock(out, block, 0);
  const { text, headings } = out;
  const isEmpty = text.trim() === '';
  return {
    text,
    sections: headingSections(headings, text.length),
    textQuality: isEmpty ? 'no-text' : 'born-digital',
    warnings: isEmpty ? [{ message: 'holds no text (pictures only, or empty): nothing can be quoted from it' }] : [],
  };
}

/** The tree is taken on its way to HTML, and an empty one sent on: neither HTML nor pictures are made. */
async function treeOf(bytes: Buffer): Promise<DocxNode> {
  let root: DocxNode | undefined;
  await mammoth.convertToHtml(
    { buffer: bytes },
    {
      externalFileAccess: false,
      transformDocument: (document: DocxNode) => {
        root = document;
        return { ...document, children: [] };
      },
    },
  );
  if (!root) throw new Error('no document in it');
  return root;
}

class Writer {
  text = '';
  readonly headings: Heading[] = [];

  line(line: string): void {
    this.text += `${line.normalize('NFC')}\n`;
  }
}

function writeBlock(out: Writer, block: DocxNode, depth: number): void {
  if (depth > MAX_DEPTH) return;
  if (block.type === 'table') {
    for (const row of block.children ?? []) writeRow(out, row, depth + 1);
    return;
  }
  if (block.type !== 'paragraph') {
    for (const child of block.children ?? []) writeBlock(out, child, depth + 1);
    return;
  }
  const words = inline(block, 0).trim();
  if (words === '') return;
  const level = headingLevel(block);
  if (level !== undefined) out.headings.push({ level, title: words.replaceAll(/\s+/g, ' '), at: out.text.length });
  out.line(block.numbering && level === undefined ? `- ${words}` : words);
}

/** Cells side by side on one line, so that a row can be quoted as one. */
function writeRow(out: Writer, row: DocxNode, depth: number): void {
  const cells = (row.children ?? []).map((cell) => {
    const inner = new Writer();
    for (const block of cell.children ?? []) writeBlock(inner, block, depth);
    return inner.text.trim().replaceAll(/\s*\n\s*/g, ' ');
  });
  if (cells.some((cell) => cell !== '')) out.line(`| ${cells.join(' | ')} |`);
}

function inline(node: DocxNode, depth: number): string {
  if (depth > MAX_DEPTH) return '';
  switch (node.type) {
    case 'text':
      return node.value ?? '';
    case 'tab':
      return '\t';
    case 'break':
      return '\n';
    case 'checkbox':
      return node.checked ? '[x]' : '[ ]';
    default:
      return (node.children ?? []).map((child) => inline(child, depth + 1)).join('');
  }
}

/** By the style's name, which is English in every Word, or by its id; `Title` is above all. */
function headingLevel({ styleId, styleName }: DocxNode): number | undefined {
  for (const style of [styleName, styleId]) {
    const level = /^heading\s?([1-9])$/i.exec(style ?? '')?.[1];
    if (level !== undefined) return Number(level) + 1;
    if (/^title$/i.test(style ?? '')) return 1;
  }
  return undefined;
}
