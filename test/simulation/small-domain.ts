/**
 * The small domain of the random worlds: two tasks that wait for nobody, one that waits for one of them, a fan-out, one that
 * waits for all, a relationship that agents hand in, and one that is drawn late. Sizes and settings come from the seed.
 */
import { z } from 'zod';
import { attribute, defineSchema, type MasterSchema } from '../../schemas/define.ts';
import { type Manifest, manifestSchema } from '../../schemas/manifest.ts';
import type { LoadedManifest } from '../../src/manifest/load.ts';
import { deriveTaskGraph } from '../../src/plan/derive.ts';
import type { SeededRandom } from './random.ts';
import type { AgentCall, Work } from './simulated-agent.ts';

export const SCOPE = 'S1';
export const MODEL = 'sim/one';
const FALLBACK = 'other/two';
export const MODELS = [MODEL, FALLBACK];

const code = z.string().regex(/^[A-Z][A-Z0-9-]*$/, 'expected a code such as "A-1"');
const wrong = { attributes: { code: 'a' }, at: 'code', why: 'A code is in upper case.' };

const SCHEMA: MasterSchema = defineSchema({
  name: 'small',
  version: '1.0.0',
  description: 'What the simulated agents hand in.',
  scope: 'siteId',
  entities: [
    {
      name: 'Site',
      description: 'The site.',
      key: ['siteId'],
      attributes: z.strictObject({ name: z.string() }),
      producers: [{ task: 'outline' }],
      examples: { valid: { name: 'North' }, invalid: { attributes: { name: 1 }, at: 'name', why: 'A text.' } },
    },
    {
      name: 'Item',
      description: 'One session of parts for each.',
      key: ['siteId', 'code'],
      attributes: z.strictObject({ code, title: z.string() }),
      producers: [{ task: 'outline', min: 2 }],
      examples: { valid: { code: 'A', title: 'a' }, invalid: wrong },
    },
    {
      name: 'Word',
      description: 'A term; names a place that is known later.',
      key: ['siteId', 'code'],
      attributes: z.strictObject({ code, text: z.string(), placeCode: code.optional() }),
      producers: [{ task: 'words' }],
      examples: { valid: { code: 'W', text: 'w' }, invalid: wrong },
    },
    {
      name: 'Place',
      description: 'A place that words name.',
      key: ['siteId', 'code'],
      attributes: z.strictObject({ code, wordCodes: z.array(code).min(1) }),
      producers: [{ task: 'places' }],
      examples: { valid: { code: 'P', wordCodes: ['W'] }, invalid: wrong },
    },
    {
      name: 'Part',
      description: 'A part of an item.',
      key: ['siteId', 'itemCode', 'partNo'],
      attributes: z.strictObject({ itemCode: code, partNo: z.int().min(1), size: z.number(), wordCode: code }),
      producers: [{ task: 'parts' }],
      examples: {
        valid: { itemCode: 'A', partNo: 1, size: 1, wordCode: 'W' },
        invalid: { attributes: { itemCode: 'A', partNo: 0, size: 1, wordCode: 'W' }, at: 'partNo', why: 'From 1.' },
      },
    },
    {
      name: 'Total',
      description: 'The sum of all parts.',
      key: ['siteId', 'code'],
      attributes: z.strictObject({ code, size: z.number(), placeCodes: z.array(code).min(1) }),
      producers: [{ task: 'total' }],
      examples: { valid: { code: 'T', size: 1, placeCodes: ['P'] }, invalid: wrong },
    },
  ],
  relationships: [
    edge('IN_SITE', '*', 'Site', { resolution: 'apriori', link: { to: {} } }),
    edge('NAMED_BY', 'Place', 'Word', { cardinality: 'n:m', link: { to: { code: attribute('wordCodes') } } }),
    edge('PART_OF', 'Part', 'Item', { link: { to: { code: attribute('itemCode') } } }),
    edge('SPEAKS_OF', 'Part', 'Word', { link: { to: { code: attribute('wordCode') } } }),
    edge('AT', 'Total', 'Place', { cardinality: 'n:m', link: { to: { code: attribute('placeCodes') } } }),
    edge('COUNTS', 'Total', 'Part', { cardinality: 'n:m' }),
    edge('SEEN_AT', 'Word', 'Place', {
      required: false,
      resolution: 'late',
      link: { to: { code: attribute('placeCode') } },
    }),
  ],
  common: { agent: z.object({}), engine: ['producedBy', 'createdAt'] },
});

type Definition = MasterSchema['relationships'][number];

function edge(type: string, from: string, to: string, more: Partial<Definition>): Definition {
  return {
    type,
    from,
    to,
    cardinality: 'n:1',
    required: true,
    resolution: 'producer',
    meaning: `${from} ${type} ${to}.`,
    ...more,
  };
}

/** What of a world is drawn from the seed before it begins. */
export interface Shape {
  readonly items: readonly string[];
  readonly gating: 'ready' | 'wave';
  readonly concurrency: number;
  readonly hold: 'none' | 'before' | 'after' | 'after-parts';
  readonly fallback: boolean;
}

