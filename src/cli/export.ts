/** `muster export`: the graph of a run as files, for machines and for people. */
import { readFile } from 'node:fs/promises';
import { basename, relative, resolve } from 'node:path';
import type { MasterSchema } from '../../schemas/define.ts';
import type { RunCheck } from '../../schemas/run-event.ts';
import { ensureError, MusterError } from '../errors.ts';
import type { Profile } from '../export/construction/profiles/profile.ts';
import type { Site } from '../export/construction/site.ts';
import type { ExportFile } from '../export/file.ts';
import { graphCsv } from '../export/graph/csv.ts';
import { graphCypher } from '../export/graph/cypher.ts';
import { graphMl } from '../export/graph/graphml.ts';
import { graphJson } from '../export/graph/json.ts';
import { indexPage } from '../export/index-page.ts';
import { isGraphUrl } from '../journal/run-paths.ts';
import type { GraphSnapshot } from '../ports.ts';
import { lateLinks } from '../rules/late-links.ts';
import { checkGraph } from '../run/conclude.ts';
import { readSnapshot } from '../snapshot/snapshot.ts';
import { writeExport } from './export-folder.ts';
import { openTarget } from './graph-of-run.ts';
import { visible } from './terminal.ts';

export type ExportFormat = 'json' | 'csv' | 'cypher' | 'graphml' | 'itp-xlsx' | 'itp-docx' | 'registers' | 'all';

interface ExportOptions {
  readonly format: ExportFormat;
  readonly out: string;
  readonly home: string;
  readonly manifest?: string;
  /** Number of one ITP, for the ITP formats; default all. */
  readonly itp?: string;
  /** Project, where a graph file or database holds several. */
  readonly project?: string;
  readonly force?: boolean;
  /** File with a profile to write instead of those that come with muster. */
  readonly profile?: string;
}

const FOR_PEOPLE: ReadonlySet<ExportFormat> = new Set(['itp-xlsx', 'itp-docx', 'registers']);

/**
 * Writes the files and prints their names.
 * @throws MusterError USAGE, EXPORT_EXISTS, FOLDER_NOT_WRITABLE, DISK_FULL, and as openTarget does.
 */
export async function exportGraph(target: string | undefined, options: ExportOptions): Promise<void> {
  if (options.itp !== undefined && !['itp-xlsx', 'itp-docx', 'all'].includes(options.format)) {
    throw new MusterError(
      'USAGE',
      `expected --itp with --format itp-xlsx, itp-docx or all, got --format ${options.format}. Leave one of them out`,
    );
  }
  const opened = await openTarget(target, options);
  try {
    const { store, schema, runId } = opened;
    const scope = options.project ?? opened.scope;
    const graph = await readSnapshot(store, {
      schema,
      ...(scope !== undefined && { scope }),
      ...(runId !== undefined && { runId }),
    });
    if (graph.nodes.length === 0) throw nothing(runId ?? opened.location, scope);
    const exportedOn = new Date().toISOString().slice(0, 10);
    const judged = async (project: string) => {
      // Rules hold for the whole project, also for what an earlier run wrote.
      const { dangling } = lateLinks(schema, project, await readSnapshot(store, { schema, scope: project }));
      return checkGraph({ graph: store, schema, scope: project }, { drawn: 0, dangling });
    };
    const made = await filesOf(graph, schema, options, exportedOn, judged);
    const { location } = opened;
    // The files are handed on: where they were made is nobody's business.
    const source = runId === undefined ? (isGraphUrl(location) ? location : basename(location)) : `run ${runId}`;
    const files = [...made, indexPage(made, { source, exportedOn })];
    const kept = await writeExport(options.out, files, { force: options.force ?? false });
    const lines = [
      ...listing(files, options.out),
      ...(kept === undefined ? [] : [`What the folder held before is in ${kept}`]),
    ];
    process.stdout.write(`${lines.map(visible).join('\n')}\n`);
  } finally {
    await opened.close();
  }
}

