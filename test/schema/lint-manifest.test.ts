import { describe, expect, it } from 'vitest';
import shipped from '../../manifest.json' with { type: 'json' };
import { construction } from '../../schemas/construction/index.ts';
import type { MasterSchema } from '../../schemas/define.ts';
import { type Manifest, manifestSchema } from '../../schemas/manifest.ts';
import { lintManifest } from '../../src/schema/lint-manifest.ts';
import { relationship, withEntity, withMore, withTask, workshop, workshopManifest } from './workshop.ts';

const reason = 'the foreman wants it so';
const withDependencies = (dependencies: NonNullable<Manifest['dependencies']>): Manifest => ({
  ...workshopManifest,
  dependencies,
});

describe('a manifest that fits its schema', () => {
  it('has no findings', () => {
    expect(lintManifest(workshop, workshopManifest)).toEqual([]);
  });

  it('the construction manifest fits', () => {
    expect(lintManifest(construction, manifestSchema.parse(shipped))).toEqual([]);
  });
});

const mistakes: readonly (readonly [
  mistake: string,
  schema: MasterSchema,
  manifest: Manifest,
  severity: 'error' | 'warning',
  at: string,
  message: RegExp,
])[] = [
  [
    'a task id twice',
    workshop,
    { ...workshopManifest, tasks: [...workshopManifest.tasks, workshopManifest.tasks[0]!] },
    'error',
    'tasks[4].id',
    /"design" is the id of an earlier task/,
  ],
  [
    'a pool that the manifest does not have',
    workshop,
    { ...withTask('design', { pool: 'larg' }), pools: { large: 2 } },
    'error',
    'tasks[0].pool',
    /got "larg"\. Did you mean "large"\?/,
  ],
  [
    'an unknown entity',
    workshop,
    withTask('design', { creates: ['Assembly', 'Prat'] }),
    'error',
    'tasks[0].creates[1]',
    /got "Prat"\. Did you mean "Part"\?/,
  ],
  [
    'an entity that by the schema another task produces',
    workshop,
    withTask('design', { creates: ['Assembly', 'Check'] }),
    'error',
    'tasks[0].creates[1]',
    /"design" creates Check, but by the schema "inspection" does/,
  ],
  [
    'an entity that by the schema the task produces and the manifest leaves out',
    workshop,
    withTask('inspection', { creates: ['Check'] }),
    'error',
    'tasks[3].creates',
    /by the schema "inspection" produces Step\. Add Step here/,
  ],
  [
    'a producer that is no task',
    withEntity('Check', { producers: [{ task: 'inspektion' }] }),
    withTask('inspection', { creates: ['Step'] }),
    'error',
    'tasks',
    /"inspektion" produces Check, and there is no such task\. Did you mean "inspection"\?/,
  ],
  [
    'reading what does not exist',
    workshop,
    withTask('making', { reads: ['Step', 'Assemblies'] }),
    'error',
    'tasks[2].reads[1]',
    /got "Assemblies"\. Did you mean "Assembly"\?/,
  ],
  [
    'a fan-out over what does not exist',
    workshop,
    withTask('inspection', { fanOut: { over: 'Asembly' } }),
    'error',
    'tasks[3].fanOut.over',
    /got "Asembly"\. Did you mean "Assembly"\?/,
  ],
  [
    'a fan-out over what no task produces',
    workshop,
    withTask('inspection', { fanOut: { over: 'File' } }),
    'error',
    'tasks[3].fanOut.over',
    /no task produces File/,
  ],
  [
    'a fan-out over what several tasks produce',
    workshop,
    withTask('inspection', { fanOut: { over: 'Part' } }),
    'error',
    'tasks[3].fanOut.over',
    /purchasing, making produce Part/,
  ],
  [
    'a fan-out over its own nodes',
    workshop,
    withTask('inspection', { fanOut: { over: 'Check' } }),
    'error',
    'tasks',
    /cycle: inspection → inspection/,
  ],
  [
    'an added edge of an unknown task',
    workshop,
    withDependencies({ add: [{ task: 'makin', waitsFor: 'design', reason }] }),
    'error',
    'dependencies.add[0].task',
    /got "makin"\. Did you mean "making"\?/,
  ],
  [
    'a dropped edge to an unknown task',
    workshop,
    withDependencies({ drop: [{ task: 'making', waitsFor: 'drawing', reason }] }),
    'error',
    'dependencies.drop[0].waitsFor',
    /expected a task, got "drawing"/,
  ],
  [
    'an edge added and dropped',
    workshop,
    withDependencies({
      add: [{ task: 'making', waitsFor: 'purchasing', reason }],
      drop: [{ task: 'making', waitsFor: 'purchasing', reason }],
    }),
    'error',
    'dependencies.add[0]',
    /added and dropped/,
  ],
  [
    'dropping an edge that is not there',
    workshop,
    withDependencies({ drop: [{ task: 'purchasing', waitsFor: 'design', reason }] }),
    'warning',
    'dependencies.drop[0]',
    /purchasing does not wait for design anyway/,
  ],
  [
    'dropping the edge of a fan-out',
    workshop,
    withDependencies({ drop: [{ task: 'inspection', waitsFor: 'design', reason }] }),
    'error',
    'dependencies.drop[0]',
    /cannot start without it/,
  ],
  [
    'a cycle of the schema',
    withMore(relationship('Assembly', 'PROVEN_BY', 'Check')),
    workshopManifest,
    'error',
    'tasks',
    /cycle: design → inspection → design/,
  ],
  [
    'a cycle that an added edge closes',
    workshop,
    withDependencies({ add: [{ task: 'design', waitsFor: 'making', reason }] }),
    'error',
    'tasks',
    /design waits for making: the foreman wants it so/,
  ],
];

describe('lint finds', () => {
  it.each(mistakes)('%s', (_, schema, manifest, severity, at, message) => {
    expect(lintManifest(schema, manifest)).toContainEqual({ severity, at, message: expect.stringMatching(message) });
  });
});

describe('lint is silent about', () => {
  it('a cycle that a dropped edge opens', () => {
    const schema = withMore(relationship('Assembly', 'PROVEN_BY', 'Part', { toWhere: { origin: 'made' } }));
    const drop = [{ task: 'design', waitsFor: 'making', reason }];
    expect(lintManifest(schema, workshopManifest)).toHaveLength(1);
    expect(lintManifest(schema, withDependencies({ drop }))).toEqual([]);
  });
});
