/**
 * Writes rehearsal/*.json from expected/graph.json: what a model without fault would submit, instance by instance, with
 * the few mistakes below put in on purpose; and rehearsal-refused/*.json, the same with six grave ones.
 * Run it after a change of the expected graph: node make-rehearsal.mjs
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const graph = JSON.parse(readFileSync(join(here, 'expected', 'graph.json'), 'utf8'));
const documents = readdirSync(join(here, 'documents'))
  .sort()
  .map((name) => `documents/${name}`);

/** Rows in one call of muster_submit. */
const BATCH_ROWS = 25;
/** Attributes that the engine writes. */
const ENGINE_ATTRIBUTES = ['projectId', 'producedBy'];
/** Attributes that every entity has, and the value that stands when they are left out. */
const DEFAULTS = { confidence: 1, assumed: false };
/** Relationships that no attribute tells, so that the agent hands them in: type → label of the from-node. */
const SUBMITTED = {
  DESCRIBES: 'Document',
  MAPPED_TO: 'LBSNode',
  COVERS_WBS: 'ITPTemplate',
  REFERENCES_STANDARD: 'ITPTemplate',
};

// ------------------------------------------------------------------------------------------------ rows of the graph

const idOf = (end) => `${end.label} ${JSON.stringify(Object.entries(end.key).sort())}`;
const keyNames = new Map(
  graph.relationships.flatMap(({ from, to }) => [from, to]).map((end) => [end.label, Object.keys(end.key)]),
);
const idOfNode = ({ label, props }) =>
  idOf({ label, key: Object.fromEntries(keyNames.get(label).map((name) => [name, props[name]])) });

const passages = new Map(
  graph.nodes.filter(({ label }) => label === 'Evidence').map((node) => [idOfNode(node), node.props]),
);
const evidenceOf = new Map();
for (const { type, from, to } of graph.relationships) {
  if (type !== 'EVIDENCED_BY') continue;
  const { sourcePath: source, locator, quote, attribute } = passages.get(idOf(to));
  const passage = { source, locator, quote, ...(attribute ? { attribute } : {}) };
  evidenceOf.set(idOf(from), [...(evidenceOf.get(idOf(from)) ?? []), passage]);
}

function row(node) {
  const attributes = Object.fromEntries(
    Object.entries(node.props).filter(([name, value]) => !ENGINE_ATTRIBUTES.includes(name) && DEFAULTS[name] !== value),
  );
  const evidence = evidenceOf.get(idOfNode(node));
  return { entity: node.label, attributes, ...(evidence ? { evidence } : {}) };
}

const rows = graph.nodes
  .filter(({ label }) => label !== 'Evidence' && label !== 'SourceFile')
  .map((node) => ({ task: node.props.producedBy, ...row(node) }));

/** Rows of a task, of the entities named, or of all. */
function rowsOf(task, entities, only = () => true) {
  return rows
    .filter((each) => each.task === task && (!entities || entities.includes(each.entity)) && only(each.attributes))
    .map(({ task: _task, ...rest }) => rest);
}

function relationshipsOf(type, only = () => true) {
  return graph.relationships
    .filter((each) => each.type === type && each.from.label === SUBMITTED[type] && only(each))
    .map(({ from, to }) => ({
      type,
      from: { entity: from.label, key: from.key },
      to: { entity: to.label, key: to.key },
    }));
}

// ------------------------------------------------------------------------------------------------------------ steps

const say = (text) => ({ say: text });
const note = (text, step) => ({ note: text, ...step });
const read = (...paths) => paths.map((filePath) => ({ tool: 'read', arguments: { filePath } }));
const look = (entity, where) => ({ tool: 'muster_read', arguments: { entity, ...(where ? { where } : {}) } });
const document = (number) => documents.find((path) => path.startsWith(`documents/${number}-`));
const schemaOf = (folder) => `instances/${folder}/AGENT_SCHEMA.md`;

const submit = (entities, relationships = []) => ({
  tool: 'muster_submit',
  arguments: { entities, ...(relationships.length > 0 ? { relationships } : {}) },
});

