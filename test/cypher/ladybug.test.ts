/** Neo4j's words on the left, Ladybug's on the right; what both understand stays as it is. */
import { describe, expect, it } from 'vitest';
import { columnNames, toLadybug } from '../../src/cypher/ladybug.ts';

describe('a statement in Ladybug’s words', () => {
  it.each([
    ['RETURN type(r)', 'RETURN label(r)'],
    ['RETURN n.type, "type(r)"', 'RETURN n.type, "type(r)"'],
    ["RETURN last(split(n.code, '.'))", "RETURN list_extract(string_split(n.code, '.'), -1)"],
    ['RETURN properties(n), round(x), round(x, 1)', 'RETURN (n), floor((x) + 0.5), round(x, 1)'],
    ['WITH n, collect(m.x) AS xs RETURN xs', 'WITH n, coalesce(collect(m.x), []) AS xs RETURN xs'],
    ['RETURN substring(n.code, f(1, 2), 3)', 'RETURN substring(n.code, 1 + f(1, 2), 3)'],
    ['MATCH (a)-[:R*]->(b) RETURN a', 'MATCH (a)-[:R* TRAIL 1..30 ]->(b) RETURN a'],
    ['MATCH (a)<-[:R*0..1]-(b:B) RETURN a', 'MATCH (a)<-[:R* TRAIL 0..1 ]-(b:B) RETURN a'],
    ['MATCH (a)-[*0..]->(b) RETURN a', 'MATCH (a)-[* TRAIL 0..30 ]->(b) RETURN a'],
    ['MATCH (a)-[:R*2]->(b) RETURN a', 'MATCH (a)-[:R* TRAIL 2..2 ]->(b) RETURN a'],
    ['MATCH (a)-[r:R*1..5]->(b) RETURN a', 'MATCH (a)-[r:R* TRAIL 1..5 ]->(b) RETURN a'],
    ['MATCH (a)-[:R*..4 {x: 1}]->(b) RETURN 2 * 3', 'MATCH (a)-[:R* TRAIL 1..4 {x: 1}]->(b) RETURN 2 * 3'],
    ['MATCH (n:A) WHERE NOT n:B RETURN n', "MATCH (n:A) WHERE NOT label(n) = 'B' RETURN n"],
    ['MATCH (n) WHERE (n:A OR n:B) RETURN n', "MATCH (n) WHERE (label(n) = 'A' OR label(n) = 'B') RETURN n"],
    [
      'MATCH (n:A WHERE n.x = 1)-[r:S]-(:T {k: n.v}) RETURN n',
      'MATCH (n:A WHERE n.x = 1)-[r:S]-(:T {k: n.v}) RETURN n',
    ],
    ['RETURN substring(n.code, 2)', 'RETURN substring(n.code, 1 + 2, 2147483647)'],
    ['RETURN n.list[0], xs[-1], [1][0], $p', 'RETURN n.list[1], xs[-1], [1][1], $p'],
    ['RETURN $p[0], m["key"], f(x)[1..3], xs[..2]', 'RETURN $p[1], m["key"], f(x)[2..3], xs[..2]'],
    ['RETURN xs[1..], xs[-3..-1], xs[0 .. -1]', 'RETURN xs[2..], xs[-3..-2], xs[1 .. -2]'],
    [
      'RETURN any(x IN split(y, ".") WHERE x = "a")',
      'RETURN (CASE WHEN (string_split(y, ".")) IS NULL THEN NULL ELSE any(x IN string_split(y, ".") WHERE x = "a") END)',
    ],
    ['MATCH (n) WHERE EXISTS { (n)-->(m) } RETURN 1', 'MATCH (n) WHERE EXISTS { MATCH (n)-->(m) } RETURN 1'],
    ['MATCH (n) WHERE COUNT{(n)--()} > 1 RETURN 1', 'MATCH (n) WHERE COUNT{MATCH (n)--()} > 1 RETURN 1'],
    [
      'MATCH (n) WHERE EXISTS { (n)-->(m) WHERE m:B } RETURN 1',
      "MATCH (n) WHERE EXISTS { MATCH (n)-->(m) WHERE label(m) = 'B' } RETURN 1",
    ],
    [
      'OPTIONAL MATCH (n:A) WHERE n:B RETURN labels(n)',
      "OPTIONAL MATCH (n:A) WHERE (CASE WHEN n IS NULL THEN NULL ELSE label(n) = 'B' END) RETURN (CASE WHEN n IS NULL THEN NULL ELSE [label(n)] END)",
    ],
    ['MATCH (n) WHERE n.x IN [0] UNWIND [0] AS y RETURN y', 'MATCH (n) WHERE n.x IN [0] UNWIND [0] AS y RETURN y'],
    ['WITH n LIMIT 3 RETURN n ORDER BY n.y', 'WITH n LIMIT 3 RETURN n ORDER BY n.y'],
    [
      'MATCH (n:Order) RETURN n.`order by` // WITH n ORDER BY n',
      'MATCH (n:Order) RETURN n.`order by` // WITH n ORDER BY n',
    ],
  ])('%s', (neo4j, ladybug) => {
    expect(toLadybug(neo4j)).toBe(ladybug);
  });
});

