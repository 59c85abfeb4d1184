/** The built command line as a process of its own, and what its runs leave on disk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import construction from '../../schemas/construction/index.ts';
import type { RunEvent } from '../../schemas/run-event.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import { nodeId } from '../../src/ports.ts';

export const ROOT = join(import.meta.dirname, '../..');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** What `--json` printed. */
  readonly facts: RunEvent[];
}

/** Hears the facts that `--json` prints, as they come; may kill the process. */
export type OnFact = (fact: RunEvent, child: ChildProcess) => void;

/** `env` replaces the environment; without it the process gets this one's. */
export function muster(
  args: readonly string[],
  onFact: OnFact = () => {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'bin/muster.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    const facts: RunEvent[] = [];
    let out = '';
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    createInterface({ input: child.stdout }).on('line', (line) => {
      out += `${line}\n`;
      if (!line.startsWith('{"seq"')) return;
      const fact = JSON.parse(line) as RunEvent;
      facts.push(fact);
      onFact(fact, child);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err, facts }));
  });
}

export const runsOf = (home: string): string[] => readdirSync(join(home, 'runs')).sort();

/** The journal of a run, by default of the first one; a torn last line is left out. */
export const journalOf = (home: string, run = runsOf(home)[0]!): RunEvent[] =>
  readFileSync(join(home, 'runs', run, 'journal.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RunEvent);

/** Everything that a run's graph holds: one text for each node and relationship, sorted. */
export async function graphOf(home: string, run = runsOf(home)[0]!): Promise<readonly string[]> {
  const graph = openEmbeddedGraph(join(home, 'runs', run, 'graph.db'));
  const found: string[] = [];
  for (const { name } of construction.entities) {
    const { nodes } = await graph.read({ entity: name, limit: 1000 });
    for (const node of nodes) found.push(`${nodeId(node)} ${JSON.stringify(Object.entries(node.properties).sort())}`);
  }
  for (const { type, from, to } of await graph.relationships({})) found.push(`${nodeId(from)} ${type} ${nodeId(to)}`);
  await graph.close();
  return found.sort();
}

/** What one graph has and the other lacks; empty when they are the same. In a failing test it names what went wrong. */
export function differences(graph: readonly string[], expected: readonly string[]): string[] {
  const without = (some: readonly string[], others: readonly string[]) => {
    const known = new Set(others);
    return some.filter((one) => !known.has(one));
  };
  return [
    ...without(expected, graph).map((one) => `missing: ${one}`),
    ...without(graph, expected).map((one) => `not expected: ${one}`),
  ];
}

/** Instances whose work is in the graph, in the order of their commits. */
export const committed = (facts: readonly RunEvent[]): string[] =>
  facts.flatMap((fact) => (fact.type === 'commit.ended' ? [fact.instance] : []));

/** Facts of work, as against those that tell of its end. */
const WORK = new Set<RunEvent['type']>([
  'session.opened',
  'turn.started',
  'tool.answered',
  'repair.requested',
  'commit.started',
  'commit.ended',
]);

/** Work on instances that had committed before; empty when nothing ran twice. */
export function workAfterCommit(facts: readonly RunEvent[]): RunEvent[] {
  const done = new Set<string>();
  const again: RunEvent[] = [];
  for (const fact of facts) {
    const instance = 'instance' in fact && typeof fact.instance === 'string' ? fact.instance : undefined;
    if (instance !== undefined && done.has(instance) && WORK.has(fact.type)) again.push(fact);
    if (fact.type === 'commit.ended') done.add(fact.instance);
  }
  return again;
}
