import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Properties } from '../../schemas/define.ts';
import { engineNode, publication } from '../../src/output/publication.ts';
import { normaliseQuote } from '../../src/output/quote.ts';
import { EMPTY_SUBMISSION } from '../../src/output/submission.ts';
import { checkRows, settleRows } from '../../src/output/submit.ts';
import type { TaskContext } from '../../src/output/task-context.ts';
import { type GraphRelationship, nodeId } from '../../src/ports.ts';
import { contextOf, edge, FILE, lessonsOf, row } from './library.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const edgeText = ({ from, type, to }: GraphRelationship) => `${nodeId(from)} ${type} ${nodeId(to)}`;

function publish(context: TaskContext, input: unknown, graph: Readonly<Record<string, Properties>> = {}) {
  const rows = checkRows(context, input);
  const { submission, issues } = settleRows(context, EMPTY_SUBMISSION, rows, new Set(Object.keys(graph)));
  expect([...rows.issues, ...issues]).toEqual([]);
  const { nodes, relationships } = publication(context, submission, { sha256, propertiesOf: (id) => graph[id] });
  const drawn = relationships.filter(({ type }) => !['FOUND_IN', 'OF_FILE', 'IN_LIBRARY'].includes(type));
  return { nodes, relationships, drawn: drawn.map(edgeText) };
}

describe('what a commit writes', () => {
  it('is each node with scope, key, attributes, common attributes and the task it comes from', () => {
    const { nodes } = publish(contextOf('shelving'), {
      entities: [row('Shelf', { code: 'A', tags: ['old', 'rare'] })],
    });
    expect(nodes[0]).toEqual({
      entity: 'Shelf',
      key: ['L', 'A'],
      properties: { libraryId: 'L', code: 'A', tags: ['old', 'rare'], assumed: false, producedBy: 'shelving' },
    });
  });

  it('is each passage under the schema’s own names, once, with its file, however many rows it supports', () => {
    const quote = { source: FILE, locator: '§ 2', quote: 'two  **shelves**' };
    const again = { ...quote, quote: 'two shelves' };
    const { nodes, relationships } = publish(contextOf('shelving'), {
      entities: [row('Shelf', { code: 'A' }, [quote]), row('Shelf', { code: 'B' }, [quote, again])],
    });
    const digest = sha256('two shelves').slice(0, 16);
    const passages = nodes.filter(({ entity }) => entity === 'Passage');
    expect(passages).toEqual([
      {
        entity: 'Passage',
        key: ['L', FILE, '§ 2', digest],
        properties: {
          libraryId: 'L',
          file: FILE,
          place: '§ 2',
          digest,
          quote: 'two  **shelves**',
          assumed: false,
          producedBy: 'shelving',
        },
      },
    ]);
    const id = nodeId(passages[0]!);
    expect(relationships.map(edgeText).sort()).toEqual(
      [
        `Shelf["L","A"] FOUND_IN ${id}`,
        `Shelf["L","A"] IN_LIBRARY Library["L"]`,
        `Shelf["L","B"] FOUND_IN ${id}`,
        `Shelf["L","B"] IN_LIBRARY Library["L"]`,
        `${id} OF_FILE File["L","${FILE}"]`,
      ].sort(),
    );
  });

  it('draws one edge for each element of a list, and none for a root', () => {
    const shelf = (code: string) => nodeId({ entity: 'Shelf', key: ['L', code] });
    const { drawn } = publish(
      contextOf('paper'),
      { entities: [row('Book', { code: 'B-1', kind: 'paper', shelfCodes: ['A', 'B'] })] },
      { [shelf('A')]: {}, [shelf('B')]: {} },
    );
    expect(drawn).toEqual(['Book["L","B-1"] STANDS_ON Shelf["L","A"]', 'Book["L","B-1"] STANDS_ON Shelf["L","B"]']);
    expect(
      publish(contextOf('shelving'), { entities: [row('Library', { name: 'N' })] }).relationships.map(edgeText),
    ).toEqual([expect.stringMatching(/^Library\["L"\] FOUND_IN/), expect.stringMatching(/OF_FILE/)]);
  });

  it('draws a narrowed link only where its far end fits, whether staged here or found in the graph', () => {
    const kind = (code: string, of: string) => ({ [nodeId({ entity: 'Book', key: ['L', code] })]: { kind: of } });
    const { drawn } = publish(
      contextOf('audio'),
      {
        entities: [
          row('Book', { code: 'B-1', kind: 'audio', sequelOf: 'B-7' }),
          row('Book', { code: 'B-2', kind: 'audio', sequelOf: 'B-8' }),
          row('Book', { code: 'B-3', kind: 'audio', sequelOf: 'B-1' }),
          row('Book', { code: 'B-4', kind: 'audio', sequelOf: 'B-404' }),
        ],
      },
      { ...kind('B-7', 'paper'), ...kind('B-8', 'audio') },
    );
    expect(drawn).toEqual(['Book["L","B-1"] SEQUEL_OF Book["L","B-7"]']);
  });

  it('keeps the submitted relationships', () => {
    const book = nodeId({ entity: 'Book', key: ['L', 'B-1'] });
    const lesson: [string, object] = ['Lesson', { courseNo: 'C-1', lessonNo: 1 }];
    const teaches = edge('TEACHES_FROM', lesson, ['Book', { code: 'B-1' }]);
    const { drawn } = publish(
      lessonsOf('C-1'),
      { entities: [row('Lesson', { courseNo: 'C-1', lessonNo: 1 })], relationships: [teaches] },
      { [book]: { kind: 'paper' } },
    );
    expect(drawn).toEqual([`Lesson["L","C-1",1] TEACHES_FROM ${book}`]);
  });

  it('has for the engine’s own nodes no edge that "*" declares for the others', () => {
    const { nodes, relationships } = engineNode(contextOf('@ingest'), 'File', { path: FILE });
    expect(nodes[0]).toMatchObject({ key: ['L', FILE], properties: { producedBy: '@ingest', path: FILE } });
    expect(relationships).toEqual([]);
  });
});

describe('a quote', () => {
  it('is the same words whatever bold marks and white space stand in it', () => {
    expect(normaliseQuote(' **At least**\n 2.4 m ')).toBe('At least 2.4 m');
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z0-9.]{1,6}$/), { minLength: 1 }),
        fc.infiniteStream(fc.constantFrom(' ', '\n', '  ', '\t ', '** ')),
        (words, gaps) => {
          const spread = words.reduce((text, word) => `${text}${gaps.next().value}${word}`);
          expect(normaliseQuote(spread)).toBe(words.join(' '));
        },
      ),
    );
  });
});
