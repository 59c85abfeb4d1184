import fc from 'fast-check';
import { parseCsv } from 'hucre/csv';
import { describe, expect, it } from 'vitest';
import { programFiles } from '../../src/export/construction/program/files.ts';
import { windows1252 } from '../../src/export/construction/program/windows-1252.ts';
import { Site } from '../../src/export/construction/site.ts';
import type { GraphNode } from '../../src/ports.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';
import { HOSTILE, hostileGraph } from './hostile-graph.ts';
import { readXml } from './xml-reader.ts';

const DAY = '2025-11-03';
const site = new Site(expectedSnapshot(), 'BRU2');
const file = (of: Site, end: string) => programFiles(of, DAY).find(({ path }) => path.endsWith(end))!;

type Row = Record<string, string>;

/** Tables of an XER file, as its readers take it apart. */
function readXer(of: Site): { header: string[]; tables: Record<string, Row[]> } {
  const text = new TextDecoder('windows-1252').decode(file(of, '.xer').content as Uint8Array);
  const lines = text.split('\r\n');
  expect(lines.pop()).toBe('');
  expect(lines.pop()).toBe('%E');
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  const tables: Record<string, Row[]> = {};
  let rows: Row[] = [];
  let fields: string[] = [];
  const header = lines.shift()!.split('\t');
  for (const line of lines) {
    const [mark, ...cells] = line.split('\t');
    if (mark === '%T') tables[cells[0]!] = rows = [];
    else if (mark === '%F') fields = cells;
    else {
      expect(mark).toBe('%R');
      expect(cells).toHaveLength(fields.length);
      rows.push(Object.fromEntries(fields.map((name, at) => [name, cells[at]!])));
    }
  }
  return { header, tables };
}

function tasksOf(of: Site): Row[] {
  const project = readXml(file(of, '.xml').content as string);
  return project.children
    .find(({ name }) => name === 'Tasks')!
    .children.map(({ children }) => Object.fromEntries(children.map(({ name, text }) => [name, text])));
}

const work = (code: string, parentCode: string | undefined, name: string): GraphNode => ({
  entity: 'WBSNode',
  key: ['P', code],
  properties: { projectId: 'P', code, name, ...(parentCode !== undefined && { parentCode }) },
});
const siteOf = (...nodes: GraphNode[]) => new Site({ nodes, relationships: [] }, 'P');

describe('the program for Primavera P6', () => {
  it('holds one project, one root, and each work package below its parent by the names of P6', () => {
    const { header, tables } = readXer(site);
    expect(header.slice(0, 4)).toEqual(['ERMHDR', '8.0', DAY, 'Project']);
    expect(tables['PROJECT']).toEqual([{ proj_id: '1', proj_short_name: 'BRU2' }]);
    const nodes = tables['PROJWBS']!;
    expect(nodes).toHaveLength(40);
    expect(nodes.filter((node) => node['proj_node_flag'] === 'Y')).toHaveLength(1);
    const byId = new Map(nodes.map((node) => [node['wbs_id'], node]));
    // P6 joins the short names with dots.
    const pathOf = (node: Row): string => {
      const parent = byId.get(node['parent_wbs_id']);
      return parent ? `${pathOf(parent)}.${node['wbs_short_name']}` : node['wbs_short_name']!;
    };
    const paths = new Map(nodes.map((node) => [pathOf(node), node['wbs_name']]));
    expect(paths.get('BRU2')).toBe('Burrindal Road Upgrade Stage 2');
    expect(paths.get('BRU2.5.2.1')).toBe('Pile caps');
    expect(paths.size).toBe(40);
  });

  it('holds the places as a tree of activity codes', () => {
    const { tables } = readXer(site);
    const places = tables['ACTVCODE']!;
    expect(places).toHaveLength(15);
    const pier = places.find((place) => place['short_name'] === 'BRU2-B-P1')!;
    const parent = places.find((place) => place['actv_code_id'] === pier['parent_actv_code_id'])!;
    expect([parent['short_name'], pier['actv_code_name']]).toEqual(['BRU2-B', 'Pier 1']);
    expect(tables['ACTVTYPE']![0]!['actv_code_type']).toBe('Location');
  });

  it('keeps its tables whatever the texts are', () => {
    const hostile = siteOf(work('0', undefined, 'all'), ...HOSTILE.map((text, at) => work(`${at + 1}`, '0', text)));
    expect(readXer(hostile).tables['PROJWBS']).toHaveLength(HOSTILE.length + 1);
    fc.assert(
      fc.property(hostileGraph, (graph) => {
        const rows = readXer(new Site(graph, 'P')).tables['PROJWBS']!;
        expect(rows.filter((row) => row['proj_node_flag'] === 'Y')).toHaveLength(1);
        expect(new Set(rows.map((row) => row['wbs_id'])).size).toBe(rows.length);
        expect(rows.filter((row) => row['parent_wbs_id'] === '')).toHaveLength(1);
      }),
    );
  });

  it('hangs several roots below a node of the project', () => {
    const rows = readXer(siteOf(work('1', undefined, 'one'), work('2', undefined, 'two'))).tables['PROJWBS']!;
    expect(rows.map((row) => [row['wbs_short_name'], row['parent_wbs_id']])).toEqual([
      ['P', ''],
      ['1', rows[0]!['wbs_id']],
      ['2', rows[0]!['wbs_id']],
    ]);
  });
});

