/** What only reads passes; what could write, load or call is refused, in whatever dress. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireReadOnly } from '../../src/cypher/read-only.ts';

describe('a statement that only reads', () => {
  it.each([
    'MATCH (n) RETURN n',
    'match (n:WBSNode {projectId: $projectId}) where n.code =~ "5\\\\..*" return n.code as code order by code skip 1 limit 5;',
    'OPTIONAL MATCH (a)-[r:CHILD_OF*1..5]->(b) RETURN count(r)',
    'UNWIND [1, 2] AS x WITH x, collect({x: x}) AS xs RETURN xs',
    'MATCH (n) WHERE EXISTS { MATCH (n)-->(m) WHERE m.x = 1 } RETURN COUNT { (n)--() }, COLLECT { MATCH (n)--(m) RETURN m.x }',
    'MATCH (n) CALL { WITH n MATCH (n)--(m) RETURN count(m) AS c } RETURN c UNION ALL RETURN 1 AS c',
    'MATCH (n) CALL (n) { RETURN n.code AS c } RETURN c',
    'CALL db.labels() YIELD label RETURN label',
    'RETURN date.truncate("day", $d), point.distance($a, $b)',
    'RETURN 1 AS one // SET n.x = 1\n/* DELETE n; DROP */',
    "RETURN \"SET n.x = 1; DELETE n\" AS text, 'it\\'s CREATE' AS other",
    'MATCH (n:Create|Set|!Delete)-[:MERGE|REMOVE]->(m) RETURN n.set, m.delete, n {.remove, .load}, {set: 1, delete: 2}',
    'MATCH (`set`) RETURN `set`.x AS `DELETE`',
    'MATCH (n) WHERE n.created > 1 AND n.settled AND n.dropped RETURN n.uses',
    'RETURN $set, $delete, $`create`, $0',
    'MATCH (start)-->(show) WHERE start.x IN [0x1F, 1.5e-3, 07, 1_000, .5] RETURN xs[1..size(show.xs)]',
    'RETURN vector.similarity.cosine($a, $b), duration.between($c, $d)',
  ])('passes: %s', (text) => {
    expect(() => requireReadOnly(text)).not.toThrow();
  });
});

