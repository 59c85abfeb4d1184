/**
 * Fuzzing of the endpoint: real rows of the sample project, changed at random, and calls that are no calls at all.
 *
 * The invariants are written by hand from the domain's own words, not from the code that validates: what is published
 * has printed codes, known kinds, words that stand in the documents, and ends that exist.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { Desk } from '../../src/agent-tools/desk.ts';
import { type Endpoint, startEndpoint } from '../../src/agent-tools/endpoint.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import type { Publication } from '../../src/output/publication.ts';
import { type GraphStore, nodeId } from '../../src/ports.ts';
import { loadRehearsal } from '../../src/rehearsal/load-rehearsal.ts';
import type { InstanceScript } from '../../src/rehearsal/script.ts';
import { EXAMPLE, exampleContext, exampleDocuments, ingestExample } from './road-upgrade-desks.ts';

interface Row {
  entity: string;
  attributes: Record<string, unknown>;
  evidence?: Record<string, unknown>[];
}

const INSTANCES = ['project-details', 'wbs-extraction', 'standards-extraction', 'pqp-generation'] as const;
const PARTY_ROLES = ['principal', 'superintendent', 'contractor', 'designer', 'verifier', 'authority', 'supplier'];

let endpoint: Endpoint;
let graph: GraphStore;
const faults: Error[] = [];
const rows = new Map<string, Row[]>();
const scripts = new Map<string, InstanceScript>();
const texts = new Map<string, string>();

beforeAll(async () => {
  endpoint = await startEndpoint((error) => faults.push(error));
  graph = openEmbeddedGraph(':memory:');
  await ingestExample(graph, 'fuzz');
  const rehearsal = await loadRehearsal(join(EXAMPLE, 'rehearsal'));
  for (const id of INSTANCES) {
    const script = rehearsal.instances.get(id)!;
    scripts.set(id, script);
    const calls = script.attempts
      .at(-1)!
      .turns.flat()
      .flatMap(({ calls = [] }) => calls);
    rows.set(
      id,
      calls.flatMap(({ tool, arguments: given }) =>
        tool === 'muster_submit' ? ((given?.['entities'] ?? []) as Row[]) : [],
      ),
    );
  }
  for (const { path } of await exampleDocuments()) texts.set(path, squeeze(readFileSync(join(EXAMPLE, path), 'utf8')));
});
afterAll(async () => {
  await endpoint.close();
  await graph.close();
});

const squeeze = (text: string) => text.replace(/\s+/g, ' ');

async function call(session: string, tool: string, body: unknown): Promise<string> {
  const response = await fetch(`${endpoint.url}/tools/${tool}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${endpoint.token}` },
    body: JSON.stringify({ session, arguments: body }),
  });
  expect(response.status).toBe(200);
  const { text } = (await response.json()) as { text: string };
  expect(typeof text).toBe('string');
  return text;
}

/** One change of one row, as models make them. */
type Change = (row: Row) => unknown;
const set =
  (name: string, value: unknown): Change =>
  (row) => {
    row.attributes[name] = value;
  };
const passage = (row: Row) => {
  row.evidence ??= [{}];
  return row.evidence[0] ?? {};
};
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>,
  fc.constantFrom('', ' ', '0', '-1', 'null', 'TBD', 'N/A', 'HOLD POINT', '5.2', 'P-1', 1e308, -0, '\u0000', '𝟙'),
  fc.uuid({ version: [1, 4, 7] }),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.nat(30), value).map(
    ([at, given]): Change =>
      (row) => {
        const names = Object.keys(row.attributes);
        const name = names[at % Math.max(names.length, 1)];
        if (name !== undefined) row.attributes[name] = given;
      },
  ),
  fc.nat(30).map(
    (at): Change =>
      (row) => {
        const names = Object.keys(row.attributes);
        delete row.attributes[names[at % Math.max(names.length, 1)] ?? ''];
      },
  ),
  fc
    .tuple(
      fc.constantFrom('projectId', 'producedBy', 'id', 'assumed', 'confidence', 'reviewStatus', '__proto__'),
      value,
    )
    .map(([name, given]) => set(name, given)),
  fc.constantFrom<Change>(
    (row) => Reflect.deleteProperty(row, 'evidence'),
    (row) => Object.assign(row, { evidence: [] }),
    (row) =>
      Object.assign(passage(row), { quote: 'The contractor shall comply with the requirements of the specification' }),
    (row) => Object.assign(passage(row), { source: '../../etc/passwd' }),
    (row) => Object.assign(passage(row), { source: 'documents/none.md' }),
    (row) => Object.assign(passage(row), { locator: 'somewhere' }),
    (row) => Object.assign(row, { entity: 'Evidence' }),
    (row) => Object.assign(row, { entity: 'constructor' }),
    (row) => Object.assign(row, { entity: 'ITPTemplate' }),
  ),
  fc.tuple(fc.nat(400), fc.constantFrom('0', '7', 'x', '≥', ' not ')).map(
    ([at, typed]): Change =>
      (row) => {
        const quote = String(passage(row)['quote'] ?? '');
        passage(row)['quote'] =
          quote.slice(0, at % (quote.length + 1)) + typed + quote.slice((at % (quote.length + 1)) + 1);
      },
  ),
);

