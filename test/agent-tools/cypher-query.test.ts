/** The query tool in Cypher: what an agent gets to see, of which graph, and what it is refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { Desk } from '../../src/agent-tools/desk.ts';
import { MusterError } from '../../src/errors.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import { openProjection } from '../../src/graph/projection.ts';
import type { CypherRequest, GraphStore } from '../../src/ports.ts';

let graph: GraphStore;
let desk: Desk;
const asked: CypherRequest[] = [];
const wbs = (project: string, code: string) => ({
  entity: 'WBSNode',
  key: [project, code],
  properties: { projectId: project, code, name: `Package ${code}`, level: code.split('.').length },
});
const commit = (
  runId: string,
  ...nodes: { entity: string; key: string[]; properties: Record<string, string | number> }[]
) => graph.commit({ runId, task: 't', nodes, relationships: [] });
const deskOf = (with_: Partial<ConstructorParameters<typeof Desk>[0]> = {}) =>
  new Desk({
    context: {
      schema: construction,
      scope: 'P',
      instance: { id: 'lbs-extraction', task: 'lbs-extraction' },
      sources: [],
      readable: ['WBSNode'],
    },
    graph,
    runId: 'r1',
    project: openProjection,
    onAnswer: () => {},
    ...with_,
  });
const query = (given: object, at = desk) => at.answer('query', given);

beforeAll(async () => {
  graph = openEmbeddedGraph(':memory:');
  await commit('r1', wbs('P', '1'), wbs('P', '1.2'), {
    entity: 'Party',
    key: ['P', 'X'],
    properties: { projectId: 'P', code: 'X' },
  });
  await commit('r0', wbs('P', '7'));
  await commit('r1', wbs('OTHER', '9'));
  desk = deskOf({
    sources: new Map([
      [
        'standards',
        {
          cypher: async (request: CypherRequest) => {
            asked.push(request);
            return { columns: ['code'], rows: [['AS 2159']], truncated: true };
          },
          close: async () => {},
        },
      ],
    ]),
  });
});
afterAll(async () => {
  await desk.close();
  await graph.close();
});

describe('the graph of the run', () => {
  it('is what this run committed for this project, and nothing else', async () => {
    expect(await query({ cypher: 'MATCH (n:WBSNode) RETURN n.code, n.level ORDER BY n.code' })).toBe(
      '2 rows of ["n.code","n.level"]:\n["1",1]\n["1.2",2]',
    );
  });

  it('takes parameters, and knows the project by itself', async () => {
    const cypher = 'MATCH (n:WBSNode {projectId: $projectId}) WHERE n.code IN $codes RETURN n.name AS name';
    expect(await query({ cypher, parameters: { codes: ['1.2'], projectId: 'OTHER' } })).toBe(
      '1 rows of ["name"]:\n["Package 1.2"]',
    );
  });

  it('shows what was committed since the last question', async () => {
    const count = 'MATCH (n:WBSNode) RETURN count(*) AS c';
    const own = deskOf();
    expect(await query({ cypher: count }, own)).toContain('[2]');
    await commit('r1', wbs('P', '1.3'));
    expect(await query({ cypher: count }, own)).toContain('[3]');
    await own.close();
  });

  it('has no label that the task may not read', async () => {
    expect(await query({ cypher: 'MATCH (n:Party) RETURN n' })).toMatch(/^Refused:\n- cypher: .*Party/);
  });

  it('says that there is more than the limit lets through', async () => {
    expect(await query({ cypher: 'MATCH (n:WBSNode) RETURN n.code', limit: 1 })).toMatch(/There are more/);
  });

  it.each<[object, string]>([
    [{ cypher: 'MATCH (n) DETACH DELETE n' }, 'DETACH at 1:11'],
    [{ cypher: '' }, 'expected one Cypher statement'],
    [{ cypher: 7 }, 'expected one Cypher statement'],
    [{ cypher: 'RETURN 1', source: 'standard' }, 'Did you mean standards?'],
    [{ cypher: 'RETURN 1', parameters: { a: { b: 1 } } }, 'parameters.a: expected a value'],
    [{ cypher: 'RETURN 1', limit: 0 }, 'limit: expected a whole number'],
    [{ cypher: 'RETURN 1', start: { entity: 'WBSNode' } }, 'start'],
  ])('refuses %j', async (given, why) => {
    const answer = await query(given);
    expect(answer).toMatch(/^Refused:/);
    expect(answer).toContain(why);
  });
});

describe('a database of the manifest', () => {
  it('is asked the statement as it stands, within limits', async () => {
    const text = await query({ cypher: 'MATCH (s:Standard) RETURN s.code AS code', source: 'standards', limit: 5 });
    expect(text).toMatch(/^1 rows of \["code"\]:\n\["AS 2159"\]\nThere are more/);
    expect(asked.at(-1)).toMatchObject({
      text: 'MATCH (s:Standard) RETURN s.code AS code',
      maxRows: 5,
      timeLimitMs: 5_000,
    });
  });
});

describe('a machine without the engine', () => {
  it('sends the agent to the walk, which works without', async () => {
    const without = deskOf({
      project: () => Promise.reject(new MusterError('CYPHER_UNAVAILABLE', 'No engine here.')),
    });
    expect(await query({ cypher: 'RETURN 1' }, without)).toContain('No engine here. Use start and follow');
    expect(await query({ start: { entity: 'WBSNode', where: { code: '1' } } }, without)).toMatch(/^1 found:/);
  });
});
