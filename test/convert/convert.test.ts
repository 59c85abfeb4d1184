import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeXlsx } from 'hucre/xlsx';
import { describe, expect, it } from 'vitest';
import { convertDocument, convertDocuments } from '../../src/convert/convert.ts';
import type { ConvertedDocument } from '../../src/convert/converted.ts';
import { pageList } from '../../src/convert/pdf.ts';
import { checkPassage } from '../../src/output/check-passage.ts';
import { findDocuments } from '../../src/workspace/documents.ts';
import { docxFile, zipFile } from './zip-file.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const folder = () => mkdtempSync(join(tmpdir(), 'muster-test-'));
const file = (name: string, content: string | Uint8Array) => {
  const original = join(folder(), name);
  writeFileSync(original, content);
  return { path: `documents/${name}`, original };
};
const read = async (name: string, content?: string | Uint8Array): Promise<ConvertedDocument> => {
  const source =
    content === undefined ? { path: `documents/${name}`, original: join(FIXTURES, name) } : file(name, content);
  return (await convertDocument(source))!;
};
const places = ({ sections }: ConvertedDocument, kind: string) =>
  sections.filter((section) => section.kind === kind).map(({ locator }) => locator);
const textOf = ({ text, sections }: ConvertedDocument, locator: string) => {
  const { from, to } = sections.find((section) => section.locator === locator)!;
  return text.slice(from, to);
};
const p = (words: string, style = '') =>
  `<w:p>${style && `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}<w:r><w:t>${words}</w:t></w:r></w:p>`;

describe('a PDF', () => {
  it('becomes its text by page, and a text form that names each page', async () => {
    const pdf = await read('text.pdf');
    expect(pdf).toMatchObject({ pageCount: 2, textQuality: 'born-digital', warnings: [], hasLines: false });
    expect(places(pdf, 'page')).toEqual(['p. 1', 'p. 2']);
    expect(textOf(pdf, 'p. 2')).toMatch(/relative compaction of at least 95\s% \(standard\).*≤ 10 mm/s);
    expect(pdf.text).not.toContain('=====');
    expect(pdf.readAs).toBe('documents/text.pdf.txt');
    expect(pdf.form).toMatch(/===== p\. 1 =====\n1 Scope\n[\s\S]*===== p\. 2 =====\n2 Drainage\n/);
  });

  it('can be quoted over its line ends, by page', async () => {
    const texts = new Map([['documents/text.pdf', await read('text.pdf')]]);
    const context = { sources: [...texts.keys()], sourceText: (path: string) => texts.get(path) };
    const quote = 'relative compaction of at least 95 % (standard), 1 test per 2 layers per 40 m of pipe';
    const check = (locator: string, words: string) =>
      checkPassage(context, { source: 'documents/text.pdf', locator, quote: words });
    expect(check('p. 2', quote)).toMatchObject({ match: { kind: 'normalised' } });
    expect(check('p. 1', quote)).toMatchObject({ at: 'locator', message: expect.stringContaining('"p. 2"') });
    expect(check('p. 2', quote.replace('95', '98'))).toMatchObject({ at: 'quote' });
  });

  it('without text is reported with its pages, not empty in silence', async () => {
    const scan = await read('scanned.pdf');
    expect(scan).toMatchObject({ text: '', textQuality: 'no-text', pageCount: 2 });
    expect(scan.warnings).toEqual([{ message: expect.stringMatching(/none of its pages has text/), pages: [1, 2] }]);
    expect(scan.form).toContain('(no text)');
  });

  it('that is scanned in part keeps its text, and names the pages without', async () => {
    const pdf = await read('partly-scanned.pdf');
    expect(pdf).toMatchObject({ pageCount: 3, textQuality: 'born-digital' });
    expect(pdf.warnings).toEqual([{ message: expect.stringMatching(/no text on p\. 2 of 3/), pages: [2] }]);
    expect(textOf(pdf, 'p. 3')).toContain('2 Drainage');
  });

  it('whose words lie invisible over pictures is told to be recognised text', async () => {
    const layer = (words: string) =>
      `q 500 0 0 700 50 50 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q BT 3 Tr /F 12 Tf 50 700 Td (${words}) Tj ET`;
    const good = await read('ocr.pdf', pdfFile(layer('Compact the bedding in layers of at most 150 mm.')));
    expect(good).toMatchObject({ textQuality: 'ocr-good', pageCount: 1 });
    expect(good.text).toContain('Compact the bedding');
    const poor = await read('ocr.pdf', pdfFile(layer('C0mpact th3n bxDDinq iN l4yers ,,;.. oF4t')));
    expect(poor.textQuality).toBe('ocr-poor');
  });
});

describe('a DOCX', () => {
  it('becomes paragraphs and rows, with the places of its headings', async () => {
    const docx = await read('spec.docx');
    expect(places(docx, 'heading')).toEqual(['1 Scope', '2 Drainage']);
    expect(textOf(docx, '2 Drainage')).toContain('| Subsoil drains | m | 2150 |');
    expect(docx.form).toContain('===== 2 Drainage =====');
  });

  it('names headings without a number by their order, below those above them', async () => {
    const body = [p('Cover'), p('Works', 'Heading1'), p('All of it.'), p('Night work', 'Heading2'), p('None.')].join(
      '',
    );
    const docx = await read('a.docx', docxFile(body));
    expect(docx.sections.map(({ locator, path }) => [locator, path])).toEqual([
      ['#1 Works', ['Works']],
      ['#2 Night work', ['Works', 'Night work']],
    ]);
    expect(docx.form).toMatch(/^.*\n\nCover\n\n===== #1 Works =====\nWorks\nAll of it\.\n/);
  });

  it('reads nothing from outside the file', async () => {
    const outside = file('secret.txt', 'the secret').original;
    const type = `<!DOCTYPE d [<!ENTITY x SYSTEM "file://${outside}">]>`;
    const made = await read('a.docx', docxFile(p('Says &x;.'), type)).catch((error: Error) => error);
    expect(JSON.stringify(made) + String(made)).not.toContain('the secret');
  });

  it.each([
    ['one level', `<!DOCTYPE d [<!ENTITY a "${'a'.repeat(1_000)}">]>`, '&a;'.repeat(1_000)],
    [
      'many levels',
      `<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>`,
      '&c;',
    ],
  ])('does not grow by entities of %s', async (_, type, words) => {
    const made = await read('a.docx', docxFile(p(words), type)).catch((error: Error) => error);
    expect(made instanceof Error ? made : made.text.length).toMatchObject({ code: 'DOCUMENT_BROKEN' });
  });
});

describe('an XLSX', () => {
  it('becomes rows of cells, each with its place, and what formulas came to when they were saved', async () => {
    const xlsx = await read('rates.xlsx');
    expect(places(xlsx, 'row')).toEqual(['rates!A1:D1', 'rates!A2:D2', 'rates!A3:D3', 'rates!A4:D4']);
    expect(textOf(xlsx, 'rates!A3:D3')).toBe('3.03 | Subsoil drains | m | 2150\n');
    expect(textOf(xlsx, 'rates!A4:D4')).toContain('2151');
    expect(xlsx.form).toContain('[rates!A3:D3] 3.03 | Subsoil drains | m | 2150');
  });

  it('is counted by blocks of 50 rows in each sheet; empty rows have no place', async () => {
    const rows = Array.from({ length: 120 }, (_, i) => (i === 3 ? [] : [`Item ${i + 1}`, i]));
    const xlsx = await read(
      'a.xlsx',
      await writeXlsx({
        sheets: [
          { name: 'Rates 1', rows },
          { name: 'Empty', rows: [] },
        ],
      }),
    );
    expect(places(xlsx, 'rows')).toEqual(['Rates 1!1:50', 'Rates 1!51:100', 'Rates 1!101:120']);
    expect(places(xlsx, 'row')).toHaveLength(119);
    expect(places(xlsx, 'sheet')).toEqual(['Rates 1', 'Empty']);
    expect(textOf(xlsx, 'Rates 1!51:100').split('\n')[0]).toBe('Item 51 | 50');
  });
});

describe('a text', () => {
  const words = 'Größe ≤ 10 mm – “Rev B”\n';
  it.each<[string, Uint8Array, boolean]>([
    ['UTF-8', Buffer.from(words), true],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${words}`), true],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${words}`, 'utf16le'), false],
    ['UTF-16 with a mark, big end first', Buffer.from(`\ufeff${words}`, 'utf16le').swap16(), false],
    ['UTF-16 without a mark', Buffer.from(words, 'utf16le'), false],
  ])('in %s is read as what it says', async (_, bytes, asIs) => {
    const text = await read('a.txt', bytes);
    expect(text.text).toBe(words);
    // What the agent's reader cannot decode is given to it decoded, line by line the same.
    expect([text.readAs, text.form]).toEqual(asIs ? [undefined, undefined] : ['documents/a.txt.txt', words]);
    expect(text.hasLines).toBe(true);
  });

  it('in Windows-1252 is read as what it says', async () => {
    const text = await read('a.csv', Buffer.from([0x47, 0x72, 0xf6, 0xdf, 0x65, 0x20, 0x96, 0x20, 0x93, 0x41, 0x94]));
    expect(text.text).toBe('Größe – “A”');
  });

  it('has headings, pages where it shows them, and else blocks of lines', async () => {
    const md = await read(
      'a.md',
      '# 1 One\n*Page 1 of 2*\na\n```\n# no heading\n```\n*Page 2 of 2*\n## Two `x`\nb\n\nThree\n---\n',
    );
    expect(places(md, 'page')).toEqual(['p. 1', 'p. 2']);
    expect(places(md, 'heading')).toEqual(['1 One', '#2 Two x', '#3 Three']);
    expect(textOf(md, 'p. 2')).toMatch(/^\*Page 2/);
    const foot = await read('a.txt', `${'one '.repeat(9)}\nPage 1 of 2\n${'two '.repeat(9)}\nPage 2 of 2\n`);
    expect(textOf(foot, 'p. 2')).toMatch(/^\n?two [\s\S]*Page 2 of 2\n$/);
    const lines = await read('a.csv', Array.from({ length: 120 }, (_, i) => `row ${i + 1}`).join('\n'));
    expect(places(lines, 'lines')).toEqual(['L1-L50', 'L51-L100', 'L101-L120']);
    expect(textOf(lines, 'L51-L100')).toMatch(/^row 51\n/);
  });

  it('whose page lines do not add up has no pages', async () => {
    expect((await read('a.md', 'Page 1 of 3\na\nPage 3 of 3\n')).pageCount).toBeUndefined();
  });
});

