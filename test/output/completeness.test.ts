import { describe, expect, it } from 'vitest';
import type { Properties } from '../../schemas/define.ts';
import { endsToLookUp, owed } from '../../src/output/completeness.ts';
import { readNone } from '../../src/output/counts.ts';
import { narrowedEnds } from '../../src/output/edges.ts';
import { EMPTY_SUBMISSION, type Submission } from '../../src/output/submission.ts';
import { checkRows, settleRows } from '../../src/output/submit.ts';
import type { TaskContext } from '../../src/output/task-context.ts';
import { nodeId } from '../../src/ports.ts';
import { contextOf, edge, lessonsOf, row } from './library.ts';

const NONE = new Map<string, string>();
const book = (code: string) => nodeId({ entity: 'Book', key: ['L', code] });

function staged(context: TaskContext, input: unknown, existing: ReadonlySet<string> = new Set()): Submission {
  const rows = checkRows(context, input);
  const { submission, issues } = settleRows(context, EMPTY_SUBMISSION, rows, existing);
  expect([...rows.issues, ...issues]).toEqual([]);
  return submission;
}

function open(
  context: TaskContext,
  submission: Submission,
  existing: Readonly<Record<string, Properties>> = {},
  none: ReadonlyMap<string, string> = NONE,
) {
  return owed(context, submission, new Set(Object.keys(existing)), none, (id) => existing[id]).map(
    ({ path, message }) => `${path}: ${message}`,
  );
}

describe('how many rows a task owes', () => {
  it('is counted for its own part of a shared entity', () => {
    expect(open(contextOf('paper'), EMPTY_SUBMISSION)).toContain('Book: expected at least 1; 0 submitted so far');
    expect(open(contextOf('audio'), EMPTY_SUBMISSION)).toEqual([
      'Book: none submitted; if the documents have none, say so with none: [{entity: "Book", reason: …}]',
    ]);
  });

  it('can be none with a reason, and not with a reason beside rows', () => {
    const audio = contextOf('audio');
    const issues: { path: string; message: string }[] = [];
    const none = readNone(audio, [{ entity: 'Book', reason: 'The list names no audio book.' }], issues);
    expect(issues).toEqual([]);
    expect(open(audio, EMPTY_SUBMISSION, {}, none)).toEqual([]);
    const submission = staged(audio, { entities: [row('Book', { code: 'B-9', kind: 'audio' })] });
    expect(open(audio, submission, {}, none)).toEqual([
      'Book: "none" says that the documents have none, and 1 are submitted; withdraw them, or leave the reason out',
    ]);
  });

  it.each<[string, unknown, string]>([
    ['no list', 'none at all', 'none: expected a list of {entity, reason}; got "none at all"'],
    [
      'a foreign entity',
      [{ entity: 'Shelf', reason: 'long enough' }],
      'none[0].entity: expected an entity of this task',
    ],
    ['no reason', [{ entity: 'Book', reason: ' ' }], 'none[0].reason: expected the reason in a sentence'],
  ])('refuses %s for a reason', (_, value, expected) => {
    const issues: { path: string; message: string }[] = [];
    readNone(contextOf('audio'), value, issues);
    expect(issues.map(({ path, message }) => `${path}: ${message}`).join()).toContain(expected);
  });
});

describe('the ends of what a task hands in', () => {
  it('must exist, each named, at most twenty of a kind', () => {
    const shelves = contextOf('shelving');
    const orphans = Array.from({ length: 25 }, (_, i) => row('Shelf', { code: `S-${i}`, parentCode: 'X' }));
    const submission = staged(shelves, { entities: [row('Library', { name: 'North' }), ...orphans] });
    const issues = open(shelves, submission);
    expect(issues).toHaveLength(21);
    expect(issues[0]).toBe('Shelf S-0: CHILD_OF: there is no Shelf "X"; submit it, or correct the key');
    expect(issues[20]).toBe('ends of CHILD_OF: and 5 more of this kind');
  });

  it('include the owner of an owned node, though no relationship names it', () => {
    const paper = contextOf('paper');
    const submission = staged(
      paper,
      {
        entities: [
          row('Book', { code: 'B-1', kind: 'paper', shelfCodes: ['A'] }),
          row('Chapter', { code: 'B-2', chapterNo: 1 }),
        ],
      },
      new Set([nodeId({ entity: 'Shelf', key: ['L', 'A'] })]),
    );
    const shelf = { [nodeId({ entity: 'Shelf', key: ['L', 'A'] })]: {} };
    expect(endsToLookUp(paper, submission).map(nodeId)).toContain(book('B-2'));
    expect(open(paper, submission, shelf)).toEqual([
      'Chapter B-2 / 1: belongs to Book "B-2", which does not exist; submit it, or correct the key',
    ]);
    expect(open(paper, submission, { ...shelf, [book('B-2')]: {} })).toEqual([]);
  });
});

