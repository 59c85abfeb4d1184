import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../src/schema/nearest.ts';

describe('the nearest known name', () => {
  it.each([
    ['WBSNdoe', ['WBSNode', 'LBSNode'], 'WBSNode'],
    ['wbsnode', ['LBSNode', 'WBSNode'], 'WBSNode'],
    ['fanout', ['fanOut', 'allow'], 'fanOut'],
    ['concurency', ['concurrency'], 'concurrency'],
    ['Parts', ['Check', 'Part'], 'Part'],
  ])('of %s is found', (name, known, expected) => {
    expect(nearest(name, known)).toBe(expected);
  });

  it.each([
    ['xyz', ['design', 'making']],
    ['a', ['b']],
    ['', ['b']],
    ['design', []],
  ])('of %j is not invented', (name, known) => {
    expect(nearest(name, known)).toBeUndefined();
  });

  it('of equally near ones is the first', () => {
    expect(nearest('task-3', ['task-1', 'task-2'])).toBe('task-1');
  });

  it('a known name is its own nearest, and a swap of neighbours is always close', () => {
    const word = fc.stringMatching(/^[a-z]{4,12}$/);
    fc.assert(
      fc.property(word, fc.array(word), fc.nat(), (name, others, at) => {
        expect(nearest(name, [...others, name])).toBe(name);
        const i = at % (name.length - 1);
        const swapped = name.slice(0, i) + name[i + 1] + name[i] + name.slice(i + 2);
        expect(nearest(swapped, [name])).toBe(name);
      }),
    );
  });
});
