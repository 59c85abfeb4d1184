/** A small domain with one of everything that a submission can get wrong: tree, owner, discriminator, fan-out, `*`. */
import { z } from 'zod';
import { attribute, defineSchema, type MasterSchema, type Properties } from '../../schemas/define.ts';
import type { TaskContext } from '../../src/output/task-context.ts';
import type { GraphNode } from '../../src/ports.ts';

const code = z
  .string()
  .regex(/^[A-Z][A-Z0-9-]*$/, 'expected a code such as "A-1"')
  .describe('Code');
const invalid = { attributes: { code: 'a' }, at: 'code', why: 'A code is in upper case.' };

export const library: MasterSchema = defineSchema({
  name: 'library',
  version: '1.0.0',
  description: 'What a library holds and what is taught from it.',
  scope: 'libraryId',
  entities: [
    {
      name: 'Library',
      description: 'The library.',
      key: ['libraryId'],
      attributes: z.strictObject({ name: z.string() }),
      producers: [{ task: 'shelving' }],
      examples: { valid: { name: 'North' }, invalid: { attributes: { name: 1 }, at: 'name', why: 'A text.' } },
    },
    {
      name: 'Shelf',
      description: 'A place for books.',
      key: ['libraryId', 'code'],
      attributes: z.strictObject({ code, parentCode: code.optional(), tags: z.array(z.string()).optional() }),
      producers: [{ task: 'shelving', min: 2 }],
      examples: { valid: { code: 'A' }, invalid },
    },
    {
      name: 'Book',
      description: 'A book, on paper or to be heard.',
      key: ['libraryId', 'code'],
      attributes: z.strictObject({
        code,
        kind: z.enum(['paper', 'audio']),
        shelfCodes: z.array(code).optional(),
        sequelOf: code.optional(),
      }),
      producers: [
        { task: 'paper', where: { kind: 'paper' } },
        { task: 'audio', where: { kind: 'audio' }, min: 0 },
      ],
      examples: { valid: { code: 'B-1', kind: 'paper' }, invalid },
    },
    {
      name: 'Chapter',
      description: 'A part of a book.',
      key: ['libraryId', 'code', 'chapterNo'],
      attributes: z.strictObject({ code, chapterNo: z.int(), text: z.string().optional() }),
      producers: [{ task: 'paper', min: 0 }],
      ownedBy: 'Book',
      examples: { valid: { code: 'B-1', chapterNo: 1 }, invalid },
    },
    {
      name: 'Course',
      description: 'What is taught; one session of lessons for each.',
      key: ['libraryId', 'courseNo'],
      attributes: z.strictObject({ courseNo: code }),
      producers: [{ task: 'courses' }],
      examples: { valid: { courseNo: 'C-1' }, invalid: { attributes: {}, at: 'courseNo', why: 'Has a number.' } },
    },
    {
      name: 'Lesson',
      description: 'One lesson of a course.',
      key: ['libraryId', 'courseNo', 'lessonNo'],
      attributes: z.strictObject({ courseNo: code, lessonNo: z.int().min(1) }),
      producers: [{ task: 'lessons' }],
      examples: {
        valid: { courseNo: 'C-1', lessonNo: 1 },
        invalid: { attributes: { courseNo: 'C-1', lessonNo: 0 }, at: 'lessonNo', why: 'Counted from 1.' },
      },
    },
    {
      name: 'Passage',
      description: 'Words in a file.',
      key: ['libraryId', 'file', 'place', 'digest'],
      attributes: z.strictObject({
        file: z.string(),
        place: z.string().regex(/^§/, 'expected a place such as "§ 4"'),
        digest: z.string(),
        quote: z.string(),
        attribute: z.string().optional(),
      }),
      producers: [{ task: '@all', min: 0 }],
      examples: { valid: {}, invalid: { attributes: {}, at: 'file', why: 'Has a file.' } },
    },
    {
      name: 'File',
      description: 'A file that was read.',
      key: ['libraryId', 'path'],
      attributes: z.strictObject({ path: z.string() }),
      producers: [{ task: '@ingest' }],
      examples: { valid: {}, invalid: { attributes: {}, at: 'path', why: 'Has a path.' } },
    },
  ],
  relationships: [
    {
      type: 'IN_LIBRARY',
      from: '*',
      to: 'Library',
      cardinality: 'n:1',
      required: true,
      resolution: 'apriori',
      link: { to: {} },
      meaning: 'Whose it is.',
    },
    {
      type: 'CHILD_OF',
      from: 'Shelf',
      to: 'Shelf',
      cardinality: 'n:1',
      perSource: { min: 0, max: 1 },
      required: true,
      resolution: 'producer',
      link: { to: { code: attribute('parentCode') } },
      meaning: 'Stands inside.',
    },
    {
      type: 'STANDS_ON',
      from: 'Book',
      to: 'Shelf',
      fromWhere: { kind: 'paper' },
      cardinality: 'n:m',
      required: true,
      resolution: 'producer',
      link: { to: { code: attribute('shelfCodes') } },
      meaning: 'Where it stands.',
    },
    {
      type: 'SEQUEL_OF',
      from: 'Book',
      to: 'Book',
      toWhere: { kind: 'paper' },
      cardinality: 'n:1',
      required: false,
      resolution: 'producer',
      link: { to: { code: attribute('sequelOf') } },
      meaning: 'Follows a paper book.',
    },
    {
      type: 'TEACHES_FROM',
      from: 'Lesson',
      to: 'Book',
      toWhere: { kind: 'paper' },
      cardinality: 'n:m',
      perSource: { min: 1, max: 2 },
      required: true,
      resolution: 'producer',
      meaning: 'The paper books of a lesson.',
    },
    {
      type: 'FOLLOWS',
      from: 'Lesson',
      to: 'Lesson',
      cardinality: '1:1',
      required: false,
      resolution: 'producer',
      meaning: 'Comes after.',
    },
    {
      type: 'FOUND_IN',
      from: '*',
      to: 'Passage',
      cardinality: 'n:m',
      required: true,
      resolution: 'producer',
      meaning: 'The passage supports the node.',
    },
    {
      type: 'OF_FILE',
      from: 'Passage',
      to: 'File',
      cardinality: 'n:1',
      required: true,
      resolution: 'apriori',
      link: { to: { path: attribute('file') } },
      meaning: 'Where it stands.',
    },
  ],
  common: {
    agent: z.object({ assumed: z.boolean().default(false) }),
    engine: ['producedBy', 'createdAt'],
  },
  provenance: {
    entity: 'Passage',
    relationship: 'FOUND_IN',
    sourceEntity: 'File',
    inSource: 'OF_FILE',
    assumedAttribute: 'assumed',
  },
});

export const FILE = 'documents/list.md';

export function contextOf(task: string, more: Partial<TaskContext> = {}): TaskContext {
  return {
    schema: library,
    scope: 'L',
    instance: { id: task, task },
    sources: [FILE],
    readable: ['Shelf', 'Book', 'Course'],
    ...more,
  };
}

/** An instance of the fan-out over courses. */
export function lessonsOf(courseNo: string): TaskContext {
  const item: GraphNode = { entity: 'Course', key: ['L', courseNo], properties: { libraryId: 'L', courseNo } };
  return contextOf('lessons', {
    instance: { id: `lessons[${courseNo}]`, task: 'lessons', itemKey: courseNo },
    item,
  });
}

export const evidence = [{ source: FILE, locator: '§ 1', quote: 'as the list says' }];

export function row(entity: string, attributes: Properties, passages: object[] = evidence) {
  return { entity, attributes, evidence: passages };
}

export function edge(type: string, from: [string, object], to: [string, object]) {
  return { type, from: { entity: from[0], key: from[1] }, to: { entity: to[0], key: to[1] } };
}
