import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { construction } from '../../schemas/construction/index.ts';
import type { MasterSchema } from '../../schemas/define.ts';
import { lintSchema } from '../../src/schema/lint.ts';
import { attribute, constant, relationship, withEntity, withMore, withRelationship, workshop } from './workshop.ts';

const assembly = workshop.entities[0]!;
const part = workshop.entities[1]!;
const PART = part.attributes.shape;

const withCommon = (common: Partial<MasterSchema['common']>): MasterSchema => ({
  ...workshop,
  common: { ...workshop.common, ...common },
});
const withProvenance = (provenance: Partial<NonNullable<MasterSchema['provenance']>>): MasterSchema => ({
  ...workshop,
  provenance: { ...workshop.provenance!, ...provenance },
});

describe('a sound schema', () => {
  it('has no findings', () => {
    expect(lintSchema(workshop)).toEqual([]);
  });

  it('construction quality is sound', () => {
    expect(lintSchema(construction)).toEqual([]);
  });
});

/** One mistake each: where it is reported, how, and words of the cure. */
const mistakes: readonly (readonly [
  mistake: string,
  schema: MasterSchema,
  severity: 'error' | 'warning',
  at: string,
  message: RegExp,
])[] = [
  // entities
  [
    'an entity declared twice',
    { ...workshop, entities: [...workshop.entities, assembly] },
    'error',
    'entities.Assembly',
    /declared twice.*Rename/,
  ],
  [
    'an entity that nobody produces',
    withEntity('Check', { producers: [] }),
    'error',
    'entities.Check.producers',
    /nobody produces Check\. Name the task/,
  ],
  [
    'a name that is no label',
    withEntity('Step', { name: 'Step 2' }),
    'error',
    'entities.Step 2',
    /letters, digits and _.*Rename/,
  ],
  [
    'an object that drops unknown attributes',
    withEntity('Assembly', { attributes: z.object(assembly.attributes.shape) }),
    'error',
    'entities.Assembly.attributes',
    /expected z\.strictObject/,
  ],
  [
    'a nested attribute',
    withEntity('Part', {
      attributes: z.strictObject({ ...PART, size: z.strictObject({ mm: z.number() }).optional() }),
    }),
    'error',
    'entities.Part.attributes.size',
    /what a graph can hold/,
  ],
  [
    'the scope as an attribute',
    withEntity('Part', { attributes: z.strictObject({ ...PART, orderId: z.string().optional() }) }),
    'error',
    'entities.Part.attributes.orderId',
    /"orderId" is the scope.*Remove/,
  ],
  [
    'a common attribute of the agent once more',
    withEntity('Part', { attributes: z.strictObject({ ...PART, confidence: z.number().optional() }) }),
    'error',
    'entities.Part.attributes.confidence',
    /common attribute.*Rename/,
  ],
  [
    'a common attribute of the engine once more',
    withEntity('Passage', {
      attributes: z.strictObject({
        sourcePath: z.string(),
        quoteHash: z.string(),
        confidence: z.number().optional(),
        producedBy: z.string().optional(),
      }),
    }),
    'error',
    'entities.Passage.attributes.producedBy',
    /common attribute/,
  ],
  // keys
  [
    'a key that does not begin with the scope',
    withEntity('Part', { key: ['code'] }),
    'error',
    'entities.Part.key',
    /the scope "orderId" as the first part, got "code"/,
  ],
  [
    'a key attribute that does not exist',
    withEntity('Part', { key: ['orderId', 'cod'] }),
    'error',
    'entities.Part.key',
    /got "cod"\. Did you mean "code"\?/,
  ],
  [
    'a key part twice',
    withEntity('Part', { key: ['orderId', 'code', 'code'] }),
    'error',
    'entities.Part.key',
    /each part once/,
  ],
  ...(
    [
      ['z.uuid()', z.uuid(), 'uuid'],
      ['z.string().uuid()', z.string().uuid(), 'uuid'],
      ['z.ulid() below other types', z.ulid().describe('an id').readonly(), 'ulid'],
    ] as const
  ).map(
    ([name, type, format]) =>
      [
        `a key of ${name}`,
        withEntity('Step', { attributes: z.strictObject({ code: type, stepNo: z.int().min(1), text: z.string() }) }),
        'error',
        'entities.Step.key',
        new RegExp(`generated id \\(${format}\\).*use a code, number or name`),
      ] as const,
  ),
  [
    'a key part that may be absent',
    withEntity('Part', { key: ['orderId', 'code', 'assemblyCode'] }),
    'error',
    'entities.Part.key',
    /"assemblyCode" may be absent.*Make it required/,
  ],
  [
    'a list as a key part',
    withEntity('Step', {
      attributes: z.strictObject({ code: z.array(z.string()), stepNo: z.int().min(1), text: z.string() }),
    }),
    'error',
    'entities.Step.key',
    /one text or one number/,
  ],
  // producers
  [
    'several producers without discriminators',
    withEntity('Part', { producers: [{ task: 'purchasing' }, { task: 'making' }] }),
    'error',
    'entities.Part.producers',
    /"purchasing" and "making" both produce Part.*"where"/,
  ],
  [
    'two producers of the same value',
    withEntity('Part', {
      producers: [
        { task: 'purchasing', where: { origin: 'made' } },
        { task: 'making', where: { origin: 'made' } },
      ],
    }),
    'error',
    'entities.Part.producers',
    /both produce Part/,
  ],
  [
    'a discriminator that is no attribute',
    withEntity('Part', {
      producers: [
        { task: 'purchasing', where: { orign: 'bought' } },
        { task: 'making', where: { orign: 'made' } },
      ],
    }),
    'error',
    'entities.Part.producers[0].where',
    /got "orign"\. Did you mean "origin"\?/,
  ],
  [
    'a discriminator value that is not in its enumeration',
    withEntity('Part', {
      producers: [
        { task: 'purchasing', where: { origin: 'bought' } },
        { task: 'making', where: { origin: 'manufactured' } },
      ],
    }),
    'error',
    'entities.Part.producers[1].where',
    /Part\.origin can never be "manufactured"/,
  ],
  [
    'a minimum below nothing',
    withEntity('Check', { producers: [{ task: 'inspection', min: -1 }] }),
    'error',
    'entities.Check.producers[0].min',
    /whole number from 0, got -1/,
  ],
  // owners
  [
    'an owner that does not exist',
    withEntity('Step', { ownedBy: 'Chek' }),
    'error',
    'entities.Step.ownedBy',
    /got "Chek"\. Did you mean "Check"\?/,
  ],
  [
    'an owner whose key is no prefix',
    withEntity('Step', { key: ['orderId', 'stepNo', 'code'] }),
    'error',
    'entities.Step.ownedBy',
    /begin with that of its owner Check \(orderId, code\)/,
  ],
  [
    'an owner with the same key',
    withEntity('Step', { key: ['orderId', 'code'] }),
    'error',
    'entities.Step.ownedBy',
    /and to go on/,
  ],
  // examples
  [
    'a valid example that is refused',
    withEntity('Assembly', { examples: { ...assembly.examples, valid: { code: 'A-1' } } }),
    'error',
    'entities.Assembly.examples.valid',
    /refused at "title".*Correct the example/,
  ],
  [
    'a valid example with a wrong common attribute',
    withEntity('Assembly', {
      examples: { ...assembly.examples, valid: { ...assembly.examples.valid, confidence: 'high' } },
    }),
    'error',
    'entities.Assembly.examples.valid',
    /refused at "confidence"/,
  ],
  [
    'an invalid example that passes',
    withEntity('Assembly', {
      examples: {
        ...assembly.examples,
        invalid: { ...assembly.examples.invalid, attributes: assembly.examples.valid },
      },
    }),
    'error',
    'entities.Assembly.examples.invalid',
    /passes\. Make it break the rule it is about \(A code, not a name\.\)/,
  ],
  [
    'an invalid example that is refused elsewhere',
    withEntity('Assembly', {
      examples: { ...assembly.examples, invalid: { ...assembly.examples.invalid, at: 'title' } },
    }),
    'error',
    'entities.Assembly.examples.invalid',
    /refused at "code", not at "title"/,
  ],
  [
    'an invalid example with a second fault',
    withEntity('Assembly', {
      examples: {
        ...assembly.examples,
        invalid: { ...assembly.examples.invalid, attributes: { code: 'frame', title: 'Frame', colour: 'red' } },
      },
    }),
    'warning',
    'entities.Assembly.examples.invalid',
    /refused at "colour" as well/,
  ],
  [
    'a rule that throws',
    withEntity('Assembly', {
      refined: assembly.attributes.superRefine(() => {
        throw new Error('no such book');
      }),
    }),
    'error',
    'entities.Assembly.examples.valid',
    /a rule threw: no such book/,
  ],
  // relationships
  [
    'a relationship from an unknown entity',
    withMore(relationship('Asembly', 'NEAR', 'Part')),
    'error',
    'relationships (Asembly NEAR Part).from',
    /got "Asembly"\. Did you mean "Assembly"\?/,
  ],
  [
    'a relationship to an unknown entity',
    withMore(relationship('Part', 'NEAR', 'Machine')),
    'error',
    'relationships (Part NEAR Machine).to',
    /got "Machine"\. Correct it, or add the entity/,
  ],
  [
    'a relationship to everything',
    withMore(relationship('Part', 'NEAR', '*')),
    'error',
    'relationships (Part NEAR *).to',
    /from-side only/,
  ],
  [
    'a narrowed end without a partner',
    {
      ...withMore(relationship('Check', 'WEIGHS', 'Part', { toWhere: { origin: 'made' } })),
      entities: withEntity('Part', { producers: [{ task: 'purchasing', where: { origin: 'bought' } }] }).entities,
    },
    'error',
    'relationships (Check WEIGHS Part).toWhere',
    /no producer of Part hands in nodes with \{"origin":"made"\}.*without a partner/,
  ],
  [
    'an end narrowed by an attribute that it does not have',
    withRelationship('Part', 'FITS', { fromWhere: { kind: 'made' } }),
    'error',
    'relationships (Part FITS Assembly).fromWhere',
    /expected an attribute of Part .*got "kind"/,
  ],
  [
    'a minimum above the maximum',
    withRelationship('Check', 'NEEDS', { perSource: { min: 3, max: 2 } }),
    'error',
    'relationships (Check NEEDS Part).perSource',
    /min \(3\) not above max \(2\)/,
  ],
  [
    'more edges than the cardinality allows',
    withRelationship('Assembly', 'CHILD_OF', { perSource: { min: 0, max: 2 } }),
    'error',
    'relationships (Assembly CHILD_OF Assembly).perSource',
    /n:1 allows one edge for each Assembly/,
  ],
  [
    'an optional relationship with a minimum',
    withRelationship('Part', 'ORDERED_FOR', { perSource: { min: 1 } }),
    'error',
    'relationships (Part ORDERED_FOR Assembly).perSource',
    /optional, but perSource\.min is 1/,
  ],
  [
    'leaves of a tree that does not exist',
    withRelationship('Part', 'FITS', { perSource: { min: 1, leavesOf: 'CHILD_OF' } }),
    'error',
    'relationships (Part FITS Assembly).perSource.leavesOf',
    /from Part to Part, got "CHILD_OF"/,
  ],
  [
    'a link from an attribute that does not exist',
    withRelationship('Part', 'ORDERED_FOR', { link: { to: { code: attribute('assembly') } } }),
    'error',
    'relationships (Part ORDERED_FOR Assembly).link',
    /expected an attribute of Part .*got "assembly"/,
  ],
  [
    'a link that does not cover the key',
    withMore(relationship('Check', 'ENDS_WITH', 'Step', { link: { to: { code: attribute('code') } } })),
    'error',
    'relationships (Check ENDS_WITH Step).link',
    /all parts of the key of Step \(code, stepNo\), stepNo missing/,
  ],
  [
    'a link to what is no key part',
    withRelationship('Check', 'OF', { link: { to: { code: attribute('code'), title: constant('Frame') } } }),
    'error',
    'relationships (Check OF Assembly).link',
    /"title" is no part of the key of Assembly/,
  ],
  [
    'a link with a constant that the key can never be',
    withRelationship('Check', 'OF', { link: { to: { code: constant('frame') } } }),
    'error',
    'relationships (Check OF Assembly).link',
    /Assembly\.code can never be "frame"/,
  ],
  [
    'a link that finds the from-end among everything',
    withMore(relationship('*', 'NEAR', 'Part', { link: { from: {} } })),
    'error',
    'relationships (* NEAR Part).link',
    /needs one entity there, got "\*"/,
  ],
  [
    'a link of everything from an attribute that some entity does not have',
    withMore(relationship('*', 'NEAR', 'Assembly', { link: { to: { code: attribute('parentCode') } } })),
    'error',
    'relationships (* NEAR Assembly).link',
    /expected an attribute of Part/,
  ],
  [
    'a relationship declared twice',
    withMore(relationship('Check', 'OF', 'Assembly')),
    'error',
    'relationships (Check OF Assembly)',
    /declared twice/,
  ],
  [
    'a relationship declared from both sides',
    withMore(relationship('Assembly', 'OF', 'Check')),
    'error',
    'relationships (Assembly OF Check)',
    /from both sides: Check OF Assembly says the same in reverse/,
  ],
  [
    'a relationship drawn in both directions from the same attributes',
    withMore(relationship('Step', 'STEP_OF', 'Check', { link: { to: { code: attribute('code') } } })),
    'warning',
    'relationships (Step STEP_OF Check)',
    /same attributes as Check HAS_STEP Step/,
  ],
  [
    'a required late relationship that nobody can draw',
    withMore(relationship('Part', 'NEAR', 'Assembly', { resolution: 'late' })),
    'warning',
    'relationships (Part NEAR Assembly)',
    /no agent submits it.*Add a link/,
  ],
  [
    'a required relationship of engine nodes that nobody can draw',
    withMore(relationship('File', 'ABOUT', 'Assembly', { resolution: 'apriori' })),
    'warning',
    'relationships (File ABOUT Assembly)',
    /no agent writes File/,
  ],
  [
    'waiting for what no task produces',
    withMore(relationship('Part', 'DRAWN_IN', 'File')),
    'warning',
    'relationships (Part DRAWN_IN File).resolution',
    /no task produces File.*Write "apriori"/,
  ],
  // common attributes and provenance
  [
    'a common attribute that every row must hold',
    withCommon({ agent: z.strictObject({ confidence: z.number(), assumed: z.boolean().default(false) }) }),
    'error',
    'common.agent.confidence',
    /Make it optional, or give it a default/,
  ],
  [
    'a common attribute of agent and engine',
    withCommon({ engine: ['producedBy', 'assumed'] }),
    'error',
    'common.agent.assumed',
    /that the engine writes/,
  ],
  [
    'passages of an entity that does not exist',
    withProvenance({ entity: 'Pasage' }),
    'error',
    'provenance.entity',
    /got "Pasage"\. Did you mean "Passage"\?/,
  ],
  [
    'sources of an entity that does not exist',
    withProvenance({ sourceEntity: 'Folder' }),
    'error',
    'provenance.sourceEntity',
    /expected an entity, got "Folder"/,
  ],
  [
    'passages without their relationship',
    withProvenance({ relationship: 'PROVEN_BY' }),
    'error',
    'provenance.relationship',
    /\* PROVEN_BY Passage, and there is none/,
  ],
  [
    'passages that are in no source',
    withProvenance({ inSource: 'FROM' }),
    'error',
    'provenance.inSource',
    /Passage FROM File, and there is none/,
  ],
  [
    'an attribute for conclusions that no agent can write',
    withProvenance({ assumedAttribute: 'guessed' }),
    'error',
    'provenance.assumedAttribute',
    /got "guessed".*boolean with default false/,
  ],
];

