import { readXlsx } from 'hucre/xlsx';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { construction } from '../../schemas/construction/index.ts';
import type { Severity } from '../../schemas/rule.ts';
import { assertConstruction, itpFiles, registerFiles } from '../../src/export/construction/files.ts';
import { itpDocument } from '../../src/export/construction/itp-document.ts';
import { itpDocx } from '../../src/export/construction/itp-docx.ts';
import { ITP_WIDTHS, itpHeaders } from '../../src/export/construction/itp-item.ts';
import { itpXlsx } from '../../src/export/construction/itp-xlsx.ts';
import { registersOf } from '../../src/export/construction/registers.ts';
import { Site } from '../../src/export/construction/site.ts';
import type { Table } from '../../src/export/construction/table.ts';
import type { GraphNode, GraphSnapshot } from '../../src/ports.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';
import { HOSTILE } from './hostile-graph.ts';

const DAY = '2025-11-03';
const expected = expectedSnapshot();
const site = new Site(expected, 'BRU2');

afterEach(() => void vi.useRealTimers());

/** The graph with the properties of some nodes changed. */
function changed(change: (node: GraphNode) => Partial<GraphNode['properties']> | undefined): Site {
  const nodes = expected.nodes.map((node) => ({ ...node, properties: { ...node.properties, ...change(node) } }));
  return new Site({ ...expected, nodes } as GraphSnapshot, 'BRU2');
}

function without(gone: (node: GraphNode) => boolean): Site {
  return new Site({ ...expected, nodes: expected.nodes.filter((node) => !gone(node)) }, 'BRU2');
}

function table(of: Site, name: string): Record<string, unknown>[] {
  const { columns, rows } = registersOf(of).find((one) => one.name === name)!;
  return rows.map((row) => Object.fromEntries(columns.map(({ header }, at) => [header, row[at]])));
}

describe('ITP-07 of the sample', () => {
  const itp = itpDocument(site, 'ITP-07');
  const items = itp.bands.flatMap((band) => band.items);
  const item = (itemNo: string) => items.find((one) => one.itemNo === itemNo)!.cells;

  it('has sixteen items in order under six bands', () => {
    expect(items.map(({ itemNo }) => itemNo)).toEqual(Array.from({ length: 16 }, (_, at) => String(at + 1)));
    expect(itp.bands.map(({ stage }) => stage)).toEqual([
      'Preliminaries',
      'Materials',
      'Pre-construction',
      'Construction',
      'Post-construction',
      'Conformance',
    ]);
  });

  it('prints the four rows of the contract table', () => {
    expect(item('1')).toEqual([
      '1',
      'Piling method statement and pile concrete mix design submitted and released',
      'BRU2-SP-004 cl 2.1\nTfNSW B59, AS 2159',
      '(a) Submitted at least 15 working days before drilling\n(b) Released in writing by the Superintendent [BRU2-SP-002 cl 3.1]',
      'Document review; once before drilling',
      'Quality manager',
      'H',
      '15 working days; released by Superintendent; HP-08',
      'Hold point release form HP-08',
      '',
      '',
    ]);
    expect(item('7').slice(3, 8)).toEqual([
      '(a) Socket at least 2.4 m into class III sandstone or better\n(b) Not more than 10 mm of loose material over the base\n(c) Founding level certified in writing by the geotechnical engineer',
      'Visual and measurement; each pile',
      'Geotechnical engineer',
      'H',
      '4 hours; released by Superintendent; HP-09',
    ]);
    expect(item('10').slice(6, 9)).toEqual(['W', '4 hours; WP-03', 'Pile record']);
    expect(item('12').slice(3, 9)).toEqual([
      '28 day strength conforms to S40',
      'Test, AS 1012.9; one set of three cylinders for each pile',
      'Testing laboratory',
      'T',
      '',
      'NATA endorsed test report',
    ]);
  });

  it('has eleven columns whose widths are the whole table, and empty cells for signatures', () => {
    expect(ITP_WIDTHS).toEqual([4, 15, 9, 22, 12, 8, 4, 8, 9, 5, 4]);
    expect(ITP_WIDTHS.reduce((sum, width) => sum + width, 0)).toBe(100);
    expect(itpHeaders('Superintendent')).toHaveLength(11);
    for (const { cells } of items) expect(cells.slice(-2)).toEqual(['', '']);
  });

  it('names the parties, the places and the work of the graph in nine rows, and leaves the lot to people', () => {
    expect(itp.titleBlock).toHaveLength(9);
    const fields = Object.fromEntries(itp.titleBlock.flat());
    expect(fields).toMatchObject({
      'Contract No.': 'MSC-2025-041',
      Principal: 'Marradoon Shire Council',
      Superintendent: 'Halden & Coyle Pty Ltd',
      Contractor: 'Kestrel Ridge Civil Pty Ltd',
      'Revision / status': 'A / DRAFT',
      Location: 'BRU2-B-AA Abutment A; BRU2-B-AB Abutment B; BRU2-B-P1 Pier 1',
      'Work packages': '5.1 Bored cast-in-place piles',
      'Lot No.': '',
      Date: '',
    });
  });

  it('shows source document and clause of every criterion, and the passage of every item', () => {
    const clause = itp.criteria.columns.findIndex(({ header }) => header === 'Source clause');
    expect(itp.criteria.rows).toHaveLength(28);
    for (const row of itp.criteria.rows) expect(row[clause]).toMatch(/^BRU2-SP-\d{3} cl \d/);
    const cited = new Set(itp.evidence.rows.filter(([, , path]) => path !== '').map(([itemNo]) => itemNo));
    expect(cited).toEqual(new Set(items.map(({ itemNo }) => itemNo)));
    // The template itself rests on nothing: that is said, not left out.
    expect(itp.evidence.rows[0]).toEqual(['', 'ITP', '', '', '', 1, 'assumed', 'unreviewed']);
  });
});