describe('the relationships a task owes', () => {
  const lessons = lessonsOf('C-1');
  const lesson = (lessonNo: number): [string, object] => ['Lesson', { courseNo: 'C-1', lessonNo }];
  const paper = {
    [book('B-1')]: { kind: 'paper' },
    [book('B-2')]: { kind: 'paper' },
    [book('B-3')]: { kind: 'paper' },
  };
  const rows = (count: number) =>
    Array.from({ length: count }, (_, i) => row('Lesson', { courseNo: 'C-1', lessonNo: i + 1 }));
  const teaches = (lessonNo: number, code: string) => edge('TEACHES_FROM', lesson(lessonNo), ['Book', { code }]);

  it('have a minimum and a maximum for each row', () => {
    const submission = staged(
      lessons,
      {
        entities: rows(3),
        relationships: [teaches(1, 'B-1'), ...['B-1', 'B-2', 'B-3'].map((code) => teaches(2, code))],
      },
      new Set(Object.keys(paper)),
    );
    expect(open(lessons, submission, paper)).toEqual([
      'Lesson TEACHES_FROM Book: each Lesson needs at least 1 with kind = paper; too few: C-1 / 3',
      'Lesson TEACHES_FROM Book: each Lesson may have at most 2 with kind = paper; too many: C-1 / 2',
    ]);
  });

  it('count only where the far end has the values that narrow it, and a submitted stray is named', () => {
    const graph = { ...paper, [book('B-9')]: { kind: 'audio' } };
    const submission = staged(
      lessons,
      { entities: rows(1), relationships: [teaches(1, 'B-9')] },
      new Set(Object.keys(graph)),
    );
    expect(narrowedEnds(lessons, submission).map(nodeId)).toEqual([book('B-9')]);
    expect(open(lessons, submission, graph)).toEqual([
      'Lesson C-1 / 1: TEACHES_FROM: Book "B-9" is none with kind = paper; withdraw the relationship, or correct the key',
      'Lesson TEACHES_FROM Book: each Lesson needs at least 1 with kind = paper; too few: C-1 / 1',
    ]);
  });

  it('that are one to one are shared by nobody', () => {
    const follows = (after: number, before: number) => edge('FOLLOWS', lesson(after), lesson(before));
    const submission = staged(
      lessons,
      {
        entities: rows(4),
        relationships: [1, 2, 3, 4]
          .map((i) => teaches(i, 'B-1'))
          .concat([follows(2, 1), follows(3, 1), follows(4, 2), follows(4, 3)]),
      },
      new Set(Object.keys(paper)),
    );
    expect(open(lessons, submission, paper)).toEqual([
      'Lesson FOLLOWS Lesson: each Lesson may have at most 1; too many: C-1 / 4',
      'Lesson FOLLOWS Lesson: a Lesson belongs to one Lesson only; shared: C-1 / 1',
    ]);
  });

  it('of a narrowed start bind only the rows that it means', () => {
    const audio = contextOf('audio');
    const submission = staged(audio, { entities: [row('Book', { code: 'B-9', kind: 'audio' })] });
    expect(open(audio, submission)).toEqual([]);
    const onPaper = contextOf('paper');
    const homeless = staged(onPaper, { entities: [row('Book', { code: 'B-1', kind: 'paper' })] });
    expect(open(onPaper, homeless, {}, new Map([['Chapter', 'no chapters are named']]))).toEqual([
      'Book STANDS_ON Shelf: each Book needs at least 1; too few: B-1',
    ]);
  });

  it('are not to another item of the fan-out, at either end', () => {
    const other: [string, object] = ['Lesson', { courseNo: 'C-2', lessonNo: 1 }];
    const { issues, relationships } = checkRows(lessons, {
      relationships: [edge('FOLLOWS', lesson(2), other), edge('FOLLOWS', other, lesson(2))],
    });
    expect(relationships).toEqual([]);
    expect(issues.map(({ path }) => path)).toEqual([
      'relationships[0].to.key.courseNo',
      'relationships[1].from.key.courseNo',
    ]);
    expect(issues[0]!.message).toBe('expected "C-1", the item of this instance; got "C-2"');
  });
});
