import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonFault } from '../../src/manifest/json-fault.ts';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('where a text stops being JSON', () => {
  it.each([
    ['{"a": 1, "b": 2, "a": 3}', 1, 18, /each field once, got "a" again/],
    ['{\n  // the name\n  "a": 1\n}', 2, 3, /field name in double quotes.*JSON has no comments/],
    ["{'a': 1}", 1, 2, /double quotes only/],
    ['[1, 2,]', 1, 7, /remove the comma/],
    ['{"a" 1}', 1, 6, /expected ":"/],
    ['{"a": 1 "b": 2}', 1, 9, /expected "," or "}"/],
    ['{"a": "x\ny"}', 1, 7, /ends on its line/],
    ['{"a": "\\q"}', 1, 7, /only before one of/],
    ['{"a": 01}', 1, 8, /expected "," or "}"/],
    ['"', 1, 1, /ends on its line/],
  ])('%j', (text, line, column, message) => {
    expect(findJsonFault(text)).toEqual({ line, column, message: expect.stringMatching(message) });
  });

  it('nesting deeper than any manifest is refused before it exhausts the stack', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(findJsonFault(deep)?.message).toContain('100 levels');
  });

  it('a long text is no fault', () => {
    expect(findJsonFault(JSON.stringify({ text: 'x"\\\n'.repeat(200_000) }))).toBeUndefined();
  });

  it('finds a fault exactly when JSON.parse does', () => {
    const json = fc.json({ maxDepth: 4 });
    const broken = fc
      .tuple(json, fc.nat(), fc.constantFrom('', ',', '"', '{', ']', ':', '\\', '0', '-', 'e', ' ', '\u0001'))
      .map(([text, at, sign]) => {
        const i = at % (text.length + 1);
        return text.slice(0, i) + sign + text.slice(i + (sign === '' ? 1 : 0));
      });
    const noRepeats = (text: string) => !findJsonFault(text)?.message.includes('each field once');
    fc.assert(
      fc.property(fc.oneof(json, broken, fc.string()).filter(noRepeats), (text) => {
        expect(findJsonFault(text) === undefined).toBe(parses(text));
      }),
      { numRuns: 2000 },
    );
  });
});
