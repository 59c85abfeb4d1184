import { describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { checkPassage } from '../../src/output/check-passage.ts';
import { workPrompt } from '../../src/output/prompt.ts';
import { placeOf, type Section, type SourceText, unitsOf } from '../../src/output/source-text.ts';
import { checkRows } from '../../src/output/submit.ts';
import type { TaskContext } from '../../src/output/task-context.ts';

/** A source from its parts; each part is one section of the kind. */
function sourceOf(
  parts: readonly (readonly [string, string, ...string[]])[],
  kind: Section['kind'],
  more: object = {},
): SourceText {
  let text = '';
  const sections = parts.map(([locator, words, ...path]) => {
    const from = text.length;
    text += `${words}\n`;
    return { kind, locator, path, from, to: text.length };
  });
  return { text, sections, hasLines: true, ...more };
}

const SPEC = 'documents/spec.md';
const PDF = 'documents/notes.pdf';
const RATES = 'documents/rates.xlsx';
const SCAN = 'documents/scan.pdf';
const spec = sourceOf(
  [
    [
      '1 General',
      '## 1 General\n1.1 Carry out the works to the drawings.\n1.2 Keep the records for five years.',
      '1 General',
    ],
    [
      '2 Drainage',
      '## 2 Drainage\n2.1 Lay pipes of class 4.\n3.5 m is the width of a lane.\n2.2 Cast pits in place.',
      '2 Drainage',
    ],
    ['2.3 Subsoil drains', '### 2.3 Subsoil drains\nUse 100 mm slotted pipe.', '2 Drainage', '2.3 Subsoil drains'],
    ['#4 Records', '## Records\nKeep the records for five years.', 'Records'],
  ],
  'heading',
);
const pdf = sourceOf(
  [
    ['p. 1', 'The superintendent releases each hold point in writing.'],
    ['p. 2', 'Night work is not permitted.'],
    ['p. 3', 'Night work is not permitted.'],
  ],
  'page',
  { hasLines: false, readAs: `${PDF}.txt` },
);
const rows = sourceOf(
  [
    ['Rates 1!A1:B1', 'Item | Unit', 'Rates 1'],
    ['Rates 1!A2:B2', 'Subsoil drains | m', 'Rates 1'],
    ['Rates 1!A3:B3', 'Pits and headwalls | each', 'Rates 1'],
  ],
  'row',
  { hasLines: false, readAs: `${RATES}.txt` },
);
const rates: SourceText = {
  ...rows,
  sections: [...rows.sections, { kind: 'sheet', locator: 'Rates 1', path: ['Rates 1'], from: 0, to: rows.text.length }],
};
const scan: SourceText = { text: '', sections: [], hasLines: false, readAs: `${SCAN}.txt` };
const texts: Readonly<Record<string, SourceText>> = { [SPEC]: spec, [PDF]: pdf, [RATES]: rates, [SCAN]: scan };
const context: TaskContext = {
  schema: construction,
  scope: 'BRU2',
  instance: { id: 'wbs-extraction', task: 'wbs-extraction' },
  sources: [...Object.keys(texts), 'documents/plan.dwg'],
  sourceText: (path) => texts[path],
  readable: [],
};
const check = (source: string, locator: string, quote: string) => {
  const checked = checkPassage(context, { source, locator, quote });
  return checked && ('match' in checked ? 'found' : `${checked.at}: ${checked.message}`);
};

describe('a passage stands', () => {
  it.each([
    [SPEC, 'cl 1.1', 'Carry out the works'],
    [SPEC, 'clause 2', 'Use 100 mm slotted pipe'],
    [SPEC, 'cl 2.3.1', 'Use 100 mm slotted pipe'],
    [SPEC, 'cl 2.1', '3.5 m is the width of a lane'],
    [SPEC, '2.3 Subsoil drains', 'Use 100 mm slotted pipe'],
    [SPEC, '#4', 'Keep the records for five years'],
    [SPEC, 'L2', 'Carry out the works'],
    [SPEC, 'L2-L5', 'Lay pipes of class 4'],
    [SPEC, 'BRU2-SP-001 Table 7', 'Carry out the works'],
    [PDF, 'p3', 'Night work is not permitted'],
    [PDF, 'pp. 1-2', 'Night work is not permitted'],
    [PDF, 'p. 2 L900', 'Night work is not permitted'],
    [PDF, 'cl 9.9', 'Night work is not permitted'],
    [RATES, 'Rates 1!A2:B2', 'Subsoil drains | m'],
    [RATES, "'Rates 1'!A2", 'Subsoil drains m'],
    [RATES, 'Rates 1!1:3', 'Pits and headwalls each'],
  ])('in %s at %s', (source, locator, quote) => expect(check(source, locator, quote)).toBe('found'));

  it.each([
    [
      SPEC,
      'cl 1.1',
      'Keep the records for five years',
      /the quote does not stand at "cl 1\.1"; it stands at .*1 General \(L3\).* and .*#4 Records/,
    ],
    [SPEC, 'cl 2.2', 'Lay pipes of class 4', /it stands at "2 Drainage \(L5\)"/],
    [SPEC, 'L2-L3', 'Lay pipes of class 4', /not stand at "L2-L3"; it stands at "2 Drainage \(L5\)"/],
    [SPEC, 'L99', 'Lay pipes of class 4', /has no "L99"/],
    [SPEC, 'in 2.3 Subsoil drains', 'Carry out the works', /not stand at "2\.3 Subsoil drains"/],
    [PDF, 'page 1', 'Night work is not permitted', /stands at "p\. 2" and "p\. 3"/],
    [PDF, 'p. 12', 'Night work is not permitted', /documents\/notes\.pdf has no "p\. 12"; it stands at "p\. 2"/],
    [RATES, 'Rates 1!A3:B3', 'Subsoil drains | m', /stands at "Rates 1!A2:B2"/],
    [RATES, 'Works!A2', 'Subsoil drains | m', /has no "Works!A2"/],
  ])('not in %s at %s, and the answer says where', (source, locator, quote, message) => {
    expect(check(source, locator, quote)).toMatch(/^locator: /);
    expect(check(source, locator, quote)).toMatch(message);
  });

  it('nowhere, with the nearest words and their place', () => {
    expect(check(SPEC, 'cl 2.1', 'Lay all of the pipes of class 3')).toMatch(
      /^quote: .*do not stand in documents\/spec\.md.*nearest, at "2 Drainage \(L\d(?:-L\d)?\)": ".*pipes of class 4/,
    );
    expect(check(SPEC, 'cl 2.1', 'class 5')).toMatch(/fewer than 20 characters must agree/);
    expect(check(SPEC, 'cl 2.1', 'Zyzzyva quux')).toMatch(/nor anything like them/);
  });

  it('in another document, which is named', () => {
    expect(check(SPEC, 'cl 1', 'The superintendent releases each hold point')).toMatch(
      /do not stand in documents\/spec\.md, but in documents\/notes\.pdf, p\. 1/,
    );
  });

  it('nowhere in a scan, whatever it says', () => {
    expect(check(SCAN, 'p1', 'Night work is not permitted')).toMatch(/^quote: .*holds no text that can be read/);
  });

  it('unjudged in a source without a text', () => {
    expect(check('documents/plan.dwg', 'p1', 'Night work is not permitted')).toBeUndefined();
  });
});

describe('a submitted row', () => {
  const row = (source: string, locator: string, quote: string) => ({
    entities: [
      {
        entity: 'WBSNode',
        attributes: { code: '0', name: 'Works', level: 0, nodeType: 'project', isConstruction: true },
        evidence: [{ source, locator, quote }],
      },
    ],
  });

  it('is refused at the field that is wrong', () => {
    expect(checkRows(context, row(PDF, 'p. 1', 'Night work is permitted.')).issues).toEqual([
      { path: 'entities[0].evidence[0].quote', message: expect.stringContaining('Night work is not permitted') },
    ]);
    expect(checkRows(context, row(PDF, 'p. 1', 'Night work is not permitted.')).issues).toEqual([
      { path: 'entities[0].evidence[0].locator', message: expect.stringContaining('p. 2') },
    ]);
  });

  it('may name the text form, and is kept under the name of the document', () => {
    const { nodes, issues } = checkRows(context, row(`${PDF}.txt`, 'p. 2', 'Night work is not permitted.'));
    expect(issues).toEqual([]);
    expect(nodes[0]?.row.evidence[0]?.source).toBe(PDF);
  });

  it('may point at a source file by its text form', () => {
    const register = { ...context, instance: { id: 'document-metadata', task: 'document-metadata' } };
    const key = { entity: 'SourceFile', key: { path: `${PDF}.txt` } };
    const edge = { type: 'DESCRIBES', from: { entity: 'Document', key: { docNo: 'BRU2-SP-001' } }, to: key };
    const { relationships, issues } = checkRows(register, { relationships: [edge] });
    expect(issues).toEqual([]);
    expect(relationships[0]?.row.to.key).toEqual(['BRU2', PDF]);
  });
});

describe('the work prompt', () => {
  it('names the file to read in place of a document that agents cannot read', () => {
    const text = workPrompt({ context, title: 'T', goal: 'G', folder: 'instances/t' });
    expect(text).toContain(`- \`${SPEC}\`\n`);
    expect(text).toContain(`- \`${PDF}\`: read \`${PDF}.txt\``);
  });
});

describe('a place', () => {
  it('is named as a reader would look it up', () => {
    expect(placeOf(pdf, pdf.sections[1]!.from, pdf.sections[1]!.to)).toBe('p. 2');
    expect(placeOf(rates, rates.sections[2]!.from + 3, rates.sections[2]!.to)).toBe('Rates 1!A3:B3');
    expect(placeOf(spec, 0, 30)).toBe('1 General (L1-L2)');
  });

  it('is counted by the finer of headings and pages', () => {
    expect(unitsOf(spec)).toHaveLength(4);
    const page: Section = { kind: 'page', locator: 'p. 1', path: [], from: 0, to: spec.text.length };
    expect(unitsOf({ ...spec, sections: [page, ...spec.sections] })).toHaveLength(4);
    expect(unitsOf({ ...spec, sections: [page, page, spec.sections[0]!] })).toHaveLength(2);
  });
});
