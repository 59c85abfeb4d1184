/** Who waits for whom in construction quality, and what one wrong relationship would do to it. */
import { describe, expect, it } from 'vitest';
import shipped from '../../manifest.json' with { type: 'json' };
import { construction } from '../../schemas/construction/index.ts';
import type { MasterSchema, RelationshipDefinition } from '../../schemas/define.ts';
import { type Manifest, manifestSchema } from '../../schemas/manifest.ts';
import { deriveTaskGraph } from '../../src/plan/derive.ts';
import { drawPlan, explainTask } from '../../src/plan/draw.ts';

const manifest = manifestSchema.parse(shipped);
/** Without the fan-out: the wait rule alone. */
const withoutFanOut: Manifest = { ...manifest, tasks: manifest.tasks.map(({ fanOut: _, ...task }) => task) };

const SHORT: Readonly<Record<string, string>> = {
  'project-details': 'PD',
  'document-metadata': 'DM',
  'standards-extraction': 'ST',
  'wbs-extraction': 'WBS',
  'pqp-generation': 'PQP',
  'emp-generation': 'EMP',
  'ohsmp-generation': 'OHS',
  'qse-generation': 'QSE',
  'lbs-extraction': 'LBS',
  'itp-generation': 'ITP',
};

function wavesOf(schema: MasterSchema, of = manifest): string[] {
  const { tasks } = deriveTaskGraph(schema, of);
  const last = Math.max(...tasks.map(({ wave }) => wave));
  return Array.from({ length: last }, (_, i) =>
    tasks
      .filter(({ wave }) => wave === i + 1)
      .map(({ id }) => SHORT[id])
      .join(' '),
  );
}

function dependenciesOf(schema: MasterSchema, of = manifest): Record<string, string> {
  const waiting = deriveTaskGraph(schema, of).tasks.filter(({ waitsFor }) => waitsFor.length > 0);
  return Object.fromEntries(
    waiting.map(({ id, waitsFor }) => [SHORT[id], waitsFor.map(({ task }) => SHORT[task]).join(' ')]),
  );
}

const changed = (change: (one: RelationshipDefinition) => RelationshipDefinition): MasterSchema => ({
  ...construction,
  relationships: construction.relationships.map(change),
});

/** The schema with the one relationship `from type to` changed; more or fewer than one is a mistake of the test. */
function flipped(from: string, type: string, to: string, change: Partial<RelationshipDefinition>): MasterSchema {
  const matches = (one: RelationshipDefinition) => one.from === from && one.type === type && one.to === to;
  expect(construction.relationships.filter(matches)).toHaveLength(1);
  return changed((one) => (matches(one) ? { ...one, ...change } : one));
}

const WAITS = { required: true, resolution: 'producer' } as const;
const EIGHT = 'PD DM ST WBS PQP EMP OHS QSE';
const REQUIRED = { LBS: 'WBS', ITP: 'ST WBS PQP' };
const AS_REQUIRED = [EIGHT, 'LBS', 'ITP'];

const withoutFrom = ({ fromWhere: _, ...one }: RelationshipDefinition): RelationshipDefinition => one;
const withoutTo = ({ toWhere: _, ...one }: RelationshipDefinition): RelationshipDefinition => one;

describe('the plan of construction quality', () => {
  it('stands in three waves, the last one dynamic', () => {
    expect(wavesOf(construction)).toEqual(AS_REQUIRED);
    expect(dependenciesOf(construction)).toEqual(REQUIRED);
  });

  it('expands the ITPs from the requirements that the quality plan committed', () => {
    expect(deriveTaskGraph(construction, manifest).tasks.at(-1)?.fanOut).toEqual({
      over: 'ITPRequirement',
      maxItems: 60,
      producer: 'pqp-generation',
    });
  });

  it('without the dynamic rule has the same dependencies, and the ITPs beside the locations', () => {
    expect(wavesOf(construction, withoutFanOut)).toEqual([EIGHT, 'LBS ITP']);
    expect(dependenciesOf(construction, withoutFanOut)).toEqual(REQUIRED);
  });

  it('says why, for each edge', () => {
    expect(explainTask(deriveTaskGraph(construction, manifest), 'itp-generation')).toBe(
      `itp-generation: Inspection and test plan
Wave 3, one instance for each ITPRequirement that pqp-generation commits, at most 60
Creates ITPTemplate, InspectionPoint, AcceptanceCriterion
Waits for
  standards-extraction  ITPTemplate REFERENCES_STANDARD Standard, required, n:m
  wbs-extraction        ITPTemplate COVERS_WBS WBSNode, required, n:m
  pqp-generation        ITPTemplate REQUIRED_BY ManagementPlan[planType=PQP], required, n:1
                        ITPTemplate SATISFIES ITPRequirement, required, 1:1
                        fans out over ITPRequirement
Nobody waits for it
`,
    );
  });

  it('is drawn with every task once as a headline', () => {
    const lines = drawPlan(deriveTaskGraph(construction, manifest)).split('\n');
    for (const { id } of manifest.tasks) {
      expect(lines.filter((line) => line.startsWith(`  ${id} `))).toHaveLength(1);
    }
    expect(lines.filter((line) => line.startsWith('Wave'))).toEqual(['Wave 1', 'Wave 2', 'Wave 3']);
  });
});