describe('what an ITP says of its own standing', () => {
  it('stays a draft until a person has looked at every part', () => {
    const isPart = ({ entity }: GraphNode) =>
      ['ITPTemplate', 'InspectionPoint', 'AcceptanceCriterion'].includes(entity);
    const all = changed((node) => (isPart(node) ? { reviewStatus: 'accepted' } : undefined));
    expect(itpDocument(all, 'ITP-07').status).toBe('REVIEWED, NOT ISSUED');
    const butOne = changed((node) =>
      isPart(node) && node.key.join() !== 'BRU2,ITP-07,7,2' ? { reviewStatus: 'accepted' } : undefined,
    );
    expect(itpDocument(butOne, 'ITP-07').status).toBe('DRAFT');
    const rejected = changed((node) => (isPart(node) ? { reviewStatus: 'rejected' } : undefined));
    expect(itpDocument(rejected, 'ITP-07').status).toBe('DRAFT');
  });

  it('marks what is assumed and what is unsure', () => {
    const odd = changed(({ entity, key }) =>
      entity === 'InspectionPoint' && key[2] === '5'
        ? { assumed: true, confidence: 0.59 }
        : entity === 'AcceptanceCriterion' && key[2] === '6'
          ? { confidence: 0.6 }
          : undefined,
    );
    const items = itpDocument(odd, 'ITP-07').bands.flatMap((band) => band.items);
    expect(items.find(({ itemNo }) => itemNo === '5')!.cells[0]).toBe('5†‡');
    expect(items.find(({ itemNo }) => itemNo === '6')!.cells.join()).not.toMatch(/[†‡]/);
    expect(itpDocument(odd, 'ITP-07').review).toBe('0 of 16 items reviewed by a person; 1 assumed (†)');
  });

  it('prints the contract word for who releases', () => {
    const called = (contractRole: string) => {
      const other = changed(({ properties }) =>
        properties['contractRole'] === 'superintendent' ? { contractRole } : undefined,
      );
      return itpDocument(other, 'ITP-07');
    };
    expect(called('administrator').supervisor).toBe('Administrator');
    const pap = called('principals-authorised-person');
    expect(pap.bands[0]!.items[0]!.cells[7]).toContain("released by Principal's Authorised Person");
    expect(pap.titleBlock[3]![0]).toEqual(["Principal's Authorised Person", 'Halden & Coyle Pty Ltd']);
  });

  it('prints a limit that the text of the criterion does not say', () => {
    const text = (properties: GraphNode['properties']) => {
      const of = changed(({ entity, key }) =>
        entity === 'AcceptanceCriterion' && key.join() === 'BRU2,ITP-07,9,1' ? properties : undefined,
      );
      return itpDocument(of, 'ITP-07')
        .bands.flatMap(({ items }) => items)
        .find(({ itemNo }) => itemNo === '9')!.cells[3];
    };
    expect(text({ text: 'Top of cage at its level' })).toBe(
      'Top of cage at its level: top of cage level deviation not more than 50 mm',
    );
    expect(text({ text: 'Level', comparator: 'between', minValue: 5, maxValue: 15, unit: '%' })).toBe(
      'Level: top of cage level deviation 5 to 15%',
    );
    expect(text({ text: 'Age', comparator: 'ge', value: 1, unit: 'day', parameter: 'age' })).toBe(
      'Age: age at least 1 day',
    );
  });

  it('refuses an ITP that is not there, and names those that are', () => {
    expect(() => itpDocument(site, 'ITP-99')).toThrow(/ITP-99.*ITP-01, ITP-02/);
    expect(() => assertConstruction({ ...construction, entities: [] })).toThrow(/ITPTemplate/);
  });
});

