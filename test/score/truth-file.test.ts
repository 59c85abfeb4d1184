import { describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { readTruth } from '../../src/score/truth-file.ts';
import { truthJson } from './road-upgrade.ts';

const read = (json: unknown) => readTruth(json, construction, 'truth.json');

function problemsOf(json: unknown): string {
  try {
    read(json);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'TRUTH_INVALID', exitCode: 2 });
    return (thrown as Error).message;
  }
  return '';
}

const node = (label: string, props: object) => ({ label, props });
const file = (nodes: unknown[], relationships: unknown[] = []) => ({ projectId: 'BRU2', nodes, relationships });
const end = (code: string) => ({ label: 'WBSNode', key: { code } });

describe('a truth file', () => {
  it('of the sample is read whole, with the keys in schema order', () => {
    const { graph, complete } = read(truthJson());
    expect(graph.nodes).toHaveLength(666);
    expect(graph.relationships).toHaveLength(1818);
    expect(complete).toEqual({ ITPTemplate: ['ITP-07'] });
    expect(graph.nodes.find(({ entity }) => entity === 'AcceptanceCriterion')?.key).toHaveLength(4);
  });

  it('may leave out attributes, and the project id when the file has it', () => {
    const { graph } = read(file([node('WBSNode', { code: '1' })]));
    expect(graph.nodes).toEqual([
      { entity: 'WBSNode', key: ['BRU2', '1'], properties: { code: '1', projectId: 'BRU2' } },
    ]);
  });

  it('that does not fit the schema is refused with the path of every problem', () => {
    const problems = problemsOf(
      file(
        [
          node('WBSNode', { code: '1', quantity: 'many', colour: 'red' }),
          node('WBSNod', { code: '2' }),
          node('WBSNode', { name: 'no code' }),
        ],
        [
          { type: 'CHILD_OF', from: end('1'), to: end('9') },
          { type: 'CHILD_OFF', from: end('1'), to: end('1') },
        ],
      ),
    );
    expect(problems).toContain('6 problems in truth.json');
    expect(problems).toMatch(/nodes\[0\]\.props\.quantity: .*got "many"/);
    expect(problems).toContain('nodes[0].props.colour: unknown attribute of WBSNode');
    expect(problems).toMatch(/nodes\[1\]\.label: .*got "WBSNod".*Did you mean "?WBSNode/);
    expect(problems).toContain('nodes[2].props.code: expected a part of the key of WBSNode, got nothing');
    expect(problems).toContain('relationships[0].to: expected a node of the file, got WBSNode["BRU2","9"]');
    expect(problems).toContain('relationships[1].type: expected a relationship of the schema, got "CHILD_OFF"');
  });

  it.each([null, [], 3, 'x', {}, { nodes: {} }])('of another form is refused: %j', (json) => {
    expect(problemsOf(json)).toContain('expected a truth that fits the schema');
  });

  it('names an attribute of every object for what it is: unknown', () => {
    expect(problemsOf(file([node('WBSNode', { code: '1', constructor: 'x' })]))).toContain(
      'nodes[0].props.constructor: unknown attribute',
    );
  });

  it('lists twenty problems and counts the rest', () => {
    const nodes = Array.from({ length: 30 }, () => node('Nothing', {}));
    expect(problemsOf(file(nodes))).toMatch(/nodes\[19\][^\n]*\n {2}and 10 more$/);
  });

  it('with an unknown entity under complete is refused', () => {
    expect(problemsOf({ ...file([]), complete: { Itp: ['ITP-07'] } })).toContain('complete.Itp');
  });
});
