import { describe, expect, test } from 'vitest';
import { construction } from '../../../schemas/construction/index.ts';
import { entityNamed, judgeNode } from './judge-node.ts';
import { rejected } from './rejected.ts';

describe('what must be refused is refused at its attribute, with the cure in the message', () => {
  test.each(rejected)('%s %j', (name, change, at, message) => {
    const entity = entityNamed(name);
    const faults = judgeNode(entity, { ...entity.examples.valid, ...change });
    expect(faults).toHaveLength(1);
    expect(faults[0]?.at).toBe(at);
    expect(faults[0]?.message).toContain(message);
  });

  test('rules over several attributes speak in the same answer as the faults of single attributes', () => {
    const faults = judgeNode(entityNamed('WBSNode'), { code: '4.2.1', name: 'TBC', level: 1, parentCode: '3.2' });
    expect(faults.map((fault) => fault.at).sort()).toEqual([
      'isConstruction',
      'level',
      'name',
      'nodeType',
      'parentCode',
    ]);
    expect(faults.map((fault) => fault.message)).toContain('"3.2" is not the parent of "4.2.1"; expected "4.2"');
  });

  test('a value that is no object is refused once, without an exception', () => {
    for (const value of [null, 'text', 7, []]) {
      const result = (entityNamed('WBSNode').refined ?? entityNamed('WBSNode').attributes).safeParse(value);
      expect(result.error?.issues.map(({ path }) => path)).toEqual([[]]);
    }
  });

  test('a text of 200 000 characters is answered at once, whatever it is made of', () => {
    // Judging in the square of the length would take minutes.
    const long = ['.', ' ', ',', '[', '-', 'a', '1 ', '[name ', '\n'].flatMap((part) => {
      const repeated = part.repeat(Math.ceil(200_000 / part.length));
      return [repeated, `${repeated}§`];
    });
    for (const entity of construction.entities) {
      for (const name of Object.keys(entity.attributes.shape)) {
        for (const value of long) {
          const started = performance.now();
          const faults = judgeNode(entity, { ...entity.examples.valid, [name]: value });
          expect(performance.now() - started, `${entity.name}.${name}`).toBeLessThan(2_000);
          expect(faults.map(({ at }) => at)).toContain(name);
          expect(faults.map(({ message }) => message).join('').length).toBeLessThan(1000);
        }
      }
    }
  });

  test('a section body of the greatest length is judged at once', () => {
    const { attributes, examples, refined = attributes } = entityNamed('PlanSection');
    for (const part of ['[', '[name ', 'Scope and objectives ', '. ', '-']) {
      const bodyMarkdown = part.repeat(Math.floor(100_000 / part.length));
      const started = performance.now();
      refined.safeParse({ ...examples.valid, bodyMarkdown });
      expect(performance.now() - started, part).toBeLessThan(2_000);
    }
  });
});
