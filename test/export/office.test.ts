/** The files as LibreOffice prints them: a reader of its own, which no library of ours has a part in. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { itpDocument } from '../../src/export/construction/itp-document.ts';
import { itpDocx } from '../../src/export/construction/itp-docx.ts';
import { itpXlsx } from '../../src/export/construction/itp-xlsx.ts';
import { registersOf } from '../../src/export/construction/registers.ts';
import { registersXlsx } from '../../src/export/construction/registers-xlsx.ts';
import { Site } from '../../src/export/construction/site.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';

const run = promisify(execFile);
const DAY = '2025-11-03';
const TIME_LIMIT_MS = 120_000;

const missing = (
  await Promise.all(
    [['soffice', '--version'] as const, ['pdftotext', '-v'] as const].map(([tool, flag]) =>
      run(tool, [flag], { timeout: 60_000 }).then(
        () => [],
        () => [tool],
      ),
    ),
  )
).flat();
const isRequired = process.env['MUSTER_REQUIRE_OFFICE'] === '1';
if (missing.length > 0 && !isRequired) console.info(`skipped: ${missing.join(' and ')} not installed`);

const site = new Site(expectedSnapshot(), 'BRU2');
const itp = itpDocument(site, 'ITP-07');
const items = itp.bands.flatMap((band) => band.items);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-office-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The pages as they would be printed, each as its text. */
async function pagesOf(name: string, bytes: Uint8Array): Promise<string[]> {
  const file = join(folder, name);
  await writeFile(file, bytes);
  // A profile of its own: neither a running office nor its settings have a part in it.
  const profile = `-env:UserInstallation=file://${join(folder, 'profile')}`;
  await run('soffice', [profile, '--headless', '--convert-to', 'pdf', '--outdir', folder, file], {
    timeout: TIME_LIMIT_MS,
  });
  const { stdout } = await run('pdftotext', ['-layout', file.replace(/\.\w+$/, '.pdf'), '-'], { timeout: 30_000 });
  return stdout.split('\f').slice(0, -1);
}

/** Letters and digits only: where a line breaks is the printer's business. */
const bare = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, '');

/** The words of a text, each of which must be somewhere on the pages. */
const words = (text: string) => text.split(/[\s/-]+/).filter((word) => /^[\p{L}\p{N}.]{4,}$/u.test(word));

it('MUSTER_REQUIRE_OFFICE=1 makes a missing office a failure', () => {
  if (isRequired) expect(missing).toEqual([]);
});

describe.skipIf(missing.length > 0)('as LibreOffice prints it', () => {
  it.each([
    ['workbook', 'itp.xlsx', itpXlsx],
    ['Word document', 'itp-word.docx', itpDocx],
  ] as const)(
    'the ITP as a %s has its head, state and number on every page, and every item',
    async (_, name, make) => {
      const all = await pagesOf(name, await make(itp, DAY));
      const pages = all.filter((page) => page.includes('Acceptance criteria'));
      expect(pages.length).toBeGreaterThanOrEqual(2);
      expect(pages.length).toBeLessThanOrEqual(4);
      for (const [at, page] of pages.entries()) {
        for (const head of ['Activity', 'Method and frequency', 'Inspected by', 'Record', 'Point', 'sign-off / date']) {
          expect(page, `page ${at + 1}`).toContain(head);
        }
        expect(page).toContain('INSPECTION AND TEST PLAN - DRAFT');
        expect(page).toContain('ITP-07 Rev A');
        expect(page).toContain('Uncontrolled when printed');
        expect(page).toContain(`Page ${at + 1} of ${all.length}`);
        expect(page).toContain(`Exported ${DAY}`);
      }
      const text = pages.join('\n');
      for (const { stage } of itp.bands) expect(text).toMatch(new RegExp(`^ *${stage} *$`, 'm'));
      for (const { itemNo } of items) expect(text, `item ${itemNo}`).toMatch(new RegExp(`^ *${itemNo} +\\S`, 'm'));
      for (const { cells } of items) for (const word of cells.flatMap(words)) expect(bare(text)).toContain(bare(word));
      for (const field of itp.titleBlock.flat()) for (const word of field.flatMap(words)) expect(text).toContain(word);
    },
    TIME_LIMIT_MS,
  );

  it(
    'no band is the last row of a page',
    async () => {
      for (const [name, make] of [['a.xlsx', itpXlsx] as const, ['b.docx', itpDocx] as const]) {
        const pages = (await pagesOf(name, await make(itp, DAY))).filter((page) =>
          page.includes('Acceptance criteria'),
        );
        for (const page of pages) {
          const lines = page.split('\n').filter((line) => line.trim() !== '' && !line.includes('Uncontrolled'));
          expect(itp.bands.map(({ stage }) => stage)).not.toContain(lines.at(-1)!.trim());
        }
      }
    },
    TIME_LIMIT_MS,
  );

  it(
    'the registers print one page wide, each with its name',
    async () => {
      const tables = registersOf(site);
      const pages = await pagesOf('registers.xlsx', await registersXlsx(site, tables, DAY));
      const text = pages.join('\n');
      for (const { name } of tables) expect(text).toContain(`${name.toUpperCase()} - DRAFT`);
      expect(pages.length).toBeLessThan(40);
      const points = pages.filter((page) => page.includes('HOLD AND WITNESS POINTS'));
      expect(points).toHaveLength(1);
      for (const row of tables[1]!.rows) expect(points[0]).toContain(String(row[0]));
      expect(points[0]).toContain('Release');
      expect(text).toMatch(/1\+200 +3\+680/);
    },
    TIME_LIMIT_MS,
  );
});
