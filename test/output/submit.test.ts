import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { owed } from '../../src/output/completeness.ts';
import { readNone } from '../../src/output/counts.ts';
import { isUuid } from '../../src/output/keys.ts';
import { EMPTY_SUBMISSION, type Submission } from '../../src/output/submission.ts';
import { checkRows, foreignEnds, settleRows, withdraw } from '../../src/output/submit.ts';
import type { TaskContext } from '../../src/output/task-context.ts';
import { nodeId } from '../../src/ports.ts';

const SOURCE = 'documents/05-schedule.md';
const context = (task: string, more: Partial<TaskContext> = {}): TaskContext => ({
  schema: construction,
  scope: 'BRU2',
  instance: { id: task, task },
  sources: [SOURCE],
  readable: [],
  ...more,
});
const wbs = context('wbs-extraction');
const evidence = [{ source: SOURCE, locator: 'p1', quote: 'the row' }];
const node = (code: string, parentCode?: string, more: object = {}) => ({
  entity: 'WBSNode',
  attributes: {
    code,
    name: `Package ${code}`,
    level: code === '0' ? 0 : code.split('.').length,
    ...(parentCode !== undefined && { parentCode }),
    nodeType: code === '0' ? 'project' : 'work-package',
    isConstruction: true,
    ...more,
  },
  evidence,
});

/** Submits as the desk does, with nothing in the graph unless given. */
function submit(of: TaskContext, submission: Submission, input: unknown, existing: ReadonlySet<string> = new Set()) {
  const rows = checkRows(of, input);
  const settled = settleRows(of, submission, rows, existing);
  return { ...settled, issues: [...rows.issues, ...settled.issues] };
}
const issueText = (issues: readonly { path: string; message: string }[]) =>
  issues.map(({ path, message }) => `${path}: ${message}`).join('\n');

