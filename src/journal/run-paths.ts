/** The layout of a run's folder. */
import { join, resolve } from 'node:path';

/** Where everything of one run stands; absolute paths. Only `path`, `server`, `logs` and `workspace` exist at first. */
export interface RunFolder {
  readonly runId: string;
  readonly path: string;
  readonly journal: string;
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