export function drawShape(random: SeededRandom): Shape {
  return {
    items: ['A', 'B', 'C'].slice(0, random.between(2, 3)),
    gating: random.pick(['ready', 'ready', 'wave'] as const),
    concurrency: random.between(1, 4),
    hold: random.pick(['none', 'none', 'before', 'after', 'after-parts'] as const),
    fallback: random.chance(0.3),
  };
}

/** Far more attempts than hard faults may cost (faults.ts): nobody runs out of them who is not meant to. */
export const LIMITS = { attempts: 9, repairs: 3, stallMs: 120_000, attemptMs: 900_000, steps: 60 };
/** With agents that never do their work. */
export const HOPELESS_LIMITS = { ...LIMITS, attempts: 4 };

const PROMPTS = {
  outline: 'Find the items.',
  words: 'Find the words.',
  places: 'Find the places.',
  parts: 'Find the parts.',
  total: 'Add them up.',
};

export function manifestOf(shape: Shape, limits: Manifest['limits'] = LIMITS): LoadedManifest {
  const { hold, fallback, gating, concurrency } = shape;
  const reason = 'somebody looks at it';
  const given = {
    name: 'small',
    schema: './small.mjs',
    model: MODEL,
    gating,
    concurrency,
    limits,
    retry: { firstWaitMs: 500, longestWaitMs: 8_000, ...(fallback && { fallbackModels: [FALLBACK] }) },
    tasks: [
      task('outline', ['Site', 'Item'], hold === 'after' ? { hold: { when: 'after', reason } } : {}),
      task('words', ['Word']),
      task('places', ['Place'], hold === 'before' ? { hold: { when: 'before', reason } } : {}),
      task('parts', ['Part'], {
        fanOut: { over: 'Item' },
        ...(hold === 'after-parts' && { hold: { when: 'after', reason } }),
      }),
      task('total', ['Total']),
    ],
  };
  const manifest = manifestSchema.parse(given);
  const graph = deriveTaskGraph(SCHEMA, manifest);
  return { manifest, schema: SCHEMA, graph, path: '/project/manifest.json', sha256: '0'.repeat(64), prompts: PROMPTS };
}

function task(id: string, creates: readonly string[], more: object = {}): object {
  return { id, title: id, prompt: `${id}.md`, creates, ...more };
}

const PARTS = 2;

/** What a diligent agent hands in for an instance: the same in every attempt. */
export function workOf({ items }: Shape): (instance: string) => Work {
  const parts = items.flatMap((item) => Array.from({ length: PARTS }, (_, at) => ({ itemCode: item, partNo: at + 1 })));
  return (instance) => {
    const [, name = '', item] = /^([\w-]+)(?:\[(.*)\])?$/.exec(instance) ?? [];
    switch (name) {
      case 'outline':
        return handIn(
          [row('Site', { name: 'North' }), ...items.map((one) => row('Item', { code: one, title: `item ${one}` }))],
          [],
          { entity: 'Item', attributes: { code: 'X-1', title: 'too much' }, key: { code: 'X-1' } },
        );
      case 'words':
        return handIn(
          ['W1', 'W2', 'W3'].map((one, at) =>
            row('Word', { code: one, text: `word ${at}`, ...(at > 0 && { placeCode: `P${at}` }) }),
          ),
        );
      case 'places':
        return handIn(['P1', 'P2'].map((one) => row('Place', { code: one, wordCodes: ['W1', 'W2'] })));
      case 'parts': {
        const own = parts.filter(({ itemCode }) => itemCode === item);
        const extra = { itemCode: item ?? '', partNo: 99, size: 1, wordCode: 'W1' };
        return handIn(
          own.map((part) => row('Part', { ...part, size: part.partNo * 1.5, wordCode: 'W3' })),
          [],
          { entity: 'Part', attributes: extra, key: { itemCode: item ?? '', partNo: 99 } },
        );
      }
      case 'total':
        return handIn(
          [row('Total', { code: 'T', size: parts.length, placeCodes: ['P1', 'P2'] })],
          parts.map((part) => ({
            type: 'COUNTS',
            from: { entity: 'Total', key: { code: 'T' } },
            to: { entity: 'Part', key: part },
          })),
        );
      default:
        return { steps: [] };
    }
  };
}

function row(entity: string, attributes: object): object {
  return { entity, attributes };
}

/** A reading, the rows in two portions, the relationships, and the completion. */
function handIn(rows: readonly object[], relationships: readonly object[] = [], extra?: Work['extra']): Work {
  const submit = (entities: readonly object[], edges: readonly object[]): AgentCall => ({
    tool: 'muster_submit',
    arguments: { entities, relationships: edges },
  });
  const half = Math.ceil(rows.length / 2);
  const portions = [rows.slice(0, half), rows.slice(half)].filter((portion) => portion.length > 0);
  return {
    steps: [
      portions.slice(0, 1).map((portion) => submit(portion, [])),
      [
        ...portions.slice(1).map((portion) => submit(portion, [])),
        ...(relationships.length > 0 ? [submit([], relationships)] : []),
      ],
      [{ tool: 'muster_complete', arguments: { summary: 'done' } }],
    ].filter((calls) => calls.length > 0),
    ...(extra && { extra }),
  };
}
