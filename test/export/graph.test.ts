import fc from 'fast-check';
import { parseCsv } from 'hucre/csv';
import { describe, expect, it } from 'vitest';
import { construction } from '../../schemas/construction/index.ts';
import { graphCsv } from '../../src/export/graph/csv.ts';
import { graphCypher } from '../../src/export/graph/cypher.ts';
import { graphMl } from '../../src/export/graph/graphml.ts';
import { graphJson } from '../../src/export/graph/json.ts';
import { orderedGraph } from '../../src/export/graph/ordered.ts';
import { type GraphSnapshot, nodeId } from '../../src/ports.ts';
import { readTruth } from '../../src/score/truth-file.ts';
import { expectedSnapshot } from '../schemas/construction/expected-graph.ts';
import { hostileGraph, hostileSnapshot } from './hostile-graph.ts';
import { readXml } from './xml-reader.ts';

const expected = expectedSnapshot();
const text = (file: { content: string | Uint8Array }) => file.content as string;

/** What identifies a graph: sorted texts of its nodes and relationships. */
function contents(graph: GraphSnapshot) {
  return {
    nodes: graph.nodes
      .map((node) => `${nodeId(node)} ${JSON.stringify(Object.entries(node.properties).sort())}`)
      .sort(),
    relationships: graph.relationships.map(({ type, from, to }) => `${type} ${nodeId(from)} ${nodeId(to)}`).sort(),
  };
}

function shuffled(graph: GraphSnapshot): GraphSnapshot {
  return { nodes: [...graph.nodes].reverse(), relationships: [...graph.relationships].reverse() };
}

describe('the graph as JSON', () => {
  it('is read back as the same graph by the reader of truth files', () => {
    const back = readTruth(JSON.parse(text(graphJson(expected, construction))), construction, 'graph.json').graph;
    expect(contents(back)).toEqual(contents(expected));
    expect(back.nodes).toHaveLength(666);
    expect(back.relationships).toHaveLength(1818);
  });

  it('keeps hostile texts as they are', () => {
    fc.assert(
      fc.property(hostileGraph, (graph) => {
        const json = JSON.parse(text(graphJson(graph, construction)));
        const names = json.nodes.map((node: { props: { name: string } }) => node.props.name).sort();
        expect(names).toEqual(graph.nodes.map((node) => node.properties['name']).sort());
      }),
    );
  });

  it('is the same bytes for the same graph in another order, in every format', () => {
    const all = (graph: GraphSnapshot) =>
      [graphJson, graphCypher, graphMl].map((format) => text(format(graph, construction)));
    expect(all(shuffled(expected))).toEqual(all(expected));
    expect(graphCsv(shuffled(expected), construction)).toEqual(graphCsv(expected, construction));
  });

  it('lists codes by their numbers: 1.9 before 1.10', () => {
    const codes = orderedGraph(expected, construction)
      .nodes.filter(({ entity }) => entity === 'WBSNode')
      .map(({ key }) => String(key[1]));
    const place = (code: string) => codes.indexOf(code);
    expect(place('0')).toBe(0);
    expect(place('1')).toBeLessThan(place('1.1'));
    expect(codes).toHaveLength(40);
  });
});