describe('one relationship flipped changes it as stated', () => {
  interface Trap {
    readonly change: string;
    readonly schema: MasterSchema;
    readonly dependencies: Readonly<Record<string, string>>;
    readonly waves: readonly string[];
    /** Without the dynamic rule, where that tells something. */
    readonly still?: readonly string[];
  }

  const PLANS_AFTER_QSE = { ...REQUIRED, PQP: 'QSE', EMP: 'QSE', OHS: 'QSE' };
  const PLANS_AFTER_DOCUMENTS = { ...REQUIRED, PQP: 'DM QSE', EMP: 'DM QSE', OHS: 'DM QSE' };
  const QSE_FIRST = ['PD DM ST WBS QSE', 'PQP EMP OHS LBS', 'ITP'];
  const DOCUMENTS_SECOND = ['PD ST WBS PQP EMP OHS', 'DM QSE LBS', 'ITP'];
  const ALL_AFTER_PROJECT = {
    DM: 'PD',
    ST: 'PD',
    WBS: 'PD',
    PQP: 'PD',
    EMP: 'PD',
    OHS: 'PD',
    QSE: 'PD',
    LBS: 'PD WBS',
    ITP: 'PD ST WBS PQP',
  };

  const traps: readonly Trap[] = [
    {
      change: 'every required apriori relationship waits',
      schema: changed((one) => (one.resolution === 'apriori' ? { ...one, resolution: 'producer' } : one)),
      dependencies: ALL_AFTER_PROJECT,
      waves: ['PD', 'DM ST WBS PQP EMP OHS QSE', 'LBS', 'ITP'],
      still: ['PD', 'DM ST WBS PQP EMP OHS QSE', 'LBS ITP'],
    },
    {
      change: 'Document BELONGS_TO_PROJECT as producer',
      schema: flipped('Document', 'BELONGS_TO_PROJECT', 'Project', WAITS),
      dependencies: { ...REQUIRED, DM: 'PD', QSE: 'PD' },
      waves: DOCUMENTS_SECOND,
    },
    {
      change: 'WBSNode USES_WORK_TYPE required + producer',
      schema: flipped('WBSNode', 'USES_WORK_TYPE', 'WorkType', WAITS),
      dependencies: { ...REQUIRED, WBS: 'PD' },
      waves: ['PD DM ST PQP EMP OHS QSE', 'WBS', 'LBS', 'ITP'],
    },
    {
      change: 'ITPRequirement FOR_WORK_TYPE as producer',
      schema: flipped('ITPRequirement', 'FOR_WORK_TYPE', 'WorkType', WAITS),
      dependencies: { ...REQUIRED, PQP: 'PD' },
      waves: ['PD DM ST WBS EMP OHS QSE', 'PQP LBS', 'ITP'],
    },
    {
      change: 'ITPTemplate FOR_WORK_TYPE as producer',
      schema: flipped('ITPTemplate', 'FOR_WORK_TYPE', 'WorkType', WAITS),
      dependencies: { ...REQUIRED, ITP: 'PD ST WBS PQP' },
      waves: AS_REQUIRED,
      still: [EIGHT, 'LBS ITP'],
    },
    {
      change: 'ManagementPlan CITES Standard required + producer',
      schema: flipped('ManagementPlan', 'CITES', 'Standard', WAITS),
      dependencies: { ...REQUIRED, PQP: 'ST', EMP: 'ST', OHS: 'ST', QSE: 'ST' },
      waves: ['PD DM ST WBS', 'PQP EMP OHS QSE LBS', 'ITP'],
    },
    {
      change: 'ManagementPlan ADOPTS Document required + producer',
      schema: flipped('ManagementPlan', 'ADOPTS', 'Document', WAITS),
      dependencies: PLANS_AFTER_DOCUMENTS,
      waves: QSE_FIRST,
    },
    {
      change: 'Document REFERENCES_STANDARD required + producer',
      schema: flipped('Document', 'REFERENCES_STANDARD', 'Standard', WAITS),
      dependencies: { ...REQUIRED, DM: 'ST', QSE: 'ST' },
      waves: DOCUMENTS_SECOND,
    },
    {
      change: 'LBSNode IN_AREA required + producer',
      schema: flipped('LBSNode', 'IN_AREA', 'AreaCode', WAITS),
      dependencies: { ...REQUIRED, LBS: 'PD WBS' },
      waves: AS_REQUIRED,
      still: [EIGHT, 'LBS ITP'],
    },
    {
      change: 'ITPTemplate APPLIES_AT required + producer',
      schema: flipped('ITPTemplate', 'APPLIES_AT', 'LBSNode', WAITS),
      dependencies: { ...REQUIRED, ITP: 'ST WBS PQP LBS' },
      waves: AS_REQUIRED,
      still: AS_REQUIRED,
    },
    {
      change: 'from-discriminators ignored',
      schema: changed(withoutFrom),
      dependencies: PLANS_AFTER_QSE,
      waves: QSE_FIRST,
    },
    {
      change: 'to-discriminators ignored',
      schema: changed(withoutTo),
      dependencies: { ...REQUIRED, ITP: 'ST WBS PQP EMP OHS QSE' },
      waves: AS_REQUIRED,
      still: [EIGHT, 'LBS ITP'],
    },
    {
      change: 'all discriminators ignored',
      schema: changed((one) => withoutFrom(withoutTo(one))),
      dependencies: { ...PLANS_AFTER_DOCUMENTS, ITP: 'ST WBS PQP EMP OHS QSE' },
      waves: QSE_FIRST,
    },
    {
      change: 'evidence that points at source documents instead of files',
      schema: flipped('Evidence', 'IN_SOURCE', 'SourceFile', {
        to: 'Document',
        toWhere: { origin: 'source' },
        ...WAITS,
      }),
      dependencies: {
        PD: 'DM',
        ST: 'DM',
        WBS: 'DM',
        PQP: 'DM',
        EMP: 'DM',
        OHS: 'DM',
        QSE: 'DM',
        LBS: 'DM WBS',
        ITP: 'DM ST WBS PQP',
      },
      waves: ['DM', 'PD ST WBS PQP EMP OHS QSE', 'LBS', 'ITP'],
    },
  ];

  it.each(traps.map((trap) => [trap.change, trap] as const))('%s', (_, { schema, dependencies, waves, still }) => {
    expect(dependenciesOf(schema)).toEqual(dependencies);
    expect(wavesOf(schema)).toEqual(waves);
    expect(dependenciesOf(schema, withoutFanOut)).toEqual(dependencies);
    if (still) expect(wavesOf(schema, withoutFanOut)).toEqual(still);
  });

  it('a plan that requires its ITPs instead of listing requirements is a cycle, named', () => {
    const requires: RelationshipDefinition = {
      type: 'REQUIRES_ITP',
      from: 'ManagementPlan',
      fromWhere: { planType: 'PQP' },
      to: 'ITPTemplate',
      cardinality: '1:n',
      meaning: 'An ITP that the plan lists.',
      ...WAITS,
    };
    const schema = { ...construction, relationships: [...construction.relationships, requires] };
    expect(() => deriveTaskGraph(schema, manifest)).toThrow(
      /got a cycle: pqp-generation → itp-generation → pqp-generation\n {2}pqp-generation waits for itp-generation: ManagementPlan\[planType=PQP\] REQUIRES_ITP ITPTemplate, required, 1:n\n {2}itp-generation waits for pqp-generation: ITPTemplate REQUIRED_BY ManagementPlan\[planType=PQP\]/,
    );
    expect(() => deriveTaskGraph(schema, manifest)).toThrow(expect.objectContaining({ code: 'PLAN_CYCLE' }));
  });
});