function batches(list) {
  const found = [];
  for (let at = 0; at < list.length; at += BATCH_ROWS) found.push(list.slice(at, at + BATCH_ROWS));
  return found;
}

const submitNodes = (text, entities) =>
  batches(entities).map((batch, index) => ({ say: index === 0 ? text : 'The next rows.', calls: [submit(batch)] }));
const submitEdges = (text, relationships) =>
  batches(relationships).map((batch, index) => ({
    say: index === 0 ? text : 'More of them.',
    calls: [submit([], batch)],
  }));
const complete = (summary) => ({ calls: [{ tool: 'muster_complete', arguments: { summary } }] });

// ---------------------------------------------------------------------------------------------------- the ten tasks

const scripts = [];
const script = (instance, ...turns) => scripts.push({ instance, turns });

script('project-details', [
  {
    say: 'I read the contract particulars and the quality requirements first.',
    calls: read(schemaOf('project-details'), document('01'), document('04')),
  },
  ...submitNodes('The contract and the parties to it.', rowsOf('project-details', ['Project', 'Party'])),
  ...submitNodes('Tables 3.1 and 3.2: work types and area codes.', rowsOf('project-details', ['WorkType', 'AreaCode'])),
  complete(
    'Project, 5 parties, 13 work types and 6 area codes from BRU2-CD-001; the lot number format from BRU2-SP-002 cl 2.2.',
  ),
  say('The project details are handed in.'),
]);

script('document-metadata', [
  {
    say: 'Each document carries its control block on page 1.',
    calls: read(schemaOf('document-metadata'), ...documents),
  },
  {
    say: 'The documents of the set, with the files that hold them; then the drawings of the register.',
    calls: [
      submit(
        rowsOf('document-metadata', ['Document'], ({ docType }) => docType !== 'drawing'),
        relationshipsOf('DESCRIBES'),
      ),
    ],
  },
  ...submitNodes(
    'The listed drawings. No file of the set holds them.',
    rowsOf('document-metadata', ['Document'], ({ docType }) => docType === 'drawing'),
  ),
  ...submitNodes('The current revision of each.', rowsOf('document-metadata', ['DocumentRevision'])),
  complete(
    '21 documents: 7 files of the set and 14 drawings of the register BRU2-DR-000, each with its current revision.',
  ),
  say('The document register is handed in.'),
]);

const standards = rowsOf('standards-extraction');
const unsplit = standards.find(({ attributes }) => attributes.code === 'AS 1379');
const { editionCited: _edition, ...unsplitAttributes } = unsplit.attributes;
const printed = { ...unsplit, attributes: { ...unsplitAttributes, code: 'AS1379-2007' } };
script('standards-extraction', [
  {
    say: 'Tables of referenced documents first, then the clauses.',
    calls: read(
      schemaOf('standards-extraction'),
      document('02'),
      document('03'),
      document('04'),
      document('07'),
      document('01'),
    ),
  },
  ...submitNodes(
    'The standards and specifications that the documents cite.',
    standards.map((each) => (each === unsplit ? printed : each)),
  ).map((step) =>
    step.calls[0].arguments.entities.includes(printed)
      ? note('A mistake on purpose: AS 1379 with the year in its code.', step)
      : step,
  ),
  { say: 'The year of AS 1379 belongs in editionCited, and a space after the prefix.', calls: [submit([unsplit])] },
  complete(`${standards.length} standards, specifications, test methods and laws cited in the documents.`),
  say('The standards are handed in.'),
]);