describe('two relationships of one MATCH are not the same', () => {
  it.each([
    ['MATCH (a)-[r:R]->(b)<-[s:R]-(c) RETURN a', 'MATCH (a)-[r:R]->(b)<-[s:R]-(c) WHERE r <> s RETURN a'],
    [
      'MATCH (a)-[:R]->(b)<-[:R|S]-(c) WHERE a.x = 1 OR c.x = 1 RETURN a',
      'MATCH (a)-[unnamed_1:R]->(b)<-[unnamed_2:R|S]-(c) WHERE unnamed_1 <> unnamed_2 AND ( a.x = 1 OR c.x = 1) RETURN a',
    ],
    [
      'MATCH (a)-->(b)--(c) RETURN a',
      'MATCH (a)-[unnamed_1]->(b)-[unnamed_2]-(c) WHERE unnamed_1 <> unnamed_2 RETURN a',
    ],
    [
      'MATCH (a)-[:R {x: 1}]-(b), (c)<-[`s t`]-(d) WHERE a.x STARTS WITH "x" WITH a RETURN a',
      'MATCH (a)-[unnamed_1:R {x: 1}]-(b), (c)<-[`s t`]-(d) WHERE unnamed_1 <> `s t` AND ( a.x STARTS WITH "x") WITH a RETURN a',
    ],
    [
      'MATCH (a)-[:R*1..3]->(b)<-[:R]-(c) RETURN a',
      'MATCH (a)-[unnamed_1:R* TRAIL 1..3 ]->(b)<-[unnamed_2:R]-(c) WHERE none(unnamed_0 IN rels(unnamed_1) WHERE id(unnamed_0) = id(unnamed_2)) RETURN a',
    ],
    [
      'MATCH (n) WHERE EXISTS { (n)-[r]->(m)-[s]->(o) } RETURN n',
      'MATCH (n) WHERE EXISTS { MATCH (n)-[r]->(m)-[s]->(o) WHERE r <> s } RETURN n',
    ],
    [
      'MATCH (n)-[r]-(m)-[s]-(o) WHERE any(x IN [1] WHERE x = 1) RETURN n',
      'MATCH (n)-[r]-(m)-[s]-(o) WHERE r <> s AND ( (CASE WHEN ([1]) IS NULL THEN NULL ELSE any(x IN [1] WHERE x = 1) END)) RETURN n',
    ],
    // Of different types, in different clauses, or the same by name: nothing to add.
    ['MATCH (a)-[:R]->(b)<-[:S]-(c) RETURN a', 'MATCH (a)-[:R]->(b)<-[:S]-(c) RETURN a'],
    ['MATCH (a)-[:R]->(b) MATCH (b)<-[:R]-(c) RETURN a', 'MATCH (a)-[:R]->(b) MATCH (b)<-[:R]-(c) RETURN a'],
    ['MATCH (a)-[r]->(b), (a)-[r]->(c) RETURN r', 'MATCH (a)-[r]->(b), (a)-[r]->(c) RETURN r'],
    ['MATCH (a)-[:R]->(b) RETURN a.x - [1, -2][0], - - 1', 'MATCH (a)-[:R]->(b) RETURN a.x - [1, -2][1], - - 1'],
  ])('%s', (neo4j, ladybug) => {
    expect(toLadybug(neo4j)).toBe(ladybug);
  });
});

it.each([
  ['MATCH (a)-[:R*]->(b)<-[:R*]-(c) RETURN a', 'The paths at 1:11 and 1:23 may share a relationship'],
  ['MATCH (a)-[:R]->(b)<-[:R]-(c) RETURN *', '* at 1:38: name the columns'],
  ['MATCH (a) WHERE NOT (a)-[:R]->()-[:R]->(:B) RETURN a', 'The pattern at 1:21 may use one relationship twice'],
  ['MATCH (a) RETURN a.xs[a.i]', 'The position in a list at 1:23 is not written as a number'],
  ['MATCH (a) RETURN a.xs[0..size(a.xs)]', 'The position in a list at 1:26'],
  ['MATCH (a) RETURN keys(a)', 'keys() at 1:18'],
  ['MATCH (a:A)--(b)<-[:R*0..2]-(c) RETURN a', 'The path at 1:19 may have no hops'],
])('refuses what Ladybug would answer in another way: %s', (statement, why) => {
  expect(() => toLadybug(statement)).toThrow(expect.objectContaining({ code: 'CYPHER_INVALID' }) as Error);
  expect(() => toLadybug(statement)).toThrow(why);
});

it('refuses an order that Ladybug would lose, and says where it belongs', () => {
  const statement = 'MATCH (n)\nWITH n ORDER BY n.x LIMIT 3 RETURN collect(n.x)';
  expect(() => toLadybug(statement)).toThrow('ORDER BY at 2:8: the embedded engine keeps no order within WITH');
});

describe('the names of the columns', () => {
  it.each<[string, string[] | undefined]>([
    ['MATCH (n) RETURN n.code, count( n ) AS c, `a b`.x', ['n.code', 'c', '`a b`.x']],
    ['RETURN DISTINCT f(a, b), [1, 2] AS `x y` ORDER BY 1 LIMIT 3;', ['f(a, b)', 'x y']],
    ['RETURN 1 AS a UNION RETURN 2 AS a', ['a']],
    ['MATCH (n) WHERE EXISTS { MATCH (n) RETURN 1 } RETURN n', ['n']],
    ['MATCH (n) RETURN *', undefined],
  ])('%s', (statement, names) => {
    expect(columnNames(statement)).toEqual(names);
  });
});