describe('the registers of the sample', () => {
  it('count what the contract lists', () => {
    const sizes = Object.fromEntries(registersOf(site).map(({ name, rows }) => [name, rows.length]));
    expect(sizes).toEqual({
      'ITP register': 13,
      'Hold and witness points': 18,
      Documents: 24,
      Standards: 44,
      WBS: 40,
      LBS: 15,
      // 28 work packages, and the sums.
      'WBS x LBS': 29,
      'ITP x WBS': 29,
      Traceability: 100,
      'Environmental aspects': 7,
      'Safety hazards': 7,
      'Contradictions and gaps': 14,
      Evidence: 205,
      Coverage: 37,
    });
  });

  it('show which hold points are carried out, and leave their release to people', () => {
    const points = table(site, 'Hold and witness points');
    expect(points.find((row) => row['No.'] === 'HP-09')).toMatchObject({
      'ITP No.': 'ITP-07',
      'ITP item': '7',
      Implemented: 'yes',
      'Contract clause': 'BRU2-SP-004 cl 2.7',
      'Released on': '',
      'Release reference': '',
    });
    expect(points.filter((row) => row['Implemented'] === 'project level').map((row) => row['No.'])).toEqual([
      'HP-01',
      'HP-13',
    ]);
    const lost = without(({ entity, key }) => entity === 'InspectionPoint' && key[2] === '7' && key[1] === 'ITP-07');
    expect(table(lost, 'Hold and witness points').find((row) => row['No.'] === 'HP-09')!['Implemented']).toBe('no');
    expect(
      table(lost, 'Traceability').filter((row) => row['Status'] === 'open' && row['Reference'] === 'HP-09'),
    ).toHaveLength(2);
  });

  it('list an ITP that nobody wrote as missing', () => {
    const lost = without(({ entity, key }) => entity === 'ITPTemplate' && key[1] === 'ITP-13');
    const row = table(lost, 'ITP register').find((one) => one['ITP No.'] === 'ITP-13')!;
    expect(row).toMatchObject({ Status: 'missing', Items: 0, 'WBS codes': '6.3', Specification: 'TfNSW R178' });
    expect(table(site, 'ITP register').every((one) => one['Status'] === 'DRAFT')).toBe(true);
  });

  it('count the findings that name an ITP by severity, and list all of them', () => {
    const found = (severity: Severity, message: string) => ({ rule: 'Q35', severity, message, hint: 'h' });
    const tables = registersOf(site, {
      lateRelationships: 0,
      rules: 58,
      counts: { blocker: 0, error: 2, warning: 5 },
      findings: [
        found('error', 'the item ITP-07 / 7 has no acceptance criterion'),
        found('error', 'nothing covers 5.1; ITP-07: see ITP-08'),
        found('warning', 'ITP-070, XITP-07, ITP-07-A and ITP-07.1 are others'),
        found('warning', 'ITP-08.'),
      ],
      unjudged: { statements: 3, reason: 'no engine' },
    });
    const at = tables[0]!.columns.findIndex(({ header }) => header.startsWith('Findings'));
    expect(tables[0]!.rows.filter((row) => row[at] !== '0 / 0 / 0').map((row) => [row[0], row[at]])).toEqual([
      ['ITP-07', '0 / 2 / 0'],
      ['ITP-08', '0 / 1 / 1'],
    ]);
    const messages = tables.find(({ name }) => name === 'Findings')!.rows.map((row) => row[2]);
    expect(messages.slice(-2)).toEqual(['3 more findings, not listed here', '3 rules were not judged: no engine']);
    expect(registersOf(site).some(({ name }) => name === 'Findings')).toBe(false);
  });

  it('cross the matrices as the graph says: 87 places of work, 23 pieces of work under control', () => {
    const last = (name: string) =>
      registersOf(site)
        .find((one) => one.name === name)!
        .rows.at(-1)!;
    expect(last('WBS x LBS').at(-1)).toBe(87);
    expect(last('ITP x WBS').at(-1)).toBe(23);
    const crosses = ({ rows }: Table) => rows.flat().filter((value) => value === 'x').length;
    expect(crosses(registersOf(site).find(({ name }) => name === 'WBS x LBS')!)).toBe(87);
  });

  it('keep codes as text and list them by their numbers', () => {
    const codes = table(site, 'WBS').map((row) => row['Code']);
    expect(codes.every((code) => typeof code === 'string')).toBe(true);
    expect(codes.slice(0, 3)).toEqual(['0', '1', '1.1']);
    const renumbered = changed(({ entity, properties }) =>
      entity === 'WBSNode' && properties['code'] === '1.2' ? { name: 'x' } : undefined,
    );
    expect(table(renumbered, 'WBS').map((row) => row['Code'])).toEqual(codes);
  });

  it('ask for the drawings that were listed and never supplied', () => {
    const documents = table(site, 'Documents');
    expect(documents.filter((row) => row['Supplied'] === 'yes')).toHaveLength(7);
    expect(documents.filter((row) => row['Supplied'] === 'listed only')).toHaveLength(14);
    expect(documents.filter((row) => row['Supplied'] === 'written by machine')).toHaveLength(3);
    expect(table(site, 'Contradictions and gaps')[0]!['Missing appendices and drawings']).toBe(
      'BRU2-DR-001 Cover sheet and locality plan',
    );
  });

  it('show two limits for one thing, and a notice that differs from the contract', () => {
    const odd = changed(({ entity, key }) =>
      entity === 'ControlPoint' && key[1] === 'HP-09'
        ? { noticeValue: 8 }
        : entity === 'AcceptanceCriterion' && key.join() === 'BRU2,ITP-07,13,3'
          ? { parameter: 'as-built position deviation' }
          : undefined,
    );
    const topics = table(odd, 'Contradictions and gaps').map((row) => row['Topic']);
    expect(topics.slice(0, 2)).toEqual([
      'Limit: as-built position deviation',
      'Notice: HP-09 Placing cage and concrete in each pile',
    ]);
  });

  it('show a file that nobody cited with zero', () => {
    const path = String(site.all('SourceFile')[6]!.properties['path']);
    const lost = without(({ properties }) => properties['sourcePath'] === path);
    expect(table(lost, 'Coverage').filter((row) => row['File'] === path)).toEqual([
      { File: path, Section: '', 'Cited passages': 0 },
    ]);
  });
});

