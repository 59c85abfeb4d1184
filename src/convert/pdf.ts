/** PDF → its text by page. Only text is asked for: no script, form or link of the document is followed. */
import { getDocumentProxy, getResolvedPDFJS } from 'unpdf';
import { ensureError, MusterError } from '../errors.ts';
import type { Section } from '../output/source-text.ts';
import type { ConvertedText, DocumentWarning, TextQuality } from './converted.ts';
import { broken, encrypted, MAX_TEXT_LENGTH, tooLarge } from './refusal.ts';

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;
type Page = Awaited<ReturnType<Pdf['getPage']>>;

const A_PDF = 'a PDF';
const MAX_PAGES = 5_000;
/** Characters below which a page counts as having no text: a stamp or a page number on a picture is not its text. */
const MIN_CHARACTERS = 10;
/** Pages with text that are looked at for the layer that text recognition leaves behind a picture. */
const PAGES_SAMPLED = 3;
/** Text rendering mode of words that are there to be found, not to be seen. */
const INVISIBLE = 3;
/** Programs that write nothing but pictures with recognised text. */
const RECOGNISERS = /\b(?:OCR\w*|Tesseract|ABBYY|FineReader|Paper Capture|OmniPage|ScanSoft|Readiris|Kofax)\b/i;
/** Share of words that are no words, from which recognised text counts as poor. */
const POOR_SHARE = 0.15;

/** @throws MusterError DOCUMENT_ENCRYPTED, DOCUMENT_BROKEN, DOCUMENT_TOO_LARGE above 5,000 pages or 20 million characters. */
export async function readPdf(path: string, bytes: Buffer): Promise<ConvertedText> {
  if (!bytes.subarray(0, 1_024).includes('%PDF-')) throw broken(path, A_PDF, 'it does not begin like one');
  // The library takes the buffer for itself.
  const pdf = await getDocumentProxy(new Uint8Array(bytes), { isEvalSupported: false, verbosity: 0 }).catch(
    (thrown: unknown) => {
      throw refusal(path, ensureError(thrown));
    },
  );
  try {
    return await readPages(path, pdf);
  } catch (thrown) {
    throw refusal(path, ensureError(thrown));
  } finally {
    await pdf.destroy();
  }
}

async function readPages(path: string, pdf: Pdf): Promise<ConvertedText> {
  const { numPages } = pdf;
  if (numPages > MAX_PAGES) throw tooLarge(path, `at most ${MAX_PAGES} pages`, `${numPages}`);
  const sections: Section[] = [];
  const without: number[] = [];
  const sampled = [await isByRecogniser(pdf)];
  let text = '';
  for (let number = 1; number <= numPages; number++) {
    const page = await pdf.getPage(number);
    const words = await pageText(page);
    const hasText = words.replaceAll(/\s/g, '').length >= MIN_CHARACTERS;
    if (!hasText) without.push(number);
    else if (sampled.length <= PAGES_SAMPLED) sampled.push(await isInvisible(page));
    page.cleanup();
    const from = text.length;
    text += `${words}\n`;
    if (text.length > MAX_TEXT_LENGTH) throw tooLarge(path, `at most ${MAX_TEXT_LENGTH} characters of text`, 'more');
    sections.push({ kind: 'page', locator: `p. ${number}`, path: [], from, to: text.length });
  }
  return {
    text: without.length === numPages ? '' : text,
    sections: without.length === numPages ? sections.map((page) => ({ ...page, from: 0, to: 0 })) : sections,
    textQuality: qualityOf(text, without.length === numPages, sampled.includes(true)),
    pageCount: numPages,
    warnings: warningsOf(without, numPages),
  };
}

async function pageText(page: Page): Promise<string> {
  const { items } = await page.getTextContent();
  let text = '';
  for (const item of items) if ('str' in item) text += item.str + (item.hasEOL ? '\n' : '');
  return text.replaceAll(/\r\n?/g, '\n').replaceAll('\0', '').normalize('NFC');
}

/** Text recognition writes its words invisibly under or over the picture of the page. */
async function isInvisible(page: Page): Promise<boolean> {
  const { OPS } = await getResolvedPDFJS();
  // On Node 20 the library's list ends at the first font that it cannot prepare: what comes before is enough mostly.
  const { fnArray, argsArray } = await page.getOperatorList();
  return fnArray.some((fn, i) => fn === OPS.setTextRenderingMode && (argsArray[i] as number[])[0] === INVISIBLE);
}

async function isByRecogniser(pdf: Pdf): Promise<boolean> {
  const { info } = await pdf.getMetadata();
  const { Producer, Creator } = info as { readonly Producer?: unknown; readonly Creator?: unknown };
  return RECOGNISERS.test(`${String(Producer ?? '')} ${String(Creator ?? '')}`);
}

function qualityOf(text: string, isWithout: boolean, recognised: boolean): TextQuality {
  if (isWithout) return 'no-text';
  if (!recognised) return 'born-digital';
  const words = text.split(/\s+/).filter((word) => word !== '');
  const odd = words.filter((word) =>
    /[^\p{L}\p{N}\p{P}\p{Sc}\p{Sm}°]|\p{L}\p{N}\p{L}|\p{P}{4,}|\p{Ll}\p{Lu}\p{Ll}/u.test(word),
  );
  return odd.length > words.length * POOR_SHARE ? 'ocr-poor' : 'ocr-good';
}

function warningsOf(without: readonly number[], numPages: number): readonly DocumentWarning[] {
  if (without.length === 0) return [];
  const which =
    without.length === numPages ? 'none of its pages has text' : `no text on ${pageList(without)} of ${numPages}`;
  return [{ message: `${which} (scanned or blank): nothing can be quoted from there`, pages: without }];
}

/** `p. 3, 7-9`. */
export function pageList(pages: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const page of pages) {
    const last = runs.at(-1);
    if (last && last[1] === page - 1) last[1] = page;
    else runs.push([page, page]);
  }
  return `p. ${runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')}`;
}

function refusal(path: string, cause: Error): MusterError {
  if (cause instanceof MusterError) return cause;
  if (cause.name === 'PasswordException') return encrypted(path, cause);
  return broken(path, A_PDF, `it cannot be read: ${cause.message}`, cause);
}