describe('a document that cannot be read', () => {
  it.each<[string, string, () => Promise<Uint8Array | string> | Uint8Array | string]>([
    ['DOCUMENT_BROKEN', 'a.pdf', () => 'not a PDF'],
    ['DOCUMENT_BROKEN', 'a.pdf', () => '%PDF-1.7\nand then nothing'],
    ['DOCUMENT_BROKEN', 'a.docx', () => 'PK\u0003\u0004 and then nothing'],
    ['DOCUMENT_BROKEN', 'a.docx', () => zipFile({ 'xl/workbook.xml': '<workbook/>' })],
    ['DOCUMENT_BROKEN', 'a.xlsx', () => docxFile(p('a letter'))],
    ['DOCUMENT_BROKEN', 'a.xlsx', () => zipFile({ 'xl/workbook.xml': '<workbook' })],
    [
      'DOCUMENT_BROKEN',
      'a.xlsx',
      async () => (await writeXlsx({ sheets: [{ name: 'A', rows: [['x']] }] })).subarray(0, 900),
    ],
    ['DOCUMENT_BROKEN', 'a.docx', () => Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0])],
    ['DOCUMENT_BROKEN', 'a.txt', () => Buffer.from([1, 0, 0, 2, 0, 0, 3, 200, 0, 0])],
    [
      'DOCUMENT_ENCRYPTED',
      'a.xlsx',
      () => writeXlsx({ sheets: [{ name: 'A', rows: [['x']] }], encryption: { password: 'secret', spinCount: 100 } }),
    ],
    ['DOCUMENT_TOO_LARGE', 'a.docx', () => docxFile(p('small'), '', { 'word/bomb.xml': Buffer.alloc(160_000_000) })],
  ])('is refused with %s: %s', async (code, name, make) => {
    const source = file(name, await make());
    await expect(convertDocument(source)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(source.path),
    });
  });

  it('because of a password is refused as encrypted', async () => {
    await expect(read('encrypted.pdf')).rejects.toMatchObject({
      code: 'DOCUMENT_ENCRYPTED',
      message: expect.stringContaining('documents/encrypted.pdf'),
    });
  });

  it.each(['a.pdf', 'a.md'])('of 200 MB is refused before it is read into memory: %s', async (name) => {
    const source = file(name, '%PDF-1.7');
    truncateSync(source.original, 200_000_000);
    const before = process.memoryUsage().arrayBuffers;
    await expect(convertDocument(source)).rejects.toMatchObject({
      code: 'DOCUMENT_TOO_LARGE',
      message: expect.stringMatching(/at most \d+ MB; it has 200 MB/),
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  it('is named together with all others that cannot', async () => {
    const refused = await convertDocuments([file('a.pdf', 'x'), file('b.md', 'fine'), file('c.docx', 'y')]).catch(
      (error: Error) => error,
    );
    expect(refused).toMatchObject({ code: 'DOCUMENT_BROKEN', message: expect.stringMatching(/a\.pdf[\s\S]*c\.docx/) });
  });
});

describe('the documents of a folder', () => {
  it('of a kind without text are passed over, and a link within the folder is followed', async () => {
    const root = folder();
    writeFileSync(join(root, 'site.png'), 'picture');
    writeFileSync(join(root, 'plan.dwg'), 'drawing');
    mkdirSync(join(root, 'sub'));
    copyFileSync(join(FIXTURES, 'text.pdf'), join(root, 'sub', 'text.pdf'));
    symlinkSync(join(root, 'sub', 'text.pdf'), join(root, 'again.pdf'));
    const texts = await convertDocuments(await findDocuments(root));
    expect([...texts.keys()].sort()).toEqual(['documents/again.pdf', 'documents/sub/text.pdf']);
  });

  it('have text forms of names that no document has', async () => {
    const root = folder();
    copyFileSync(join(FIXTURES, 'text.pdf'), join(root, 'a.pdf'));
    writeFileSync(join(root, 'a.pdf.txt'), 'somebody’s notes');
    const texts = await convertDocuments(await findDocuments(root));
    expect(texts.get('documents/a.pdf')?.readAs).toBe('documents/a.pdf.2.txt');
  });

  it.each([
    [[1], 'p. 1'],
    [[1, 2, 3, 7, 9, 10], 'p. 1-3, 7, 9-10'],
  ])('name pages %j as %s', (pages, text) => expect(pageList(pages)).toBe(text));
});

/** One page with this content, in Helvetica. */
function pdfFile(content: string): Buffer {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, i) => {
    const at = file.length;
    file += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, '0')} 00000 n \n`;
  });
  return Buffer.from(
    `${file}xref\n0 6\n0000000000 65535 f \n${offsets.join('')}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`,
    'latin1',
  );
}