/** @param judged what the rules find wrong in a project; asked for when the registers are wanted. */
async function filesOf(
  graph: GraphSnapshot,
  schema: MasterSchema,
  { format, itp, profile }: ExportOptions,
  exportedOn: string,
  judged: (project: string) => Promise<RunCheck>,
): Promise<ExportFile[]> {
  const wants = (one: ExportFormat) => format === one || format === 'all';
  const files: ExportFile[] = [];
  if (wants('json')) files.push(graphJson(graph, schema));
  if (wants('csv')) files.push(...graphCsv(graph, schema));
  if (wants('cypher')) files.push(graphCypher(graph, schema));
  if (wants('graphml')) files.push(graphMl(graph, schema));
  if (format !== 'all' && !FOR_PEOPLE.has(format)) return files;
  // What writes workbooks is loaded when somebody wants one.
  const { assertConstruction, isConstruction, itpFiles, registerFiles } = await import(
    '../export/construction/files.ts'
  );
  // Of another domain "all" is all that there is.
  if (format === 'all' && itp === undefined && !isConstruction(schema)) return files;
  assertConstruction(schema);
  const { Site } = await import('../export/construction/site.ts');
  const site = new Site(graph, projectOf(graph));
  const docNo = itp === undefined ? {} : { docNo: itp };
  if (wants('itp-xlsx')) files.push(...(await itpFiles(site, { format: 'xlsx', exportedOn, ...docNo })));
  if (wants('itp-docx')) files.push(...(await itpFiles(site, { format: 'docx', exportedOn, ...docNo })));
  if (wants('registers')) files.push(...(await registerFiles(site, exportedOn, await judged(site.projectId))));
  if (wants('registers')) files.push(...(await programs(site, schema, exportedOn, profile)));
  if (files.length > 0) return files;
  throw new MusterError(
    'USAGE',
    `expected an ITP in project ${site.projectId}, got none. The run may not have come so far; --format registers lists those that are missing`,
  );
}

/** What the software of the site and schedulers import. */
async function programs(site: Site, schema: MasterSchema, exportedOn: string, own?: string): Promise<ExportFile[]> {
  const [{ PROFILES }, { profileFiles }, { programFiles }] = await Promise.all([
    import('../export/construction/profiles/built-in.ts'),
    import('../export/construction/profiles/files.ts'),
    import('../export/construction/program/files.ts'),
  ]);
  const profiles = own === undefined ? PROFILES : [await profileOf(own, schema)];
  return [...profiles.flatMap((profile) => profileFiles(site, profile)), ...programFiles(site, exportedOn)];
}

async function profileOf(path: string, schema: MasterSchema): Promise<Profile> {
  const { readProfile } = await import('../export/construction/profiles/profile.ts');
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (thrown) {
    const { message } = ensureError(thrown);
    throw new MusterError(
      'USAGE',
      `expected a profile as JSON in ${path}, got ${message}. Name another with --profile`,
    );
  }
  return readProfile(value, schema, path);
}

/** The one project of the graph. */
function projectOf(graph: GraphSnapshot): string {
  const projects = [...new Set(graph.nodes.map(({ key }) => String(key[0])))];
  const [project] = projects;
  if (project !== undefined && projects.length === 1) return project;
  throw new MusterError(
    'USAGE',
    `expected a graph of one project for ITPs and registers, got ${projects.slice(0, 10).join(', ')}. Choose one with --project`,
  );
}

function nothing(source: string, scope: string | undefined): MusterError {
  const of = scope === undefined ? '' : ` of project ${scope}`;
  return new MusterError(
    'USAGE',
    `expected nodes${of} in ${source}, got none. Name another run ("muster runs" lists them), graph or project`,
  );
}

/** Each file with what it holds, below the folder. */
function listing(files: readonly ExportFile[], folder: string): string[] {
  const shown = relative('', resolve(folder)) || '.';
  const width = Math.min(60, Math.max(...files.map(({ path }) => path.length)));
  return [
    `${files.length} files in ${shown.startsWith('..') ? resolve(folder) : shown}`,
    ...files.map(({ path, what }) => `  ${path.padEnd(width)}  ${what}`),
  ];
}