describe('the files', () => {
  it('are named by what they hold, with nothing of a key that a file system could mind', async () => {
    const [file] = await itpFiles(site, { format: 'xlsx', exportedOn: DAY, docNo: 'ITP-07' });
    expect(file!.path).toBe('itps/BRU2-ITP-07-RevA.xlsx');
    const odd = { entity: 'ITPTemplate', key: ['P', '../../CON: <é>\u0000'], properties: { revision: 'A/1' } };
    const [other] = await itpFiles(new Site({ nodes: [odd], relationships: [] }, 'P'), {
      format: 'docx',
      exportedOn: DAY,
    });
    expect(other!.path).toBe('itps/P-.-.-CON-e-RevA-1.docx');
    const registers = await registerFiles(site, DAY);
    expect(registers.map(({ path }) => path).slice(0, 2)).toEqual([
      'BRU2-registers.xlsx',
      'registers/BRU2-itp-register.csv',
    ]);
  });

  it('are the same bytes for the same graph, whenever they are written', async () => {
    const make = async () => {
      const itp = itpDocument(site, 'ITP-07');
      const [book] = await registerFiles(site, DAY);
      return [await itpXlsx(itp, DAY), await itpDocx(itp, DAY), book!.content as Uint8Array].map((bytes) =>
        Buffer.from(bytes).toString('base64'),
      );
    };
    vi.useFakeTimers({ now: Date.parse('2020-01-01T00:00:00Z'), toFake: ['Date'] });
    const once = await make();
    vi.setSystemTime(Date.parse('2031-05-06T07:08:09Z'));
    expect(await make()).toEqual(once);
  });

  it('hold hostile texts as texts: no formulas, no markup, and read back as they were', async () => {
    const odd = changed(({ entity, key }) =>
      entity === 'InspectionPoint' && key[1] === 'ITP-07'
        ? { activity: HOSTILE[Number(key[2]) - 1]!, recordName: HOSTILE[Number(key[2]) + 7]! }
        : undefined,
    );
    const itp = itpDocument(odd, 'ITP-07');
    const book = await readXlsx(await itpXlsx(itp, DAY));
    const cells = [...(book.sheets[0]!.cells?.values() ?? [])];
    expect(cells.some(({ formula }) => formula !== undefined)).toBe(false);
    const shown = new Set(book.sheets[0]!.rows.flatMap((row) => [row[1], row[8]]));
    const safe = (text: string) =>
      text
        .replace(/\r\n?/g, '\n')
        .replace(/\p{Cs}/gu, '\uFFFD')
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 forbids
        .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD');
    for (const text of HOSTILE) expect(shown).toContain(safe(text));
    await expect(itpDocx(itp, DAY)).resolves.toBeInstanceOf(Uint8Array);
  });

  it('print the head of the table on each page, and the state of the document with it', async () => {
    const { sheets } = await readXlsx(await itpXlsx(itpDocument(site, 'ITP-07'), DAY), { readStyles: true });
    expect(sheets.map(({ name }) => name)).toEqual(['ITP', 'Criteria', 'Evidence', 'Revisions']);
    const [itp] = sheets;
    expect(itp!.pageSetup).toMatchObject({
      paperSize: 'a4',
      orientation: 'landscape',
      fitToWidth: 1,
      fitToHeight: 0,
      printTitlesRow: '$11:$11',
    });
    expect(itp!.headerFooter?.oddHeader).toContain('INSPECTION AND TEST PLAN - DRAFT');
    expect(itp!.headerFooter?.oddFooter).toBe('&LUncontrolled when printed&CExported 2025-11-03&RPage &P of &N');
    expect(itp!.rows).toHaveLength(9 + 2 + 6 + 16);
  });
});
