/** A small project of independent tasks, each of which owes one thing of a kind of its own, and the script of its model. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { muster, type OnFact, ROOT } from './muster-process.ts';

export type Call = { tool: string; arguments: object };
export type Step = { say?: string; calls?: Call[]; finish?: string; hang?: true; error?: object };

export const read: Call = { tool: 'read', arguments: { filePath: 'documents/notes.md' } };
/** Hands in the one thing that the task owes, and completes. */
export const work = (id: string, code = 'T1'): Step[] => [
  { calls: [{ tool: 'muster_submit', arguments: { entities: [{ entity: entityOf(id), attributes: { code } }] } }] },
  { calls: [{ tool: 'muster_complete', arguments: { summary: 'All there.' } }] },
  { say: 'Done.' },
];
const entityOf = (id: string) => id[0]!.toUpperCase() + id.slice(1);

/** What each task does, by its id; `more` is added to its entry in the manifest. */
export type Tasks = Readonly<Record<string, { more?: object; turns: Step[][] }>>;

/** Writes the project into `folder`; `more` is added to its manifest, `perCallMs` is how long the model takes. */
export function thingsProject(folder: string, tasks: Tasks, more: object, perCallMs: number) {
  const write = (path: string, value: unknown) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), typeof value === 'string' ? value : JSON.stringify(value));
  };
  const ids = Object.keys(tasks);
  write('documents/notes.md', '# Notes\n\nOne thing, T1.\n');
  write(
    'schema.mjs',
    `import { z } from ${JSON.stringify(join(ROOT, 'node_modules/zod/index.js'))};
export default {
  name: 'things', version: '1.0.0', description: 'Things.', scope: 'projectId',
  entities: ${JSON.stringify(ids)}.map((id) => ({
    name: id[0].toUpperCase() + id.slice(1), description: 'A thing.', key: ['projectId', 'code'],
    attributes: z.strictObject({ code: z.string().regex(/^T\\d+$/).describe('Its code.') }),
    producers: [{ task: id }],
    examples: { valid: { code: 'T1' }, invalid: { attributes: { code: 'x' }, at: 'code', why: 'T and digits.' } },
  })),
  relationships: [], common: { agent: z.strictObject({}), engine: [] },
};`,
  );
  write('manifest.json', {
    name: 'things',
    schema: './schema.mjs',
    limits: { attempts: 1, repairs: 0 },
    ...more,
    tasks: ids.map((id) => ({
      id,
      title: id,
      prompt: `prompts/${id}.md`,
      creates: [entityOf(id)],
      ...tasks[id]!.more,
    })),
  });
  write('script/rehearsal.json', {
    name: 'things',
    description: 'Things.',
    project: 'P1',
    pace: { perCallMs, perChunkMs: 0 },
  });
  for (const id of ids) {
    write(`prompts/${id}.md`, `Find the thing of ${id}.`);
    write(`script/${id}.json`, { instance: id, turns: tasks[id]!.turns });
  }
  const home = join(folder, 'home');
  const runFolder = () => join(home, 'runs', readdirSync(join(home, 'runs'))[0]!);
  return {
    folder,
    home,
    write,
    rehearse: (extra: readonly string[] = [], onFact?: OnFact) =>
      muster(['rehearse', folder, '--script', join(folder, 'script'), '--home', home, '--json', ...extra], onFact),
    resume: (extra: readonly string[] = [], onFact?: OnFact) =>
      muster(['resume', '--home', home, '--json', ...extra], onFact),
    report: () => readFileSync(join(runFolder(), 'report.md'), 'utf8'),
    journal: () => readFileSync(join(runFolder(), 'journal.jsonl'), 'utf8'),
  };
}