const wbs = rowsOf('wbs-extraction');
const strayed = wbs.find(({ attributes }) => attributes.code === '5.2.1');
const astray = { ...strayed, attributes: { ...strayed.attributes, parentCode: '5.1' } };
script('wbs-extraction', [
  {
    say: 'The WBS stands in the schedule of rates, the work types in the contract particulars.',
    calls: read(schemaOf('wbs-extraction'), document('05'), document('01')),
  },
  ...submitNodes(
    'The work breakdown structure, parents first.',
    wbs.map((each) => (each === strayed ? astray : each)),
  ).map((step) =>
    step.calls[0].arguments.entities.includes(astray)
      ? note('A mistake on purpose: 5.2.1 under the wrong parent.', step)
      : step,
  ),
  { say: '5.2.1 Pile caps belongs under 5.2 Substructure.', calls: [submit([strayed])] },
  complete(`${wbs.length} WBS nodes of BRU2-SR-001 with quantities, units, pay items and work types.`),
  say('The work breakdown structure is handed in.'),
]);

script('pqp-generation', [
  {
    say: 'Clause 1.2 of the quality requirements says what the plan must cover; Tables 3 and 4 give the registers.',
    calls: read(schemaOf('pqp-generation'), document('04'), document('01')),
  },
  ...submitNodes('The plan and a section for each topic.', rowsOf('pqp-generation', ['ManagementPlan', 'PlanSection'])),
  ...submitNodes('Table 3: the hold points and witness points.', rowsOf('pqp-generation', ['ControlPoint'])),
  ...submitNodes('Table 4: the required ITPs.', rowsOf('pqp-generation', ['ITPRequirement'])),
  complete('Draft PQP with 14 sections, 13 hold points, 5 witness points and 13 required ITPs.'),
  say('The project quality plan is handed in as a draft.'),
]);

const aspects = rowsOf('emp-generation', ['EnvironmentalAspect']);
script(
  'emp-generation',
  [
    {
      say: 'Section 1 of BRU2-SP-003 governs the plan.',
      calls: read(schemaOf('emp-generation'), document('07'), document('02')),
    },
    ...submitNodes('The plan and its sections.', rowsOf('emp-generation', ['ManagementPlan', 'PlanSection'])),
    ...submitNodes('The aspects of the table in clause 1.2.', aspects.slice(0, 4)),
    note(
      'A mistake on purpose: the turn ends before the register is whole and without muster_complete.',
      say('The environmental management plan is written.'),
    ),
  ],
  [
    ...submitNodes('Three aspects of clause 1.2 were still missing.', aspects.slice(4)),
    complete('Draft EMP with 9 sections and the 7 aspects of BRU2-SP-003 cl 1.2.'),
    say('The environmental management plan is handed in as a draft.'),
  ],
);

script('ohsmp-generation', [
  { say: 'Section 2 of BRU2-SP-003 governs the plan.', calls: read(schemaOf('ohsmp-generation'), document('07')) },
  ...submitNodes('The plan and its sections.', rowsOf('ohsmp-generation', ['ManagementPlan', 'PlanSection'])),
  ...submitNodes('The activities of clause 2.2, each with its SWMS.', rowsOf('ohsmp-generation', ['SafetyHazard'])),
  complete('Draft WHS management plan with 9 sections and 7 hazards of high risk construction work.'),
  say('The WHS management plan is handed in as a draft.'),
]);

script('qse-generation', [
  {
    say: 'The system must meet AS/NZS ISO 9001, ISO 14001 and ISO 45001 as the requirements name them.',
    calls: read(schemaOf('qse-generation'), document('04'), document('07'), document('01')),
  },
  ...submitNodes('The manual and its sections.', rowsOf('qse-generation', ['ManagementPlan', 'PlanSection'])),
  ...submitNodes('The procedures that the manual includes.', rowsOf('qse-generation', ['Document'])),
  complete('Draft system manual with 3 sections and 3 procedures.'),
  say('The system manual is handed in as a draft.'),
]);

script('lbs-extraction', [
  {
    say: 'Locations stand in the drawing register; what is built where, in its notes.',
    calls: [...read(schemaOf('lbs-extraction'), document('06')), look('WBSNode')],
  },
  ...submitNodes('Table 2: the locations, parents first.', rowsOf('lbs-extraction')),
  ...submitEdges('Notes 1 to 7: the work packages of each location.', relationshipsOf('MAPPED_TO')),
  complete('15 locations of BRU2-DR-000 Table 2 and 87 mappings to work packages from its notes.'),
  say('The location breakdown structure is handed in.'),
]);

