/** The layout of a run's folder. */
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/** Where everything of one run stands; absolute paths. Only `path`, `server`, `logs` and `workspace` exist at first. */
export interface RunFolder {
  readonly runId: string;
  readonly path: string;
  readonly journal: string;
  /** What the documents were converted to: pages, sections, warnings. */
  readonly documents: string;
  readonly endpoint: string;
  readonly server: string;
  readonly logs: string;
  readonly appLog: string;
  readonly reportJson: string;
  readonly reportMarkdown: string;
  readonly workspace: string;
  /** What attempts have handed in, durable before it is answered or committed; made with the first of it. */
  readonly work: string;
  /** Texts that instances were made from, each under its hash; made with the first of them. */
  readonly inputs: string;
  /** Where people's decisions arrive; made with the first of them. */
  readonly decisions: string;
  /** Used instead of the home's graph by a rehearsal. */
  readonly graph: string;
}

/** The paths of a run; touches nothing. */
export function runFolder(home: string, runId: string): RunFolder {
  const path = join(resolve(home), 'runs', runId);
  return {
    runId,
    path,
    journal: join(path, 'journal.jsonl'),
    documents: join(path, 'documents.json'),
    endpoint: join(path, 'endpoint.json'),
    server: join(path, 'server'),
    logs: join(path, 'logs'),
    appLog: join(path, 'logs', 'app.jsonl'),
    reportJson: join(path, 'report.json'),
    reportMarkdown: join(path, 'report.md'),
    workspace: join(path, 'workspace'),
    work: join(path, 'work'),
    inputs: join(path, 'inputs'),
    decisions: join(path, 'decisions'),
    graph: join(path, 'graph.db'),
  };
}

/** A URL such as `neo4j://host`, and not a path; the drive of a Windows path is none. */
export function isGraphUrl(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(location);
}

/**
 * A graph's location as the journal names it: a URL without credentials; a path from the run's folder while the file is
 * inside the home, so that a home can be moved; else the absolute path.
 */
export function graphRecord(folder: RunFolder, location: string): string {
  if (isGraphUrl(location)) return location.replace(/^([^:]+:\/\/)[^/?#]*@/, '$1').replace(/[?#].*$/s, '');
  const file = resolve(location);
  const home = dirname(dirname(folder.path));
  const fromHome = relative(home, file);
  const isInside = fromHome !== '..' && !fromHome.startsWith(`..${sep}`) && !isAbsolute(fromHome);
  return isInside ? relative(folder.path, file).replaceAll(sep, '/') : file;
}

/** The location behind a {@link graphRecord}, an absolute path or a URL; without a record, where such a run keeps it. */
export function graphLocation(
  folder: RunFolder,
  started: { readonly graph?: string; readonly rehearsal: boolean },
): string {
  const { graph, rehearsal } = started;
  if (graph === undefined) return rehearsal ? folder.graph : resolve(folder.path, '..', '..', 'graph.db');
  return isGraphUrl(graph) ? graph : resolve(folder.path, graph);
}
