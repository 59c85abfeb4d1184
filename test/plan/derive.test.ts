import { describe, expect, it } from 'vitest';
import type { MasterSchema } from '../../schemas/define.ts';
import type { Manifest } from '../../schemas/manifest.ts';
import { deriveTaskGraph } from '../../src/plan/derive.ts';
import { relationship, withMore, withTask, workshop, workshopManifest } from '../schema/workshop.ts';

const dependencies = (schema: MasterSchema, manifest: Manifest) =>
  Object.fromEntries(
    deriveTaskGraph(schema, manifest)
      .tasks.filter(({ waitsFor }) => waitsFor.length > 0)
      .map(({ id, waitsFor }) => [id, waitsFor.map(({ task }) => task)]),
  );

const add = (task: string, waitsFor: string): Manifest => ({
  ...workshopManifest,
  dependencies: { add: [{ task, waitsFor, reason: 'the foreman wants it so' }] },
});

describe('the derived task graph', () => {
  it('names tasks in the order of the manifest, with wave, reasons and the producer of a fan-out', () => {
    expect(deriveTaskGraph(workshop, workshopManifest)).toEqual({
      tasks: [
        { id: 'design', title: 'Design', wave: 1, waitsFor: [], creates: ['Assembly'] },
        { id: 'purchasing', title: 'Purchasing', wave: 1, waitsFor: [], creates: ['Part'] },
        {
          id: 'making',
          title: 'Making',
          wave: 2,
          waitsFor: [{ task: 'design', why: 'Part[origin=made] FITS Assembly, required, n:m' }],
          creates: ['Part'],
        },
        {
          id: 'inspection',
          title: 'Inspection',
          wave: 3,
          waitsFor: [
            { task: 'design', why: 'Check OF Assembly, required, 1:1; fans out over Assembly' },
            { task: 'purchasing', why: 'Check NEEDS Part[origin=bought], required, n:m' },
          ],
          creates: ['Check', 'Step'],
          fanOut: { over: 'Assembly', maxItems: 100, producer: 'design' },
        },
      ],
    });
  });

  it('merges all relationships behind one edge into its reason, each once', () => {
    const schema = withMore(
      relationship('Check', 'MEASURES', 'Assembly'),
      relationship('Step', 'TOUCHES', 'Assembly'),
      relationship('Check', 'MEASURES', 'Assembly'),
    );
    const inspection = deriveTaskGraph(schema, workshopManifest).tasks.find(({ id }) => id === 'inspection');
    expect(inspection?.waitsFor[0]?.why).toBe(
      'Check MEASURES Assembly, required, n:1; Check OF Assembly, required, 1:1; Step TOUCHES Assembly, required, n:1; fans out over Assembly',
    );
  });

  it('a fan-out waits for the producer of its items even when no relationship says so', () => {
    const schema = { ...workshop, relationships: [] };
    expect(dependencies(schema, workshopManifest)).toEqual({ inspection: ['design'] });
  });

  it('a fan-out stands behind the last static wave, and what waits for it behind that', () => {
    const schema: MasterSchema = {
      ...withMore(relationship('Report', 'ABOUT', 'Check')),
      entities: [
        ...workshop.entities,
        { ...workshop.entities[0]!, name: 'Report', producers: [{ task: 'reporting' }] },
      ],
    };
    const reporting = { id: 'reporting', title: 'Report', prompt: 'r.md', creates: ['Report'] };
    const manifest = { ...workshopManifest, tasks: [reporting, ...workshopManifest.tasks] };
    expect(deriveTaskGraph(schema, manifest).tasks.map(({ id, wave }) => [id, wave])).toEqual([
      ['reporting', 4],
      ['design', 1],
      ['purchasing', 1],
      ['making', 2],
      ['inspection', 3],
    ]);
  });

  it('an entity that every task writes makes every task wait for what it needs', () => {
    const schema = withMore(relationship('Passage', 'ABOUT', 'Part', { toWhere: { origin: 'bought' } }));
    expect(dependencies(schema, workshopManifest)).toEqual({
      design: ['purchasing'],
      making: ['design', 'purchasing'],
      inspection: ['design', 'purchasing'],
    });
  });

  it('nobody waits for what the engine registers before the run', () => {
    const schema = withMore(relationship('Assembly', 'DRAWN_IN', 'File'));
    expect(dependencies(schema, workshopManifest)).toEqual(dependencies(workshop, workshopManifest));
  });

  it('a task without a producer in this manifest is not waited for', () => {
    const tasks = workshopManifest.tasks.filter(({ id }) => id !== 'purchasing');
    expect(dependencies(workshop, { ...workshopManifest, tasks })).toEqual({
      making: ['design'],
      inspection: ['design'],
    });
  });

  describe('the manifest may change it', () => {
    it('an added edge carries the reason of the manifest, beside the relationships it already had', () => {
      const purchasing = deriveTaskGraph(workshop, add('purchasing', 'design')).tasks[1]!;
      expect(purchasing).toMatchObject({
        wave: 2,
        waitsFor: [{ task: 'design', why: 'the foreman wants it so' }],
      });
      const making = deriveTaskGraph(workshop, add('making', 'design')).tasks[2]!;
      expect(making.waitsFor[0]!.why).toBe('Part[origin=made] FITS Assembly, required, n:m; the foreman wants it so');
    });

    it('a dropped edge is gone, and the wave follows', () => {
      const drop = [{ task: 'making', waitsFor: 'design', reason: 'parts are made from old drawings' }];
      const graph = deriveTaskGraph(workshop, { ...workshopManifest, dependencies: { drop } });
      expect(graph.tasks.map(({ wave }) => wave)).toEqual([1, 1, 1, 2]);
    });

    it('the edge of a fan-out cannot be dropped', () => {
      const drop = [{ task: 'inspection', waitsFor: 'design', reason: 'somebody is in a hurry' }];
      const graph = deriveTaskGraph(workshop, { ...workshopManifest, dependencies: { drop } });
      expect(graph.tasks[3]!.waitsFor[0]).toEqual({ task: 'design', why: 'fans out over Assembly' });
    });

    it('an added edge to a task that does not exist is refused', () => {
      expect(() => deriveTaskGraph(workshop, add('making', 'desing'))).toThrow(
        expect.objectContaining({ code: 'MANIFEST_INVALID', message: expect.stringContaining('"desing"') }),
      );
    });
  });

  describe('a fan-out needs one producer of its items', () => {
    it.each([
      ['File', /no task produces "File"/],
      ['Nothing', /no task produces "Nothing"/],
      ['Part', /purchasing, making produce "Part"/],
    ])('over %s it is refused', (over, message) => {
      const manifest = withTask('inspection', { fanOut: { over } });
      expect(() => deriveTaskGraph(workshop, manifest)).toThrow(message);
      expect(() => deriveTaskGraph(workshop, manifest)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }));
    });

    it('its own nodes are a cycle', () => {
      const manifest = withTask('inspection', { fanOut: { over: 'Check' } });
      expect(() => deriveTaskGraph(workshop, manifest)).toThrow('inspection → inspection');
    });
  });

  it('forty tasks that all wait for all before them are ordered at once', () => {
    const ids = Array.from({ length: 40 }, (_, i) => `task-${i}`);
    const manifest: Manifest = {
      ...workshopManifest,
      tasks: ids.map((id) => ({ id, title: id, prompt: 'p.md', creates: ['Assembly'] })),
      dependencies: {
        add: ids.flatMap((task, i) => ids.slice(i + 1).map((waitsFor) => ({ task, waitsFor, reason: 'one by one' }))),
      },
    };
    expect(deriveTaskGraph(workshop, manifest).tasks.map(({ wave }) => wave)).toEqual(ids.map((_, i) => 40 - i));
  });

  it('a cycle is named task by task, with what causes each step and the cure', () => {
    const schema = withMore(relationship('Assembly', 'PROVEN_BY', 'Check'));
    const error = catchError(() => deriveTaskGraph(schema, workshopManifest));
    expect(error).toMatchObject({ code: 'PLAN_CYCLE', exitCode: 2 });
    expect(error.message).toBe(
      [
        'expected tasks that can be put in an order, got a cycle: design → inspection → design',
        '  design waits for inspection: Assembly PROVEN_BY Check, required, n:1',
        '  inspection waits for design: Check OF Assembly, required, 1:1; fans out over Assembly',
        'Turn one of these relationships around, make it optional or resolve it late in the schema, or take an edge out with dependencies.drop in the manifest.',
      ].join('\n'),
    );
  });

  it('an added edge that closes a cycle is named with the reason of the manifest', () => {
    expect(() => deriveTaskGraph(workshop, add('design', 'making'))).toThrow(
      'design waits for making: the foreman wants it so',
    );
  });
});

function catchError(run: () => unknown): Error {
  try {
    run();
  } catch (thrown) {
    return thrown as Error;
  }
  throw new Error('expected an error, got none');
}
