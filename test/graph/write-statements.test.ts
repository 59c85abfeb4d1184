import fc from 'fast-check';
import neo4j from 'neo4j-driver';
import { describe, expect, it } from 'vitest';
import { construction } from '../../schemas/construction/index.ts';
import { dryRun, literal } from '../../src/graph/neo4j-dry-run.ts';
import { constraintStatement, graphShape } from '../../src/graph/neo4j-shape.ts';
import { writeStatements } from '../../src/graph/neo4j-statements.ts';
import { fromNeo4j, toParameter } from '../../src/graph/neo4j-values.ts';
import type { GraphBatch, GraphNode } from '../../src/ports.ts';
import { contractSchema } from './contract-schema.ts';

const TIME = '2025-11-03T14:30:22.000Z';
const shape = graphShape(contractSchema);
const node = (entity: string, code: string | number, properties: GraphNode['properties'] = {}): GraphNode => ({
  entity,
  key: ['P', code],
  properties,
});
const batch = (nodes: GraphNode[], relationships: GraphBatch['relationships'] = []): GraphBatch => ({
  runId: 'R1',
  task: 'task-a',
  nodes,
  relationships,
});
const codes = (rows: readonly Record<string, unknown>[]) => rows.map((row) => (row['key'] as string[])[1]);

describe('the statements of a batch', () => {
  it('have 500 rows each, nodes by entity and key, and relationships behind all nodes', () => {
    const nodes = Array.from({ length: 1201 }, (_, at) => node(at % 2 === 0 ? 'B' : 'A', `${1201 - at}`));
    const relationships = nodes.slice(1).map((to, at) => ({ type: 'NEXT', from: nodes[at]!, to }));
    const statements = writeStatements(batch(nodes, relationships), shape, TIME);
    expect(statements.map(({ kind, what, rows }) => [kind, what, rows.length])).toEqual([
      ['nodes', 'A', 500],
      ['nodes', 'A', 100],
      ['nodes', 'B', 500],
      ['nodes', 'B', 101],
      ['relationships', 'A NEXT B', 500],
      ['relationships', 'A NEXT B', 100],
      ['relationships', 'B NEXT A', 500],
      ['relationships', 'B NEXT A', 100],
    ]);
    const inOrder = codes(statements.slice(0, 2).flatMap(({ rows }) => rows));
    expect(inOrder).toEqual([...inOrder].sort());
  });

  it('take the locks of ends outside of the batch first, together with its own nodes in one order', () => {
    const [a, b, z] = [node('A', '2'), node('A', '1'), node('WBSNode', '9')];
    const edges = [
      { type: 'NEXT', from: a, to: z },
      { type: 'NEXT', from: b, to: a },
    ];
    const statements = writeStatements(batch([a], edges), shape, TIME);
    expect(statements.map(({ kind, what }) => `${kind} ${what}`)).toEqual([
      'lock A',
      'lock WBSNode',
      'nodes A',
      'relationships A NEXT A',
      'relationships A NEXT WBSNode',
    ]);
    expect(codes(statements[0]!.rows)).toEqual(['1', '2']);
  });

  it('write a node that occurs twice one after the other, never twice in a statement', () => {
    const twice = [node('A', '1', { x: 1 }), node('A', '2'), node('A', '1', { x: 2 })];
    const statements = writeStatements(batch(twice), shape, TIME);
    expect(statements.map(({ rows }) => codes(rows))).toEqual([['1', '2'], ['1']]);
  });

  it('are the same whatever the order of the rows in the batch', () => {
    const rows = fc.uniqueArray(fc.tuple(fc.constantFrom('A', 'B', 'Item'), fc.string({ maxLength: 4 })), {
      selector: String,
      maxLength: 20,
    });
    const pair = rows.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
    fc.assert(
      fc.property(pair, ([one, other]) => {
        const [first, second] = [one, other].map((each) => {
          const nodes = each.map(([entity, code]) => node(entity, code));
          const edges = nodes.map((from) => ({ type: 'USES', from, to: node('Point', 1) }));
          return writeStatements(batch(nodes, edges), shape, TIME);
        });
        expect(second).toEqual(first);
      }),
    );
  });

  it('hold no value in their text', () => {
    const hostile = '`}) DETACH DELETE n //';
    const nodes = [node('A', hostile, { [hostile]: hostile })];
    const statements = writeStatements(batch(nodes, [{ type: 'USES', from: nodes[0]!, to: nodes[0]! }]), shape, TIME);
    for (const { text } of statements) expect(text).not.toContain('DELETE');
  });

  it('leave key attributes to the key, null to the removal, and undefined out', () => {
    const properties = { projectId: 'P', code: '1', gone: null, left: undefined, x: 1 };
    const [statement] = writeStatements(batch([node('A', '1', properties)]), shape, TIME);
    expect(statement?.rows).toEqual([{ key: ['P', '1'], order: expect.any(String), props: { gone: null, x: 1 } }]);
  });
});

