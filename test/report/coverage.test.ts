import { describe, expect, it } from 'vitest';
import type { RunFact } from '../../schemas/run-event.ts';
import type { SourceText } from '../../src/output/source-text.ts';
import { citedUnits, coverageOf, type DocumentRecord, sectionRecords } from '../../src/report/coverage.ts';
import { reportMarkdown, reportOf } from '../../src/report/report.ts';
import { viewOf } from '../../src/report/run-view.ts';

const text = '## 1 One\nThe first words.\n## 2 Two\nThe second words.\n### 2.1 Below\nThe first words.\n';
const at = (words: string) => text.indexOf(words);
const section = (locator: string, path: string[], from: number, to: number) => ({
  kind: 'heading' as const,
  locator,
  path,
  from,
  to,
});
const source: SourceText = {
  text,
  hasLines: true,
  sections: [
    section('1 One', ['1 One'], 0, at('## 2')),
    section('2 Two', ['2 Two'], at('## 2'), at('### 2.1')),
    section('2.1 Below', ['2 Two', '2.1 Below'], at('### 2.1'), text.length),
  ],
};
const texts = new Map([['a.md', source]]);
const records: DocumentRecord[] = [
  { path: 'a.md', warnings: [], sections: sectionRecords(source) },
  { path: 'scan|x.pdf', warnings: ['no text on <p. 2>'], sections: [{ locator: 'p. 1', under: [] }] },
];

describe('coverage', () => {
  it('counts a section as cited where the locator says, not wherever the same words stand', () => {
    const passage = (locator: string, quote: string) => ({ source: 'a.md', locator, quote });
    expect(citedUnits(texts, [passage('cl 2.1', 'The first words')])).toEqual({ 'a.md': [2] });
    expect(citedUnits(texts, [passage('cl 2', 'The second words'), passage('L2', 'The first words')])).toEqual({
      'a.md': [0, 1],
    });
  });

  it('passes over what it cannot place: other files, and words that do not stand there', () => {
    expect(
      citedUnits(texts, [
        { source: 'plan.dwg', locator: 'p1', quote: 'anything' },
        { source: 'a.md', locator: 'cl 1', quote: 'never said by anybody' },
      ]),
    ).toEqual({});
  });

  it('names what nobody cited, with the headings above it', () => {
    expect(coverageOf(records, { 'a.md': [1, 7], __proto__: [0] } as Record<string, number[]>)).toEqual([
      {
        path: 'a.md',
        sections: 3,
        cited: 1,
        uncited: [
          { locator: '1 One', under: [] },
          { locator: '2.1 Below', under: ['2 Two'] },
        ],
        warnings: [],
      },
      {
        path: 'scan|x.pdf',
        sections: 1,
        cited: 0,
        uncited: [{ locator: 'p. 1', under: [] }],
        warnings: ['no text on <p. 2>'],
      },
    ]);
  });
});

describe('the report', () => {
  const commit = (cited?: Record<string, number[]>): RunFact => ({
    type: 'commit.ended',
    instance: 'a',
    attempt: 1,
    entities: {},
    relationships: 0,
    created: 0,
    updated: 0,
    unchanged: 0,
    items: {},
    ...(cited && { cited }),
  });
  const view = viewOf(
    [commit({ 'a.md': [1] }), commit(), commit({ 'a.md': [0] })].map((fact, i) => ({
      seq: i + 1,
      time: '',
      ...fact,
    })),
  );

  it('adds up what the commits cited, and shows the rest as data, never as markup', () => {
    const report = reportOf(view, records);
    expect(report.coverage?.[0]).toMatchObject({ sections: 3, cited: 2 });
    const markdown = reportMarkdown(report);
    expect(markdown).toContain('## What nobody cited');
    expect(markdown).toContain('| a.md | 2 | 3 |  |');
    expect(markdown).toContain('- 2 Two &gt; 2.1 Below');
    expect(markdown).toContain('| scan\\|x.pdf | 0 | 1 | no text on &lt;p. 2&gt; |');
  });

  it('of a run without a record of its documents says nothing of them', () => {
    expect(reportOf(view).coverage).toBeUndefined();
    expect(reportMarkdown(reportOf(view))).not.toContain('nobody cited');
  });
});