describe('the graph as CSV', () => {
  const files = graphCsv(expected, construction);
  const table = (path: string) => {
    const [header, ...rows] = parseCsv(text(files.find((file) => file.path === path)!), { unescapeFormulae: true });
    return rows.map((row) => Object.fromEntries(header!.map((name, at) => [String(name), row[at]])));
  };

  it('has a file for each entity and each relationship type of the schema', () => {
    expect(files.filter(({ path }) => path.startsWith('nodes/'))).toHaveLength(construction.entities.length);
    const types = new Set(construction.relationships.map(({ type }) => type));
    expect(files.filter(({ path }) => path.startsWith('relationships/'))).toHaveLength(types.size);
  });

  it('gives every node and every attribute back', () => {
    for (const { name, key } of construction.entities) {
      const rows = table(`nodes/${name}.csv`);
      const nodes = orderedGraph(expected, construction).nodes.filter(({ entity }) => entity === name);
      expect(rows, name).toHaveLength(nodes.length);
      for (const [at, node] of nodes.entries()) {
        const values = new Map(
          node.properties.map(([attribute, value]) => [
            attribute,
            typeof value === 'object' ? value.join('; ') : String(value),
          ]),
        );
        for (const [attribute, cell] of Object.entries(rows[at]!)) expect(cell).toBe(values.get(attribute) ?? '');
        expect(Object.keys(rows[at]!).slice(0, key.length)).toEqual(key);
      }
    }
  });

  it('gives every relationship back with the keys of its ends', () => {
    const mapped = table('relationships/MAPPED_TO.csv');
    expect(mapped).toHaveLength(87);
    expect(Object.keys(mapped[0]!)).toEqual(['from', 'from.projectId', 'from.code', 'to', 'to.projectId', 'to.code']);
    const listed = table('relationships/LISTED_IN.csv');
    expect(new Set(listed.map((row) => row['from']))).toEqual(new Set(['ITPRequirement', 'ControlPoint']));
    expect(listed.filter((row) => row['from.pointNo'] !== '')).toHaveLength(18);
  });

  it('begins no field with what a spreadsheet computes, and reads back by RFC 4180', () => {
    fc.assert(
      fc.property(hostileGraph, (graph) => {
        const file = graphCsv(graph, construction).find(({ path }) => path === 'nodes/WBSNode.csv')!;
        expect(text(file).startsWith('\uFEFFprojectId,code,')).toBe(true);
        const [header, ...rows] = parseCsv(text(file));
        const at = header!.indexOf('name');
        expect(rows).toHaveLength(graph.nodes.length);
        for (const row of rows) {
          expect(row).toHaveLength(header!.length);
          expect(String(row[at])).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
        }
        const plain = (name: unknown) => String(name).replace(/^'(?=[=+\-@\t\r\n＝＋－＠])/, '');
        expect(rows.map((row) => plain(row[at])).sort()).toEqual(
          graph.nodes.map((node) => plain(node.properties['name'])).sort(),
        );
      }),
    );
  });
});

describe('the graph as GraphML', () => {
  const root = readXml(text(graphMl(expected, construction)));
  const graph = root.children.find(({ name }) => name === 'graph')!;
  const named = (name: string) => graph.children.filter((child) => child.name === name);

  it('gives every node, attribute and relationship back, typed', () => {
    const keys = new Map(
      root.children
        .filter(({ name }) => name === 'key')
        .map(({ attributes }) => [attributes['id']!, [attributes['attr.name'], attributes['attr.type']] as const]),
    );
    const ordered = orderedGraph(expected, construction);
    const nodes = named('node').map(({ children }) =>
      children.map((data) => [keys.get(data.attributes['key']!)![0], data.text]),
    );
    expect(nodes).toEqual(
      ordered.nodes.map(({ entity, properties }) => [
        ['labels', entity],
        ...properties.map(([name, value]) => [name, typeof value === 'object' ? value.join('; ') : String(value)]),
      ]),
    );
    const ids = new Map(ordered.nodes.map((node, at) => [nodeId(node), `n${at}`]));
    expect(
      named('edge').map(({ attributes, children }) => [attributes['source'], children[0]!.text, attributes['target']]),
    ).toEqual(ordered.relationships.map(({ type, from, to }) => [ids.get(nodeId(from)), type, ids.get(nodeId(to))]));
    const types = Object.fromEntries(keys.values());
    expect([types['chainageStart'], types['isConstruction'], types['code'], types['scheduleItems']]).toEqual([
      'double',
      'boolean',
      'string',
      'string',
    ]);
  });

  it('is well-formed whatever the texts are, and loses only what XML cannot hold', () => {
    fc.assert(
      fc.property(hostileGraph, (hostile) => {
        const [keyOfName] = readXml(text(graphMl(hostile, construction)))
          .children.filter(({ attributes }) => attributes['attr.name'] === 'name')
          .map(({ attributes }) => attributes['id']);
        const read = readXml(text(graphMl(hostile, construction)))
          .children.at(-1)!
          .children.flatMap(({ children }) => children)
          .filter(({ attributes }) => attributes['key'] === keyOfName)
          .map((data) => data.text)
          .sort();
        const kept = hostile.nodes
          .map((node) =>
            String(node.properties['name'])
              .replace(/\p{Cs}/gu, '\uFFFD')
              // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 forbids
              .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD'),
          )
          .sort();
        expect(read).toEqual(kept);
      }),
    );
  });
});

describe('the graph as a Cypher script', () => {
  const statements = (graph: GraphSnapshot) => text(graphCypher(graph, construction)).split(/;\n/).slice(0, -1);

  it('makes a constraint for each entity and merges everything', () => {
    const all = statements(expected);
    expect(all.filter((one) => one.includes('CREATE CONSTRAINT'))).toHaveLength(construction.entities.length);
    expect(all.filter((one) => !one.includes('CREATE CONSTRAINT')).every((one) => one.includes('\nMERGE '))).toBe(true);
    const rows = (one: string) => one.split('\n').filter((line) => /^ {2}[[{]/.test(line)).length;
    const sum = (kind: string) => all.filter((one) => one.includes(kind)).reduce((total, one) => total + rows(one), 0);
    expect(sum('\nMERGE (n:')).toBe(666);
    expect(sum('\nMERGE (a)-')).toBe(1818);
  });

  it('lets no text end its literal: outside of the literals stands nothing of the data', () => {
    fc.assert(
      fc.property(hostileGraph, (graph) => {
        for (const one of statements(graph)) {
          // Both readings: \uXXXX turned before the text is cut into tokens, and not.
          for (const source of [
            one,
            one.replace(/\\u([0-9a-fA-F]{4})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
          ]) {
            const outside = source.replace(/'(?:[^'\\]|\\[\s\S])*'/g, '§');
            expect(outside).not.toMatch(/['\\]|DETACH|DELETE|http|SUM/);
          }
        }
      }),
    );
    expect(statements(hostileSnapshot()).join('')).not.toMatch(/\\u/i);
  });

  it('refuses a name that cannot stand in a statement', () => {
    const odd = { ...expected, nodes: [{ ...expected.nodes[0]!, properties: { 'a` }) //': 1 } }] };
    expect(() => graphCypher({ ...odd, relationships: [] }, construction)).toThrow(/SCHEMA_INVALID|plain|letters/);
  });
});