/** What a publication must not hold, in the domain's words; empty when all is well. */
async function wrongs({ nodes, relationships }: Publication, task: string): Promise<string[]> {
  const found: string[] = [];
  const held = new Set(nodes.map(nodeId));
  const missing = relationships.flatMap(({ from, to }) => [from, to]).filter((end) => !held.has(nodeId(end)));
  const existing = new Set(await graph.existing(missing));
  for (const end of missing) if (!existing.has(nodeId(end))) found.push(`no such end: ${nodeId(end)}`);
  const cited = new Set(relationships.filter(({ type }) => type === 'EVIDENCED_BY').map(({ from }) => nodeId(from)));
  for (const node of nodes) {
    const { entity, key, properties } = node;
    const wrong = (what: string) => found.push(`${nodeId(node)}: ${what}`);
    if (key[0] !== 'BRU2' || properties['projectId'] !== 'BRU2') wrong('foreign scope');
    if (key.some((part) => /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}/i.test(String(part)) && entity !== 'Evidence'))
      wrong('UUID key');
    if (entity === 'Evidence') {
      const text = texts.get(String(properties['sourcePath']));
      const digits = (part: unknown) => (String(part).match(/\d/g) ?? []).join('');
      if (text === undefined) wrong('cites no document of the set');
      else if (
        !text.includes(squeeze(String(properties['quote']))) &&
        !digits(text).includes(digits(properties['quote']))
      ) {
        wrong('quotes what no document says');
      }
      continue;
    }
    if (properties['producedBy'] !== task) wrong(`produced by ${String(properties['producedBy'])}`);
    if (!cited.has(nodeId(node)) && properties['assumed'] !== true) wrong('neither cited nor assumed');
    if (entity === 'WBSNode') {
      const code = String(properties['code']);
      if (!/^\d+(\.\d+)*$/.test(code)) wrong('no WBS code');
      else if (Number(properties['level']) !== (code === '0' ? 0 : code.split('.').length)) wrong('wrong level');
    }
    if (
      entity === 'Party' &&
      !PARTY_ROLES.includes(String(properties['contractRole'])) &&
      !/^[a-z-]+$/.test(String(properties['contractRole']))
    )
      wrong('unknown role');
    if (entity === 'ControlPoint' && !['HOLD', 'WITNESS'].includes(String(properties['pointType'])))
      wrong('unknown kind of point');
    for (const [name, given] of Object.entries(properties)) {
      if (
        Array.isArray(given)
          ? given.some((each) => typeof each === 'object')
          : given !== null && typeof given === 'object'
      ) {
        wrong(`${name} is a structure`);
      }
    }
  }
  return found;
}

describe('whatever a model hands in through the endpoint', () => {
  let session = 0;
  const open = async (id: (typeof INSTANCES)[number]) => {
    const desk = new Desk({ context: await exampleContext(id), graph, runId: 'fuzz', onAnswer: () => {} });
    session += 1;
    endpoint.bind(`ses_${session}`, desk);
    return { desk, name: `ses_${session}` };
  };

  it('publishes only rows that hold in the domain’s own words, and never falls over', async () => {
    let published = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...INSTANCES),
        fc.array(fc.tuple(fc.nat(1_000), change), { minLength: 1, maxLength: 6 }),
        async (id, changes) => {
          const { desk, name } = await open(id);
          const changed = structuredClone(rows.get(id)!);
          for (const [at, apply] of changes) apply(changed[at % changed.length]!);
          for (const { entities, relationships } of submissionsOf(id, changed))
            await call(name, 'submit', { entities, relationships });
          await call(name, 'complete', { summary: 'All rows of the documents.' });
          const review = await desk.review();
          if (!review.complete) return;
          published += 1;
          expect(await wrongs(await desk.publication(), id)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
    // A judge that refuses everything would pass as well.
    expect(published).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  }, 120_000);

  it('answers any JSON to any tool with words', async () => {
    const { desk, name } = await open('wbs-extraction');
    const any = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<unknown>;
    const named = fc.record(
      {
        entities: fc.oneof(
          any,
          fc.array(fc.record({ entity: any, attributes: any, evidence: any }, { requiredKeys: [] })),
        ),
        relationships: fc.oneof(any, fc.array(fc.record({ type: any, from: any, to: any }, { requiredKeys: [] }))),
        entity: any,
        where: any,
        cypher: any,
        start: any,
        follow: any,
        limit: any,
        summary: any,
        none: any,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('submit', 'withdraw', 'read', 'query', 'complete'),
        fc.oneof(any, named),
        async (tool, given) => {
          expect((await call(name, tool, given)).length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
    expect(faults).toEqual([]);
    expect((await desk.review()).complete).toBe(false);
  }, 120_000);
});

/** The calls of the script with its rows replaced, in their order. */
function submissionsOf(id: string, changed: readonly Row[]) {
  let at = 0;
  const calls = scripts
    .get(id)!
    .attempts.at(-1)!
    .turns.flat()
    .flatMap(({ calls: made = [] }) => made);
  return calls.flatMap(({ tool, arguments: given }) => {
    if (tool !== 'muster_submit') return [];
    const count = ((given?.['entities'] ?? []) as Row[]).length;
    at += count;
    return [{ entities: changed.slice(at - count, at), relationships: given?.['relationships'] }];
  });
}

it('fuzzes entities that the schema still has', () => {
  const names = new Set(construction.entities.map(({ name }) => name));
  for (const list of rows.values()) for (const { entity } of list) expect(names).toContain(entity);
});