describe('lint finds', () => {
  it.each(mistakes)('%s', (_, schema, severity, at, message) => {
    expect(lintSchema(schema)).toContainEqual({ severity, at, message: expect.stringMatching(message) });
  });

  it('everything at once, not the first thing only', () => {
    const schema: MasterSchema = {
      ...withMore(relationship('Asembly', 'NEAR', 'Part'), relationship('Part', 'NEAR', 'Machine')),
      entities: withEntity('Part', { key: ['cod'] }).entities,
    };
    expect(lintSchema(schema).map(({ at }) => at)).toEqual(
      expect.arrayContaining([
        'entities.Part.key',
        'relationships (Asembly NEAR Part).from',
        'relationships (Part NEAR Machine).to',
      ]),
    );
  });
});

describe('lint is silent about', () => {
  it('two relationships of one type between other ends', () => {
    expect(lintSchema(withMore(relationship('Step', 'OF', 'Part')))).toEqual([]);
  });

  it('one type narrowed to different nodes', () => {
    const schema = withMore(
      relationship('Step', 'USES', 'Part', { toWhere: { origin: 'made' } }),
      relationship('Step', 'USES', 'Part', { toWhere: { origin: 'bought' } }),
      relationship('Part', 'REPLACES', 'Part', { fromWhere: { origin: 'made' } }),
      relationship('Part', 'REPLACES', 'Part', { fromWhere: { origin: 'bought' } }),
    );
    expect(lintSchema(schema)).toEqual([]);
  });

  it('an optional late relationship without a link', () => {
    const near = relationship('Part', 'NEAR', 'Assembly', { required: false, resolution: 'late' });
    expect(lintSchema(withMore(near))).toEqual([]);
  });

  it('a value that splits no producers', () => {
    const schema = withMore(relationship('Part', 'GOES_TO', 'Assembly', { toWhere: { title: 'Frame' } }));
    expect(lintSchema(schema)).toEqual([]);
  });

  it('a schema without provenance', () => {
    const { provenance: _, ...without } = workshop;
    expect(lintSchema({ ...without, common: { agent: z.strictObject({}), engine: [] } })).toEqual([]);
  });
});