/** ITPs for bridge work; the specification for the others is that of the roadworks. */
const BRIDGE_WORK = ['PI', 'SC', 'PC', 'BJ'];
/** The ITP whose first completion comes too early, and the item that then has no criterion. */
const HASTY = { docNo: 'ITP-07', itemNo: '9' };
/** The ITP whose first call of the model is refused once. */
const RATE_LIMITED = 'ITP-04';

for (const { attributes: requirement } of rowsOf('pqp-generation', ['ITPRequirement'])) {
  const { docNo, title, workTypeCode } = requirement;
  const own = (attributes) => attributes.docNo === docNo;
  const criteria = rowsOf('itp-generation', ['AcceptanceCriterion'], own);
  const late = docNo === HASTY.docNo ? criteria.filter(({ attributes }) => attributes.itemNo === HASTY.itemNo) : [];
  const folder = `itp-generation.${docNo}`;
  const points = rowsOf('itp-generation', ['InspectionPoint'], own);
  const summary = `${docNo} ${title}: ${points.length} items, ${criteria.length} criteria.`;
  const limited = {
    note: 'A busy provider on purpose: the first call is refused once.',
    error: { status: 429, message: 'Rate limit reached', retryAfterS: 1 },
  };
  script(`itp-generation[${docNo}]`, [
    ...(docNo === RATE_LIMITED ? [limited] : []),
    {
      say: `I read the requirement for ${docNo}, the specification and what the other tasks committed.`,
      calls: [
        ...read(
          `instances/${folder}/item.json`,
          schemaOf(folder),
          document(BRIDGE_WORK.includes(workTypeCode) ? '03' : '02'),
          document('04'),
        ),
        look('ITPRequirement', { docNo }),
        look('ControlPoint', { itpDocNo: docNo }),
        look('WBSNode', { workTypeCode }),
        look('Standard'),
      ],
    },
    {
      say: 'The head of the ITP, the work packages it covers and the standards it refers to.',
      calls: [
        submit(rowsOf('itp-generation', ['ITPTemplate'], own), [
          ...relationshipsOf('COVERS_WBS', ({ from }) => from.key.docNo === docNo),
          ...relationshipsOf('REFERENCES_STANDARD', ({ from }) => from.key.docNo === docNo),
        ]),
      ],
    },
    ...submitNodes('The items in the order of the work.', points),
    ...submitNodes(
      'The acceptance criteria.',
      criteria.filter((each) => !late.includes(each)),
    ),
    ...(late.length > 0
      ? [
          note('A mistake on purpose: completes while an item has no criterion.', complete(summary)),
          { say: `Item ${HASTY.itemNo} still lacks its criterion.`, calls: [submit(late)] },
        ]
      : []),
    complete(summary),
    say(`${docNo} is handed in as a draft.`),
  ]);
}

// ----------------------------------------------------------------------------------------------------- grave mistakes

const refused = [];
/** A copy of an instance's only turn, with each step that `spoil` changes replaced by the steps that it gives. */
function refuse(instance, spoil) {
  const found = refused.find((each) => each.instance === instance);
  const spoilt = found ?? structuredClone(scripts.find((each) => each.instance === instance));
  if (!found) refused.push(spoilt);
  let hits = 0;
  spoilt.turns[0] = spoilt.turns[0].flatMap((step) => {
    const steps = spoil(step, step.calls?.find(({ tool }) => tool === 'muster_submit')?.arguments);
    if (steps) hits += 1;
    return steps ?? [step];
  });
  if (hits !== 1) throw new Error(`expected one step of ${instance} to spoil; found ${hits}`);
}

/** Submits a row in a wrong form first, and after the refusal in the right one. */
function refuseRow(instance, found, wrong, why, repair) {
  refuse(instance, (step, given) => {
    const right = given?.entities.find(found);
    if (!right) return undefined;
    const entities = given.entities.map((each) => (each === right ? wrong(structuredClone(each)) : each));
    const rest = given.relationships ? { relationships: given.relationships } : {};
    const calls = [{ tool: 'muster_submit', arguments: { entities, ...rest } }];
    return [note(`A mistake on purpose: ${why}.`, { ...step, calls }), { say: repair, calls: [submit([right])] }];
  });
}

