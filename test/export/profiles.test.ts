import { parseCsv } from 'hucre/csv';
import { describe, expect, it } from 'vitest';
import { construction } from '../../schemas/construction/index.ts';
import { PROFILES } from '../../src/export/construction/profiles/built-in.ts';
import { profileFiles } from '../../src/export/construction/profiles/files.ts';
import { type Profile, readProfile } from '../../src/export/construction/profiles/profile.ts';
import { Site } from '../../src/export/construction/site.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';
import { HOSTILE } from './hostile-graph.ts';

const expected = expectedSnapshot();
const site = new Site(expected, 'BRU2');
const named = (name: string) => PROFILES.find((profile) => profile.name === name)!;

function rows(of: Site, profile: Profile, file: string): Record<string, string>[] {
  const made = profileFiles(of, profile).find(({ path }) => path.endsWith(`/${file}.csv`))!;
  const [header, ...lines] = parseCsv(made.content as string);
  return lines.map((line) => Object.fromEntries(header!.map((name, at) => [String(name), String(line[at] ?? '')])));
}

describe('the profiles for site software', () => {
  it('are made of what the schema has', () => {
    for (const profile of PROFILES) expect(readProfile(profile, construction, profile.name)).toEqual(profile);
    expect(PROFILES.map(({ name }) => name)).toEqual(['civilpro', 'procore', 'generic']);
  });

  it('give a lot management its work types, areas, ITPs and every item', () => {
    const of = (file: string) => rows(site, named('civilpro'), file);
    const count = (entity: string) => expected.nodes.filter((node) => node.entity === entity).length;
    expect(of('WorkTypes')).toHaveLength(count('WorkType'));
    expect(of('ITPs')).toHaveLength(13);
    expect(of('ITPDetails')).toHaveLength(count('InspectionPoint'));
    expect(of('AreaCodes').find(({ Code }) => Code === 'ML01')).toEqual({
      Code: 'ML01',
      Description: 'Main line south 1',
      'Control line': 'MC10',
      'Start chainage': '1200',
      'End chainage': '1700',
    });
    const founding = of('ITPDetails').find((row) => row['ITP document no.'] === 'ITP-07' && row['Item'] === '7')!;
    expect(founding['Point']).toBe('H');
    expect(founding['Responsibility']).toBe('Geotechnical engineer');
    expect(founding['Acceptance criteria']).toContain('(b) Not more than 10 mm of loose material over the base');
  });

  it('write the tiers of a place from the root down', () => {
    const tiers = rows(site, named('procore'), 'Locations').map((row) => Object.values(row));
    expect(tiers).toHaveLength(15);
    expect(tiers[0]).toEqual(['Burrindal Road Stage 2 site', '', '']);
    expect(tiers).toContainEqual(['Burrindal Road Stage 2 site', 'Bridge BR01', 'Pier 1']);
  });

  it('name the template of an item as the table of the templates does', () => {
    const templates = new Set(rows(site, named('procore'), 'InspectionTemplates').map((row) => row['Template name']));
    const items = rows(site, named('procore'), 'InspectionItems');
    expect(items.filter((row) => !templates.has(row['Template name']))).toEqual([]);
    expect(new Set(items.map((row) => row['Template name']))).toEqual(templates);
  });

  it('let a place deeper than three tiers keep all of its names, and go round no circle', () => {
    const place = (code: string, parentCode?: string) => ({
      entity: 'LBSNode',
      key: ['P', code],
      properties: { projectId: 'P', code, name: `at ${code}`, ...(parentCode !== undefined && { parentCode }) },
    });
    const nodes = [place('a'), place('a-b', 'a'), place('a-b-c', 'a-b'), place('a-b-c-d', 'a-b-c'), place('x', 'x')];
    const tiers = rows(new Site({ nodes, relationships: [] }, 'P'), named('procore'), 'Locations').map(Object.values);
    expect(tiers).toContainEqual(['at a', 'at a-b', 'at a-b-c - at a-b-c-d']);
    expect(tiers).toContainEqual(['at x', '', '']);
  });

  it('begin no field with what a spreadsheet computes', () => {
    const nodes = HOSTILE.map((text, at) => ({
      entity: 'WorkType',
      key: ['P', `W${at}`],
      properties: { projectId: 'P', code: `W${at}`, description: text },
    }));
    const read = rows(new Site({ nodes, relationships: [] }, 'P'), named('civilpro'), 'WorkTypes');
    expect(read).toHaveLength(HOSTILE.length);
    for (const row of read) expect(row['Description']).not.toMatch(/^[=+\-@\t\r]/);
  });

  it('hand the mapping out so that it can be edited and handed in again', () => {
    for (const profile of PROFILES) {
      const mapping = profileFiles(site, profile).find(({ path }) => path === `profiles/${profile.name}/profile.json`)!;
      expect(readProfile(JSON.parse(mapping.content as string), construction, 'profile.json')).toEqual(profile);
    }
  });

  it('write a profile of the user: other headers, a filter, a fixed text, an empty column', () => {
    const own = readProfile(
      {
        name: 'Our forms / 2',
        files: [
          {
            file: '../hold points.csv',
            rows: 'InspectionPoint',
            where: { pointType: 'HOLD' },
            columns: [
              ['Nr', 'itemNo'],
              ['Kind', { text: 'hold' }],
              ['Signed', null],
            ],
          },
        ],
      },
      construction,
      'own.json',
    );
    const [file] = profileFiles(site, own);
    expect(file!.path).toBe('profiles/Our-forms-2/hold-points.csv');
    const [header, first, ...rest] = parseCsv(file!.content as string);
    expect(header).toEqual(['Nr', 'Kind', 'Signed']);
    expect(first).toEqual(['1', 'hold', '']);
    expect(rest).toHaveLength(
      expected.nodes.filter(({ properties }) => properties['pointType'] === 'HOLD' && 'itemNo' in properties).length -
        1,
    );
  });

  it.each([
    [{}, /name: .*files: /s],
    [{ name: 'x', files: [{ file: 'a', rows: 'Nothing', columns: [['A', 'b']] }] }, /files\.0\.rows.*"Nothing"/],
    [{ name: 'x', files: [{ file: 'a', rows: 'WorkType', columns: [['A', 'colour']] }] }, /columns\.0 \(A\).*"colour"/],
    [{ name: 'x', files: [{ file: 'a', rows: 'LBSNode', columns: [['A', '@tier9']] }] }, /@tier9.*@tier1, @tier2/],
    [{ name: 'x', files: [{ file: 'a', rows: 'WorkType', columns: [['A', 'toString']] }] }, /"toString"/],
    [
      { name: 'x', files: [{ file: 'a', rows: 'WorkType', where: { no: 1 }, columns: [['A', 'code']] }] },
      /where.*"no"/,
    ],
  ])('refuse a profile that cannot be written, and name the fault: %j', (value, message) => {
    expect(() => readProfile(value, construction, 'own.json')).toThrow(message);
  });
});