describe('a statement that could do more', () => {
  it.each<[string, string]>([
    ['CREATE (n)', 'got "CREATE" at 1:1'],
    ['MATCH (n) SET n.x = 1', 'SET at 1:11'],
    ['MATCH (n)\n  DETACH DELETE n', 'DETACH at 2:3'],
    ['MATCH (n) WITH n, 1. SET n.x = 1', 'SET at 1:22'],
    ['MATCH (n:%) SET n.x = 1', 'SET at'],
    ['MATCH (n) WITH n.as SET n.x = 1 RETURN n', 'SET at'],
    ['MATCH (n) WHERE n:% SET n.x = 1', 'SET at'],
    ['MATCH (n) REMOVE n.x', 'REMOVE at'],
    ['MATCH (n) FOREACH (x IN [1] | SET n.x = x)', 'FOREACH at'],
    ['UNWIND [1] AS x MERGE (n {x: x})', 'MERGE at'],
    ['LOAD CSV FROM "file:///etc/passwd" AS l RETURN l', 'got "LOAD"'],
    ['MATCH (n) LOAD CSV FROM "x" AS l RETURN l', 'LOAD at'],
    ['MATCH (n) CALL { WITH n DELETE n } IN TRANSACTIONS RETURN 1', 'DELETE at'],
    ['MATCH (n) CALL { RETURN 1 AS x } IN TRANSACTIONS RETURN 1', 'TRANSACTIONS at'],
    ['CALL dbms.shutdown()', 'CALL dbms.shutdown at 1:1'],
    ['CALL apoc.cypher.doIt("x", {})', 'CALL apoc.cypher.doIt'],
    ['CALL `db.labels`()', 'CALL'],
    ['CALL threads=5', 'CALL threads'],
    ['RETURN apoc.load.json("http://x")', 'apoc.load.json()'],
    ['RETURN `apoc`.`load`.json("http://x")', 'apoc.load.json()'],
    ["RETURN [1, 2][0..apoc.load.json('http://x')]", 'apoc.load.json() at 1:18'],
    ["RETURN 1 /**/ .. // x\n apoc . load . json ('http://x')", 'apoc.load.json() at 2:2'],
    ["RETURN `apoc.load.json`('http://x')", 'stands without backticks'],
    ["RETURN gds.graph.exists('x')", 'gds.graph.exists()'],
    ["RETURN nextval('s')", 'nextval() at 1:8'],
    ["MATCH (n) WHERE read_csv('/etc/passwd') = 1 RETURN n", 'read_csv() at'],
    ["RETURN Load_Json('/etc/passwd')", 'Load_Json() at'],
    ['CALL { CALL apoc.load.json("x") YIELD value RETURN value } RETURN value', 'CALL apoc.load.json at 1:8'],
    ['RETURN 1 AS x NEXT CREATE (n)', 'CREATE at'],
    ['RETURN 1; MATCH (n) DELETE n', 'a second statement begins at 1:11'],
    ['EXPLAIN MATCH (n) RETURN n', 'got "EXPLAIN"'],
    ['USE other MATCH (n) RETURN n', 'got "USE"'],
    ['COPY t FROM "x.csv"', 'got "COPY"'],
    ['MATCH (n) INSERT (m)', 'INSERT at'],
    ['', 'got nothing'],
    ['RETURN "\\u0022 SET"', '\\u at 1:9'],
    ['MATCH (n) \\u0053ET n.x = 1', '\\u at 1:11'],
    ['MATCH (n) ſET n.x = 1', 'SET at'],
    [`RETURN ${'1 + '.repeat(6_000)}1`, 'at most 20000 characters'],
  ])('refuses: %s', (text, why) => {
    expect(() => requireReadOnly(text)).toThrow(expect.objectContaining({ code: 'CYPHER_REFUSED' }) as Error);
    expect(() => requireReadOnly(text)).toThrow(why);
  });

  it.each(['0SET', '$0SET', '1SET', '1.5SET', '.5SET', '1e5SET', '0x1SET', '0\u0661SET'])(
    'takes no number that a name follows at once, since an engine may see a clause: %s',
    (number) => {
      expect(() => requireReadOnly(`MATCH (n) WHERE n.x = ${number} n.y = 1 RETURN n`)).toThrow('Put a space between');
    },
  );

  it.each(["RETURN 'open", 'RETURN "open', 'MATCH (`n) RETURN 1', 'RETURN 1 /* open'])(
    'names the end that is missing: %s',
    (text) => {
      expect(() => requireReadOnly(text)).toThrow(/never closed/);
    },
  );

  it('refuses every writing clause behind every reading one, in any case, spacing and nesting', () => {
    const dress = (word: string) =>
      fc
        .array(fc.boolean(), { minLength: word.length, maxLength: word.length })
        .map((up) => Array.from(word, (letter, i) => (up[i] ? letter.toUpperCase() : letter.toLowerCase())).join(''));
    const writing = fc
      .constantFrom(
        'CREATE (x)',
        'MERGE (x)',
        'SET n.x = 1',
        'DELETE n',
        'DETACH DELETE n',
        'REMOVE n.x',
        'FOREACH (x IN [] | CREATE (y))',
        'LOAD CSV FROM "" AS l',
      )
      .chain((clause) => {
        const [word, ...rest] = clause.split(' ');
        return dress(word!).map((dressed) => [dressed, ...rest].join(' '));
      });
    const space = fc.constantFrom(
      ' ',
      '\n',
      '\t',
      '\u00a0',
      '\u2003',
      '\ufeff',
      '/**/',
      '// "\n',
      "/* ' */",
      ' /* `*/ ',
    );
    const reading = fc.constantFrom(
      'MATCH (n)',
      'MATCH (n:Set {delete: "\'"})',
      'WITH 1 AS n',
      'UNWIND [1] AS n',
      'MATCH (n) WHERE n.set = 1.',
      'OPTIONAL MATCH (`a``b`) WITH *',
      'MATCH (n) WHERE n.x = [1, 2][0..1]',
      'MATCH (n)-[*1..]-(m)',
      'WITH $x AS n, $0 AS y',
      'MATCH (n) RETURN n { .set, x: 0x1F } AS n UNION MATCH (n)',
      "MATCH (n) WHERE n.x CONTAINS '\\'' // '\n",
    );
    const wrap = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => `MATCH (n) CALL { ${text} } RETURN 1`,
      (text) => `MATCH (n) WHERE EXISTS {${text}} RETURN 1`,
      (text) => `RETURN 1 UNION ${text}`,
      (text) => `MATCH (n) CALL (n) { ${text} } IN 2 CONCURRENT TRANSACTIONS`,
      (text) => `RETURN COUNT { ${text} } + COLLECT { ${text} }`,
      (text) => `${text};`,
    );
    fc.assert(
      fc.property(reading, space, writing, wrap, (before, gap, clause, around) => {
        expect(() => requireReadOnly(around(before + gap + clause))).toThrow(
          expect.objectContaining({ code: 'CYPHER_REFUSED' }) as Error,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('answers any text with yes or with a reason', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), (text) => {
        try {
          requireReadOnly(text);
        } catch (thrown) {
          expect((thrown as { code?: string }).code).toMatch(/^CYPHER_/);
        }
      }),
    );
  });
});