describe('submitting rows', () => {
  it('stages valid rows and refuses the invalid ones one by one, by path', () => {
    const { submission, accepted, issues } = submit(wbs, EMPTY_SUBMISSION, {
      entities: [node('0'), node('4', '0'), node('4.2.1', '3.2')],
    });
    expect(accepted).toBe(2);
    expect([...submission.nodes.keys()]).toEqual(['WBSNode["BRU2","0"]', 'WBSNode["BRU2","4"]']);
    expect(issueText(issues)).toBe(
      'entities[2].attributes.parentCode: "3.2" is not the parent of "4.2.1"; expected "4.2"',
    );
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing at all', undefined, /arguments: expected \{entities, relationships\}/],
    ['empty lists', { entities: [], relationships: [] }, /nothing was submitted/],
    [
      'an entity with a typing error',
      { entities: [{ ...node('0'), entity: 'WBSnode' }] },
      /entities\[0\]\.entity: .*Did you mean WBSNode\?/,
    ],
    [
      'an entity of another task',
      { entities: [{ entity: 'LBSNode', attributes: {} }] },
      /LBSNode belongs to lbs-extraction; this task submits WBSNode/,
    ],
    ['evidence as an entity', { entities: [{ entity: 'Evidence', attributes: {} }] }, /Evidence is written by muster/],
    [
      'a UUID as key',
      { entities: [node('123e4567-e89b-42d3-a456-426614174000')] },
      /attributes\.code: expected a business key.*got the UUID/,
    ],
    [
      'an attribute with a typing error',
      { entities: [node('0', undefined, { nme: 'x' })] },
      /attributes\.nme: WBSNode has no such attribute\. Did you mean name\?/,
    ],
    [
      'an attribute that muster writes',
      { entities: [node('0', undefined, { producedBy: 'me' })] },
      /attributes\.producedBy: written by muster/,
    ],
    [
      'another project',
      { entities: [node('0', undefined, { projectId: 'OTHER' })] },
      /attributes\.projectId: expected "BRU2" or nothing/,
    ],
    [
      'no evidence and no mark',
      { entities: [{ ...node('0'), evidence: [] }] },
      /evidence: missing; expected at least one passage/,
    ],
    ['evidence and the mark', { entities: [node('0', undefined, { assumed: true })] }, /"assumed" is true/],
    [
      'a document that is not there',
      { entities: [{ ...node('0'), evidence: [{ source: 'documents/05-schedul.md', locator: 'p1', quote: 'abc' }] }] },
      /evidence\[0\]\.source: expected the path of a document such as "documents\/05-schedule\.md"/,
    ],
    [
      'a place that is none',
      { entities: [{ ...node('0'), evidence: [{ source: SOURCE, locator: 'somewhere', quote: 'abc' }] }] },
      /evidence\[0\]\.locator/,
    ],
    ['the same key twice', { entities: [node('0'), node('0')] }, /entities\[1\]: the same key as entities\[0\]/],
    [
      'a relationship the engine draws',
      {
        relationships: [
          {
            type: 'CHILD_OF',
            from: { entity: 'WBSNode', key: { code: '1' } },
            to: { entity: 'WBSNode', key: { code: '0' } },
          },
        ],
      },
      /muster draws WBSNode CHILD_OF WBSNode by itself/,
    ],
    ['text in place of a list', { entities: 'all of them' }, /entities: expected a list/],
    ['too many rows', { entities: Array.from({ length: 2001 }, () => ({})) }, /at most 2000 rows/],
  ])('refuses %s with what was expected', (_, input, expected) => {
    const { submission, issues } = submit(wbs, EMPTY_SUBMISSION, input);
    expect(issueText(issues)).toMatch(expected);
    if (
      !Array.isArray((input as { entities?: unknown[] } | undefined)?.entities) ||
      (input as { entities: unknown[] }).entities.length !== 2
    ) {
      expect(submission.nodes.size).toBe(0);
    }
  });

  it('takes null for an absent attribute', () => {
    expect(
      submit(wbs, EMPTY_SUBMISSION, { entities: [node('0', undefined, { quantity: null, unit: null })] }).issues,
    ).toEqual([]);
  });

  it('refuses nodes whose discriminator is another task’s', () => {
    const plan = {
      planType: 'EMP',
      docNo: 'BRU2-PLN-EMP-001',
      title: 'Environmental plan',
      revision: 'A',
      status: 'draft',
      template: 'G36',
    };
    const { issues } = submit(context('pqp-generation'), EMPTY_SUBMISSION, {
      entities: [{ entity: 'ManagementPlan', attributes: plan, evidence }],
    });
    expect(issueText(issues)).toContain('attributes.planType: expected "PQP"; got "EMP", which is for emp-generation');
  });

  it('keeps a fan-out instance to its own item', () => {
    const itp = context('itp-generation', {
      instance: { id: 'itp-generation[ITP-07]', task: 'itp-generation', itemKey: 'ITP-07' },
      item: { entity: 'ITPRequirement', key: ['BRU2', 'ITP-07'], properties: { docNo: 'ITP-07' } },
    });
    const valid = construction.entities.find(({ name }) => name === 'ITPTemplate')!.examples.valid;
    const rows = (docNo: string) => ({
      entities: [{ entity: 'ITPTemplate', attributes: { ...valid, docNo }, evidence }],
    });
    const ends = (docNo: string) => new Set(foreignEnds(itp, checkRows(itp, rows(docNo))).map(nodeId));
    expect(submit(itp, EMPTY_SUBMISSION, rows('ITP-07'), ends('ITP-07')).issues).toEqual([]);
    expect(issueText(submit(itp, EMPTY_SUBMISSION, rows('ITP-08'), ends('ITP-07')).issues)).toContain(
      'attributes.docNo: expected "ITP-07", the item of this instance; got "ITP-08"',
    );
  });

  it('refuses an end of another task’s that is not in the graph, and takes it once it is', () => {
    const lbs = context('lbs-extraction');
    const row = {
      type: 'MAPPED_TO',
      from: { entity: 'LBSNode', key: { code: 'SITE' } },
      to: { entity: 'WBSNode', key: { code: '9.9' } },
    };
    const refused = submit(lbs, EMPTY_SUBMISSION, { relationships: [row] });
    expect(refused.accepted).toBe(0);
    expect(issueText(refused.issues)).toContain('relationships[0].to.key: there is no WBSNode "9.9"');
    expect(submit(lbs, EMPTY_SUBMISSION, { relationships: [row] }, new Set(['WBSNode["BRU2","9.9"]'])).accepted).toBe(
      1,
    );
  });

  it('a key submitted again replaces its row', () => {
    const first = submit(wbs, EMPTY_SUBMISSION, { entities: [node('0', undefined, { name: 'Old name' })] }).submission;
    const second = submit(wbs, first, { entities: [node('0', undefined, { name: 'New name' })] }).submission;
    expect([...second.nodes.values()].map(({ attributes }) => attributes['name'])).toEqual(['New name']);
  });
});