describe('the program for MS Project', () => {
  it('holds one task for each node below the summary, with the place in the tree', () => {
    const tasks = tasksOf(site);
    expect(tasks).toHaveLength(40);
    expect(Object.keys(tasks[0]!)).toEqual(['UID', 'ID', 'Name', 'WBS', 'OutlineNumber', 'OutlineLevel', 'Summary']);
    expect(tasks[0]).toMatchObject({
      UID: '0',
      Name: 'Burrindal Road Upgrade Stage 2',
      OutlineLevel: '0',
      Summary: '1',
    });
    expect(tasks.map((task) => Number(task['UID']))).toEqual(tasks.map((_, at) => at));
    expect(tasks.find((task) => task['WBS'] === '5.2.1')).toMatchObject({
      Name: 'Pile caps',
      OutlineNumber: '5.2.1',
      OutlineLevel: '3',
      Summary: '0',
    });
    expect(tasks.find((task) => task['WBS'] === '5.2')).toMatchObject({ Summary: '1' });
  });

  it('numbers the place in the tree, not the code: a skipped number is not skipped', () => {
    const tasks = tasksOf(siteOf(work('0', undefined, 'all'), work('2', '0', 'two'), work('2.7', '2', 'seven')));
    expect(tasks.map((task) => [task['WBS'], task['OutlineNumber']])).toEqual([
      ['0', '0'],
      ['2', '1'],
      ['2.7', '1.1'],
    ]);
  });

  it('is well-formed whatever the texts are, also with several roots', () => {
    fc.assert(
      fc.property(hostileGraph, (graph) => {
        const tasks = tasksOf(new Site(graph, 'P'));
        expect(new Set(tasks.map((task) => task['OutlineNumber'])).size).toBe(tasks.length);
        for (const task of tasks.slice(1)) {
          expect(task['OutlineNumber']!.split('.')).toHaveLength(Number(task['OutlineLevel']));
        }
      }),
    );
  });
});

describe('the program for any scheduler', () => {
  it('keeps codes as texts and quantities as numbers', () => {
    const [header, ...rows] = parseCsv(file(site, '.csv').content as string);
    expect(header).toEqual(['WBS code', 'Name', 'Level', 'Parent', 'Work type', 'Quantity', 'Unit', 'Locations']);
    expect(rows.find(([code]) => code === '5.1')).toEqual([
      ...['5.1', 'Bored cast-in-place piles', '2', '5', 'PI', '168', 'm'],
      'BRU2-B-AA; BRU2-B-AB; BRU2-B-P1',
    ]);
  });

  it('is not written without a breakdown structure', () => {
    expect(programFiles(siteOf(), DAY)).toEqual([]);
  });
});

describe('text in Windows-1252', () => {
  it('has the bytes of the code page, and stands in for what the code page lacks', () => {
    // Not by TextDecoder: that of Node 20 takes the code page for Latin-1.
    const bytes = (text: string) => [...windows1252(text)].map((byte) => byte.toString(16)).join(' ');
    expect(bytes('€‚ƒ„…†‡ˆ‰Š‹ŒŽ')).toBe('80 82 83 84 85 86 87 88 89 8a 8b 8c 8e');
    expect(bytes('‘’“”•–—˜™š›œžŸ')).toBe('91 92 93 94 95 96 97 98 99 9a 9b 9c 9e 9f');
    expect(bytes('A ~ ü±²ÿ')).toBe('41 20 7e 20 fc b1 b2 ff');
    expect(bytes('Łóē≥日\u{1F6A7}\uD800')).toBe('3f f3 65 3f 3f 3f 3f');
  });

  it('is one byte for each character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(windows1252(text)).toHaveLength([...text.normalize('NFC')].length);
      }),
    );
  });
});