describe('the shape of a schema in Neo4j', () => {
  it('constrains each entity of the construction schema by its whole key, project first', () => {
    const { entities } = graphShape(construction);
    expect([...entities.keys()]).toEqual(construction.entities.map(({ name }) => name));
    expect(constraintStatement(entities.get('ITPTemplate')!)).toBe(
      'CREATE CONSTRAINT `muster_ITPTemplate_key` IF NOT EXISTS FOR (n:`ITPTemplate`) REQUIRE (n.`projectId`, n.`docNo`) IS UNIQUE',
    );
  });

  it.each(['a`b', 'a b', '', '1a', 'a\\u0060b', 'a-b', 'a\n'])('refuses a schema with the name %j', (name) => {
    const [entity, ...others] = contractSchema.entities;
    const relationship = { ...contractSchema.relationships[0]!, type: name };
    for (const bad of [
      { ...contractSchema, entities: [{ ...entity!, name }, ...others] },
      { ...contractSchema, entities: [{ ...entity!, key: ['projectId', name] }, ...others] },
      { ...contractSchema, relationships: [relationship] },
    ]) {
      expect(() => graphShape(bad)).toThrow(expect.objectContaining({ code: 'SCHEMA_INVALID' }));
    }
  });
});

describe('the dry run', () => {
  it('reads as people write Cypher', () => {
    const [a, b] = [node('A', '1.10', { name: "O'Neil", level: 2, share: 0.5 }), node('B', 7)];
    expect(dryRun(batch([a, b], [{ type: 'USES', from: a, to: b }]), contractSchema, TIME)).toMatchSnapshot();
  });

  it('keeps every row on one line, whatever its text', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 });
    fc.assert(
      fc.property(text, text, (name, value) => {
        const row = literal({ [`x${name}`]: value });
        expect(row).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u);
      }),
    );
  });

  it('keeps the name of an end that cannot exist inside of its comment', () => {
    const ghost = node('Ghost\nMATCH (n) DETACH DELETE n;', '1');
    const printed = dryRun(batch([], [{ type: 'USES', from: ghost, to: node('A', '1') }]), contractSchema, TIME);
    expect(printed).not.toMatch(/^MATCH \(n\) DETACH/m);
  });

  it('refuses what the commit would refuse', () => {
    expect(() => dryRun(batch([node('Unheard', '1')]), contractSchema, TIME)).toThrow(
      expect.objectContaining({ code: 'GRAPH_COMMIT' }),
    );
  });
});

describe('values on their way to Neo4j and back', () => {
  it('come back as they went', () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.maxSafeInteger(),
    );
    const value = fc.oneof(
      scalar,
      fc.array(scalar),
      fc.constant(null),
      fc.dictionary(fc.string(), scalar, { noNullPrototype: true }),
    );
    fc.assert(
      fc.property(value, (given) => {
        // JSON knows one zero, as both stores do.
        expect(fromNeo4j(toParameter(given))).toEqual(JSON.parse(JSON.stringify(given)));
      }),
    );
  });

  it('travel as integers exactly when they are whole, and in a list all alike', () => {
    expect(neo4j.isInt(toParameter(3) as object)).toBe(true);
    expect(toParameter(0.5)).toBe(0.5);
    expect(toParameter(2 ** 60)).toBe(2 ** 60);
    expect(toParameter([1, 0.5])).toEqual([1, 0.5]);
    expect((toParameter([1, 2]) as unknown[]).every((each) => neo4j.isInt(each as object))).toBe(true);
    expect(literal([1, 0.5, 2 ** 60])).toBe('[1.0, 0.5, 1152921504606847000.0]');
    expect(literal({ n: 1, big: 1e300 })).toBe('{n: 1, big: 1e+300}');
  });

  it('leaves the engine’s properties out of a node', () => {
    const stored = new neo4j.types.Node(
      neo4j.int(1),
      ['A'],
      { x: neo4j.int(1), musterRunId: 'R', musterOrder: '' },
      '1',
    );
    expect(fromNeo4j(stored)).toEqual({ x: 1 });
  });
});
