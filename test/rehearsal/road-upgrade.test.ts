import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import construction from '../../schemas/construction/index.ts';
import { loadRehearsal } from '../../src/rehearsal/load-rehearsal.ts';
import type { InstanceScript, Rehearsal } from '../../src/rehearsal/script.ts';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'road-upgrade');

interface Expected {
  nodes: { label: string; props: Record<string, unknown> }[];
  relationships: { type: string; from: End; to: End }[];
}
interface End {
  label: string;
  key: Record<string, unknown>;
}
interface Row {
  entity: string;
  attributes: Record<string, unknown>;
  evidence?: { source: string; locator: string; quote: string; attribute?: string }[];
}
interface Edge {
  type: string;
  from: { entity: string; key: Record<string, unknown> };
  to: { entity: string; key: Record<string, unknown> };
}

let rehearsal: Rehearsal;
let expected: Expected;
beforeAll(async () => {
  rehearsal = await loadRehearsal(join(EXAMPLE, 'rehearsal'));
  expected = JSON.parse(await readFile(join(EXAMPLE, 'expected', 'graph.json'), 'utf8')) as Expected;
});

const definitions = new Map(construction.entities.map((entity) => [entity.name, entity]));
const taskOf = (instance: string) => instance.replace(/\[.*$/s, '');
const sorted = (value: object) => Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)));
const keyText = (entity: string, key: object) => `${entity} ${JSON.stringify(sorted(key))}`;

function callsOf(script: InstanceScript, tool?: string) {
  const steps = script.attempts.flatMap(({ turns }) => turns.flat());
  return steps.flatMap((step) => step.calls ?? []).filter((call) => tool === undefined || call.tool === tool);
}

function submissionsOf(script: InstanceScript) {
  return callsOf(script, 'muster_submit').map(
    (call) => call.arguments as unknown as { entities: Row[]; relationships?: Edge[] },
  );
}

function keyOf(entity: string, attributes: Record<string, unknown>): Record<string, unknown> {
  const names = definitions.get(entity)!.key.filter((name) => name !== construction.scope);
  return Object.fromEntries(names.map((name) => [name, attributes[name]]));
}

/** The paths at which the schema refuses a row; empty when it is staged. */
function refusals(row: Row): string[] {
  const { confidence, assumed, ...own } = row.attributes;
  const definition = definitions.get(row.entity)!;
  const results = [
    (definition.refined ?? definition.attributes).safeParse(own),
    construction.common.agent.safeParse({ confidence, assumed }),
  ];
  return results.flatMap((result) => result.error?.issues.map((issue) => issue.path.join('.')) ?? []);
}

/** What stands when every script has run: refused rows are dropped, and the last write of a key wins. */
function fold() {
  const staged = new Map<string, { instance: string; row: Row }>();
  const edges = new Set<string>();
  const refused: { instance: string; key: string; at: string[] }[] = [];
  for (const [instance, script] of rehearsal.instances) {
    for (const { entities, relationships } of submissionsOf(script)) {
      for (const row of entities) {
        const key = keyText(row.entity, keyOf(row.entity, row.attributes));
        const at = refusals(row);
        if (at.length > 0) refused.push({ instance, key, at });
        else staged.set(key, { instance, row });
      }
      for (const { type, from, to } of relationships ?? []) {
        edges.add(`${type} ${keyText(from.entity, from.key)} ${keyText(to.entity, to.key)}`);
      }
    }
  }
  return { staged, edges, refused };
}

const hashOf = (quote: string) =>
  createHash('sha256').update(quote.replaceAll('**', '').replace(/\s+/g, ' ').trim()).digest('hex').slice(0, 16);