refuseRow(
  'project-details',
  ({ entity, attributes }) => entity === 'Party' && attributes.code === 'QFE',
  (row) => {
    row.evidence[0].quote = 'The design was prepared by Quillfeather Engineering under a separate deed';
    return row;
  },
  'a quote that stands in no document',
  'I quote the contract particulars word for word.',
);
refuseRow(
  'document-metadata',
  ({ entity, attributes }) => entity === 'Document' && attributes.docType === 'drawing',
  (row) => {
    row.attributes.docNo = '3f2b8c1e-5d47-4a90-9c61-7be0a1d2c3f4';
    return row;
  },
  'a made-up UUID in place of the drawing number',
  'The number that is printed in the register.',
);
refuse('itp-generation[ITP-01]', (step, given) => {
  const cited = given?.relationships?.find(({ type }) => type === 'REFERENCES_STANDARD');
  if (!cited) return undefined;
  const { projectId: _, ...key } = cited.to.key;
  const unknown = { ...cited, to: { ...cited.to, key: { ...key, code: 'AS 9999' } } };
  const relationships = given.relationships.map((each) => (each === cited ? unknown : each));
  return [
    note('A mistake on purpose: a standard that no document cites.', {
      ...step,
      calls: [submit(given.entities, relationships)],
    }),
    { say: `The specification cites ${cited.to.key.code}.`, calls: [submit([], [cited])] },
  ];
});
refuseRow(
  'itp-generation[ITP-02]',
  ({ entity }) => entity === 'InspectionPoint',
  (row) => {
    row.attributes.pointType = 'HOLD POINT';
    return row;
  },
  'a kind of inspection point that the schema does not have',
  'One of the kinds that the schema names.',
);
let orphans;
refuse('lbs-extraction', (step, given) => {
  const parents = new Set(given?.entities.map(({ attributes }) => attributes.parentCode));
  orphans = given?.entities.find(({ attributes }) => attributes.parentCode && parents.has(attributes.code));
  if (!orphans) return undefined;
  const entities = given.entities.filter((each) => each !== orphans);
  return [
    note(`A mistake on purpose: locations below ${orphans.attributes.code}, which is not handed in.`, {
      ...step,
      calls: [submit(entities)],
    }),
    note('And complete in spite of it.', complete('The locations of Table 2.')),
    { say: `${orphans.attributes.code} itself was missing.`, calls: [submit([orphans])] },
  ];
});
refuse('pqp-generation', (step, given) =>
  given?.entities[0]?.entity === 'ITPRequirement'
    ? [
        note('A mistake on purpose: complete without a single required ITP.', complete('Draft PQP.')),
        { ...step, say: 'Table 4 lists the ITPs that the plan requires.' },
      ]
    : undefined,
);

// ------------------------------------------------------------------------------------------------------------ files

/** One row per line: a change of the graph is a change of a line. */
function format(value, indent = '', isRow = false) {
  const compact = JSON.stringify(value);
  if (isRow || compact.length <= 140 || typeof value !== 'object') return compact;
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((each) => deeper + format(each, deeper, 'entity' in each || 'type' in each)).join(',\n')}\n${indent}]`;
  }
  const lines = Object.entries(value).map(
    ([name, each]) => `${deeper}${JSON.stringify(name)}: ${format(each, deeper)}`,
  );
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

function write(folder, written) {
  const target = join(here, folder);
  for (const name of readdirSync(target)) if (name !== 'rehearsal.json') rmSync(join(target, name));
  for (const each of written) {
    const name = each.instance.replace('[', '.').replace(']', '');
    writeFileSync(join(target, `${name}.json`), `${format(each)}\n`);
  }
}
write('rehearsal', scripts);
write('rehearsal-refused', refused);
