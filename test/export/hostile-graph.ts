/** Graphs whose texts try to be something else than data: formulas, markup, quotes, statements, control characters. */
import fc from 'fast-check';
import type { Properties } from '../../schemas/define.ts';
import type { GraphSnapshot, NodeKey } from '../../src/ports.ts';

export const HOSTILE = [
  '=HYPERLINK("http://example.invalid","x")',
  '+1+1',
  '-2-3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '|calc',
  'a "quoted" text, with; separators',
  "it's; MATCH (n) DETACH DELETE n; //",
  "'}) DETACH DELETE n //",
  'ends with a backslash \\',
  '\\u0027}) DETACH DELETE n //',
  '\\\\u0027 \\U0027',
  '`y` {z} $param',
  'line\nbreak\r\nand\ttab',
  '<b>&amp;</b> ]]> <!-- x -->',
  '_x0041_ _x000D_',
  'bell\u0007 nul\u0000 escape\u001b',
  '\uFFFE\uFFFF half \uD800 pair \u{1F6A7}',
  '1.10',
  '3-1',
  '0012',
  ' leading and trailing ',
  '\u2028\u2029\u0085',
];

const text = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 12 }));

/** Of WBS nodes, with a key, a text, a list, a number and a flag. */
export const hostileGraph: fc.Arbitrary<GraphSnapshot> = fc
  .uniqueArray(
    fc.record({
      code: text.filter((code) => code !== ''),
      name: text,
      items: fc.array(text, { maxLength: 3 }),
      quantity: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      isConstruction: fc.boolean(),
    }),
    { selector: ({ code }) => code, minLength: 1, maxLength: 6 },
  )
  .map((rows) => {
    const key = (code: string): NodeKey => ({ entity: 'WBSNode', key: ['P', code] });
    return {
      nodes: rows.map(({ code, name, items, quantity, isConstruction }) => ({
        ...key(code),
        properties: { projectId: 'P', code, name, scheduleItems: items, quantity, isConstruction } as Properties,
      })),
      relationships: rows.slice(1).map(({ code }) => ({ type: 'CHILD_OF', from: key(code), to: key(rows[0]!.code) })),
    };
  });

/** The hostile texts as one graph: each is a key and a name. */
export function hostileSnapshot(): GraphSnapshot {
  const key = (code: string): NodeKey => ({ entity: 'WBSNode', key: ['P', code] });
  return {
    nodes: HOSTILE.map((code) => ({
      ...key(code),
      properties: { projectId: 'P', code, name: code, scheduleItems: [code, 'x'], quantity: 0.5 } as Properties,
    })),
    relationships: HOSTILE.slice(1).map((code) => ({ type: 'CHILD_OF', from: key(code), to: key(HOSTILE[0]!) })),
  };
}