describe('the rehearsal of the road upgrade', () => {
  it('has a script for each task and each required ITP, and no other', () => {
    const tasks = new Set(expected.nodes.map(({ props }) => String(props.producedBy)));
    tasks.delete('@ingest');
    tasks.delete('itp-generation');
    const items = expected.nodes
      .filter(({ label }) => label === 'ITPRequirement')
      .map(({ props }) => `itp-generation[${props.docNo}]`);
    expect(tasks.size).toBe(9);
    expect(items).toHaveLength(13);
    expect([...rehearsal.instances.keys()].sort()).toEqual([...tasks, ...items].sort());
  });

  it('hands in exactly the nodes of the expected graph, with their passages', () => {
    const { staged } = fold();
    const passages = new Map<string, string[]>();
    for (const { type, from, to } of expected.relationships) {
      if (type !== 'EVIDENCED_BY') continue;
      const of = keyText(from.label, from.key);
      passages.set(of, [...(passages.get(of) ?? []), keyText('Evidence', to.key)]);
    }
    const wanted = expected.nodes
      .filter(({ label }) => label !== 'Evidence' && label !== 'SourceFile')
      .map(({ label, props: { projectId, producedBy, ...attributes } }) => {
        const evidencedAs = label === 'Project' ? { projectId } : keyOf(label, attributes);
        const evidence = passages.get(keyText(label, evidencedAs)) ?? [];
        const key = keyText(label, keyOf(label, attributes));
        return [key, { task: producedBy, attributes: sorted(attributes), evidence: evidence.sort() }];
      });
    const given = [...staged].map(([key, { instance, row }]) => {
      const evidence = (row.evidence ?? []).map(({ source, locator, quote }) =>
        keyText('Evidence', { sourcePath: source, locator, quoteHash: hashOf(quote) }),
      );
      const attributes = sorted({ confidence: 1, assumed: false, ...row.attributes });
      return [key, { task: taskOf(instance), attributes, evidence: evidence.sort() }];
    });
    expect(Object.fromEntries(given)).toEqual(Object.fromEntries(wanted));
  });

  it('hands in exactly the relationships that only an agent can tell', () => {
    const drawn = (edge: Expected['relationships'][number]) => {
      const definition = construction.relationships.find(
        ({ type, from, to }) => type === edge.type && from === edge.from.label && to === edge.to.label,
      );
      return definition === undefined || definition.link !== undefined || definition.resolution === 'late';
    };
    const wanted = expected.relationships
      .filter((edge) => edge.type !== 'EVIDENCED_BY' && !drawn(edge))
      .map(({ type, from, to }) => `${type} ${keyText(from.label, from.key)} ${keyText(to.label, to.key)}`);
    expect([...fold().edges].sort()).toEqual(wanted.sort());
    expect(new Set(wanted.map((edge) => edge.split(' ')[0]))).toEqual(
      new Set(['DESCRIBES', 'MAPPED_TO', 'COVERS_WBS', 'REFERENCES_STANDARD']),
    );
  });

  it('is refused exactly its two mistakes in form', () => {
    expect(fold().refused).toEqual([
      { instance: 'standards-extraction', key: 'Standard {"code":"AS1379-2007"}', at: ['code'] },
      { instance: 'wbs-extraction', key: 'WBSNode {"code":"5.2.1"}', at: ['parentCode'] },
    ]);
  });

  it('makes its other mistakes where they are told', () => {
    const script = (instance: string) => rehearsal.instances.get(instance)!;
    const emp = script('emp-generation').attempts[0]!.turns;
    const completes = (turn: (typeof emp)[number]) =>
      turn.some((step) => step.calls?.some((call) => call.tool === 'muster_complete'));
    expect(emp.map(completes)).toEqual([false, true]);
    expect(callsOf(script('itp-generation[ITP-07]'), 'muster_complete')).toHaveLength(2);
    const limited = [...rehearsal.instances].filter(([, { attempts }]) =>
      attempts.some(({ turns }) => turns.flat().some((step) => step.error)),
    );
    expect(limited.map(([instance]) => instance)).toEqual(['itp-generation[ITP-04]']);
    expect(script('itp-generation[ITP-04]').attempts[0]?.turns[0]?.[0]?.error).toMatchObject({
      status: 429,
      retryAfterS: 1,
      times: 1,
    });
  });

  it('completes last, and then says so', () => {
    for (const [instance, script] of rehearsal.instances) {
      expect([instance, callsOf(script).at(-1)?.tool]).toEqual([instance, 'muster_complete']);
      expect([instance, script.attempts.at(-1)?.turns.at(-1)?.at(-1)?.say]).toEqual([instance, expect.any(String)]);
    }
  });

  it('reads before it writes: only files that exist, and only what tasks before it committed', async () => {
    const files = (await readdir(join(EXAMPLE, 'documents'))).map((name) => `documents/${name}`);
    const upstream: Record<string, string[]> = {
      'lbs-extraction': ['WBSNode'],
      'itp-generation': ['ControlPoint', 'ITPRequirement', 'Standard', 'WBSNode'],
    };
    for (const [instance, script] of rehearsal.instances) {
      const folder = `instances/${instance.replace('[', '.').replace(']', '')}`;
      const own = [`${folder}/AGENT_SCHEMA.md`, `${folder}/item.json`];
      const paths = callsOf(script, 'read').map((call) => String(call.arguments?.filePath));
      expect(paths.filter((path) => !files.includes(path) && !own.includes(path))).toEqual([]);
      expect(paths.some((path) => files.includes(path))).toBe(true);
      const looked = callsOf(script, 'muster_read').map((call) => String(call.arguments?.entity));
      expect([instance, [...new Set(looked)].sort()]).toEqual([instance, upstream[taskOf(instance)] ?? []]);
    }
  });

  it('quotes its documents word for word', async () => {
    const plain = (text: string) => text.replaceAll('**', '').replace(/\s+/g, ' ').trim();
    const texts = new Map<string, string>();
    for (const name of await readdir(join(EXAMPLE, 'documents'))) {
      texts.set(`documents/${name}`, plain(await readFile(join(EXAMPLE, 'documents', name), 'utf8')));
    }
    const passages = [...fold().staged.values()].flatMap(({ row }) => row.evidence ?? []);
    expect(passages.length).toBeGreaterThan(200);
    expect(passages.filter(({ source, quote }) => !texts.get(source)?.includes(plain(quote)))).toEqual([]);
  });

  it('has the documents of the expected graph, byte for byte', async () => {
    const listed = expected.nodes.filter(({ label }) => label === 'SourceFile').map(({ props }) => props);
    expect(listed).toHaveLength(7);
    for (const { path, sha256 } of listed) {
      const bytes = await readFile(join(EXAMPLE, String(path)));
      expect([path, createHash('sha256').update(bytes).digest('hex')]).toEqual([path, sha256]);
    }
  });

  it('is what its generator writes from the expected graph', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'road-upgrade-'));
    try {
      for (const name of ['make-rehearsal.mjs', 'documents', 'expected', 'rehearsal', 'rehearsal-refused']) {
        await cp(join(EXAMPLE, name), join(copy, name), { recursive: true });
      }
      await promisify(execFile)(process.execPath, [join(copy, 'make-rehearsal.mjs')]);
      for (const folder of ['rehearsal', 'rehearsal-refused']) {
        const names = (await readdir(join(EXAMPLE, folder))).sort();
        expect((await readdir(join(copy, folder))).sort()).toEqual(names);
        for (const name of names) {
          const [made, kept] = await Promise.all(
            [copy, EXAMPLE].map((root) => readFile(join(root, folder, name), 'utf8')),
          );
          expect(made, `${folder}/${name}`).toBe(kept);
        }
      }
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  });
});

describe('the failing rehearsal', () => {
  it('differs only in wbs-extraction, which says that it is done and hands nothing in', async () => {
    const failing = await loadRehearsal(join(EXAMPLE, 'rehearsal-failing'));
    expect([...failing.instances.keys()].sort()).toEqual([...rehearsal.instances.keys()].sort());
    const differing = [...failing.instances].filter(
      ([instance, script]) => JSON.stringify(script) !== JSON.stringify(rehearsal.instances.get(instance)),
    );
    expect(differing.map(([instance]) => instance)).toEqual(['wbs-extraction']);
    expect(callsOf(differing[0]![1]).map((call) => call.tool)).toEqual(['read']);
  });
});
