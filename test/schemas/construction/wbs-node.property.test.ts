import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wbsLevel, wbsNode, wbsParentCode } from '../../../schemas/construction/wbs-node.ts';
import { judgeNode } from './judge-node.ts';

const segments = fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 6 });
const codes = segments.map((parts) => parts.join('.'));

function node(code: string, parentCode: string | undefined, level: number) {
  return { code, level, parentCode, name: 'Piles', nodeType: 'section', isConstruction: true };
}

test('the only parent code accepted is the code without its last segment, "0" at level 1, none for the root', () => {
  fc.assert(
    fc.property(segments, fc.option(codes, { nil: undefined }), (parts, claimed) => {
      const code = parts.join('.');
      // Stated apart from the implementation: by segments, not by cutting text.
      const parent = code === '0' ? undefined : parts.length === 1 ? '0' : parts.slice(0, -1).join('.');
      const level = code === '0' ? 0 : parts.length;
      expect(judgeNode(wbsNode, node(code, parent, level))).toEqual([]);
      const faults = judgeNode(wbsNode, node(code, claimed, level));
      expect(faults.map((fault) => fault.at)).toEqual(claimed === parent ? [] : ['parentCode']);
      if (claimed !== parent && parent !== undefined) expect(faults[0]?.message).toContain(`expected "${parent}"`);
    }),
  );
});

test('going from parent to parent ends at the root and loses one level at each step', () => {
  fc.assert(
    fc.property(codes, (code) => {
      let at: string | undefined = code;
      let level = wbsLevel(code);
      for (let parent = wbsParentCode(code); parent !== undefined; parent = wbsParentCode(parent)) {
        // "0.3" lies below the root as "3" does, one segment deeper.
        expect(wbsLevel(parent)).toBe(parent === '0' ? 0 : level - 1);
        level = wbsLevel(parent);
        at = parent;
      }
      expect(at).toBe('0');
    }),
  );
});

test('a wrong level is refused with the right one', () => {
  fc.assert(
    fc.property(segments, fc.integer({ min: 0, max: 8 }), (parts, level) => {
      const code = parts.join('.');
      const right = code === '0' ? 0 : parts.length;
      const faults = judgeNode(wbsNode, node(code, wbsParentCode(code), level));
      expect(faults.map((fault) => fault.at)).toEqual(level === right ? [] : ['level']);
    }),
  );
});