describe('what a submission still owes', () => {
  const none = new Map<string, string>();
  it('names the missing minimum for an empty hand-in', () => {
    expect(issueText(owed(wbs, EMPTY_SUBMISSION, new Set(), none))).toBe(
      'WBSNode: expected at least 2; 0 submitted so far',
    );
  });

  it('names parents that do not exist', () => {
    const { submission } = submit(wbs, EMPTY_SUBMISSION, { entities: [node('0'), node('4.2', '4')] });
    expect(issueText(owed(wbs, submission, new Set(), none))).toContain(
      'WBSNode 4.2: CHILD_OF: there is no WBSNode "4"; submit it, or correct the key',
    );
  });

  it('asks leaves, and leaves only, for their mapping', () => {
    const lbs = context('lbs-extraction');
    const place = (code: string, level: number, parentCode?: string) => ({
      entity: 'LBSNode',
      attributes: {
        code,
        name: code,
        level,
        locationType: level === 0 ? 'site' : 'zone',
        ...(parentCode && { parentCode }),
      },
      evidence,
    });
    const { submission, issues } = submit(lbs, EMPTY_SUBMISSION, { entities: [place('S', 0), place('S-A', 1, 'S')] });
    expect(issues).toEqual([]);
    expect(issueText(owed(lbs, submission, new Set(), none))).toBe(
      'LBSNode MAPPED_TO WBSNode: each LBSNode without others below it needs at least 1; too few: S-A',
    );
  });

  it('takes a reason for an entity that may be empty, and for no other', () => {
    const details = context('project-details');
    const issues: { path: string; message: string }[] = [];
    const reasons = readNone(
      details,
      [
        { entity: 'AreaCode', reason: 'The contract lists no area codes.' },
        { entity: 'Party', reason: 'No party is named at all.' },
      ],
      issues,
    );
    expect([...reasons.keys()]).toEqual(['AreaCode']);
    expect(issueText(issues)).toContain('Party cannot be empty');
  });
});

describe('any input', () => {
  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<unknown>;
  const rowish = fc.record(
    {
      entity: fc.constantFrom('WBSNode', 'LBSNode', 'Evidence', 'x', 3),
      attributes: fc.oneof(
        json,
        fc.record(
          {
            code: fc.oneof(fc.constantFrom('0', '1', '1.1', '3.', '1.1.1'), fc.uuid(), json),
            name: fc.oneof(fc.string(), json),
            level: fc.oneof(fc.integer({ min: -1, max: 4 }), json),
            parentCode: fc.oneof(fc.constantFrom('0', '1', '1.1'), json),
            nodeType: fc.constantFrom('project', 'work-package', 'task'),
            isConstruction: fc.oneof(fc.boolean(), json),
            assumed: fc.oneof(fc.boolean(), json),
          },
          { requiredKeys: [] },
        ),
      ),
      evidence: fc.oneof(json, fc.constant(evidence)),
    },
    { requiredKeys: [] },
  );
  const input = fc.oneof(
    json,
    fc.record(
      {
        entities: fc.oneof(json, fc.array(fc.oneof(rowish, json), { maxLength: 6 })),
        relationships: fc.oneof(json, fc.array(json)),
      },
      { requiredKeys: [] },
    ),
  );

  it('never throws, and never stages a row that is not valid by the schema itself', () => {
    const definition = construction.entities.find(({ name }) => name === 'WBSNode')!;
    fc.assert(
      fc.property(input, (given) => {
        const { submission, accepted, issues } = submit(wbs, EMPTY_SUBMISSION, given);
        expect(accepted + issues.length).toBeGreaterThan(0);
        for (const staged of submission.nodes.values()) {
          expect(staged.entity).toBe('WBSNode');
          const { confidence: _c, assumed, ...own } = staged.attributes;
          expect((definition.refined ?? definition.attributes).safeParse(own).success).toBe(true);
          expect(isUuid(own['code'])).toBe(false);
          expect(staged.evidence.length > 0).toBe(assumed !== true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('submitted twice is the same as once; submitted and withdrawn is as before', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom('0', '1', '2', '1.1', '2.1'), { minLength: 1 }), (codes) => {
        const rows = {
          entities: codes.map((code) => node(code, code === '0' ? undefined : code.includes('.') ? code[0] : '0')),
        };
        const once = submit(wbs, EMPTY_SUBMISSION, rows).submission;
        expect(submit(wbs, once, rows).submission).toEqual(once);
        const back = withdraw(wbs, once, { entities: codes.map((code) => ({ entity: 'WBSNode', key: { code } })) });
        expect(back.accepted).toBe(codes.length);
        expect(back.submission.nodes.size).toBe(0);
      }),
    );
  });
});
